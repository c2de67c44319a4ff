//! The gates and limits of an `orchestrator.toml`.

use crate::gate::patterns;
use crate::{Error, Gate, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use toml_edit::{Document, Item, TableLike, Value};

const MOST_GATES: usize = 256;
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

const GATE_KEYS: &[&str] = &["name", "run", "paths", "timeout", "required", "retries"];
const LIMIT_KEYS: &[&str] = &["cpu", "memory", "file", "output", "processes", "network"];

/// What an `orchestrator.toml` says about gates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definitions {
    /// In the order of the file; their names differ.
    pub gates: Vec<Gate>,
    /// What each of them may use.
    pub limits: Limits,
}

impl Definitions {
    /// The gates that concern any of these paths.
    pub fn concerning<'a>(&'a self, changed: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Gate> {
        self.gates.iter().filter(|gate| gate.concerns(changed.iter().map(String::as_str)))
    }

    /// Names a gate with what it may use: the same digest is the same check.
    pub fn digest(&self, gate: &Gate) -> String {
        format!("{}-{}", gate.digest(), self.limits.digest())
    }
}

/// All settings of an `orchestrator.toml` that concern gates: the tables `[[gates]]` and `[gate_limits]`. Other tables
/// are not looked at.
///
/// ```toml
/// [[gates]]
/// name = "tests"              # 1 to 64 of [A-Za-z0-9._-]
/// run = ["make", "test"]      # no shell
/// paths = ["src/", "*.toml"]  # as in .gitignore, without negation [everything]
/// timeout = "10m"             # ms, s, m, h; at most 24h [10m]
/// required = true             # [true]
/// retries = 0                 # 0 or 1 [0]
///
/// [gate_limits]               # with the defaults
/// cpu = "1h"                  # of each process
/// memory = "8GiB"             # B, KiB, MiB, GiB, or a number of bytes
/// file = "4GiB"
/// output = "16MiB"
/// processes = 2048
/// network = false
/// ```
///
/// # Errors
/// The first thing that is wrong, with its line and what to do.
pub fn definitions(toml: &str) -> Result<Definitions, Error> {
    let text = Text(toml);
    let document = Document::parse(toml).map_err(|error| {
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        text.error(error.span(), format!("this is not TOML: {what}"), "correct it as toml.io describes")
    })?;
    let mut found = Definitions::default();
    if let Some(item) = document.get("gates") {
        let mut lines = BTreeMap::new();
        for (span, table) in text.tables(item)? {
            if found.gates.len() == MOST_GATES {
                let what = format!("there are more than {MOST_GATES} gates");
                return Err(text.error(span, what, "let one gate run several checks"));
            }
            let gate = text.gate(&span, table)?;
            if let Some(line) = lines.insert(gate.name.clone(), text.line(span.clone())) {
                let what = format!("the gate '{}' is already defined in line {line}", gate.name);
                return Err(text.error(span, what, "give it another name"));
            }
            found.gates.push(gate);
        }
    }
    if let Some(item) = document.get("gate_limits") {
        let Some(table) = item.as_table_like() else {
            let what = format!("'gate_limits' is {}", item.type_name());
            return Err(text.error(item.span(), what, "write it as a table [gate_limits]"));
        };
        found.limits = text.limits(table)?;
    }
    Ok(found)
}

type Span = Option<std::ops::Range<usize>>;

