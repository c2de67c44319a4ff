//! Which agent fits a file or a list of capabilities.

use crate::{Agent, Registry};
use orchestrator_protocol::AgentId;

/// Capabilities that a file's extension asks for, most telling first.
const EXTENSIONS: [(&[&str], &[&str]); 20] = [
    (&["py", "pyi"], &["python", "backend"]),
    (&["rs"], &["rust", "backend"]),
    (&["go"], &["go", "backend"]),
    (&["java"], &["java", "backend"]),
    (&["kt", "kts"], &["kotlin", "java"]),
    (&["rb"], &["ruby", "backend"]),
    (&["php"], &["php", "backend"]),
    (&["cs"], &["csharp", "dotnet"]),
    (&["c", "h"], &["c", "systems"]),
    (&["cc", "cpp", "cxx", "hpp", "hh"], &["cpp", "systems"]),
    (&["js", "mjs", "cjs", "jsx"], &["javascript", "frontend"]),
    (&["ts", "tsx"], &["typescript", "javascript", "frontend"]),
    (&["vue", "svelte"], &["frontend", "javascript"]),
    (&["css", "scss", "sass", "less"], &["css", "frontend", "ui"]),
    (&["html", "htm"], &["html", "frontend", "ui"]),
    (&["sql"], &["sql", "database", "backend"]),
    (&["sh", "bash", "ps1"], &["shell", "devops"]),
    (&["tf", "dockerfile"], &["devops", "infrastructure"]),
    (&["yml", "yaml", "toml", "ini"], &["devops", "configuration"]),
    (&["md", "rst", "txt"], &["documentation", "writing"]),
];

/// What a path's extension says of the capabilities it needs. Empty when it says nothing.
#[must_use]
pub fn capabilities_for_path(path: &str) -> &'static [&'static str] {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit('.').next().unwrap_or(&name);
    EXTENSIONS.iter().find(|(endings, _)| endings.contains(&extension)).map_or(&[], |(_, capabilities)| capabilities)
}

/// One agent's fitness.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The agent.
    pub agent: AgentId,
    /// 0 to 1: three quarters from capabilities, one quarter from free capacity.
    pub score: f64,
    /// What spoke for it, for people.
    pub reasons: Vec<String>,
}

impl Registry {
    /// Available agents that have at least one of the asked capabilities, or any when none are asked for; best
    /// first, then by workload, then by id, so the answer does not depend on chance.
    #[must_use]
    pub fn recommend(&self, capabilities: &[String]) -> Vec<Recommendation> {
        let mut found: Vec<(Recommendation, f64)> = self
            .agents()
            .filter(|agent| agent.is_available())
            .filter_map(|agent| Some((fitness(agent, capabilities)?, agent.workload.get())))
            .collect();
        found.sort_by(|(one, load), (two, other)| {
            two.score.total_cmp(&one.score).then(load.total_cmp(other)).then(one.agent.cmp(&two.agent))
        });
        found.into_iter().map(|(recommendation, _)| recommendation).collect()
    }

    /// The least busy available agent with a capability; the id decides between equals.
    #[must_use]
    pub fn most_free(&self, capability: &str) -> Option<&Agent> {
        self.agents()
            .filter(|agent| agent.is_available() && agent.can(capability))
            .min_by(|one, two| one.workload.get().total_cmp(&two.workload.get()).then(one.id.cmp(&two.id)))
    }
}

fn fitness(agent: &Agent, wanted: &[String]) -> Option<Recommendation> {
    let matched: Vec<&String> = wanted.iter().filter(|capability| agent.can(capability)).collect();
    if !wanted.is_empty() && matched.is_empty() {
        return None;
    }
    // Earlier capabilities say more: weights 1, 1/2, 1/3 ...
    let weight = |position: usize| 1.0 / (position as f64 + 1.0);
    let total: f64 = (0..wanted.len()).map(weight).sum();
    let reached: f64 =
        wanted.iter().enumerate().filter(|(_, capability)| agent.can(capability)).map(|(at, _)| weight(at)).sum();
    let skill = if wanted.is_empty() { 0.0 } else { reached / total };
    let free = 1.0 - agent.workload.get();
    let mut reasons: Vec<String> = matched.into_iter().map(|capability| format!("can {capability}")).collect();
    reasons.push(format!("{:.0}% free", free * 100.0));
    Some(Recommendation { agent: agent.id.clone(), score: 0.75 * skill + 0.25 * free, reasons })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_tells_what_a_file_needs() {
        assert_eq!(capabilities_for_path("src/main.py")[0], "python");
        assert_eq!(capabilities_for_path("Dockerfile")[0], "devops");
        assert!(capabilities_for_path("LICENSE").is_empty());
    }
}
