//! What holds for every merge of programs: random ones, with random edits of both sides.

use orchestrator_merge::{Layer, Layers, Options, Outcome, merge};
use orchestrator_syntax::{Language, Limits, parse};
use proptest::prelude::*;

/// A statement of a function, or one with statements in it.
#[derive(Debug, Clone)]
enum Statement {
    Call(u8, Vec<u8>),
    Assign(u8, u8),
    Return(u8),
    If(u8, Vec<Statement>),
}

#[derive(Debug, Clone)]
struct Function {
    name: u8,
    parameters: Vec<u8>,
    note: Option<u8>,
    body: Vec<Statement>,
}

/// Two ways to write one program.
#[derive(Debug, Clone, Copy)]
enum Form {
    Python,
    Script,
}

impl Form {
    fn path(self) -> &'static str {
        match self {
            Self::Python => "a.py",
            Self::Script => "a.js",
        }
    }

    fn file(self, imports: &[u8], functions: &[Function]) -> String {
        let mut text = String::new();
        for import in imports {
            text += &match self {
                Self::Python => format!("import m{import}\n"),
                Self::Script => format!("import m{import} from \"m{import}\";\n"),
            };
        }
        for function in functions {
            text += "\n";
            if let Some(note) = function.note {
                text += &format!("{} note {note}\n", if matches!(self, Self::Python) { "#" } else { "//" });
            }
            let parameters: Vec<_> = function.parameters.iter().map(|name| format!("p{name}")).collect();
            let parameters = parameters.join(", ");
            match self {
                Self::Python => text += &format!("def f{}({parameters}):\n", function.name),
                Self::Script => text += &format!("function f{}({parameters}) {{\n", function.name),
            }
            self.body(&function.body, 1, &mut text);
            if matches!(self, Self::Script) {
                text += "}\n";
            }
        }
        text
    }

    fn body(self, statements: &[Statement], depth: usize, text: &mut String) {
        let indent = "    ".repeat(depth);
        let end = if matches!(self, Self::Python) { "" } else { ";" };
        if statements.is_empty() && matches!(self, Self::Python) {
            *text += &format!("{indent}pass\n");
        }
        for statement in statements {
            match statement {
                Statement::Call(name, arguments) => {
                    let arguments: Vec<_> = arguments.iter().map(|name| format!("a{name}")).collect();
                    *text += &format!("{indent}c{name}({}){end}\n", arguments.join(", "));
                }
                Statement::Assign(name, value) => *text += &format!("{indent}v{name} = a{value} + {value}{end}\n"),
                Statement::Return(value) => *text += &format!("{indent}return a{value}{end}\n"),
                Statement::If(condition, inner) => {
                    *text += &match self {
                        Self::Python => format!("{indent}if a{condition}:\n"),
                        Self::Script => format!("{indent}if (a{condition}) {{\n"),
                    };
                    self.body(inner, depth + 1, text);
                    if matches!(self, Self::Script) {
                        *text += &format!("{indent}}}\n");
                    }
                }
            }
        }
    }
}

fn statement() -> impl Strategy<Value = Statement> {
    let leaf = prop_oneof![
        3 => (0..6_u8, prop::collection::vec(0..6_u8, 0..3)).prop_map(|(name, arguments)| Statement::Call(name, arguments)),
        2 => (0..6_u8, 0..6_u8).prop_map(|(name, value)| Statement::Assign(name, value)),
        1 => (0..6_u8).prop_map(Statement::Return),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        (0..6_u8, prop::collection::vec(inner, 0..3)).prop_map(|(condition, inner)| Statement::If(condition, inner))
    })
}

fn function(name: u8) -> impl Strategy<Value = Function> {
    let parameters = prop::sample::subsequence(vec![0, 1, 2, 3], 0..3);
    (parameters, prop::option::of(0..4_u8), prop::collection::vec(statement(), 0..5))
        .prop_map(move |(parameters, note, body)| Function { name, parameters, note, body })
}

type Program = (Vec<u8>, Vec<Function>);

fn program() -> impl Strategy<Value = Program> {
    let functions = (function(0), function(1), function(2)).prop_map(|(one, two, three)| vec![one, two, three]);
    (prop::sample::subsequence(vec![0, 2, 4, 6], 0..4), functions)
}

/// One edit of a program.
#[derive(Debug, Clone)]
enum Edit {
    Import(u8),
    AddFunction(usize, Function),
    DropFunction(usize),
    Parameter(usize, u8),
    Note(usize, u8),
    Insert(usize, usize, Statement),
    Remove(usize, usize),
    Wrap(usize, usize, u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => (1..8_u8).prop_map(Edit::Import),
        2 => (0..4_usize, (3..7_u8).prop_flat_map(function)).prop_map(|(at, function)| Edit::AddFunction(at, function)),
        1 => (0..4_usize).prop_map(Edit::DropFunction),
        2 => (0..4_usize, 4..9_u8).prop_map(|(at, name)| Edit::Parameter(at, name)),
        1 => (0..4_usize, 4..8_u8).prop_map(|(at, note)| Edit::Note(at, note)),
        4 => (0..4_usize, 0..5_usize, statement()).prop_map(|(at, place, new)| Edit::Insert(at, place, new)),
        2 => (0..4_usize, 0..5_usize).prop_map(|(at, place)| Edit::Remove(at, place)),
        1 => (0..4_usize, 0..5_usize, 0..6_u8).prop_map(|(at, place, name)| Edit::Wrap(at, place, name)),
    ]
}