/// The file's text, which spans point into.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn line(&self, span: Span) -> usize {
        let start = span.map_or(0, |span| span.start).min(self.0.len());
        1 + self.0.as_bytes().iter().take(start).filter(|&&byte| byte == b'\n').count()
    }

    fn error(&self, span: Span, what: impl Into<String>, cure: impl Into<String>) -> Error {
        Error { line: self.line(span), what: what.into(), cure: cure.into() }
    }

    fn tables<'a>(&self, item: &'a Item) -> Result<Vec<(Span, &'a dyn TableLike)>, Error> {
        let wrong =
            |span, kind| self.error(span, format!("'gates' holds {kind}"), "write each gate as a table [[gates]]");
        match item {
            Item::ArrayOfTables(tables) => {
                Ok(tables.iter().map(|table| (table.span(), table as &dyn TableLike)).collect())
            }
            Item::Value(Value::Array(values)) => values
                .iter()
                .map(|value| {
                    let table = value.as_inline_table().ok_or_else(|| wrong(value.span(), value.type_name()))?;
                    Ok((value.span(), table as &dyn TableLike))
                })
                .collect(),
            other => Err(wrong(other.span(), other.type_name())),
        }
    }

    fn gate(&self, span: &Span, table: &dyn TableLike) -> Result<Gate, Error> {
        self.known(table, GATE_KEYS, "a gate")?;
        let needed = |key: &str, cure: &str| {
            table.get(key).ok_or_else(|| self.error(span.clone(), format!("this gate has no '{key}'"), cure))
        };
        let name = self.name(needed("name", r#"add a line such as name = "tests""#)?)?;
        let run = self.run(needed("run", r#"add a line such as run = ["make", "test"]"#)?)?;
        let paths = table.get("paths").map_or(Ok(Vec::new()), |item| self.paths(item))?;
        let timeout = table.get("timeout").map_or(Ok(DEFAULT_TIMEOUT), |item| self.duration("timeout", item))?;
        let required = table.get("required").map_or(Ok(true), |item| self.truth("required", item))?;
        let retries = match table.get("retries").map(|item| (item, item.as_integer())) {
            None | Some((_, Some(0))) => 0,
            Some((_, Some(1))) => 1,
            Some((item, _)) => return Err(self.error(item.span(), "'retries' is neither 0 nor 1", "write 0 or 1")),
        };
        Ok(Gate { name, run, paths, timeout, required, retries })
    }

    fn limits(&self, table: &dyn TableLike) -> Result<Limits, Error> {
        self.known(table, LIMIT_KEYS, "[gate_limits]")?;
        let mut limits = Limits::default();
        if let Some(item) = table.get("cpu") {
            limits.cpu = self.duration("cpu", item)?;
        }
        let sizes = [("memory", &mut limits.memory), ("file", &mut limits.file), ("output", &mut limits.output)];
        for (key, limit) in sizes {
            if let Some(item) = table.get(key) {
                *limit = self.size(key, item)?;
            }
        }
        if let Some(item) = table.get("processes") {
            let number = item.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|&number| number > 0);
            let wrong =
                || self.error(item.span(), "'processes' is not a number above 0", "write it as processes = 2048");
            limits.processes = number.ok_or_else(wrong)?;
        }
        if let Some(item) = table.get("network") {
            limits.network = self.truth("network", item)?;
        }
        Ok(limits)
    }

    /// A key that nobody reads is a limit that somebody believes in.
    fn known(&self, table: &dyn TableLike, keys: &[&str], place: &str) -> Result<(), Error> {
        for (key, item) in table.iter() {
            if !keys.contains(&key) {
                let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
                let what = format!("{place} has no setting '{}'", key.escape_debug());
                return Err(self.error(span, what, format!("use one of {}", keys.join(", "))));
            }
        }
        Ok(())
    }

    fn name(&self, item: &Item) -> Result<String, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        match item.as_str() {
            Some(name) if (1..=64).contains(&name.len()) && name.bytes().all(allowed) => Ok(name.to_owned()),
            _ => Err(self.error(
                item.span(),
                "this is no name for a gate",
                "write 1 to 64 letters, digits, '.', '_' or '-' in quotes",
            )),
        }
    }

    fn run(&self, item: &Item) -> Result<Vec<String>, Error> {
        let cure = r#"write the program and its arguments as a list: run = ["make", "test"]"#;
        let words = self.words("run", item, cure)?;
        if words.first().is_none_or(String::is_empty) {
            return Err(self.error(item.span(), "'run' names no program", cure));
        }
        Ok(words)
    }

    fn paths(&self, item: &Item) -> Result<Vec<String>, Error> {
        let cure = r#"write patterns as in .gitignore: paths = ["src/", "*.rs"]"#;
        let words = self.words("paths", item, cure)?;
        for word in &words {
            if word.starts_with(['!', '#']) || word.trim().is_empty() {
                let what = format!("'{}' says no path", word.escape_debug());
                return Err(self.error(
                    item.span(),
                    what,
                    r"name what concerns the gate; write '\\!' or '\\#' for a name",
                ));
            }
        }
        patterns(&words).map_err(|why| self.error(item.span(), format!("'paths' cannot be read: {why}"), cure))?;
        Ok(words)
    }

    fn words(&self, key: &str, item: &Item, cure: &str) -> Result<Vec<String>, Error> {
        let Some(values) = item.as_array() else {
            return Err(self.error(item.span(), format!("'{key}' is {}", item.type_name()), cure));
        };
        let word = |value: &Value| match value.as_str() {
            Some(word) if !word.contains('\0') => Ok(word.to_owned()),
            Some(_) => Err(self.error(value.span(), format!("'{key}' holds a NUL"), "remove it")),
            None => Err(self.error(value.span(), format!("'{key}' holds {}", value.type_name()), cure)),
        };
        values.iter().map(word).collect()
    }

    fn truth(&self, key: &str, item: &Item) -> Result<bool, Error> {
        let wrong = || self.error(item.span(), format!("'{key}' is {}", item.type_name()), "write true or false");
        item.as_bool().ok_or_else(wrong)
    }

    fn duration(&self, key: &str, item: &Item) -> Result<Duration, Error> {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let millis = item.as_str().and_then(|text| amount(text, &units)).map(Duration::from_millis);
        let allowed = millis.filter(|duration| !duration.is_zero() && *duration <= LONGEST);
        let wrong = || {
            let what = format!("'{key}' is no time above 0 and up to 24h");
            self.error(item.span(), what, format!(r#"write a number and ms, s, m or h: {key} = "10m""#))
        };
        allowed.ok_or_else(wrong)
    }

    fn size(&self, key: &str, item: &Item) -> Result<u64, Error> {
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];
        let bytes = match item.as_integer() {
            Some(number) => u64::try_from(number).ok(),
            None => item.as_str().and_then(|text| amount(text, &units)),
        };
        let wrong = || {
            let what = format!("'{key}' is no size above 0");
            self.error(item.span(), what, format!(r#"write a number and B, KiB, MiB, GiB or TiB: {key} = "64MiB""#))
        };
        bytes.filter(|&bytes| bytes > 0).ok_or_else(wrong)
    }
}

/// A whole number and a unit, without overflow.
fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}
