//! Cases as folders, for reading.

use super::Pick;
use anyhow::Context;
use orchestrator_replay::{Answer, Case, Judgement};
use orchestrator_repository::Reader;
use std::path::Path;

/// Writes each case of the classes wanted as a folder `NUMBER-NAME` of `base ours theirs expected result path why`.
pub(super) fn cases(folder: &Path, reader: &Reader, judgement: &Judgement, wanted: &[Pick]) -> anyhow::Result<()> {
    let of_conflicts = judgement.conflicts.iter().flatten().map(|file| (&file.case, &file.ours, "conflict"));
    let changed = judgement.clean.iter().filter(|file| file.is_changed);
    let of_clean = changed.map(|file| (&file.case, &file.ours, "clean"));
    for (at, (case, answer, from)) in of_conflicts.chain(of_clean).enumerate() {
        let is_wanted = |pick: &Pick| match pick {
            Pick::Class(class) => answer.class == *class,
            Pick::Candidates => !answer.candidates.is_empty(),
        };
        if wanted.iter().any(is_wanted) {
            let name = case.path.replace(['/', '\\'], "-");
            let name: String = name.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
            let place = folder.join(format!("{at:05}-{from}-{}-{name}", answer.class.letter()));
            write(&place, reader, case, answer).with_context(|| format!("failed to write {}", place.display()))?;
        }
    }
    Ok(())
}

fn write(place: &Path, reader: &Reader, case: &Case, answer: &Answer) -> anyhow::Result<()> {
    std::fs::create_dir_all(place)?;
    let versions = [("base", case.base), ("ours", case.ours), ("theirs", case.theirs), ("expected", case.committed)];
    for (name, id) in versions {
        std::fs::write(place.join(name), reader.blob(id)?)?;
    }
    if let Some(content) = &answer.content {
        std::fs::write(place.join("result"), content)?;
    }
    std::fs::write(place.join("path"), format!("{}\n", case.path))?;
    let classes: Vec<String> = answer.candidates.iter().map(|class| class.letter().to_string()).collect();
    let why = answer.why.as_deref().unwrap_or("-");
    let (merge, class, rules) = (case.merge, answer.class, &answer.rules);
    let why =
        format!("merge {merge}\nclass {class:?}\ncandidates {}\nrules {rules:?}\nleft {why}\n", classes.join(" "));
    Ok(std::fs::write(place.join("why"), why)?)
}
