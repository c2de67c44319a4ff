//! Tables for people.

use crate::{Judgement, Rate, Score, Tally, Times};
use std::fmt::Write;

/// The score as tables. Lines end with a newline.
#[must_use]
pub fn text(judgement: &Judgement, score: &Score) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut page, judgement, score);
    page
}

fn write(page: &mut String, judgement: &Judgement, score: &Score) -> std::fmt::Result {
    writeln!(page, "merges    {}, in {} of them both sides changed one file or clash", score.merges, score.two_sided)?;
    let skipped = &judgement.cases.skipped;
    writeln!(
        page,
        "left out  merges: {} of three and more, {} criss-cross, {} without a base, {} unreadable; \
         files: {} not in the merge commit, {} repeated, {} beyond --cases-most, {} unreadable, {} with a name that is not UTF-8",
        skipped.octopus,
        skipped.criss_cross,
        skipped.unrelated,
        skipped.unreadable_merges,
        skipped.gone,
        skipped.repeated,
        skipped.beyond,
        skipped.unreadable_files,
        skipped.names
    )?;
    if let Some(why) = &skipped.cut {
        writeln!(page, "          the walk ended early: {why}")?;
    }
    let clean = &score.clean;
    let taken = |tally: &Tally| percent(tally.one_sided, tally.files);
    writeln!(page)?;
    writeln!(
        page,
        "A1  clean merges of all merges        git {}   ours {}",
        rate(&score.git_clean_merges),
        rate(&score.our_clean_merges)
    )?;
    writeln!(page, "    conflicts that are not about one file's lines, or left out: {}", score.other_conflicts)?;
    writeln!(
        page,
        "A2  as people did, of files git leaves  ours {}   (one side whole: {})",
        rate(&score.ours.settled()),
        taken(&score.ours)
    )?;
    writeln!(
        page,
        "A3  not as people did, of clean answers ours {}   (one side whole: {})",
        rate(&score.ours.wrong()),
        percent(score.ours.clean_one_sided, score.ours.clean())
    )?;
    writeln!(
        page,
        "    the same over all files both changed  git {}   ours {}",
        rate(&score.git_wrong),
        rate(&score.our_wrong)
    )?;
    writeln!(
        page,
        "clean in git though both changed: {} files; ours: {} in conflict, {} changed; in {} of those git's is not what was committed (one side whole: {})",
        clean.git.files,
        clean.regressions,
        clean.changed,
        clean.git_differs,
        taken(&clean.git)
    )?;

    writeln!(
        page,
        "\nFiles that git leaves in conflict. E exact, W white space, V equivalent, D differs, B broken, X left, F failed;"
    )?;
    writeln!(page, "cand: answers for a gate (in X), 1st/any: those whose first/any candidate is as people did;")?;
    writeln!(page, "1side: resolutions that are one side whole, of all and of the clean answers.\n")?;
    heading(page, "")?;
    row(page, "ours", &score.ours)?;
    let git = Tally {
        files: score.ours.files,
        one_sided: score.ours.one_sided,
        conflict: score.ours.files,
        ..Tally::default()
    };
    row(page, "git", &git)?;
    for (name, tally) in &score.peers {
        row(page, name, tally)?;
    }
    heading(page, "language")?;
    let mut languages: Vec<_> = score.languages.iter().collect();
    languages.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.files), name.as_str()));
    for (name, tally) in languages {
        row(page, name, tally)?;
        for (peer, tally) in score.peer_languages.get(name).into_iter().flatten() {
            row(page, &format!("  {peer}"), tally)?;
        }
    }
    for (title, tallies) in [("highest layer", &score.highest), ("layer took part", &score.layers)] {
        heading(page, title)?;
        for layer in orchestrator_merge::Layer::ALL {
            if let Some(tally) = tallies.get(layer.name()) {
                row(page, layer.name(), tally)?;
            }
        }
    }
    for (title, tallies) in [("rule took part", &score.rules), ("rule of 1st candidate", &score.candidate_rules)] {
        if !tallies.is_empty() {
            heading(page, title)?;
        }
        for (rule, tally) in tallies {
            row(page, rule, tally)?;
        }
    }
    writeln!(page, "\nwhy left")?;
    let mut left: Vec<_> = score.left.iter().collect();
    left.sort_by_key(|(why, count)| (std::cmp::Reverse(**count), why.as_str()));
    for (why, count) in left {
        writeln!(page, "{count:>7}  {why}")?;
    }
    writeln!(page, "\n{:<34} {:>7} {:>9} {:>9} {:>9}", "milliseconds a file", "files", "p50", "p99", "most")?;
    times(page, "ours, in conflict for git", &score.engine)?;
    times(page, "ours, clean for git", &score.engine_clean)?;
    times(page, "parsing the four versions once", &score.parse)?;
    for (name, measured) in &score.peer_times {
        times(page, name, measured)?;
    }
    let ratio = &score.engine_by_parse;
    let times = |hundredths: u64| format!("{:.2}", hundredths as f64 / 100.0);
    let (p50, p99, most) = (times(ratio.p50), times(ratio.p99), times(ratio.most));
    writeln!(page, "{:<34} {:>7} {p50:>9} {p99:>9} {most:>9}", "ours / parsing, file by file", ratio.measured)
}

fn heading(page: &mut String, title: &str) -> std::fmt::Result {
    writeln!(
        page,
        "\n{title:<24} {:>6} {:>5} {:>5} {:>5} {:>5} {:>5} {:>6} {:>4}  {:>6} {:>21}  {:>5} {:>5} {:>5}  {:>11}",
        "files", "E", "W", "V", "D", "B", "X", "F", "A2", "agreement", "cand", "1st", "any", "1side"
    )
}

fn row(page: &mut String, name: &str, tally: &Tally) -> std::fmt::Result {
    let agreement = tally.agreement();
    let agreement = match agreement.share {
        Some(share) => format!("{:.1} ({:.1}..{:.1})", share * 100.0, agreement.low * 100.0, agreement.high * 100.0),
        None => "-".to_owned(),
    };
    let one_sided =
        format!("{} {}", percent(tally.one_sided, tally.files), percent(tally.clean_one_sided, tally.clean()));
    writeln!(
        page,
        "{name:<24} {:>6} {:>5} {:>5} {:>5} {:>5} {:>5} {:>6} {:>4}  {:>6} {agreement:>21}  {:>5} {:>5} {:>5}  {one_sided:>11}",
        tally.files,
        tally.exact,
        tally.white,
        tally.equivalent,
        tally.differs,
        tally.broken,
        tally.conflict,
        tally.failed,
        percent(tally.agree(), tally.files),
        tally.candidates,
        tally.first_agrees,
        tally.any_agrees,
    )
}

fn times(page: &mut String, name: &str, times: &Times) -> std::fmt::Result {
    let ms = |micros: u64| format!("{:.2}", micros as f64 / 1000.0);
    let (p50, p99, most) = (ms(times.p50), ms(times.p99), ms(times.most));
    writeln!(page, "{name:<34} {:>7} {p50:>9} {p99:>9} {most:>9}", times.measured)
}

fn rate(rate: &Rate) -> String {
    match rate.share {
        Some(share) => format!(
            "{:.2}% ({}/{}, {:.1}..{:.1})",
            share * 100.0,
            rate.part,
            rate.of,
            rate.low * 100.0,
            rate.high * 100.0
        ),
        None => "- (0/0)".to_owned(),
    }
}

fn percent(part: usize, of: usize) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.1}%", part as f64 / of as f64 * 100.0) }
}
