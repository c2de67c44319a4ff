//! Random programs and random edits of them, in two ways to write.

use proptest::prelude::*;

/// A statement of a function, or one with statements in it.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Call(u8, Vec<u8>),
    /// Calls a function of the program.
    Own(u8, Vec<u8>),
    Assign(u8, u8),
    Return(u8),
    If(u8, Vec<Statement>),
    Loop(u8, Vec<Statement>),
}

#[derive(Debug, Clone)]
pub(crate) struct Function {
    name: u8,
    parameters: Vec<u8>,
    note: Option<u8>,
    body: Vec<Statement>,
}

/// What a function is called; renamed ones have another letter.
fn called(name: u8) -> String {
    if name < RENAMED { format!("f{name}") } else { format!("g{}", name - RENAMED) }
}

/// Names of functions from here on are those of renamed ones.
const RENAMED: u8 = 100;

/// Two ways to write one program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Python,
    Script,
}

impl Form {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Python => "a.py",
            Self::Script => "a.js",
        }
    }

    pub(crate) fn file(self, (imports, functions): &Program) -> String {
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
                Self::Python => text += &format!("def {}({parameters}):\n", called(function.name)),
                Self::Script => text += &format!("function {}({parameters}) {{\n", called(function.name)),
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
                Statement::Call(_, arguments) | Statement::Own(_, arguments) => {
                    let name = match statement {
                        Statement::Own(name, _) => called(*name),
                        Statement::Call(name, _) => format!("c{name}"),
                        _ => continue,
                    };
                    let arguments: Vec<_> = arguments.iter().map(|name| format!("a{name}")).collect();
                    *text += &format!("{indent}{name}({}){end}\n", arguments.join(", "));
                }
                Statement::Assign(name, value) => *text += &format!("{indent}v{name} = a{value} + {value}{end}\n"),
                Statement::Return(value) => *text += &format!("{indent}return a{value}{end}\n"),
                Statement::If(condition, inner) | Statement::Loop(condition, inner) => {
                    let word = if matches!(statement, Statement::If(..)) { "if" } else { "while" };
                    *text += &match self {
                        Self::Python => format!("{indent}{word} a{condition}:\n"),
                        Self::Script => format!("{indent}{word} (a{condition}) {{\n"),
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

pub(crate) fn statement() -> impl Strategy<Value = Statement> {
    let leaf = prop_oneof![
        3 => (0..6_u8, prop::collection::vec(0..6_u8, 0..3)).prop_map(|(name, arguments)| Statement::Call(name, arguments)),
        2 => (0..3_u8, prop::collection::vec(0..6_u8, 0..2)).prop_map(|(name, arguments)| Statement::Own(name, arguments)),
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

pub(crate) type Program = (Vec<u8>, Vec<Function>);

pub(crate) fn program() -> impl Strategy<Value = Program> {
    let functions = (function(0), function(1), function(2)).prop_map(|(one, two, three)| vec![one, two, three]);
    (prop::sample::subsequence(vec![0, 2, 4, 6], 0..4), functions)
}

/// One edit of a program.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Import(u8),
    AddFunction(usize, Function),
    DropFunction(usize),
    Parameter(usize, u8),
    Note(usize, u8),
    Insert(usize, usize, Statement),
    Remove(usize, usize),
    /// Adds to the first statement from a place on that can be added to.
    Touch(usize, usize, u8),
    /// Puts some statements into a new one.
    Wrap {
        at: usize,
        from: usize,
        count: usize,
        condition: u8,
        is_loop: bool,
    },
    /// Moves a function, to be known by its name.
    Move(usize, usize),
    /// Renames a function and all its uses.
    Rename(usize),
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => (1..8_u8).prop_map(Edit::Import),
        2 => (0..4_usize, (3..7_u8).prop_flat_map(function)).prop_map(|(at, function)| Edit::AddFunction(at, function)),
        1 => (0..4_usize).prop_map(Edit::DropFunction),
        2 => (0..4_usize, 4..9_u8).prop_map(|(at, name)| Edit::Parameter(at, name)),
        1 => (0..4_usize, 4..8_u8).prop_map(|(at, note)| Edit::Note(at, note)),
        4 => (0..4_usize, 0..5_usize, statement()).prop_map(|(at, place, new)| Edit::Insert(at, place, new)),
        2 => (0..4_usize, 0..5_usize).prop_map(|(at, place)| Edit::Remove(at, place)),
        2 => (0..4_usize).prop_flat_map(touch),
        2 => (0..4_usize).prop_flat_map(wrap),
        1 => (0..4_usize, 0..4_usize).prop_map(|(at, to)| Edit::Move(at, to)),
        1 => (0..4_usize).prop_map(Edit::Rename),
    ]
}

pub(crate) fn touch(at: usize) -> impl Strategy<Value = Edit> {
    (0..5_usize, 6..9_u8).prop_map(move |(place, name)| Edit::Touch(at, place, name))
}

pub(crate) fn wrap(at: usize) -> impl Strategy<Value = Edit> {
    (0..3_usize, 1..5_usize, 6..9_u8, any::<bool>()).prop_map(move |(from, count, condition, is_loop)| Edit::Wrap {
        at,
        from,
        count,
        condition,
        is_loop,
    })
}

/// Adds to a statement; whether that can be.
fn touched(statement: &mut Statement, name: u8) -> bool {
    match statement {
        Statement::Call(_, arguments) | Statement::Own(_, arguments) => arguments.push(name),
        Statement::Assign(_, value) | Statement::Return(value) => *value = name,
        Statement::If(_, inner) | Statement::Loop(_, inner) => return inner.iter_mut().any(|one| touched(one, name)),
    }
    true
}

fn renamed(statements: &mut [Statement], from: u8, to: u8) {
    for statement in statements {
        match statement {
            Statement::Own(name, _) if *name == from => *name = to,
            Statement::If(_, inner) | Statement::Loop(_, inner) => renamed(inner, from, to),
            _ => {}
        }
    }
}

pub(crate) fn edited((imports, functions): &Program, edits: &[Edit]) -> Program {
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
            Edit::Touch(at, place, name) => functions.iter_mut().skip(at).take(1).for_each(|one| {
                one.body.iter_mut().skip(place).any(|statement| touched(statement, name));
            }),
            Edit::Wrap { at, from, count, condition, is_loop } => {
                functions.iter_mut().skip(at).take(1).for_each(|one| {
                    let end = (from + count).min(one.body.len());
                    if from < end {
                        let inner: Vec<_> = one.body.drain(from..end).collect();
                        let wrapped = if is_loop { Statement::Loop } else { Statement::If };
                        one.body.insert(from, wrapped(condition, inner));
                    }
                });
            }
            Edit::Move(at, to) if at < functions.len() => {
                let moved = functions.remove(at);
                functions.insert(to.min(functions.len()), moved);
            }
            Edit::Rename(at) => {
                if let Some(from) = functions.get(at).map(|one| one.name).filter(|name| *name < RENAMED) {
                    functions.iter_mut().filter(|one| one.name == from).for_each(|one| one.name = from + RENAMED);
                    functions.iter_mut().for_each(|one| renamed(&mut one.body, from, from + RENAMED));
                }
            }
            _ => {}
        }
    }
    (imports, functions)
}
