//! Rust.

use super::{Param, Role, Table, define, param};
use crate::chain::{Chain, Head, Step};
use crate::language::Family;
use crate::walk::Walker;
use crate::{Arguments, EntityKind, Parameter, Passing, UseKind};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Rust,
    roles: &[DEFINITIONS, EXPRESSIONS],
    params: PARAMS,
    keywords: &[("field_initializer", "field"), ("shorthand_field_initializer", "#0")],
    spreads: &["base_field_initializer"],
    comments: &["line_comment", "block_comment"],
    awaits: &["await_expression"],
    hoists: false,
};

const DEFINITIONS: &[(&str, Role)] = &[
    ("function_item", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("function_signature_item", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("struct_item", Role::Special(structure)),
    ("union_item", Role::Special(structure)),
    ("enum_item", define(EntityKind::Enum, "", "", &[])),
    ("enum_variant", Role::Special(variant)),
    ("field_declaration", Role::Special(field)),
    ("trait_item", define(EntityKind::Trait, "", "", &["bounds"])),
    ("impl_item", Role::Special(implementation)),
    ("mod_item", Role::Special(module)),
    ("const_item", Role::Special(constant)),
    ("static_item", Role::Special(constant)),
    ("type_item", Role::Special(alias)),
    ("macro_definition", Role::Special(macro_rules)),
    ("attribute_item", Role::Attached),
    ("use_declaration", Role::Special(import)),
];

const EXPRESSIONS: &[(&str, Role)] = &[
    ("closure_expression", Role::Lambda { parameters: "parameters" }),
    ("block", Role::Scope),
    ("match_arm", Role::Scope),
    ("if_expression", Role::Scope),
    ("while_expression", Role::Scope),
    ("for_expression", Role::Special(for_loop)),
    ("let_declaration", Role::Bind { pattern: "pattern", class: "type", value: "value" }),
    ("let_condition", Role::Special(let_condition)),
    ("match_pattern", Role::Special(pattern)),
    ("call_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("struct_expression", Role::New { class: "name", arguments: "body" }),
    ("field_expression", Role::Member { object: "value", name: "field" }),
    ("scoped_identifier", Role::Member { object: "path", name: "name" }),
    ("scoped_type_identifier", Role::Member { object: "path", name: "name" }),
    ("generic_function", Role::Through),
    ("identifier", Role::Name),
    ("shorthand_field_identifier", Role::Name),
    ("type_identifier", Role::TypeName),
    ("self", Role::This),
    ("await_expression", Role::Through),
    ("try_expression", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("reference_expression", Role::Special(nothing)),
    ("token_tree", Role::Special(tokens)),
    ("macro_invocation", Role::Special(macro_call)),
    ("macro_rule", Role::Skip),
];

const PARAMS: &[Param] = &[param("parameter", "pattern", "type", ""), param("identifier", "", "", "")];

fn nothing<'t>(_: &mut Walker<'t>, _: Node<'t>) {}

/// A struct: its fields are what a literal of it names.
fn structure<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let body = walker.at(node, "body");
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Struct, body);
    let parameters = body.map(|body| fields(walker, body)).unwrap_or_default();
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.signature.parameters = parameters;
        entity.signature.has_parameters = true;
    }
}

fn fields<'t>(walker: &Walker<'t>, body: Node<'t>) -> Vec<Parameter> {
    let named = |child: Node<'t>| {
        let name = walker.at(child, "name")?;
        let class = walker.at(child, "type").map(|class| walker.compact(class));
        Some(Parameter {
            name: walker.text_of(name).to_owned(),
            written_type: class,
            is_optional: false,
            passing: Passing::Keyword,
        })
    };
    if body.kind() == "field_declaration_list" {
        return walker.children(body).into_iter().filter_map(named).collect();
    }
    let unnamed = |class| Parameter {
        name: String::new(),
        written_type: Some(walker.compact(class)),
        is_optional: false,
        passing: Passing::Positional,
    };
    walker.fields(body, "type").into_iter().map(unnamed).collect()
}

fn variant<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let body = walker.at(node, "body");
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Variant, None);
    let parameters = body.map(|body| fields(walker, body)).unwrap_or_default();
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.signature.parameters = parameters;
        entity.signature.has_parameters = true;
    }
}

