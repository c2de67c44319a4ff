//! Which namespace a file's definitions are in, and which file an import means: each language's rules.

use super::View;
use crate::language::Family;
use crate::{Entity, File};
use std::collections::BTreeSet;

/// The namespace of an entity: from the path where the language goes by files, else as written.
pub(crate) fn namespace_of(file: &File, path: &str, entity: &Entity) -> String {
    if goes_by_files(file.language.family()) {
        namespace_of_path(file.language.family(), path)
    } else {
        entity.namespace.clone()
    }
}

pub(crate) fn goes_by_files(family: Family) -> bool {
    matches!(family, Family::Python | Family::Script | Family::Rust | Family::Go)
}

/// The namespaces that a file has a part of.
pub(crate) fn modules_of(file: &File, path: &str) -> BTreeSet<String> {
    let family = file.language.family();
    if goes_by_files(family) {
        return BTreeSet::from([namespace_of_path(family, path)]);
    }
    let mut found: BTreeSet<String> = file.entities.iter().map(|entity| entity.namespace.clone()).collect();
    found.insert(file.namespace.clone());
    // C includes and Ruby's requires go by path too.
    if matches!(family, Family::C | Family::Ruby) {
        found.insert(format!(
            "/{}",
            path.rsplit_once('.').map_or(path, |(stem, _)| if family == Family::Ruby { stem } else { path })
        ));
    }
    found
}

/// A namespace and those around it.
pub(crate) fn outward(namespace: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(namespace), |inner| {
        if inner.starts_with('/') {
            return None;
        }
        let cut = inner.rfind(['.', '/', '#'])?;
        inner.get(..cut)
    })
}

/// The last part of a namespace.
pub(crate) fn tail(namespace: &str) -> &str {
    let separators: &[char] = if namespace.starts_with('/') { &['/'] } else { &['.', '/', '#'] };
    namespace.rsplit(separators).next().unwrap_or(namespace)
}

/// The namespace that a file's path gives.
pub(crate) fn namespace_of_path(family: Family, path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let joined = |stem: &str| if folder.is_empty() { stem.to_owned() } else { format!("{folder}/{stem}") };
    match family {
        Family::Python if stem == "__init__" => folder.to_owned(),
        Family::Script if stem == "index" && !folder.is_empty() => folder.to_owned(),
        Family::Script => {
            joined(name.rsplit_once('.').map_or(name, |(stem, _)| stem.strip_suffix(".d").unwrap_or(stem)))
        }
        Family::Go => folder.to_owned(),
        Family::Rust => rust_module(folder, stem),
        _ => joined(stem),
    }
}

/// `crates/a/src/b/c.rs` is `crates/a#b.c`; a file outside of `src` is a crate of its own, as are those in `src/bin`.
fn rust_module(folder: &str, stem: &str) -> String {
    let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let Some(at) = parts.iter().rposition(|part| *part == "src") else {
        return format!("{folder}/{stem}#").trim_start_matches('/').to_owned();
    };
    let root = parts.get(..at).unwrap_or_default().join("/");
    let mut inner: Vec<&str> = parts.get(at + 1..).unwrap_or_default().to_vec();
    if inner.first() == Some(&"bin") {
        return format!("{root}/src/bin/{stem}#");
    }
    if !matches!((stem, inner.is_empty()), ("lib" | "main", true)) && stem != "mod" {
        inner.push(stem);
    }
    if inner.is_empty() { format!("{root}#") } else { format!("{root}#.{}", inner.join(".")) }
}

