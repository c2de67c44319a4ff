//! Counts and rates.

use crate::{Answer, Class, Judged, Judgement};
use orchestrator_merge::Layer;
use serde::Serialize;
use std::collections::BTreeMap;

/// The normal distribution's quantile for 95% between two bounds.
const Z: f64 = 1.959_963_984_540_054;

/// A share with the bounds between which the true one lies in 19 of 20 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// How many of them.
    pub part: usize,
    /// Of how many.
    pub of: usize,
    /// The share; nothing of nothing is nothing.
    pub share: Option<f64>,
    /// Wilson's lower bound.
    pub low: f64,
    /// Wilson's upper bound.
    pub high: f64,
}

impl Rate {
    /// `part` of `of`.
    #[must_use]
    pub fn new(part: usize, of: usize) -> Self {
        if of == 0 {
            return Self { part, of, share: None, low: 0.0, high: 1.0 };
        }
        let (n, share) = (of as f64, part as f64 / of as f64);
        let scale = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Self { part, of, share: Some(share), low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }
}

/// Answers counted by class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All.
    pub files: usize,
    /// Those that a person settled with one side whole.
    pub one_sided: usize,
    /// Class E.
    pub exact: usize,
    /// Class W.
    pub white: usize,
    /// Class V.
    pub equivalent: usize,
    /// Class D.
    pub differs: usize,
    /// Class B.
    pub broken: usize,
    /// Class X, those with candidates among them.
    pub conflict: usize,
    /// No answer.
    pub failed: usize,
    /// Clean answers where a person took one side whole.
    pub clean_one_sided: usize,
    /// Those with candidates for a gate.
    pub candidates: usize,
    /// Those whose first candidate is as people did.
    pub first_agrees: usize,
    /// Those with any candidate as people did.
    pub any_agrees: usize,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, answer: &Answer, one_sided: bool) {
        self.add_class(answer.class, one_sided);
        self.candidates += usize::from(!answer.candidates.is_empty());
        self.first_agrees += usize::from(answer.candidates.first().is_some_and(|class| class.agrees()));
        self.any_agrees += usize::from(answer.candidates.iter().any(|class| class.agrees()));
    }

    pub(crate) fn add_class(&mut self, class: Class, one_sided: bool) {
        self.files += 1;
        self.one_sided += usize::from(one_sided);
        self.clean_one_sided += usize::from(one_sided && class.is_clean());
        *match class {
            Class::Exact => &mut self.exact,
            Class::White => &mut self.white,
            Class::Equivalent => &mut self.equivalent,
            Class::Differs => &mut self.differs,
            Class::Broken => &mut self.broken,
            Class::Conflict => &mut self.conflict,
            Class::Failed => &mut self.failed,
        } += 1;
    }

    /// As people did.
    #[must_use]
    pub fn agree(&self) -> usize {
        self.exact + self.white + self.equivalent
    }

    /// Clean answers.
    #[must_use]
    pub fn clean(&self) -> usize {
        self.agree() + self.differs + self.broken
    }

    /// A2: as people did, of all files.
    #[must_use]
    pub fn settled(&self) -> Rate {
        Rate::new(self.agree(), self.files)
    }

    /// As people did, of the clean answers.
    #[must_use]
    pub fn agreement(&self) -> Rate {
        Rate::new(self.agree(), self.clean())
    }

    /// A3: not as people did, of the clean answers.
    #[must_use]
    pub fn wrong(&self) -> Rate {
        Rate::new(self.differs + self.broken, self.clean())
    }
}

/// How long things took, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// How many were measured.
    pub measured: usize,
    /// Half took at most this long.
    pub p50: u64,
    /// All but one in a hundred took at most this long.
    pub p99: u64,
    /// The longest.
    pub most: u64,
}

