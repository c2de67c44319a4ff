//! Whether two claimed resources have anything in common.

use crate::Error;
use globset::{GlobBuilder, GlobMatcher};
use orchestrator_protocol::{Resource, ResourceKind};

/// Compiles a pattern: `*` stays within a folder, `**` does not.
pub(crate) fn matcher(pattern: &str) -> Result<GlobMatcher, Error> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Error::InvalidGlob(pattern.to_owned(), error.kind().to_string()))
}

/// Whether both claims can cover one thing. On the safe side where it cannot be told.
pub(crate) fn overlap(one: &Resource, two: &Resource) -> bool {
    use ResourceKind::{Entity, Glob, Path};
    match (one.kind, two.kind) {
        (Path, Path) => contains(&one.value, &two.value) || contains(&two.value, &one.value),
        (Entity, Entity) => is_within(&one.value, &two.value) || is_within(&two.value, &one.value),
        (Entity, _) => overlap(&file_of(one), two),
        (_, Entity) => overlap(one, &file_of(two)),
        (Glob, Path) => glob_meets_path(&one.value, &two.value),
        (Path, Glob) => glob_meets_path(&two.value, &one.value),
        (Glob, Glob) => globs_meet(&one.value, &two.value),
    }
}

/// Whether a resource covers a file.
pub(crate) fn covers(resource: &Resource, path: &str) -> bool {
    match resource.kind {
        ResourceKind::Path => contains(&resource.value, path),
        // Compiling a pattern costs more than seeing that it begins otherwise.
        ResourceKind::Glob => {
            path.starts_with(literal_prefix(&resource.value))
                && matcher(&resource.value).is_ok_and(|glob| glob.is_match(path))
        }
        ResourceKind::Entity => file_of(resource).value == path,
    }
}

/// The file that a named part stands in: all before `::`.
fn file_of(entity: &Resource) -> Resource {
    let path = entity.value.split("::").next().unwrap_or(&entity.value);
    Resource { kind: ResourceKind::Path, value: path.to_owned() }
}

/// Whether one named part is another or stands within it, as `a.py::Class.method` does within `a.py::Class`.
#[must_use]
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a path is the folder that holds another, or the same.
fn contains(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// A path may be a folder, so a pattern that reaches below it meets it.
fn glob_meets_path(glob: &str, path: &str) -> bool {
    if matcher(glob).is_ok_and(|matcher| matcher.is_match(path)) {
        return true;
    }
    let literal = literal_prefix(glob);
    contains(path, literal) || (literal.len() < path.len() && path.starts_with(literal) && reaches_below(glob, path))
}

/// Whether the pattern's folders down to `path` can match it, so that what follows lies below it.
fn reaches_below(glob: &str, path: &str) -> bool {
    let depth = path.split('/').count();
    let parts: Vec<&str> = glob.split('/').collect();
    if let Some(deep) = parts.iter().position(|part| part.contains("**"))
        && deep < depth
    {
        return true;
    }
    parts.len() > depth && matcher(&parts[..depth].join("/")).is_ok_and(|matcher| matcher.is_match(path))
}

fn globs_meet(one: &str, two: &str) -> bool {
    let (one, two) = (literal_prefix(one), literal_prefix(two));
    one.starts_with(two) || two.starts_with(one)
}

/// The text before the first special character.
fn literal_prefix(glob: &str) -> &str {
    glob.find(['*', '?', '[', '{', '\\']).map_or(glob, |at| &glob[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        let kind = if text.contains("::") {
            ResourceKind::Entity
        } else if text.contains(['*', '?']) {
            ResourceKind::Glob
        } else {
            ResourceKind::Path
        };
        Resource { kind, value: text.to_owned() }
    }

    #[test]
    fn claims_overlap_where_one_thing_can_be_in_both() {
        for (one, two, expected) in [
            ("src/a.py", "src/a.py", true),
            ("src", "src/a.py", true),
            ("src/a.py", "src/a.pyx", false),
            ("src/a", "src/ab", false),
            ("src/**", "src/deep/a.py", true),
            ("src/*", "src/deep/a.py", false),
            ("src/*.py", "src", true),
            ("src/*/x.py", "src/deep", true),
            ("**/*.py", "docs", true),
            ("src/*.py", "docs", false),
            ("src/*.py", "src/*.rs", true),
            ("src/**", "docs/**", false),
            ("src/a.py::f", "src/a.py::g", false),
            ("src/a.py::f", "src/a.py::f", true),
            ("src/a.py::C", "src/a.py::C.m", true),
            ("src/a.py::C.m", "src/a.py::C.n", false),
            ("src/a.py::C", "src/a.py::Cart", false),
            ("src/a.py::f", "src/a.py", true),
            ("src/a.py::f", "src/*.py", true),
            ("src/a.py::f", "src/b.py", false),
        ] {
            assert_eq!(overlap(&resource(one), &resource(two)), expected, "{one} with {two}");
            assert_eq!(overlap(&resource(two), &resource(one)), expected, "{two} with {one}");
        }
    }
}
