//! A conflict as a person wants to see it: who against whom, and everybody's lines.

use super::meaning;
use crate::commands::union::how;
use crate::output::{Output, clean};
use crate::when::{ago, word};
use anstyle::{AnsiColor, Style};
use orchestrator_protocol::{
    AgentId, Conflict, ConflictRegion, ConflictType, Escalation, RegionLines, Resolution, Severity, Timestamp,
};
use std::borrow::Cow;

/// One colour a side, in the order in which they are named.
const SIDES: [AnsiColor; 4] = [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Magenta, AnsiColor::Green];
/// What lines begin with when they have a number.
const NUMBER: usize = 6;

/// The lines of a conflict: what it is, then each place where it collides.
pub(crate) fn lines(out: &Output, conflict: &Conflict, what: &str, now: Timestamp) -> Vec<String> {
    let names = names(conflict);
    let painted: Vec<String> =
        names.iter().enumerate().map(|(side, name)| out.paint(color(side).bold(), &clean(name))).collect();
    let mut lines = vec![format!(
        "{} {}  {}  {}  {}  {}  {}",
        out.bold(&clean(&conflict.conflict_id)),
        clean(what),
        out.paint(severity(conflict.severity), &word(&conflict.severity)),
        word(&conflict.conflict_type),
        out.bold(&clean(&conflict.file_path)),
        painted.join(" against "),
        out.dim(&ago(conflict.detected_at, now)),
    )];
    if !conflict.entities.is_empty() {
        let entities: Vec<Cow<'_, str>> = conflict.entities.iter().map(|entity| clean(entity)).collect();
        lines.push(format!("  in {}", entities.join(", ")));
    }
    if let Some(Escalation { by, reason, .. }) = &conflict.escalation {
        lines.push(format!("  {}", clean(&asked(reason, by.as_deref()))));
    }
    if let (ConflictType::Lease, Some(breaker)) = (conflict.conflict_type, &conflict.affected_agent) {
        let holders = conflict.conflicting_agents.iter().enumerate().filter(|(_, agent)| *agent != breaker);
        let holders: Vec<String> =
            holders.map(|(side, agent)| out.paint(color(side).bold(), &clean(agent.as_str()))).collect();
        lines.push(format!("  {} changed what {} holds", clean(breaker.as_str()), holders.join(", ")));
    }
    if let (ConflictType::LostUpdate, Some(loser)) = (conflict.conflict_type, &conflict.affected_agent) {
        lines.extend(overwritten(out, conflict, loser));
    }
    if let (ConflictType::DeleteModify, Some(region)) = (conflict.conflict_type, conflict.regions.first()) {
        let deleters = names.iter().zip(&region.sides).filter(|(_, part)| part.deleted);
        lines.extend(deleters.map(|(name, _)| format!("  {} deleted the file", clean(name))));
    }
    let names = match (conflict.union_break, names.split_first()) {
        (Some(cause), Some((by, others))) => {
            let text = format!("what {by} changed {} with the union of {}", how(cause), others.join(", "));
            lines.push(format!("  {}", clean(&text)));
            vec![by.clone(), "the others".to_owned()]
        }
        _ => names,
    };
    if let Some(impact) = &conflict.impact {
        lines.extend(meaning::lines(out, conflict, impact));
    }
    let width = names.iter().map(|name| clean(name).chars().count()).max().unwrap_or(0).max("base".len());
    let total = conflict.regions.len();
    for (number, region) in conflict.regions.iter().enumerate() {
        if total > 1 {
            lines.push(out.dim(&format!("  place {} of {total}", number + 1)));
        }
        region_lines(out, region, &names, width, &mut lines);
    }
    lines.extend(conflict.resolution.as_deref().map(settled));
    lines
}