impl Times {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at =
            |percent: usize| times.get((times.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or_default();
        Self { measured: times.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

/// Files that git merges though both sides changed them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CleanScore {
    /// Git's results.
    pub git: Tally,
    /// Ours.
    pub ours: Tally,
    /// Those that we leave in conflict.
    pub regressions: usize,
    /// Those that we merge to something else.
    pub changed: usize,
    /// Those of `regressions` and `changed` where git's result is not what was committed.
    pub git_differs: usize,
}

/// Everything that is counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Merges judged.
    pub merges: usize,
    /// Those among them in which both sides changed one file, or one's change clashes with the other's.
    pub two_sided: usize,
    /// A1 of git: merges that it makes.
    pub git_clean_merges: Rate,
    /// A1 of ours.
    pub our_clean_merges: Rate,
    /// Conflicts that are not about the lines of one file, or whose case was left out.
    pub other_conflicts: usize,
    /// Files that git leaves in conflict.
    pub ours: Tally,
    /// The same by the programs compared with.
    pub peers: BTreeMap<String, Tally>,
    /// The same by language.
    pub languages: BTreeMap<String, Tally>,
    /// By language, then program.
    pub peer_languages: BTreeMap<String, BTreeMap<String, Tally>>,
    /// By layer: clean answers of which it is the highest.
    pub highest: BTreeMap<&'static str, Tally>,
    /// By layer: clean answers in which it took part.
    pub layers: BTreeMap<&'static str, Tally>,
    /// By rule of a layer above lines: clean answers in which it took part.
    pub rules: BTreeMap<String, Tally>,
    /// By rule of a layer above lines: answers whose first candidate it made.
    pub candidate_rules: BTreeMap<String, Tally>,
    /// Why files were left, without what differs from file to file.
    pub left: BTreeMap<String, usize>,
    /// Files that git merges.
    pub clean: CleanScore,
    /// A3 over all files that both sides changed: git's.
    pub git_wrong: Rate,
    /// A3 over all files that both sides changed: ours.
    pub our_wrong: Rate,
    /// The engine, on files in conflict.
    pub engine: Times,
    /// The engine, on files that git merges.
    pub engine_clean: Times,
    /// Parsing the four versions once.
    pub parse: Times,
    /// The engine's time in hundredths of the time of parsing, file by file.
    pub engine_by_parse: Times,
    /// The programs compared with.
    pub peer_times: BTreeMap<String, Times>,
}

impl Score {
    /// Counts.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Self {
        let judged: Vec<&Judged> = judgement.conflicts.iter().flatten().collect();
        let (mut ours, mut peers) = (Tally::default(), BTreeMap::<String, Tally>::new());
        let mut languages = BTreeMap::<String, Tally>::new();
        let mut peer_languages = BTreeMap::<String, BTreeMap<String, Tally>>::new();
        let (mut highest, mut layers) = (BTreeMap::<_, Tally>::new(), BTreeMap::<_, Tally>::new());
        let (mut rules, mut candidate_rules) = (BTreeMap::<_, Tally>::new(), BTreeMap::<_, Tally>::new());
        let mut left = BTreeMap::<String, usize>::new();
        for file in &judged {
            ours.add(&file.ours, file.one_sided);
            languages.entry(file.language.clone()).or_default().add(&file.ours, file.one_sided);
            for (name, answer) in judgement.peers.iter().zip(&file.peers) {
                peers.entry(name.clone()).or_default().add(answer, file.one_sided);
                let by_language = peer_languages.entry(file.language.clone()).or_default();
                by_language.entry(name.clone()).or_default().add(answer, file.one_sided);
            }
            let counted = if file.ours.class.is_clean() { &mut rules } else { &mut candidate_rules };
            for rule in file.ours.rules.iter().filter(|rule| rule.layer() > Layer::Lines) {
                counted.entry(format!("{rule:?}")).or_default().add(&file.ours, file.one_sided);
            }
            if file.ours.class.is_clean() {
                let took_part = |layer: &&Layer| file.ours.rules.iter().any(|rule| rule.layer() == **layer);
                for layer in Layer::ALL.iter().filter(took_part) {
                    layers.entry(layer.name()).or_default().add(&file.ours, file.one_sided);
                }
                if let Some(layer) = file.ours.rules.iter().map(|rule| rule.layer()).max() {
                    highest.entry(layer.name()).or_default().add(&file.ours, file.one_sided);
                }
            } else {
                *left.entry(kind(&file.ours)).or_default() += 1;
            }
        }
        let clean = clean_score(judgement);
        let (git_clean, our_clean) = clean_merges(judgement);
        let both = |at: &Tally, more: &Tally| {
            Rate::new(at.differs + at.broken + more.differs + more.broken, at.clean() + more.clean())
        };
        let times = |time: fn(&Judged) -> Option<u64>| Times::of(judged.iter().filter_map(|file| time(file)).collect());
        let peer_times = judgement.peers.iter().enumerate().map(|(at, name)| {
            let times = judged.iter().filter_map(|file| file.peers.get(at)).map(|answer| answer.micros);
            (name.clone(), Times::of(times.collect()))
        });
        Self {
            merges: judgement.cases.merges,
            two_sided: judgement.cases.two_sided,
            git_clean_merges: Rate::new(git_clean, judgement.cases.merges),
            our_clean_merges: Rate::new(our_clean, judgement.cases.merges),
            other_conflicts: judgement.cases.unsettled.values().sum(),
            git_wrong: clean.git.wrong(),
            our_wrong: both(&clean.ours, &ours),
            engine: times(|file| Some(file.ours.micros)),
            engine_clean: Times::of(judgement.clean.iter().map(|file| file.ours.micros).collect()),
            parse: times(|file| file.parse_micros),
            engine_by_parse: times(|file| Some(file.ours.micros * 100 / file.parse_micros?.max(1))),
            peer_times: peer_times.collect(),
            ours,
            peers,
            languages,
            peer_languages,
            highest,
            layers,
            rules,
            candidate_rules,
            left,
            clean,
        }
    }
}

/// Why it was left, without the details.
fn kind(answer: &Answer) -> String {
    let why = answer.why.as_deref().unwrap_or("no reason");
    let name = |text: &str| text.split([' ', '{']).next().unwrap_or(text).to_owned();
    let reason = match why.strip_prefix("Refused(") {
        Some(refusal) => format!("refused: {}", name(refusal).trim_end_matches(')')),
        None => name(why),
    };
    if answer.candidates.is_empty() { reason } else { format!("candidates ({reason})") }
}

fn clean_score(judgement: &Judgement) -> CleanScore {
    let mut score = CleanScore::default();
    for file in &judgement.clean {
        score.git.add_class(file.git, file.one_sided);
        score.ours.add(&file.ours, file.one_sided);
        score.regressions += usize::from(!file.ours.class.is_clean());
        score.changed += usize::from(file.is_changed && file.ours.class.is_clean());
        score.git_differs += usize::from(file.is_changed && !file.git.agrees());
    }
    score
}

/// How many merges git makes, and how many we make: those where nothing is left to a person.
fn clean_merges(judgement: &Judgement) -> (usize, usize) {
    let cases = &judgement.cases;
    let is_clean = |place: &usize| {
        judgement.conflicts.get(*place).and_then(Option::as_ref).is_some_and(|file| file.ours.class.is_clean())
    };
    let mut git_left: std::collections::BTreeSet<_> = cases.unsettled.keys().collect();
    let mut we_leave = git_left.clone();
    git_left.extend(cases.by_merge.keys());
    we_leave.extend(cases.by_merge.iter().filter(|(_, places)| !places.iter().all(is_clean)).map(|(merge, _)| merge));
    let regressed = judgement.clean.iter().filter(|file| !file.ours.class.is_clean());
    we_leave.extend(regressed.map(|file| &file.case.merge));
    (cases.merges - git_left.len(), cases.merges - we_leave.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_wilson() {
        let near = |rate: Rate, low: f64, high: f64| (rate.low - low).abs() < 5e-4 && (rate.high - high).abs() < 5e-4;
        assert!(near(Rate::new(2, 100), 0.0055, 0.0700));
        assert!(near(Rate::new(0, 10), 0.0, 0.2775));
        assert!(near(Rate::new(10, 10), 0.7225, 1.0));
        assert_eq!(Rate::new(0, 0).share, None);
    }

    #[test]
    fn times_are_ranks() {
        let times = Times::of((1..=200).rev().collect());
        assert_eq!((times.measured, times.p50, times.p99, times.most), (200, 100, 198, 200));
        assert_eq!(Times::of(vec![7]), Times { measured: 1, p50: 7, p99: 7, most: 7 });
        assert_eq!(Times::of(Vec::new()), Times::default());
    }
}
