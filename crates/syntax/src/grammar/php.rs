//! PHP.

use super::{Param, Role, Table, define, param, special_param};
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Php,
    roles: &[DEFINITIONS, EXPRESSIONS],
    params: PARAMS,
    keywords: &[("argument", "name")],
    spreads: &["variadic_unpacking"],
    comments: &["comment"],
    awaits: &[],
    hoists: true,
};

const DEFINITIONS: &[(&str, Role)] = &[
    ("namespace_definition", Role::Special(namespace)),
    ("namespace_use_declaration", Role::Special(import)),
    ("function_definition", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("method_declaration", define(EntityKind::Method, "parameters", "return_type", &[])),
    ("class_declaration", define(EntityKind::Class, "", "", &["<base_clause>", "<class_interface_clause>"])),
    ("interface_declaration", define(EntityKind::Interface, "", "", &["<base_clause>"])),
    ("trait_declaration", define(EntityKind::Trait, "", "", &[])),
    ("enum_declaration", define(EntityKind::Enum, "", "", &["<class_interface_clause>"])),
    ("enum_case", Role::Special(case)),
    ("use_declaration", Role::Special(mix)),
    ("const_declaration", Role::Special(constants)),
    ("property_declaration", Role::Special(properties)),
];

const EXPRESSIONS: &[(&str, Role)] = &[
    ("anonymous_function", Role::Special(closure)),
    ("arrow_function", Role::Special(closure)),
    ("assignment_expression", Role::Special(assignment)),
    ("foreach_statement", Role::Special(each)),
    ("catch_clause", Role::Bind { pattern: "name", class: "type", value: "" }),
    ("function_call_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("member_call_expression", Role::Call { function: "", object: "object", name: "name", arguments: "arguments" }),
    (
        "nullsafe_member_call_expression",
        Role::Call { function: "", object: "object", name: "name", arguments: "arguments" },
    ),
    ("scoped_call_expression", Role::Call { function: "", object: "scope", name: "name", arguments: "arguments" }),
    ("object_creation_expression", Role::New { class: "#0", arguments: "<arguments>" }),
    ("member_access_expression", Role::Member { object: "object", name: "name" }),
    ("nullsafe_member_access_expression", Role::Member { object: "object", name: "name" }),
    ("class_constant_access_expression", Role::Member { object: "#0", name: "#last" }),
    ("scoped_property_access_expression", Role::Member { object: "scope", name: "name" }),
    ("variable_name", Role::Special(variable)),
    ("qualified_name", Role::Special(name)),
    ("name", Role::Special(name)),
    ("relative_scope", Role::Special(relative)),
    ("parenthesized_expression", Role::Through),
    ("clone_expression", Role::Through),
];

const PARAMS: &[Param] = &[
    param("simple_parameter", "name", "type", "default_value"),
    param("property_promotion_parameter", "name", "type", "default_value"),
    special_param("variadic_parameter", "name", "type", Passing::Variadic),
];

fn namespace<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    walker.take_all(name);
    let text = walker.compact(name).replace('\\', ".");
    if walker.at(node, "body").is_some() {
        walker.open_namespace(&text);
    } else {
        walker.namespace.clear();
        walker.extend_namespace(&text);
    }
}

fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let is_function = walker.text_of(node).split_whitespace().nth(1) == Some("function");
    let prefix = walker.at(node, "<namespace_name>").map(|one| walker.compact(one).replace('\\', "."));
    let clauses = walker.at(node, "body").map_or_else(|| walker.children(node), |body| walker.children(body));
    walker.take_all(node);
    for one in clauses.into_iter().filter(|one| one.kind() == "namespace_use_clause") {
        let Some(path) = walker.at(one, "#0") else { continue };
        walker.take_all(one);
        let text = walker.compact(path).replace('\\', ".");
        let text = prefix.as_ref().map_or_else(|| text.clone(), |prefix| format!("{prefix}.{text}"));
        let (module, name) = text.trim_matches('.').rsplit_once('.').unwrap_or(("", text.trim_matches('.')));
        let alias = walker.at(one, "alias").map_or(name, |alias| walker.text_of(alias));
        walker.import(module, Some(name), alias).is_static = is_function;
        walker.use_import(one, name, alias);
    }
}

fn case<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        let text = walker.text_of(name);
        walker.add(node, name, text, EntityKind::Variant, None);
    }
}

/// `use Trait;` in a class.
fn mix<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(at) = walker.entity() else { return };
    for one in walker.children(node) {
        if let Some(chain) = walker.type_chain(one, 0) {
            walker.inherit(one, chain, at);
        }
    }
}

fn constants<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    for one in walker.children(node).into_iter().filter(|one| one.kind() == "const_element") {
        if let Some(name) = walker.at(one, "#0") {
            walker.leaf_entity(one, name, EntityKind::Constant);
        }
    }
}

fn properties<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let class = walker.at(node, "type");
    for one in walker.children(node).into_iter().filter(|one| one.kind() == "property_element") {
        let Some(name) = walker.at(one, "name") else { continue };
        walker.take_all(name);
        let at = walker.leaf_entity(node, name, EntityKind::Field);
        if let Some(class) = class {
            walker.written_type(at, class);
        }
    }
}

fn closure<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    // Names from around are seen in arrow functions and in those that `use` them.
    walker.open_scope(true);
    if let Some(list) = walker.at(node, "parameters") {
        walker.parameters(list);
    }
}

fn assignment<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(left) = walker.at(node, "left") else { return };
    if left.kind() == "variable_name" && !walker.is_local() {
        return;
    }
    walker.bind_node(node, "left", "", "right");
}

fn each<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    for one in walker
        .children(node)
        .into_iter()
        .skip(1)
        .filter(|one| matches!(one.kind(), "variable_name" | "pair" | "by_ref"))
    {
        for (_, name) in walker.pattern_names(one) {
            walker.bind(&name, crate::chain::Chain::unknown(), node, 0);
        }
    }
}

/// A variable is no use of a definition; the name in it neither.
fn variable<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.take_all(node);
}

fn relative<'t>(_: &mut Walker<'t>, _: Node<'t>) {}

/// A name outside of a call: a class or a constant.
fn name<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if walker.is_taken(node) {
        return;
    }
    walker.take_all(node);
    let text = walker.text_of(node);
    let chain = walker.chain_of_name(text);
    let last = chain.last_name().unwrap_or_default().to_owned();
    let parent = walker.around.last().map_or("", |outer| outer.kind());
    let kind = if parent == "named_type" { crate::UseKind::Type } else { crate::UseKind::Reference };
    walker.record(node, kind, &last, None, chain, None, node);
}
