//! C and C++.

use super::{Param, Role, Table, param};
use crate::chain::{Chain, Head, Step};
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Language, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::C,
    roles: &[DEFINITIONS, EXPRESSIONS],
    params: PARAMS,
    keywords: &[],
    spreads: &["parameter_pack_expansion"],
    comments: &["comment"],
    awaits: &["co_await_expression"],
    hoists: false,
};

const DEFINITIONS: &[(&str, Role)] = &[
    ("preproc_include", Role::Special(include)),
    ("preproc_def", Role::Special(macro_value)),
    ("preproc_function_def", Role::Special(macro_function)),
    ("using_declaration", Role::Special(using)),
    ("namespace_definition", Role::Special(namespace)),
    ("namespace_alias_definition", Role::Special(namespace_alias)),
    ("template_declaration", Role::Wrapper),
    ("class_specifier", Role::Special(class)),
    ("struct_specifier", Role::Special(class)),
    ("union_specifier", Role::Special(class)),
    ("enum_specifier", Role::Special(class)),
    ("enumerator", Role::Special(enumerator)),
    ("function_definition", Role::Special(function)),
    ("declaration", Role::Special(declaration)),
    ("field_declaration", Role::Special(declaration)),
    ("type_definition", Role::Special(type_definition)),
    ("alias_declaration", Role::Special(alias)),
];

const EXPRESSIONS: &[(&str, Role)] = &[
    ("lambda_expression", Role::Special(lambda)),
    ("compound_statement", Role::Scope),
    ("for_statement", Role::Scope),
    ("catch_clause", Role::Special(catch)),
    ("for_range_loop", Role::Special(each)),
    ("call_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("new_expression", Role::New { class: "type", arguments: "arguments" }),
    ("compound_literal_expression", Role::New { class: "type", arguments: "" }),
    ("field_expression", Role::Member { object: "argument", name: "field" }),
    ("qualified_identifier", Role::Member { object: "scope", name: "name" }),
    ("identifier", Role::Name),
    ("namespace_identifier", Role::Name),
    ("type_identifier", Role::TypeName),
    ("this", Role::This),
    ("pointer_expression", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("base_class_clause", Role::Special(bases)),
];

const PARAMS: &[Param] = &[
    param("parameter_declaration", "declarator", "type", ""),
    param("optional_parameter_declaration", "declarator", "type", "default_value"),
    Param {
        kind: "variadic_parameter_declaration",
        name: "declarator",
        class: "type",
        default: "",
        is_optional: true,
        passing: Passing::Variadic,
    },
];

fn include<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(path) = walker.at(node, "path") else { return };
    let text = walker.text_of(path).trim_matches(['"', '<', '>']);
    let import = walker.import(text, None, "");
    (import.is_wildcard, import.is_reexport) = (true, true);
}

fn macro_value<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        let text = walker.text_of(name);
        walker.add(node, name, text, EntityKind::Constant, walker.at(node, "value"));
    }
}

fn macro_function<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Macro, walker.at(node, "value"));
    let Some(list) = walker.at(node, "parameters") else { return };
    walker.take_all(list);
    let variadic = walker.text_of(list).contains("...");
    let names: Vec<String> = walker.children(list).into_iter().map(|one| walker.text_of(one).to_owned()).collect();
    if let Some(entity) = walker.entities.get_mut(at) {
        let plain =
            |name| crate::Parameter { name, written_type: None, is_optional: false, passing: Passing::Positional };
        entity.signature.parameters = names.into_iter().map(plain).collect();
        entity.signature.has_parameters = !variadic;
    }
}

fn using<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(path) = walker.at(node, "#0") else { return };
    walker.take_all(path);
    let text = walker.compact(path).replace("::", ".");
    if walker.text_of(node).contains("namespace") {
        let import = walker.import(&text, None, "");
        (import.is_wildcard, import.is_static) = (true, true);
    } else if let Some((module, name)) = text.rsplit_once('.') {
        walker.import(module, Some(name), name).is_static = true;
        walker.use_import(path, name, name);
    }
}