/// The merged result, on one line.
fn settled(made: &Resolution) -> String {
    let by = made.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let what = match made.result {
        Some(_) => format!("{} ({} bytes)", made.file_path, made.size),
        None => format!("{} is deleted", made.file_path),
    };
    let takers: Vec<String> = made.pulled_by.iter().map(ToString::to_string).collect();
    let taken = if takers.is_empty() { "nobody yet".to_owned() } else { takers.join(", ") };
    format!("  {}", clean(&format!("settled with {}{by}: {what}; pulled by {taken}", made.strategy)))
}

/// Whose work is gone, and how it comes back.
fn overwritten(out: &Output, conflict: &Conflict, loser: &AgentId) -> Vec<String> {
    let by = conflict.conflicting_agents.iter().find(|agent| *agent != loser);
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let mut lines = vec![format!("  {}", clean(&format!("work of {loser} was overwritten{by}")))];
    if let Some(snapshot) = &conflict.snapshot_id {
        let path = &conflict.file_path;
        let command = format!("agent-client restore --agent-id {loser} {snapshot} '{}'", path.replace('\'', r"'\''"));
        lines.push(format!("  {}", out.bold(&clean(&command))));
    }
    lines
}

fn asked(reason: &str, by: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("a person is asked{by}: {reason}")
}

/// A conflict that a person is to decide, on one line.
pub(crate) fn escalated(out: &Output, id: &str, known: Option<&Conflict>, reason: &str, by: Option<&str>) -> String {
    format!("{}{}  {}", out.bold(&clean(id)), clean(&about(known)), clean(&asked(reason, by)))
}

/// Where and between whom it is, as far as that is known.
fn about(known: Option<&Conflict>) -> String {
    known.map(|known| format!("  {}  {}", known.file_path, names(known).join(" against "))).unwrap_or_default()
}

/// A conflict that is over, on one line.
pub(crate) fn resolved(out: &Output, id: &str, known: Option<&Conflict>, strategy: &str, by: Option<&str>) -> String {
    let about = about(known);
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let gone = out.struck(&clean(&format!("{id}{about}")));
    format!("{gone}  {}", clean(&format!("resolved: {strategy}{by}")))
}

/// Who collides: the agents, then the branch where it is with landed work.
fn names(conflict: &Conflict) -> Vec<String> {
    let agents = conflict.conflicting_agents.iter().map(ToString::to_string);
    agents.chain(conflict.target.iter().map(|branch| format!("{branch} (landed)"))).collect()
}

fn region_lines(out: &Output, region: &ConflictRegion, names: &[String], width: usize, lines: &mut Vec<String>) {
    side(out, "base", Style::new().dimmed(), &region.base, width, lines);
    for (number, part) in region.sides.iter().enumerate() {
        let name = names.get(number).map_or("?", String::as_str);
        side(out, name, color(number), part, width, lines);
    }
}

/// One side's lines under its name, each with its number.
pub(super) fn side(out: &Output, name: &str, style: Style, part: &RegionLines, width: usize, lines: &mut Vec<String>) {
    let mut label = format!("  {:width$}", clean(name));
    let mut push = |number: &str, text: &str| {
        let line = format!("{label} {number:>NUMBER$}  {text}");
        lines.push(out.paint(style, line.trim_end()));
        label = " ".repeat(width + 2);
    };
    if part.line_count == 0 {
        push("-", if part.deleted { "(deleted)" } else { "(no lines)" });
    }
    for (number, text) in (part.start_line..).zip(part.text.lines().take(part.line_count)) {
        push(&number.to_string(), &clean(&text.replace('\t', "    ")));
    }
    if part.truncated {
        push("...", "(cut)");
    }
}

pub(super) fn color(side: usize) -> Style {
    SIDES.get(side % SIDES.len()).map_or(Style::new(), |color| color.on_default())
}