fn field<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(class)) = (walker.at(node, "name"), walker.at(node, "type")) else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Field, None);
    walker.written_type(at, class);
}

fn implementation<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(class) = walker.at(node, "type") else { return };
    let Some(owner) = walker.type_chain(class, 0) else { return };
    let Some(name) = owner.last_name().map(ToOwned::to_owned) else { return };
    let body = walker.at(node, "body");
    let at = walker.add(node, class, &name, EntityKind::Impl, body);
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.owner = Some(owner);
    }
    if let Some(class) = walker.at(node, "trait")
        && let Some(chain) = walker.type_chain(class, 0)
    {
        walker.inherit(class, chain, at);
    }
}

fn module<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    match walker.at(node, "body") {
        Some(body) => {
            let text = walker.text_of(name);
            walker.add(node, name, text, EntityKind::Module, Some(body));
        }
        None => walker.take(name),
    }
}

fn constant<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    if walker.is_local() {
        return walker.bind_node(node, "name", "type", "value");
    }
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Constant, walker.at(node, "value"));
    if let Some(class) = walker.at(node, "type") {
        walker.written_type(at, class);
    }
}

fn alias<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Alias, None);
    if let Some(class) = walker.at(node, "type") {
        walker.written_type(at, class);
    }
}

fn macro_rules<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let text = walker.text_of(name);
    walker.add(node, name, text, EntityKind::Macro, None);
}

fn macro_call<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "macro") {
        walker.take_all(name);
        let chain = walker.chain(name, 0);
        let text = chain.last_name().unwrap_or_default().to_owned();
        walker.record(node, UseKind::Reference, &text, None, chain, None, name);
    }
}

fn for_loop<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    walker.bind_node(node, "pattern", "", "");
}

/// `if let Some(x) = y`: what is unpacked from a holder counts as held.
fn let_condition<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(pattern), Some(value)) = (walker.at(node, "pattern"), walker.at(node, "value")) else { return };
    unpack(walker, pattern, Some(value));
}

fn pattern<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let value = walker.around.iter().rev().nth(2).and_then(|outer| walker.at(*outer, "value"));
    if let Some(inner) = node.named_child(0) {
        unpack(walker, inner, value);
    }
}

fn unpack<'t>(walker: &mut Walker<'t>, pattern: Node<'t>, value: Option<Node<'t>>) {
    let held = walker.at(pattern, "type").map(|class| walker.text_of(class));
    let holds = match (held, value) {
        (Some("Some" | "Ok"), Some(value)) => walker.chain(value, 0),
        _ => Chain::unknown(),
    };
    for (node, name) in walker.pattern_names(pattern) {
        // A lone upper-case name is a constant or a variant, not a new name.
        if name.starts_with(char::is_uppercase) {
            continue;
        }
        walker.take(node);
        walker.bind(&name, holds.clone(), node, node.end_byte());
    }
}

/// Calls written inside a macro: `assert_eq!(a.f(1), g())`. Tokens only, so `a.b::c(..)` is put together here.
fn tokens<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let mut cursor = node.walk();
    let all: Vec<Node<'t>> = node.children(&mut cursor).take(10_000).collect();
    let mut chain: Option<Chain> = None;
    let mut receiver: Option<(Node<'t>, Node<'t>)> = None;
    let mut joined = false;
    for (at, token) in all.iter().enumerate() {
        let kind = token.kind();
        match kind {
            "identifier" | "type_identifier" | "self" | "crate" | "super" => {
                walker.take(*token);
                let text = walker.text_of(*token);
                let own = match kind {
                    "self" if all.get(at + 1).is_none_or(|next| next.kind() != "::") => Chain::new(Head::This),
                    _ => walker.chain_of_name(text),
                };
                let start = if joined { chain.take() } else { None };
                let is_member = start.is_some();
                let whole = start.map_or(own, |start| start.member(text));
                let next = all.get(at + 1);
                let arguments =
                    next.filter(|next| next.kind() == "token_tree" && walker.text_of(**next).starts_with('('));
                let continues = next.is_some_and(|next| matches!(next.kind(), "." | "::"));
                let object = receiver.filter(|_| is_member);
                if let Some(list) = arguments {
                    let passed = count(*list);
                    record(walker, *token, UseKind::Call, &whole, object, Some(passed));
                    chain = Some(whole.then(Step::Call));
                } else {
                    if kind != "self" && (!continues || is_member) {
                        let use_kind = if is_member { UseKind::Member } else { UseKind::Reference };
                        record(walker, *token, use_kind, &whole, object, None);
                    }
                    chain = Some(whole);
                }
                receiver = Some((receiver.filter(|_| joined).map_or(*token, |(first, _)| first), *token));
                joined = false;
            }
            "." | "::" => joined = chain.is_some(),
            "token_tree" | "?" => {}
            _ => {
                (chain, receiver, joined) = (None, None, false);
            }
        }
    }
}