fn namespace_alias<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(path)) = (walker.at(node, "name"), walker.at(node, "#last")) else { return };
    walker.take_all(node);
    let text = walker.compact(path).replace("::", ".");
    let alias = walker.text_of(name);
    let (module, name) = text.rsplit_once('.').unwrap_or(("", &text));
    walker.import(module, Some(name), alias).is_static = true;
}

fn namespace<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        walker.take_all(name);
        let text = walker.compact(name).replace("::", ".");
        walker.open_namespace(&text);
    } else {
        walker.open_namespace("");
    }
}

fn class<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(body)) = (walker.at(node, "name"), walker.at(node, "body")) else { return };
    let kind = match node.kind() {
        "class_specifier" => EntityKind::Class,
        "enum_specifier" => EntityKind::Enum,
        _ => EntityKind::Struct,
    };
    let plain = walker.at(name, "name").unwrap_or(name);
    walker.take(plain);
    let text = walker.text_of(plain);
    walker.add(node, name, text, kind, Some(body));
}

fn bases<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(at) = walker.entity() else { return };
    for one in walker.children(node) {
        if one.kind() == "access_specifier" {
            continue;
        }
        if let Some(chain) = walker.type_chain(one, 0) {
            walker.inherit(one, chain, at);
        }
    }
}

fn enumerator<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        let text = walker.text_of(name);
        walker.add(node, name, text, EntityKind::Variant, None);
    }
}

/// The declarator of a function inside others, and whether it is a pointer to one.
fn function_declarator<'t>(walker: &Walker<'t>, node: Node<'t>) -> Option<Node<'t>> {
    let mut node = node;
    for _ in 0..16 {
        if node.kind() == "function_declarator" {
            let inner = walker.at(node, "declarator")?;
            return (inner.kind() != "parenthesized_declarator").then_some(node);
        }
        node = match node.kind() {
            "pointer_declarator" | "init_declarator" | "array_declarator" => walker.at(node, "declarator")?,
            "reference_declarator" => walker.at(node, "#last")?,
            _ => return None,
        };
    }
    None
}

fn function<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let declarator = walker.at(node, "declarator");
    match declarator.and_then(|one| function_declarator(walker, one)) {
        Some(declarator) => add_function(walker, node, declarator, walker.at(node, "body")),
        None => walker.open_scope(true),
    }
}

fn add_function<'t>(walker: &mut Walker<'t>, node: Node<'t>, declarator: Node<'t>, body: Option<Node<'t>>) {
    let Some(mut name) = walker.at(declarator, "declarator") else { return };
    let mut owners = Vec::new();
    walker.take_all(name);
    for _ in 0..16 {
        if name.kind() != "qualified_identifier" {
            break;
        }
        if let Some(scope) = walker.at(name, "scope") {
            let plain = walker.at(scope, "name").unwrap_or(scope);
            owners.push(walker.text_of(plain));
        }
        match walker.at(name, "name") {
            Some(inner) => name = inner,
            None => return,
        }
    }
    let plain = walker.at(name, "name").filter(|_| name.kind().starts_with("template")).unwrap_or(name);
    let text = walker.compact(plain);
    let at = walker.add(node, plain, &text, EntityKind::Function, body);
    if let Some(class) = owners.last() {
        walker.own_last(class, Chain::path(owners.iter().copied()));
    }
    if body.is_some() {
        walker.function(node, at, walker.at(declarator, "parameters"), walker.at(node, "type"));
    } else {
        walker.function(node, at, walker.at(declarator, "parameters"), walker.at(node, "type"));
        if let Some(entity) = walker.entities.get_mut(at) {
            entity.is_declaration = true;
        }
    }
    // Pointers and `const` behind the parameters are part of the type.
    let stars = walker.at(node, "declarator").map_or(0, |outer| {
        walker.text_of(outer).find('(').map_or(0, |end| walker.text_of(outer)[..end].matches(['*', '&']).count())
    });
    let is_const = walker.children(declarator).into_iter().any(|one| one.kind() == "type_qualifier");
    if let Some(entity) = walker.entities.get_mut(at) {
        if let Some(result) = &mut entity.signature.result {
            result.push_str(&"*".repeat(stars));
        }
        if is_const && entity.signature.receiver.is_empty() {
            entity.signature.receiver = "const".to_owned();
        }
    }
}