fn edited((imports, functions): &Program, edits: &[Edit]) -> Program {
    let (mut imports, mut functions) = (imports.clone(), functions.clone());
    for edit in edits {
        match edit.clone() {
            Edit::Import(module) => {
                imports.push(module);
                imports.sort_unstable();
                imports.dedup();
            }
            Edit::AddFunction(at, function) if functions.iter().all(|other| other.name != function.name) => {
                functions.insert(at.min(functions.len()), function);
            }
            Edit::DropFunction(at) if at < functions.len() => drop(functions.remove(at)),
            Edit::Parameter(at, name) => {
                if let Some(function) = functions.get_mut(at).filter(|one| !one.parameters.contains(&name)) {
                    function.parameters.push(name);
                }
            }
            Edit::Note(at, note) => functions.iter_mut().skip(at).take(1).for_each(|one| one.note = Some(note)),
            Edit::Insert(at, place, new) => functions.iter_mut().skip(at).take(1).for_each(|one| {
                let place = place.min(one.body.len());
                one.body.insert(place, new.clone());
            }),
            Edit::Remove(at, place) => functions.iter_mut().skip(at).take(1).for_each(|one| {
                if place < one.body.len() {
                    one.body.remove(place);
                }
            }),
            Edit::Wrap(at, place, name) => functions.iter_mut().skip(at).take(1).for_each(|one| {
                if place < one.body.len() {
                    let inner = one.body.remove(place);
                    one.body.insert(place, Statement::If(name, vec![inner]));
                }
            }),
            _ => {}
        }
    }
    (imports, functions)
}

fn answer(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>, path: &str) -> Outcome {
    merge(base, ours, theirs, path, &Options::default())
}

/// How often each of the words stands that the program and its edits are made of.
fn words(text: &str) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn merges_of_programs_keep_the_laws(
        base in program(),
        mine in prop::collection::vec(edit(), 1..5),
        other in prop::collection::vec(edit(), 1..5),
        form in prop::sample::select(vec![Form::Python, Form::Script]),
    ) {
        let write = |program: &Program| form.file(&program.0, &program.1);
        let texts = [write(&base), write(&edited(&base, &mine)), write(&edited(&base, &other))];
        let [base, ours, theirs] = texts.each_ref().map(|text| Some(text.as_bytes()));
        let path = form.path();
        let language = Language::of_path(path).unwrap();
        let is_sound = |text: &[u8]| parse(language, text, Limits::default()).is_ok_and(|file| file.is_sound());
        prop_assume!(texts.iter().all(|text| is_sound(text.as_bytes())));
        let found = answer(base, ours, theirs, path);
        let swapped = answer(base, theirs, ours, path);
        let is_by_lines = answer_by_lines(base, ours, theirs, path);
        match &found {
            Outcome::Clean { content: Some(content), .. } => {
                prop_assert_eq!(swapped.content(), found.content());
                if !is_by_lines {
                    prop_assert!(is_sound(content), "{}", String::from_utf8_lossy(content));
                    // Nothing that neither wrote, and nothing that both wrote is gone.
                    let merged = words(&String::from_utf8_lossy(content));
                    let [_, ours, theirs] = texts.each_ref().map(|text| words(text));
                    for (word, count) in &merged {
                        let most = ours.get(word).copied().unwrap_or_default() + theirs.get(word).copied().unwrap_or_default();
                        prop_assert!(*count <= most, "{}", word);
                    }
                }
            }
            Outcome::Candidates { candidates, .. } => {
                let Outcome::Candidates { candidates: others, .. } = &swapped else { panic!("{swapped:?}") };
                let contents = |all: &[orchestrator_merge::Candidate]| all.iter().map(|one| one.content.clone()).collect::<Vec<_>>();
                prop_assert_eq!(contents(candidates), contents(others));
                prop_assert!(!candidates.is_empty() && candidates.len() <= 4);
                for candidate in candidates {
                    prop_assert!(is_sound(&candidate.content), "{}", String::from_utf8_lossy(&candidate.content));
                }
            }
            Outcome::Conflict(_) => prop_assert!(matches!(swapped, Outcome::Conflict(_))),
            _ => prop_assert!(false, "{:?}", found),
        }
    }
}

fn answer_by_lines(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>, path: &str) -> bool {
    let options = Options { layers: Layers::LINES, ..Options::default() };
    matches!(merge(base, ours, theirs, path, &options), Outcome::Clean { .. })
}

/// More in the long run.
pub(crate) fn cases() -> u32 {
    std::env::var("ORCHESTRATOR_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

#[test]
fn a_layer_that_is_switched_off_settles_nothing() {
    let file = |names: &str| format!("from shop import {names}\n\nprint(a, c)\n");
    let [base, ours, theirs] = ["a, c", "a, b, c", "a, c, d"].map(file);
    let merged = |layers: Layers| {
        let options = Options { layers, ..Options::default() };
        let found = merge(Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.py", &options);
        found.content().flatten().map(|text| String::from_utf8(text.to_vec()).unwrap())
    };
    let right = Some(file("a, b, c, d"));
    assert_eq!(merged(Layers::ALL), right);
    assert_eq!(merged(Layers::ALL.without(Layer::Structure).without(Layer::Sets)), right);
    assert_eq!(merged(Layers::ALL.without(Layer::Regions)), None);
    assert_eq!(merged(Layers::LINES), None);
}

#[test]
fn what_nests_too_deep_is_left() {
    let nested = |names: &str| format!("x = {}{names}{};\n", "[".repeat(150), "]".repeat(150));
    let [base, ours, theirs] = ["a, b, c", "a, B, c", "a, b, c, d"].map(nested);
    let found = answer(Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.js");
    let Outcome::Conflict(left) = found else { panic!("{found:?}") };
    assert_eq!(left.why, Some(orchestrator_merge::Why::Budget));
}