fn record<'t>(
    walker: &mut Walker<'t>,
    token: Node<'t>,
    kind: UseKind,
    chain: &Chain,
    object: Option<(Node<'t>, Node<'t>)>,
    passed: Option<Arguments>,
) {
    let name = walker.text_of(token).to_owned();
    walker.record(token, kind, &name, object.map(|(first, _)| first), chain.clone(), passed, token);
}

/// Arguments in a group of tokens: parts between commas.
fn count(list: Node<'_>) -> Arguments {
    let mut cursor = list.walk();
    let (mut parts, mut filled) = (0, false);
    let mut closure = false;
    for token in list.children(&mut cursor) {
        match token.kind() {
            "(" | ")" => {}
            "|" => {
                closure = !closure;
                filled = true;
            }
            "," if closure => {}
            "," => {
                parts += usize::from(filled);
                filled = false;
            }
            _ => filled = true,
        }
    }
    Arguments { positional: parts + usize::from(filled), keywords: Vec::new(), spread: false }
}

fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(argument) = walker.at(node, "argument") else { return };
    let is_public = walker.at(node, "<visibility_modifier>").is_some();
    tree(walker, argument, "", is_public, 0);
    walker.take_all(argument);
}

fn join(prefix: &str, rest: &str) -> String {
    let rest = rest.replace("::", ".");
    if prefix.is_empty() { rest } else { format!("{prefix}.{rest}") }
}

fn tree<'t>(walker: &mut Walker<'t>, node: Node<'t>, prefix: &str, is_public: bool, depth: usize) {
    if depth > 16 {
        return;
    }
    walker.take(node);
    let text = walker.compact(node);
    match node.kind() {
        "use_list" => {
            for child in walker.children(node) {
                tree(walker, child, prefix, is_public, depth + 1);
            }
        }
        "scoped_use_list" => {
            let path = walker.at(node, "path");
            let prefix = path.map_or_else(|| prefix.to_owned(), |path| join(prefix, &walker.compact(path)));
            path.into_iter().for_each(|path| walker.take_all(path));
            if let Some(list) = walker.at(node, "list") {
                tree(walker, list, &prefix, is_public, depth + 1);
            }
        }
        "use_wildcard" => {
            let path = join(prefix, text.trim_end_matches('*').trim_end_matches("::"));
            node.named_child(0).into_iter().for_each(|inner| walker.take_all(inner));
            let import = walker.import(path.trim_matches('.'), None, "");
            (import.is_wildcard, import.is_reexport) = (true, is_public);
        }
        "use_as_clause" => {
            let path = walker.at(node, "path").map_or_else(String::new, |path| walker.compact(path));
            let alias = walker.at(node, "alias").map_or("", |alias| walker.text_of(alias));
            walker.take_all(node);
            single(walker, node, &join(prefix, &path), alias, is_public);
        }
        "self" if !prefix.is_empty() => {
            let alias = prefix.rsplit('.').next().unwrap_or_default().to_owned();
            single(walker, node, prefix, &alias, is_public);
        }
        _ => {
            walker.take_all(node);
            let path = join(prefix, &text);
            let alias = path.rsplit('.').next().unwrap_or_default().to_owned();
            single(walker, node, &path, &alias, is_public);
        }
    }
}

fn single<'t>(walker: &mut Walker<'t>, node: Node<'t>, path: &str, alias: &str, is_public: bool) {
    let (module, name) = path.rsplit_once('.').unwrap_or(("", path));
    walker.import(module, Some(name), alias).is_reexport = is_public;
    walker.use_import(node, name, alias);
}
