//! `agent-client union`: everyone's unfinished work together.

use crate::context::Context;
use crate::exit::Failure;
use crate::table::Table;
use clap::Args;
use orchestrator_protocol::{AgentId, Union, UnionBreak, UnionBroken, UnionCollision, UnionPath};

/// Arguments of `union`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client union
  agent-client --json union --limit 1000")]
pub(crate) struct Arguments {
    /// At most so many of each list.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let union = client.union(arguments.limit).await?;
    if out.is_json {
        return out.json(&union);
    }
    let mut facts = Table::new(&["UNION", ""]);
    for (what, value) in facts_of(&union) {
        facts.row([what.to_owned(), value]);
    }
    out.table(&facts, "")?;
    let mut left_out = Table::new(&["LEFT OUT", "COLLIDES IN", "WITH", "CONFLICT"]);
    for one in &union.left_out {
        for collision in &one.collisions {
            left_out.row(collides(&one.agent_id, collision, union.target.as_deref()));
        }
    }
    out.table(&left_out, "nobody is left out")?;
    let mut breaks = Table::new(&["BROKEN BY", "PATH", "TOGETHER WITH", "HOW", "CONFLICT"]);
    union.breaks.iter().for_each(|broken| breaks.row(breaks_so(broken)));
    out.table(&breaks, &whole(&union))?;
    let mut merged = Table::new(&["MERGED", "VERSIONS OF", "MOVED FROM"]);
    union.merged.iter().for_each(|path| merged.row(merged_from(path)));
    out.table(&merged, "no file was changed by several")?;
    if union.truncated {
        out.note("there is more: raise --limit");
    }
    if union.unparsed > 0 {
        out.note(&format!("{} of the merged files are too large to be parsed", union.unparsed));
    }
    if union.unread > 0 {
        out.note(&format!("{} paths could not be read: see 'agent-client status'", union.unread));
    }
    Ok(())
}

fn facts_of(union: &Union) -> [(&'static str, String); 6] {
    [
        ("branch", union.target.clone().unwrap_or_default()),
        ("commit", union.tip.clone().unwrap_or_default()),
        ("agents", names(&union.agents)),
        ("not known", names(&union.unknown)),
        ("paths", union.paths.to_string()),
        ("tree", union.tree.clone().unwrap_or_default()),
    ]
}

fn names(agents: &[AgentId]) -> String {
    agents.iter().map(AgentId::as_str).collect::<Vec<_>>().join(", ")
}

/// Whose work goes together where nothing breaks, and whose is not in it.
fn whole(union: &Union) -> String {
    let left_out: Vec<AgentId> = union.left_out.iter().map(|one| one.agent_id.clone()).collect();
    let without = |agents: &[AgentId], why: &str| match agents {
        [] => None,
        agents => Some(format!("that of {} is left out: {why}", names(agents))),
    };
    let within = match union.agents.as_slice() {
        [] => "nobody's work is in it".to_owned(),
        [one] => format!("only the work of {one} is in it"),
        all => format!("the work of {} goes together", names(all)),
    };
    // Of some, what was seen earlier is in it.
    let unknown: Vec<AgentId> = union.unknown.iter().filter(|one| !union.agents.contains(one)).cloned().collect();
    let without = [without(&left_out, "it collides"), without(&unknown, "it is not known")];
    [Some(within)].into_iter().chain(without).flatten().collect::<Vec<_>>().join("; ")
}

fn collides(agent: &AgentId, collision: &UnionCollision, target: Option<&str>) -> [String; 4] {
    let landed = || format!("{} (landed)", target.unwrap_or("the branch"));
    let with = collision.with.as_ref().map_or_else(landed, ToString::to_string);
    [agent.to_string(), collision.file_path.clone(), with, collision.conflict_id.clone().unwrap_or_default()]
}

fn breaks_so(broken: &UnionBroken) -> [String; 5] {
    let (by, with) = broken.agents.split_first().map_or((String::new(), &[][..]), |(by, with)| (by.to_string(), with));
    [
        by,
        broken.file_path.clone(),
        names(with),
        how(broken.cause).to_owned(),
        broken.conflict_id.clone().unwrap_or_default(),
    ]
}

/// A way in which a union breaks, in words.
pub(super) fn how(cause: UnionBreak) -> &'static str {
    match cause {
        UnionBreak::Collides => "collides",
        UnionBreak::DoesNotParse => "does not parse",
    }
}

fn merged_from(path: &UnionPath) -> [String; 3] {
    [path.file_path.clone(), names(&path.agents), path.moved_from.clone().unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::UnionLeftOut;

    #[test]
    fn it_says_whose_work_goes_together_and_whose_is_not_in_it() {
        let ids = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<AgentId>>();
        for (agents, left_out, unknown, expected) in [
            (&[][..], &[][..], &[][..], "nobody's work is in it"),
            (&["cleo"], &[], &[], "only the work of cleo is in it"),
            (&["cleo", "dan"], &[], &[], "the work of cleo, dan goes together"),
            (
                &["cleo", "dan"],
                &["ann", "bob"],
                &[],
                "the work of cleo, dan goes together; that of ann, bob is left out: it collides",
            ),
            (
                &["cleo"],
                &["ann"],
                &["eve"],
                "only the work of cleo is in it; that of ann is left out: it collides; that of eve is left out: it is not known",
            ),
            (&["cleo", "dan"], &[], &["dan"], "the work of cleo, dan goes together"),
            (&[], &["ann", "bob"], &[], "nobody's work is in it; that of ann, bob is left out: it collides"),
        ] {
            let left_out = ids(left_out).into_iter().map(|agent_id| UnionLeftOut { agent_id, collisions: Vec::new() });
            let left_out = left_out.collect();
            let union = Union { agents: ids(agents), left_out, unknown: ids(unknown), ..Union::default() };
            assert_eq!(whole(&union), expected);
        }
    }
}
