//! C#.

use super::{Param, Role, Table, define, param};
use crate::EntityKind;
use crate::language::Family;
use crate::walk::Walker;
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::CSharp,
    roles: &[ROLES],
    params: PARAMS,
    keywords: &[("argument", "name")],
    spreads: &[],
    comments: &["comment"],
    awaits: &["await_expression"],
    hoists: false,
};

const ROLES: &[(&str, Role)] = &[
    ("using_directive", Role::Special(using)),
    ("namespace_declaration", Role::Special(namespace)),
    ("file_scoped_namespace_declaration", Role::Special(file_namespace)),
    ("class_declaration", define(EntityKind::Class, "<parameter_list>", "", &["<base_list>"])),
    ("record_declaration", define(EntityKind::Class, "<parameter_list>", "", &["<base_list>"])),
    ("struct_declaration", define(EntityKind::Struct, "<parameter_list>", "", &["<base_list>"])),
    ("interface_declaration", define(EntityKind::Interface, "", "", &["<base_list>"])),
    ("enum_declaration", define(EntityKind::Enum, "", "", &[])),
    ("enum_member_declaration", Role::Special(member)),
    ("delegate_declaration", define(EntityKind::Alias, "", "", &[])),
    ("method_declaration", define(EntityKind::Method, "parameters", "returns", &[])),
    ("constructor_declaration", define(EntityKind::Method, "parameters", "", &[])),
    ("local_function_statement", define(EntityKind::Function, "parameters", "type", &[])),
    ("property_declaration", Role::Special(property)),
    ("field_declaration", Role::Wrapper),
    ("event_field_declaration", Role::Wrapper),
    ("variable_declaration", Role::Special(variables)),
    ("declaration_pattern", Role::Bind { pattern: "name", class: "type", value: "" }),
    ("declaration_expression", Role::Bind { pattern: "name", class: "type", value: "" }),
    ("lambda_expression", Role::Lambda { parameters: "parameters" }),
    ("anonymous_method_expression", Role::Lambda { parameters: "parameters" }),
    ("block", Role::Scope),
    ("for_statement", Role::Scope),
    ("using_statement", Role::Scope),
    ("foreach_statement", Role::Special(each)),
    ("catch_declaration", Role::Bind { pattern: "name", class: "type", value: "" }),
    ("invocation_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("object_creation_expression", Role::New { class: "type", arguments: "arguments" }),
    ("member_access_expression", Role::Member { object: "expression", name: "name" }),
    ("conditional_access_expression", Role::Member { object: "condition", name: "<member_binding_expression>" }),
    ("qualified_name", Role::Member { object: "qualifier", name: "name" }),
    ("generic_name", Role::Through),
    ("identifier", Role::Name),
    ("attribute", Role::Skip),
    ("await_expression", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("member_binding_expression", Role::Through),
];

const PARAMS: &[Param] = &[param("parameter", "name", "type", ""), param("identifier", "", "", "")];

fn using<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(path) = walker.at(node, "#last") else { return };
    walker.take_all(path);
    let text = walker.compact(path);
    let is_static = walker.text_of(node).split_whitespace().any(|word| word == "static");
    if let Some(name) = walker.at(node, "name").filter(|name| name.id() != path.id()) {
        walker.take(name);
        let alias = walker.text_of(name);
        let (module, name) = text.rsplit_once('.').unwrap_or(("", &text));
        walker.import(module, Some(name), alias);
        return;
    }
    let import = walker.import(&text, None, "");
    (import.is_wildcard, import.is_static) = (true, is_static);
    let name = text.rsplit('.').next().unwrap_or_default().to_owned();
    if is_static {
        walker.use_import(path, &name, &name);
    }
}

fn namespace<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        walker.take_all(name);
        let text = walker.compact(name);
        walker.open_namespace(&text);
    }
}

fn file_namespace<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        walker.take_all(name);
        let text = walker.compact(name);
        walker.extend_namespace(&text);
    }
}

fn member<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    if let Some(name) = walker.at(node, "name") {
        let text = walker.text_of(name);
        walker.add(node, name, text, EntityKind::Variant, None);
    }
}

fn property<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Field, walker.at(node, "accessors|value"));
    if let Some(class) = walker.at(node, "type") {
        walker.written_type(at, class);
    }
}

fn variables<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let class = walker.at(node, "type");
    for one in walker.children(node).into_iter().filter(|one| one.kind() == "variable_declarator") {
        let Some(name) = walker.at(one, "name") else { continue };
        let value = walker.at(one, "#last").filter(|value| value.id() != name.id());
        let written = class.filter(|class| class.kind() != "implicit_type");
        walker.bind_pattern(node, name, written, value);
        if let (Some(outer), Some(at)) = (walker.around.last().copied(), walker.entity())
            && outer.kind() == "field_declaration"
        {
            walker.modifiers(outer, at);
        }
    }
}

fn each<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    let class = walker.at(node, "type").filter(|class| class.kind() != "implicit_type");
    if let Some(name) = walker.at(node, "left") {
        walker.bind_pattern(node, name, class, None);
    }
}
