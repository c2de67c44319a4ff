//! Versions that manifests ask for. Where both sides raised one, the higher is what either would have come to.

use super::entries::requirement_name;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// Operators that a higher version may follow. `<` and `!=` say which versions are not wanted.
const OPERATORS: [&str; 6] = ["==", "~=", ">=", "=", "^", "~"];

/// Tables of `package.json` with a version for each name.
const NPM_TABLES: [&str; 6] =
    ["dependencies", "devDependencies", "engines", "optionalDependencies", "peerDependencies", "resolutions"];

/// Whose rules say what a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Npm,
    Cargo,
    /// Pre-releases are written and ordered in another way than `semver` does, and stay unread.
    Python,
    /// Tags of the repositories that checks come from: `v1.2.3`, `1.2.3`.
    Hooks,
}

impl Scheme {
    /// `None` for a file that is no manifest.
    pub(super) fn of(file_name: &str) -> Option<Self> {
        match file_name {
            "package.json" => Some(Self::Npm),
            "Cargo.toml" => Some(Self::Cargo),
            "pyproject.toml" => Some(Self::Python),
            ".pre-commit-config.yaml" => Some(Self::Hooks),
            _ => None,
        }
    }

    /// Whether the text at a path is the version of a dependency or of the package itself.
    fn has(self, path: &[&str]) -> bool {
        match (self, path) {
            (Self::Npm, ["version"]) | (Self::Hooks, ["repos", "rev"]) => true,
            (Self::Npm, [table, _]) => NPM_TABLES.contains(table),
            (Self::Cargo, ["package", "version"] | ["workspace", "package", "version"]) => true,
            (Self::Cargo, [before @ .., table, _] | [before @ .., table, _, "version"])
                if matches!(*table, "dependencies" | "dev-dependencies" | "build-dependencies") =>
            {
                matches!(before, [] | ["workspace"] | ["target", _])
            }
            (Self::Python, ["project", "version"] | ["tool", "poetry", "version"]) => true,
            (Self::Python, ["tool", "poetry", rest @ ..]) => matches!(
                rest,
                ["dependencies" | "dev-dependencies", _]
                    | ["dependencies" | "dev-dependencies", _, "version"]
                    | ["group", _, "dependencies", _]
                    | ["group", _, "dependencies", _, "version"]
            ),
            _ => false,
        }
    }
}

/// A version that an entry asks for, and what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin<'a> {
    before: &'a str,
    operator: &'a str,
    version: Version<'a>,
    after: &'a str,
}

impl<'a> Pin<'a> {
    /// The version at a path of a manifest, `text[from..to]` without its quotes.
    pub(super) fn at(scheme: Option<Scheme>, path: &[&str], text: &'a str, from: usize, to: usize) -> Option<Self> {
        let scheme = scheme.filter(|scheme| scheme.has(path))?;
        let (operator, version) = read(text.get(from..to)?, scheme)?;
        Some(Self { before: &text[..from], operator, version, after: &text[to..] })
    }

    /// The version of a Python requirement: `name[extras]==1.2 ; marker # comment`.
    pub(super) fn of_requirement(text: &'a str) -> Option<Self> {
        let from = text.find(['=', '~', '>', '<', '!', ';', '#', '@', ','])?;
        let from = match text.find('[') {
            Some(open) if open < from => open + text[open..].find(']')? + 1,
            _ => text[..from].trim_end().len(),
        };
        let rest = &text[from..];
        let to = from + rest.find([';', '#', '\n', '\\', ',']).unwrap_or(rest.len());
        let to = from + text[from..to].trim_end().len();
        let after = text[to..].trim();
        if !(after.is_empty() || after.starts_with([';', '#'])) {
            return None;
        }
        let (operator, version) = read(text[from..to].trim_start(), Scheme::Python)?;
        (!operator.is_empty()).then_some(Self { before: &text[..from], operator, version, after: &text[to..] })
    }

    /// Which of two is the higher, where both raised the same and nothing else; `Equal` never.
    pub(super) fn higher(base: &Self, ours: &Self, theirs: &Self) -> Option<Ordering> {
        let frame = |pin: &Self| (pin.before.to_owned(), pin.operator.to_owned(), pin.after.to_owned());
        let is_same = frame(base) == frame(ours) && frame(base) == frame(theirs);
        let is_raised = [ours, theirs].iter().all(|side| side.version.compare(&base.version) == Ordering::Greater);
        // How many numbers stand after a tilde is part of what it means.
        let lengths = [base, ours, theirs].map(|pin| pin.version.numbers.len());
        let is_alike = !base.operator.starts_with('~') || lengths.iter().all(|length| *length == lengths[0]);
        let order = ours.version.compare(&theirs.version);
        (is_same && is_raised && is_alike && order != Ordering::Equal).then_some(order)
    }
}

