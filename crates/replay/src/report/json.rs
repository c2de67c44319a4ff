//! All cases and the score as JSON.

use crate::{Answer, Case, Class, Judgement, Score};
use serde_json::{Value, json};

/// `score`, `skipped`, every case in `conflicts`, and of `clean` those that we make otherwise than git or that were
/// committed otherwise than git makes them.
#[must_use]
pub fn json(judgement: &Judgement, score: &Score) -> Value {
    let conflicts = judgement.conflicts.iter().flatten().map(|file| {
        let mut value = described(&file.case, &file.language, file.one_sided, &file.ours);
        value["parse_micros"] = json!(file.parse_micros);
        value["peers"] = judgement
            .peers
            .iter()
            .zip(&file.peers)
            .map(|(name, answer)| (name.clone(), answered(answer)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        value
    });
    let clean = judgement.clean.iter().filter(|file| file.is_changed || file.git != Class::Exact).map(|file| {
        let mut value = described(&file.case, &file.language, file.one_sided, &file.ours);
        value["git"] = json!(file.git);
        value["changed"] = json!(file.is_changed);
        value
    });
    json!({
        "score": score,
        "skipped": judgement.cases.skipped,
        "conflicts": conflicts.collect::<Vec<_>>(),
        "clean": clean.collect::<Vec<_>>(),
    })
}

fn described(case: &Case, language: &str, one_sided: bool, answer: &Answer) -> Value {
    json!({
        "merge": case.merge.to_string(),
        "path": case.path,
        "base": case.base.to_string(),
        "ours": case.ours.to_string(),
        "theirs": case.theirs.to_string(),
        "committed": case.committed.to_string(),
        "language": language,
        "one_sided": one_sided,
        "answer": answered(answer),
    })
}

fn answered(answer: &Answer) -> Value {
    let rules: Vec<String> = answer.rules.iter().map(|rule| format!("{rule:?}")).collect();
    let layer = answer.rules.iter().map(|rule| rule.layer()).max().map(|layer| layer.name());
    json!({
        "class": answer.class,
        "candidates": answer.candidates,
        "layer": layer,
        "rules": rules,
        "why": answer.why,
        "micros": answer.micros,
    })
}
