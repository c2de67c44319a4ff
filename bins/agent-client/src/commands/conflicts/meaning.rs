//! A semantic conflict as a person wants to see it: who changed what, and who uses it where.

use super::shown::{color, side};
use crate::output::{Output, clean};
use anstyle::{AnsiColor, Style};
use orchestrator_protocol::{AffectedUse, AgentId, Conflict, ConflictImpact};

/// What stands before the lines of a definition.
const WIDTH: usize = 6;

/// The definition before and after, then each use.
pub(super) fn lines(out: &Output, conflict: &Conflict, impact: &ConflictImpact) -> Vec<String> {
    let definition = &impact.definition;
    let name = |agent: Option<&AgentId>| match agent {
        Some(agent) => out.paint(style(conflict, agent).bold(), &clean(agent.as_str())),
        None => out.bold(&format!("{} (landed)", clean(conflict.target.as_deref().unwrap_or("landed work")))),
    };
    let mut lines = vec![format!(
        "  {} changed {} in {}: {}",
        name(definition.changed_by.as_ref()),
        out.bold(&clean(&definition.entity)),
        clean(&definition.path),
        clean(&definition.change),
    )];
    let parts = [("before", AnsiColor::Red, &definition.before), ("after", AnsiColor::Green, &definition.after)];
    for (label, color, part) in parts {
        match part {
            Some(part) => side(out, label, color.on_default(), part, WIDTH, &mut lines),
            None => lines.push(out.paint(color.on_default(), &format!("  {label:WIDTH$}      -  (gone)"))),
        }
    }
    let user = conflict.affected_agent.as_ref();
    for one in &impact.uses {
        lines.push(format!("  {} uses it in {}", name(user), place(one)));
        side(out, "", user.map_or(Style::new(), |user| style(conflict, user)), &one.text, WIDTH, &mut lines);
    }
    lines
}

fn place(one: &AffectedUse) -> String {
    let inside = one.entity.as_ref().map(|entity| format!("::{}", clean(entity))).unwrap_or_default();
    format!("{}{inside} ({})", clean(&one.path), clean(&one.kind))
}

/// The colour that the agent has everywhere in this conflict.
fn style(conflict: &Conflict, agent: &AgentId) -> Style {
    color(conflict.conflicting_agents.iter().position(|one| one == agent).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::commands::conflicts::shown;
    use crate::output::Output;
    use orchestrator_protocol::{Conflict, Timestamp};
    use serde_json::json;

    fn conflict() -> Conflict {
        let part = |line, text: &str| json!({"start_line": line, "line_count": 1, "text": text});
        let conflict = json!({
            "conflict_id": "c9", "file_path": "cart.py", "conflicting_agents": ["ann", "bob"],
            "conflict_type": "semantic", "severity": "high", "detected_at": "1970-01-01T00:00:00.000Z",
            "resolution_status": "pending", "resolution_strategy": null, "resolved_by": null,
            "affected_agent": "bob", "entities": ["shop.py::price", "cart.py::total"],
            "impact": {
                "definition": {
                    "path": "shop.py", "entity": "price", "changed_by": "ann", "change": "parameter 'tax' added",
                    "before": part(1, "def price(item):\n"), "after": part(1, "def price(item, tax):\n"),
                },
                "uses": [{
                    "path": "cart.py", "line": 4, "entity": "total", "name": "price", "kind": "call",
                    "text": part(4, "    return price(1)\n"),
                }],
            },
        });
        serde_json::from_value(conflict).unwrap()
    }

    #[test]
    fn who_changed_what_and_who_uses_it_is_said_with_the_lines() {
        let expected = [
            "c9 open  high  semantic  cart.py  ann against bob  now",
            "  in shop.py::price, cart.py::total",
            "  ann changed price in shop.py: parameter 'tax' added",
            "  before      1  def price(item):",
            "  after       1  def price(item, tax):",
            "  bob uses it in cart.py::total (call)",
            "              4      return price(1)",
        ];
        assert_eq!(shown::lines(&Output::plain(), &conflict(), "open", Timestamp(0)), expected);
    }

    #[test]
    fn before_is_red_after_is_green_and_everyone_has_one_colour() {
        let shown = shown::lines(&Output::colored(), &conflict(), "open", Timestamp(0));
        assert!(shown[3].starts_with("\u{1b}[31m  before") && shown[4].starts_with("\u{1b}[32m  after"), "{shown:?}");
        assert!(shown[6].starts_with("\u{1b}[33m") && shown[5].contains("\u{1b}[33mbob"), "{shown:?}");
    }
}