/// Operator and version; `None` for ranges, tags, addresses and all else.
fn read(text: &str, scheme: Scheme) -> Option<(&str, Version<'_>)> {
    let operators = if scheme == Scheme::Hooks { &["v"][..] } else { &OPERATORS };
    let operator = operators.iter().copied().find(|operator| text.starts_with(operator)).unwrap_or_default();
    let version = Version::read(text[operator.len()..].trim_start_matches(' '))?;
    let is_known = scheme != Scheme::Python || version.pre_release.is_none();
    is_known.then_some((&text[..operator.len()], version))
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version<'a> {
    numbers: Vec<u64>,
    pre_release: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (numbers, pre_release) = match text.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (text, None),
        };
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = |part: &str| is_number(part).then(|| part.parse().ok()).flatten();
        let is_identifier = |part: &str| {
            let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let is_padded = is_number(part) && part.len() > 1 && part.starts_with('0');
            !part.is_empty() && is_plain && !is_padded && (!is_number(part) || part.parse::<u64>().is_ok())
        };
        let numbers: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
        let is_sound = pre_release.is_none_or(|text| numbers.len() == 3 && text.split('.').all(is_identifier));
        is_sound.then_some(Self { numbers, pre_release })
    }

    /// As `semver` orders them; numbers that are not there are 0.
    fn compare(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let padded = |version: &Self| {
            version.numbers.iter().copied().chain(std::iter::repeat(0)).take(length).collect::<Vec<_>>()
        };
        padded(self).cmp(&padded(other)).then_with(|| match (self.pre_release, other.pre_release) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(two)) => one.split('.').map(rank).cmp(two.split('.').map(rank)),
        })
    }
}

/// Numbers come before names.
fn rank(identifier: &str) -> (bool, u64, &str) {
    match identifier.parse() {
        Ok(number) => (false, number, ""),
        Err(_) => (true, 0, identifier),
    }
}

/// The requirements that yield to a higher one of the same package, where both sides raised the base's.
pub(super) fn overruled<'a>(base: &[&'a str], ours: &[&'a str], theirs: &[&'a str]) -> HashSet<&'a str> {
    let [base, ours, theirs] = [base, ours, theirs].map(by_name);
    let lower = base.iter().filter_map(|(name, before)| {
        let ([before], [our], [their]) = (before.as_slice(), &ours.get(name)?[..], &theirs.get(name)?[..]) else {
            return None;
        };
        let [before, one, other] = [before, our, their].map(|text| Pin::of_requirement(text));
        let order = Pin::higher(&before?, &one?, &other?)?;
        Some(if order == Ordering::Greater { *their } else { *our })
    });
    lower.collect()
}