fn severity(severity: Severity) -> Style {
    match severity {
        Severity::Low => Style::new(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Critical => AnsiColor::Red.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::ResolutionStatus;

    fn part(start_line: usize, text: &str) -> RegionLines {
        RegionLines {
            start_line,
            line_count: text.lines().count(),
            text: text.to_owned(),
            truncated: false,
            deleted: false,
        }
    }

    fn conflict(regions: Vec<ConflictRegion>) -> Conflict {
        Conflict {
            conflict_id: "c7".into(),
            file_path: "src/a.py".into(),
            conflicting_agents: vec!["ann".parse().unwrap(), "bobby".parse().unwrap()],
            conflict_type: ConflictType::Content,
            severity: Severity::Medium,
            detected_at: Timestamp(0),
            resolution_status: ResolutionStatus::Pending,
            resolution_strategy: None,
            resolved_by: None,
            target: None,
            agent_paths: Vec::new(),
            affected_agent: None,
            snapshot_id: None,
            union_break: None,
            escalation: None,
            entities: Vec::new(),
            impact: None,
            regions,
            resolution: None,
        }
    }

    fn one() -> Conflict {
        let sides = vec![part(3, "\tx = 1\n"), part(3, "\u{1b}[2J\nmore\n")];
        conflict(vec![ConflictRegion { base: part(3, ""), sides }])
    }

    #[test]
    fn who_broke_whose_lease_is_said() {
        let mut broken = conflict(Vec::new());
        broken.conflict_type = ConflictType::Lease;
        broken.affected_agent = Some("bobby".parse().unwrap());
        broken.entities = vec!["src/a.py::price".to_owned()];
        let shown = lines(&Output::plain(), &broken, "found", Timestamp(0));
        assert_eq!(shown[1..], ["  in src/a.py::price", "  bobby changed what ann holds"]);
    }

    #[test]
    fn who_deleted_the_file_is_said() {
        let gone = RegionLines { deleted: true, ..part(1, "") };
        let mut deleted =
            conflict(vec![ConflictRegion { base: part(3, "x = 1\n"), sides: vec![gone, part(3, "x = 2\n")] }]);
        deleted.conflict_type = ConflictType::DeleteModify;
        let shown = lines(&Output::plain(), &deleted, "found", Timestamp(0));
        let expected =
            ["  ann deleted the file", "  base       3  x = 1", "  ann        -  (deleted)", "  bobby      3  x = 2"];
        assert_eq!(shown[1..], expected);
    }

    #[test]
    fn who_breaks_the_union_of_whom_is_said() {
        let mut broken = one();
        broken.conflicting_agents.push("cleo".parse().unwrap());
        broken.union_break = Some(orchestrator_protocol::UnionBreak::DoesNotParse);
        let shown = lines(&Output::plain(), &broken, "found", Timestamp(0));
        assert!(shown[0].contains("ann against bobby against cleo"), "{shown:?}");
        assert_eq!(shown[1], "  what ann changed does not parse with the union of bobby, cleo");
        assert_eq!(shown[3..5], ["  ann             3      x = 1", r"  the others      3  \u{1b}[2J"]);
    }

    #[test]
    fn both_sides_stand_under_each_other_with_their_names_and_numbers() {
        let out = Output::plain();
        let expected = [
            "c7 found  medium  content  src/a.py  ann against bobby  3s ago",
            "  base       -  (no lines)",
            "  ann        3      x = 1",
            r"  bobby      3  \u{1b}[2J",
            "             4  more",
        ];
        assert_eq!(lines(&out, &one(), "found", Timestamp(3_000)), expected);
        let over = resolved(&out, "c7", Some(&one()), "withdrawn", None);
        assert_eq!(over, "c7  src/a.py  ann against bobby  resolved: withdrawn");
    }

    #[test]
    fn each_side_has_its_colour_and_what_is_over_is_struck() {
        let out = Output::colored();
        let shown = lines(&out, &one(), "found", Timestamp(0));
        assert!(shown[1].starts_with("\u{1b}[2m  base") && shown[1].ends_with("\u{1b}[0m"), "{shown:?}");
        assert!(shown[2].starts_with("\u{1b}[36m  ann"), "{shown:?}");
        assert!(shown[3].starts_with("\u{1b}[33m  bobby"), "{shown:?}");
        assert!(resolved(&out, "c7", None, "manual", Some("me")).starts_with("\u{1b}[2m\u{1b}[9mc7"));
    }
}