fn declaration<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let class = walker.at(node, "type");
    let declarators = walker.fields(node, "declarator");
    // A type defined in place is an entity of its own.
    if declarators.is_empty() {
        walker.wrap(node);
        return;
    }
    for declarator in declarators {
        if let Some(function) =
            function_declarator(walker, declarator).filter(|_| declarator.kind() != "init_declarator")
        {
            if !walker.is_local() {
                add_function(walker, node, function, None);
            }
            continue;
        }
        let inner = walker
            .at(declarator, "declarator")
            .filter(|_| declarator.kind() == "init_declarator")
            .unwrap_or(declarator);
        let value = walker.at(declarator, "value").filter(|_| declarator.kind() == "init_declarator");
        let Some(name) = plain_name(walker, inner) else { continue };
        walker.take(name);
        let text = walker.text_of(name).to_owned();
        // `Foo x(1)` and `Foo x{1}` call the constructor.
        if let (Some(class), Some(value)) = (class, value)
            && matches!(value.kind(), "argument_list" | "initializer_list")
            && walker.language == Language::Cpp
            && let Some(chain) = walker.type_chain(class, 0)
        {
            let passed = walker.arguments(value);
            let last = chain.last_name().unwrap_or_default().to_owned();
            walker.record(node, crate::UseKind::Construct, &last, None, chain, Some(passed), class);
        }
        let holds = walker.holds(class, value);
        if walker.is_local() {
            walker.bind(&text, holds, name, node.end_byte());
            continue;
        }
        let in_type =
            walker.entity().and_then(|at| walker.entities.get(at)).is_some_and(|entity| entity.kind.is_type());
        let kind = if in_type { EntityKind::Field } else { EntityKind::Variable };
        let written =
            class.map(|class| format!("{}{}", walker.compact(class), walker.compact(inner).replace(&text, "")));
        let at = walker.define_variable(node, name, &text, kind, holds, value);
        if let Some(entity) = at.and_then(|at| walker.entities.get_mut(at)) {
            entity.signature.result = written;
        }
    }
}

/// The name inside pointers, arrays and references.
fn plain_name<'t>(walker: &Walker<'t>, node: Node<'t>) -> Option<Node<'t>> {
    let mut node = node;
    for _ in 0..16 {
        if matches!(node.kind(), "identifier" | "field_identifier" | "type_identifier") {
            return Some(node);
        }
        node = walker.at(node, "declarator|#last")?;
    }
    None
}

fn type_definition<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(class), Some(declarator)) = (walker.at(node, "type"), walker.at(node, "declarator")) else { return };
    let Some(name) = plain_name(walker, declarator) else { return };
    walker.take(name);
    let text = walker.text_of(name);
    let body = walker.at(class, "body");
    if let Some(body) = body.filter(|_| walker.at(class, "name").is_none_or(|own| walker.text_of(own) == text)) {
        let kind = if class.kind() == "enum_specifier" { EntityKind::Enum } else { EntityKind::Struct };
        walker.add(node, name, text, kind, Some(body));
        // The struct inside is this entity.
        if let Some(own) = walker.at(class, "name") {
            walker.take(own);
        }
        return;
    }
    if walker.at(class, "name").is_some_and(|own| walker.text_of(own) == text) {
        return;
    }
    let at = walker.leaf_entity(node, name, EntityKind::Alias);
    walker.written_type(at, class);
}

fn alias<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(class)) = (walker.at(node, "name"), walker.at(node, "type")) else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Alias, None);
    walker.written_type(at, class);
}

fn lambda<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(true);
    let list = walker.at(node, "declarator").and_then(|one| walker.at(one, "parameters"));
    if let Some(list) = list {
        walker.parameters(list);
    }
}

fn catch<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    if let Some(list) = walker.at(node, "parameters") {
        walker.parameters(list);
    }
}

fn each<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    let class = walker.at(node, "type").and_then(|class| walker.type_chain(class, 0));
    let holds = class.map_or(Chain::new(Head::Unknown), |chain| chain.then(Step::Instance));
    if let Some(name) = walker.at(node, "declarator").and_then(|one| plain_name(walker, one)) {
        walker.take(name);
        let text = walker.text_of(name).to_owned();
        walker.bind(&text, holds, name, node.start_byte());
    }
}
