//! A check of the project.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A check of the project, as `orchestrator.toml` defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name: 1 to 64 of `[A-Za-z0-9._-]`, unique among the project's gates.
    pub name: String,
    /// The program and its arguments. No shell takes part. A program with a `/` is found from the folder that the gate
    /// runs in, another one in the server's `PATH`.
    pub run: Vec<String>,
    /// Which paths it concerns, as in a `.gitignore` file; none is every path.
    pub paths: Vec<String>,
    /// How long one try may take, of wall time.
    pub timeout: Duration,
    /// Whether nothing lands when it fails.
    pub required: bool,
    /// How often it is tried again when it failed: 0 or 1.
    pub retries: u8,
}

impl Gate {
    /// Whether it concerns any of these paths, which are relative to the project's root, with `/` between their parts.
    ///
    /// A pattern with a `/` before its end counts from the root, another one at any depth; a pattern that matches a
    /// folder covers all in it. Without `paths` everything is concerned, even nothing at all. A pattern that cannot be
    /// read concerns everything, so that a check is rather run than left out; [`definitions`](crate::definitions)
    /// lets none through.
    pub fn concerns<'a>(&self, mut paths: impl Iterator<Item = &'a str>) -> bool {
        if self.paths.is_empty() {
            return true;
        }
        let Ok(patterns) = patterns(&self.paths) else { return true };
        paths.any(|path| patterns.matched_path_or_any_parents(path.trim_start_matches('/'), false).is_ignore())
    }

    /// Names the definition: the same digest is the same check. 64 hex digits, BLAKE3 over all fields.
    pub fn digest(&self) -> String {
        let Self { name, run, paths, timeout, required, retries } = self;
        let mut digest = Digest::new("orchestrator gate 1");
        digest.text(name);
        for words in [run, paths] {
            digest.number(words.len() as u128);
            words.iter().for_each(|word| digest.text(word));
        }
        digest.number(timeout.as_nanos());
        digest.number(u128::from(*required));
        digest.number(u128::from(*retries));
        digest.finish()
    }
}

/// The patterns as one rule set.
///
/// # Errors
/// What is wrong with the first one that cannot be read.
pub(crate) fn patterns(patterns: &[String]) -> Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|error| error.to_string())?;
    }
    builder.build().map_err(|error| error.to_string())
}

/// BLAKE3 over fields, each with its length before it or of fixed width.
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    pub(crate) fn new(domain: &str) -> Self {
        let mut digest = Self(blake3::Hasher::new());
        digest.text(domain);
        digest
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u128);
        self.0.update(text.as_bytes());
    }

    pub(crate) fn number(&mut self, number: u128) {
        self.0.update(&number.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> String {
        hex::encode(self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(paths: &[&str]) -> Gate {
        Gate {
            name: "test".to_owned(),
            run: vec!["cargo".to_owned(), "test".to_owned()],
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            timeout: Duration::from_secs(600),
            required: true,
            retries: 0,
        }
    }

    #[test]
    fn a_gate_concerns_paths_as_git_reads_them() {
        for (patterns, path, concerned) in [
            (&[][..], "any/thing.md", true),
            (&["*.rs"], "a/b/c.rs", true),
            (&["*.rs"], "a/b/c.py", false),
            (&["docs/"], "docs/a/b.md", true),
            (&["docs/"], "x/docs/b.md", true),
            (&["docs/"], "docs", false),
            (&["/docs"], "x/docs/b.md", false),
            (&["src/*.rs"], "src/a/b.rs", false),
            (&["src/**/*.rs"], "src/a/b.rs", true),
            (&["src/**"], "src/a", true),
            (&["Cargo.toml", "src"], "src/x/y", true),
            (&["*"], "/absolute", true),
            (&["a"], "../a", true),
            (&["{oops"], "any", true),
        ] {
            assert_eq!(gate(patterns).concerns([path].into_iter()), concerned, "{patterns:?} {path}");
        }
        assert!(gate(&["*.rs"]).concerns(["a.md", "b.rs"].into_iter()));
        assert!(!gate(&["*.rs"]).concerns(std::iter::empty()));
        assert!(gate(&[]).concerns(std::iter::empty()));
    }

    #[test]
    fn every_field_counts_for_the_digest() {
        let plain = gate(&["a", "bc"]);
        let digest = plain.digest();
        assert_eq!(digest.len(), 64);
        assert_eq!(digest, gate(&["a", "bc"]).digest());
        let changes: [fn(&mut Gate); 8] = [
            |gate| gate.name.push('x'),
            |gate| gate.run.push(String::new()),
            |gate| gate.run = vec!["cargotest".to_owned()],
            |gate| gate.paths = vec!["ab".to_owned(), "c".to_owned()],
            |gate| gate.run.append(&mut gate.paths),
            |gate| gate.timeout += Duration::from_millis(1),
            |gate| gate.required = false,
            |gate| gate.retries = 1,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut changed = plain.clone();
            change(&mut changed);
            assert_ne!(changed.digest(), digest, "change {index}");
        }
    }
}
