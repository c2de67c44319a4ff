//! Java.

use super::{Param, Role, Table, define, param, special_param};
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Java,
    roles: &[ROLES],
    params: PARAMS,
    keywords: &[],
    spreads: &[],
    comments: &["line_comment", "block_comment"],
    awaits: &[],
    hoists: false,
};

const ROLES: &[(&str, Role)] = &[
    ("package_declaration", Role::Special(package)),
    ("import_declaration", Role::Special(import)),
    ("class_declaration", define(EntityKind::Class, "", "", &["superclass", "interfaces"])),
    ("interface_declaration", define(EntityKind::Interface, "", "", &["<extends_interfaces>"])),
    ("annotation_type_declaration", define(EntityKind::Interface, "", "", &[])),
    ("enum_declaration", define(EntityKind::Enum, "", "", &["interfaces"])),
    ("record_declaration", define(EntityKind::Class, "parameters", "", &["interfaces"])),
    ("enum_constant", Role::Special(constant)),
    ("method_declaration", define(EntityKind::Method, "parameters", "type", &[])),
    ("constructor_declaration", define(EntityKind::Method, "parameters", "", &[])),
    ("field_declaration", Role::Special(variables)),
    ("constant_declaration", Role::Special(variables)),
    ("local_variable_declaration", Role::Special(variables)),
    ("lambda_expression", Role::Lambda { parameters: "parameters" }),
    ("block", Role::Scope),
    ("for_statement", Role::Scope),
    ("try_with_resources_statement", Role::Scope),
    ("enhanced_for_statement", Role::Special(each)),
    ("catch_clause", Role::Scope),
    ("catch_formal_parameter", Role::Bind { pattern: "name", class: "<catch_type>", value: "" }),
    ("resource", Role::Bind { pattern: "name", class: "type", value: "value" }),
    ("instanceof_expression", Role::Bind { pattern: "name", class: "right", value: "" }),
    ("type_pattern", Role::Bind { pattern: "#last", class: "#0", value: "" }),
    ("method_invocation", Role::Call { function: "", object: "object", name: "name", arguments: "arguments" }),
    ("object_creation_expression", Role::New { class: "type", arguments: "arguments" }),
    ("field_access", Role::Member { object: "object", name: "field" }),
    ("method_reference", Role::Member { object: "#0", name: "#last" }),
    ("scoped_identifier", Role::Member { object: "scope", name: "name" }),
    ("scoped_type_identifier", Role::Member { object: "#0", name: "#last" }),
    ("identifier", Role::Name),
    ("type_identifier", Role::TypeName),
    ("this", Role::This),
    ("super", Role::Super),
    ("parenthesized_expression", Role::Through),
];

const PARAMS: &[Param] = &[
    param("formal_parameter", "name", "type", ""),
    param("identifier", "", "", ""),
    special_param("spread_parameter", "<variable_declarator>", "#0", Passing::Variadic),
];

fn package<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "#last") else { return };
    walker.take_all(name);
    let text = walker.compact(name);
    walker.extend_namespace(&text);
}

fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(path) = walker.at(node, "<scoped_identifier>") else { return };
    walker.take_all(path);
    let text = walker.compact(path);
    let is_static = walker.text_of(node).split_whitespace().nth(1) == Some("static");
    if walker.at(node, "<asterisk>").is_some() {
        let import = walker.import(&text, None, "");
        (import.is_wildcard, import.is_static) = (true, is_static);
    } else if let Some((module, name)) = text.rsplit_once('.') {
        walker.import(module, Some(name), name).is_static = is_static;
        walker.use_import(path, name, name);
    }
}

fn constant<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        let text = walker.text_of(name);
        walker.add(node, name, text, EntityKind::Variant, None);
    }
}

/// `Type a = 1, b;` as field or local variable.
fn variables<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let class = walker.at(node, "type");
    for one in walker.fields(node, "declarator") {
        let Some(name) = walker.at(one, "name") else { continue };
        walker.bind_pattern(node, name, class, walker.at(one, "value"));
    }
}

fn each<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    walker.bind_node(node, "name", "type", "");
}