fn by_name<'a>(texts: &[&'a str]) -> HashMap<String, Vec<&'a str>> {
    let mut named: HashMap<String, Vec<&str>> = HashMap::new();
    for text in texts {
        named.entry(requirement_name(text)).or_default().push(text);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn higher(scheme: Scheme, [base, ours, theirs]: [&'static str; 3]) -> Option<Ordering> {
        let path: &[&str] = if scheme == Scheme::Npm { &["version"] } else { &["tool", "poetry", "version"] };
        let pin = |text: &'static str| Pin::at(Some(scheme), path, text, 0, text.len());
        Pin::higher(&pin(base)?, &pin(ours)?, &pin(theirs)?)
    }

    #[test]
    fn the_higher_of_two_raised_versions_is_found() {
        for versions in [
            ["1.0.0", "1.0.1", "1.1.0"],
            ["^1.9", "^1.10", "^2"],
            [">=8", ">= 8.1", ">=10"],
            ["~1.2.3", "~1.2.4", "~1.3.0"],
            ["1.0.0-beta.9", "1.0.0-beta.10", "1.0.0-rc.1"],
            ["1.0.0-1", "1.0.0-2", "1.0.0-alpha"],
            ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0"],
        ] {
            let [base, lower, higher_one] = versions;
            assert_eq!(higher(Scheme::Npm, versions), Some(Ordering::Less), "{versions:?}");
            assert_eq!(higher(Scheme::Npm, [base, higher_one, lower]), Some(Ordering::Greater), "{versions:?}");
        }
    }

    #[test]
    fn all_else_is_a_conflict() {
        for versions in [
            ["1.1", "1.0", "1.2"],
            ["1.1", "1.0", "0.9"],
            ["1.1", "1.2", "1.2.0"],
            ["1.1", "1.1.0", "1.2"],
            ["^1.1", "^1.2", "~1.3"],
            ["1.1", "^1.2", "^1.3"],
            ["~1", "~1.2", "~1.3"],
            ["<2", "<3", "<4"],
            [">=1 <2", ">=1.1 <2", ">=1.2 <2"],
            ["^1 || ^2", "^2", "^3"],
            ["1.x", "1.2", "1.3"],
            ["*", "1", "2"],
            ["latest", "1", "2"],
            ["workspace:^1", "workspace:^2", "workspace:^3"],
            ["1.0.0", "1.0.0-beta", "1.1.0"],
            ["1.0.0", "1.1.0+a", "1.1.0+b"],
            ["1.0.0", "1.1.0-01", "1.2.0"],
            ["1", "99999999999999999999", "2"],
            ["", "1", "2"],
            ["1.", "1.1.", "1.2."],
        ] {
            let [base, ours, theirs] = versions;
            assert_eq!(higher(Scheme::Npm, versions), None, "{versions:?}");
            assert_eq!(higher(Scheme::Npm, [base, theirs, ours]), None, "{versions:?}");
        }
        assert_eq!(higher(Scheme::Python, ["1.0.0", "1.0.0-1", "1.1.0"]), None);
        assert_eq!(higher(Scheme::Python, ["1.0", "1.1rc1", "1.1"]), None);
    }

    #[test]
    fn requirements_are_read_with_what_stands_around_the_version() {
        let of = Pin::of_requirement;
        let lower = |texts: [&'static str; 3]| overruled(&texts[..1], &texts[1..2], &texts[2..]);
        for texts in [
            ["a==1", "a==1.1", "a==1.2"],
            [
                "A[x,y] >= 1 ; python_version < '3' # c\n",
                "A[x,y] >= 1.1 ; python_version < '3' # c\n",
                "A[x,y] >= 2 ; python_version < '3' # c\n",
            ],
        ] {
            assert_eq!(lower(texts), HashSet::from([texts[1]]));
        }
        for texts in [
            ["a==1", "a==1.1 # why", "a==1.2"],
            ["a==1", "A==1.1", "a==1.2"],
            ["a[x]==1", "a[x]==1.1", "a[y]==1.2"],
            ["a==1 ; x", "a==1.1 ; x", "a==1.2 ; y"],
        ] {
            assert!(lower(texts).is_empty(), "{texts:?}");
        }
        for text in [
            "a",
            "a>=1,<2",
            "a!=1",
            "a<2",
            "a @ https://x/a-1.2",
            "a==1.*",
            "a===1",
            "a==1 --hash=x",
            "a==1 \\\n --hash=x",
            "a[x==1",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert!(overruled(&["a==1"], &["a==2", "a==2.1"], &["a==3"]).is_empty());
    }

    #[test]
    fn only_dependencies_and_the_manifests_own_version_are_versions() {
        let is = |file, path: &[&str]| Scheme::of(file).is_some_and(|scheme| scheme.has(path));
        for (file, path, expected) in [
            ("package.json", &["version"][..], true),
            ("package.json", &["devDependencies", "a"], true),
            ("package.json", &["config", "a"], false),
            ("package.json", &["x", "dependencies", "a"], false),
            ("tsconfig.json", &["version"], false),
            ("Cargo.toml", &["package", "version"], true),
            ("Cargo.toml", &["package", "rust-version"], false),
            ("Cargo.toml", &["dependencies", "a"], true),
            ("Cargo.toml", &["workspace", "dependencies", "a", "version"], true),
            ("Cargo.toml", &["target", "cfg(unix)", "dev-dependencies", "a"], true),
            ("Cargo.toml", &["dependencies", "a", "tag"], false),
            ("Cargo.toml", &["package", "metadata", "dependencies", "a"], false),
            ("pyproject.toml", &["project", "version"], true),
            ("pyproject.toml", &["tool", "poetry", "group", "dev", "dependencies", "a", "version"], true),
            ("pyproject.toml", &["tool", "black", "target"], false),
        ] {
            assert_eq!(is(file, path), expected, "{file} {path:?}");
        }
    }
}
