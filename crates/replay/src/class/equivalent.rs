//! The same code but for the order of what has none.

use super::white;
use crate::language::{White, white as white_of};
use orchestrator_syntax::{Entity, EntityKind, File, Import, Language, Limits, parse};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Whether two files are the same but for the order of imports, of definitions at the top level and in modules, and of
/// functions and types within types. All of these must hold:
///
/// - both parse without an error;
/// - they import the same, and in the same words;
/// - what is no import and no definition is the same lines in the same order;
/// - the definitions are the same, each as a whole but for what may be reordered within it. Those of one name and
///   signature keep their order, as do Python and JavaScript ones with decorators, which may register something, those
///   that need one another while a script is run, and all in a file that the C preprocessor cuts.
pub(crate) fn same(language: Language, one: &[u8], two: &[u8]) -> bool {
    let parsed = |text| parse(language, text, Limits::default()).ok().filter(File::is_sound);
    let (Some(first), Some(second)) = (parsed(one), parsed(two)) else { return false };
    // An import that stands twice is not one that stands once.
    if tally(&first) != tally(&second) {
        return false;
    }
    let shape = |file: &File, text| Form { file, text, white: white_of(&language.to_string()) }.of_file();
    shape(&first, one) == shape(&second, two)
}

fn tally(file: &File) -> HashMap<&Import, usize> {
    let mut counts = HashMap::new();
    for import in &file.imports {
        *counts.entry(import).or_default() += 1;
    }
    counts
}

struct Form<'a> {
    file: &'a File,
    text: &'a [u8],
    white: White,
}

/// What is compared.
#[derive(PartialEq, Eq)]
struct Shape {
    key: (EntityKind, String, Vec<Vec<u8>>),
    /// The words of its imports.
    imported: BTreeSet<Vec<u8>>,
    /// Lines that keep their order.
    lines: Vec<Vec<u8>>,
    /// Definitions that keep their order, by their keys.
    in_order: Vec<(String, Vec<Vec<u8>>)>,
    /// Definitions in the order of their keys.
    members: Vec<Shape>,
}