/// A path relative to a folder, with `.` and `..` taken out. `None` when it leaves the project.
fn relative(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl View<'_> {
    /// The namespaces that a module's name means where it is imported. Empty for what is not of the project.
    pub(crate) fn modules_named(&self, family: Family, from: &str, module: &str) -> Vec<String> {
        match family {
            Family::Python => self.python_module(from, module),
            Family::Script => self.script_module(from, module),
            Family::Go => self.by_suffix(family, module, "", true),
            Family::C | Family::Ruby => self.by_path(family, from, module),
            _ => Vec::new(),
        }
    }

    fn python_module(&self, from: &str, module: &str) -> Vec<String> {
        let dots = module.chars().take_while(|letter| *letter == '.').count();
        let rest = module.trim_start_matches('.').replace('.', "/");
        if dots == 0 {
            return self.by_suffix(Family::Python, &rest, folder_of(from), false);
        }
        let up = "../".repeat(dots - 1);
        let found = relative(folder_of(from), &format!("{up}{rest}"));
        found.into_iter().filter(|namespace| self.has_module(Family::Python, namespace)).collect()
    }

    fn script_module(&self, from: &str, module: &str) -> Vec<String> {
        if module.is_empty() {
            return vec![namespace_of_path(Family::Script, from)];
        }
        let stem = |path: &str| {
            let known = [".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue"];
            let cut = known.iter().find_map(|extension| path.strip_suffix(extension)).unwrap_or(path);
            cut.strip_suffix("/index").unwrap_or(cut).to_owned()
        };
        if module.starts_with('.') {
            let Some(found) = relative(folder_of(from), module) else { return Vec::new() };
            let plain = [found.clone(), stem(&found)];
            return plain
                .into_iter()
                .find(|namespace| self.has_module(Family::Script, namespace))
                .into_iter()
                .collect();
        }
        // `@/x` and `~/x` are customary for the root of the sources; a bare name is a package, or from a base folder.
        let rest =
            module.strip_prefix("@/").or_else(|| module.strip_prefix("~/")).or_else(|| module.strip_prefix("#/"));
        match rest {
            Some(rest) => self.by_suffix(Family::Script, &stem(rest), "", false),
            None if module.contains('/') && !module.starts_with('@') => {
                let found = stem(module);
                self.has_module(Family::Script, &found).then_some(found).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    /// The namespaces that end in a path. With several, the one nearest to `near` counts; with `shorten`, a longer
    /// suffix counts more, and leading parts may be missing (a Go module's name is no folder).
    fn by_suffix(&self, family: Family, path: &str, near: &str, shorten: bool) -> Vec<String> {
        let candidates = self.by_tail(family, path.rsplit('/').next().unwrap_or(path));
        let mut wanted = path;
        loop {
            let ends = |one: &&String| **one == wanted || one.ends_with(&format!("/{wanted}"));
            let found: Vec<&String> = candidates.iter().filter(ends).collect();
            if let Some(exact) = found.iter().find(|one| **one == wanted).filter(|_| found.len() > 1) {
                let nearer = found.iter().any(|one| common(one, near) > common(exact, near));
                if !nearer {
                    return vec![(*exact).clone()];
                }
            }
            if !found.is_empty() {
                let best = found.iter().map(|one| common(one, near)).max().unwrap_or(0);
                return found.into_iter().filter(|one| common(one, near) == best).cloned().collect();
            }
            match wanted.split_once('/') {
                // Without a domain it is the standard library, or a module of one name in front of a whole path.
                Some((first, rest)) if shorten && wanted.len() == path.len() && !first.contains('.') => {
                    return candidates.iter().filter(|one| **one == rest).cloned().collect();
                }
                Some((_, rest)) if shorten => wanted = rest,
                _ => return Vec::new(),
            }
        }
    }

    /// Files by path: next to the file, else by the end of their path.
    fn by_path(&self, family: Family, from: &str, module: &str) -> Vec<String> {
        let near = relative(folder_of(from), module).map(|path| format!("/{path}"));
        if let Some(near) = near.filter(|namespace| self.has_module(family, namespace)) {
            return vec![near];
        }
        let wanted = module.trim_start_matches("./").trim_start_matches("../");
        let candidates = self.by_tail(family, wanted.rsplit('/').next().unwrap_or(wanted));
        candidates.into_iter().filter(|one| one.ends_with(&format!("/{wanted}"))).collect()
    }
}

/// How many parts two paths begin with alike.
fn common(one: &str, two: &str) -> usize {
    one.split('/').zip(two.split('/')).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_a_namespace() {
        for (family, path, namespace) in [
            (Family::Python, "a/b.py", "a/b"),
            (Family::Python, "a/__init__.py", "a"),
            (Family::Script, "src/a/index.ts", "src/a"),
            (Family::Script, "src/a.test.ts", "src/a.test"),
            (Family::Rust, "src/lib.rs", "#"),
            (Family::Rust, "crates/a/src/b/mod.rs", "crates/a#.b"),
            (Family::Rust, "crates/a/src/b/c.rs", "crates/a#.b.c"),
            (Family::Rust, "tests/x.rs", "tests/x#"),
            (Family::Go, "internal/store/db.go", "internal/store"),
        ] {
            assert_eq!(namespace_of_path(family, path), namespace, "{path}");
        }
    }

    #[test]
    fn a_relative_path_stays_in_the_project() {
        assert_eq!(relative("a/b", "../c"), Some("a/c".into()));
        assert_eq!(relative("a", "../../c"), None);
    }
}