impl Form<'_> {
    fn of_file(&self) -> Shape {
        let key = (EntityKind::Module, String::new(), Vec::new());
        let mut shape = self.container(None, 0..self.text.len(), key);
        let (imports, lines) = split_imports(self.file.language, std::mem::take(&mut shape.lines));
        (shape.imported, shape.lines) = (imports, lines);
        shape
    }

    fn of_entity(&self, at: usize, entity: &Entity) -> Shape {
        let signature = self.lines(self.text.get(entity.signature_range.clone()).unwrap_or_default());
        let key = (entity.kind, entity.path.clone(), signature);
        if entity.kind.is_type() && entity.kind != EntityKind::Enum || holds_members(entity.kind) {
            return self.container(Some(at), entity.range.clone(), key);
        }
        let lines = self.lines(self.text.get(entity.range.clone()).unwrap_or_default());
        Shape { key, imported: BTreeSet::new(), lines, in_order: Vec::new(), members: Vec::new() }
    }

    fn container(
        &self,
        parent: Option<usize>,
        range: std::ops::Range<usize>,
        key: (EntityKind, String, Vec<Vec<u8>>),
    ) -> Shape {
        let entities = self.file.entities.iter().enumerate();
        let mut movable: Vec<(usize, &Entity)> =
            entities.filter(|(_, entity)| entity.parent == parent && may_move(entity.kind)).collect();
        // One that is further in stands in a block whose lines say when it is there.
        let outermost = self.outermost(parent, &movable);
        movable.retain(|(_, entity)| self.column(entity.range.start) == outermost);
        let is_cut = matches!(self.file.language, Language::C | Language::Cpp | Language::CSharp);
        if is_cut && self.lines(self.text.get(range.clone()).unwrap_or_default()).iter().any(|line| is_condition(line))
        {
            movable.clear();
        }
        let bound = if parent.is_none() { self.bound(&movable) } else { HashSet::new() };
        let mut rest = Vec::new();
        let mut from = range.start;
        for (_, entity) in &movable {
            rest.extend_from_slice(self.text.get(from..entity.range.start).unwrap_or_default());
            from = from.max(entity.range.end);
            // Its place among the statements.
            if bound.contains(&entity.path) {
                rest.extend_from_slice(format!("\n\u{1}{}\n", entity.path).as_bytes());
            }
        }
        rest.extend_from_slice(self.text.get(from..range.end).unwrap_or_default());
        let mut members: Vec<Shape> = movable.iter().map(|(at, entity)| self.of_entity(*at, entity)).collect();
        let in_order = movable.iter().zip(&members).filter(|((_, entity), _)| self.is_decorated(entity));
        let in_order = in_order.map(|(_, shape)| (shape.key.1.clone(), shape.key.2.clone())).collect();
        members.sort_by(|one, two| one.key.cmp(&two.key));
        Shape { key, imported: BTreeSet::new(), lines: self.lines(&rest), in_order, members }
    }

    fn lines(&self, text: &[u8]) -> Vec<Vec<u8>> {
        white::lines(self.white, text).into_iter().map(std::borrow::Cow::into_owned).collect()
    }

    /// The column in which members stand.
    fn outermost(&self, parent: Option<usize>, members: &[(usize, &Entity)]) -> usize {
        let body = parent.and_then(|at| self.file.entities.get(at)).and_then(|entity| entity.body_range.clone());
        let may_be_in_namespace = matches!(self.file.language, Language::Cpp | Language::CSharp | Language::Php);
        match body {
            Some(body) if self.file.language == Language::Python => self.column(body.start),
            None if parent.is_none() && !may_be_in_namespace => 0,
            _ => members.iter().map(|(_, entity)| self.column(entity.range.start)).min().unwrap_or_default(),
        }
    }

    /// How far from the start of its line a place is.
    fn column(&self, place: usize) -> usize {
        let before = self.text.get(..place).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte != b'\n').count()
    }

    /// Definitions whose place means something where a file is run from its first line to its last: they name another one
    /// before their body, as a type anywhere, or are so named, or named by a statement.
    fn bound(&self, movable: &[(usize, &Entity)]) -> HashSet<String> {
        use Language::{JavaScript, Php, Python, Ruby, Tsx, TypeScript};
        if !matches!(self.file.language, Python | Ruby | Php | JavaScript | TypeScript | Tsx) {
            return HashSet::new();
        }
        let words = |range: std::ops::Range<usize>| {
            let text = self.text.get(range).unwrap_or_default();
            text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').collect::<HashSet<_>>()
        };
        let mut from = 0;
        let mut statements = HashSet::new();
        let mut run = Vec::new();
        for (_, entity) in movable {
            statements.extend(words(from..entity.range.start.max(from)));
            from = from.max(entity.range.end);
            let end = entity
                .body_range
                .as_ref()
                .filter(|_| !entity.kind.is_type())
                .map_or(entity.range.end, |body| body.start);
            run.push(words(entity.range.start..end));
        }
        statements.extend(words(from..self.text.len()));
        let mut bound = HashSet::new();
        for (at, (_, entity)) in movable.iter().enumerate() {
            let name = entity.name.as_bytes();
            if statements.contains(name) {
                bound.insert(entity.path.clone());
            }
            for (other, (_, named)) in movable.iter().enumerate() {
                if at != other && run[other].contains(name) {
                    bound.extend([entity.path.clone(), named.path.clone()]);
                }
            }
        }
        bound
    }

    fn is_decorated(&self, entity: &Entity) -> bool {
        let may_register = matches!(
            self.file.language,
            Language::Python | Language::JavaScript | Language::TypeScript | Language::Tsx
        );
        let text = self.text.get(entity.range.start..entity.signature_range.start).unwrap_or_default();
        may_register && text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"@"))
    }
}

fn may_move(kind: EntityKind) -> bool {
    kind.is_type() || holds_members(kind) || matches!(kind, EntityKind::Function | EntityKind::Method)
}

fn holds_members(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Impl | EntityKind::Module)
}

fn is_condition(line: &[u8]) -> bool {
    line.starts_with(b"#if") || line.starts_with(b"# if")
}

/// Statements that import, as a set of their words, and the other lines.
fn split_imports(language: Language, lines: Vec<Vec<u8>>) -> (BTreeSet<Vec<u8>>, Vec<Vec<u8>>) {
    let starts: &[&[u8]] = match language {
        Language::Python => &[b"import ", b"from "],
        Language::JavaScript | Language::TypeScript | Language::Tsx => &[b"import "],
        Language::Rust => &[b"use ", b"pub use ", b"pub(crate) use "],
        Language::Go | Language::Java => &[b"import "],
        Language::C | Language::Cpp => &[b"#include"],
        Language::CSharp => &[b"using "],
        Language::Php => &[b"use "],
        Language::Ruby => &[b"require ", b"require_relative "],
    };
    let (mut words, mut others) = (BTreeSet::new(), Vec::new());
    let mut depth = 0_isize;
    for line in lines {
        if depth <= 0 && !starts.iter().any(|start| line.starts_with(start)) {
            others.push(line);
            continue;
        }
        depth = depth.max(0);
        for byte in &line {
            match byte {
                b'(' | b'{' | b'[' => depth += 1,
                b')' | b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./'\"<>*@-:".contains(byte) || !byte.is_ascii();
        words.extend(line.split(|byte| !is_word(byte)).filter(|word| !word.is_empty()).map(<[u8]>::to_vec));
    }
    (words, others)
}
