//! JavaScript and TypeScript, with and without JSX.

use super::{Param, Role, Table, define, param, special_param};
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Script,
    roles: &[DEFINITIONS, EXPRESSIONS],
    params: PARAMS,
    keywords: &[],
    spreads: &["spread_element"],
    comments: &["comment", "html_comment"],
    awaits: &["await_expression"],
    hoists: false,
};

const DEFINITIONS: &[(&str, Role)] = &[
    ("function_declaration", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("generator_function_declaration", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("function_signature", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("method_definition", define(EntityKind::Method, "parameters", "return_type", &[])),
    ("method_signature", define(EntityKind::Method, "parameters", "return_type", &[])),
    ("abstract_method_signature", define(EntityKind::Method, "parameters", "return_type", &[])),
    ("class_declaration", define(EntityKind::Class, "", "", &["<class_heritage>"])),
    ("class", define(EntityKind::Class, "", "", &["<class_heritage>"])),
    ("abstract_class_declaration", define(EntityKind::Class, "", "", &["<class_heritage>"])),
    ("interface_declaration", define(EntityKind::Interface, "", "", &["<extends_type_clause>"])),
    ("enum_declaration", define(EntityKind::Enum, "", "", &[])),
    ("type_alias_declaration", Role::Special(alias)),
    ("internal_module", define(EntityKind::Module, "", "", &[])),
    ("module", define(EntityKind::Module, "", "", &[])),
    ("enum_body", Role::Special(enum_body)),
    ("public_field_definition", Role::Special(field)),
    ("field_definition", Role::Special(field)),
    ("property_signature", Role::Special(field)),
    ("variable_declarator", Role::Special(declarator)),
    ("assignment_expression", Role::Special(assignment)),
    ("pair", Role::Special(pair)),
    ("lexical_declaration", Role::Wrapper),
    ("variable_declaration", Role::Wrapper),
    ("ambient_declaration", Role::Wrapper),
    ("expression_statement", Role::Wrapper),
    ("decorator", Role::Attached),
    ("export_statement", Role::Special(export)),
    ("import_statement", Role::Special(import)),
];

const EXPRESSIONS: &[(&str, Role)] = &[
    ("arrow_function", Role::Lambda { parameters: "parameters|parameter" }),
    ("function_expression", Role::Lambda { parameters: "parameters" }),
    ("generator_function", Role::Lambda { parameters: "parameters" }),
    ("function_type", Role::Lambda { parameters: "parameters" }),
    ("statement_block", Role::Scope),
    ("for_statement", Role::Scope),
    ("for_in_statement", Role::Special(for_in)),
    ("catch_clause", Role::Special(catch)),
    ("call_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("new_expression", Role::New { class: "constructor", arguments: "arguments" }),
    ("member_expression", Role::Member { object: "object", name: "property" }),
    ("nested_type_identifier", Role::Member { object: "module", name: "name" }),
    ("nested_identifier", Role::Member { object: "object", name: "property" }),
    ("identifier", Role::Name),
    ("shorthand_property_identifier", Role::Name),
    ("type_identifier", Role::TypeName),
    ("this", Role::This),
    ("super", Role::Super),
    ("await_expression", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("non_null_expression", Role::Through),
    ("labeled_statement", Role::Through),
];

const PARAMS: &[Param] = &[
    param("identifier", "", "", ""),
    param("assignment_pattern", "left", "", "right"),
    param("object_pattern", "", "", ""),
    param("array_pattern", "", "", ""),
    special_param("rest_pattern", "#0", "", Passing::Variadic),
    param("required_parameter", "pattern", "type", "value"),
    Param {
        kind: "optional_parameter",
        name: "pattern",
        class: "type",
        default: "value",
        is_optional: true,
        passing: Passing::Positional,
    },
];

fn alias<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(value)) = (walker.at(node, "name"), walker.at(node, "value")) else { return };
    let text = walker.text_of(name);
    // A type written as an object has members of its own.
    let kind = if value.kind() == "object_type" { EntityKind::Interface } else { EntityKind::Alias };
    let at = walker.add(node, name, text, kind, Some(value));
    if kind == EntityKind::Alias {
        walker.written_type(at, value);
    }
}

fn enum_body<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    for child in walker.children(node) {
        let name = if child.kind() == "enum_assignment" { walker.at(child, "name") } else { Some(child) };
        if let Some(name) = name.filter(|name| name.kind() == "property_identifier") {
            walker.leaf_entity(child, name, EntityKind::Variant);
        }
    }
}

fn field<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name|property") else { return };
    let (class, value) = (walker.at(node, "type"), walker.at(node, "value"));
    let holds = walker.holds(class, value);
    let text = walker.text_of(name).to_owned();
    walker.take(name);
    walker.variable(node, name, &text, class, holds, value);
}

/// The module that `require('x')` names.
fn required<'t>(walker: &Walker<'t>, value: Option<Node<'t>>) -> Option<String> {
    let value = value?;
    let value = if value.kind() == "await_expression" { value.named_child(0)? } else { value };
    let function = walker.at(value, "function").filter(|_| value.kind() == "call_expression")?;
    let module = walker.at(walker.at(value, "arguments")?, "#0").filter(|one| one.kind() == "string")?;
    matches!(walker.text_of(function), "require" | "import").then(|| string(walker, module))
}

fn string(walker: &Walker<'_>, node: Node<'_>) -> String {
    walker.text_of(node).trim_matches(['"', '\'', '`']).to_owned()
}

fn declarator<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    let value = walker.at(node, "value");
    let Some(module) = required(walker, value) else {
        return walker.bind_node(node, "name", "type", "value");
    };
    if name.kind() == "identifier" {
        walker.take(name);
        let alias = walker.text_of(name);
        walker.import(&module, None, alias);
        return;
    }
    for child in walker.children(name) {
        let (key, alias) = match child.kind() {
            "shorthand_property_identifier_pattern" => (child, child),
            "pair_pattern" => match (walker.at(child, "key"), walker.at(child, "value")) {
                (Some(key), Some(value)) => (key, value),
                _ => continue,
            },
            _ => continue,
        };
        let (key_text, alias_text) = (walker.text_of(key), walker.text_of(alias));
        walker.take_all(child);
        walker.import(&module, Some(key_text), alias_text);
        walker.use_import(key, key_text, alias_text);
    }
}

/// `module.exports = ..`, `exports.x = ..`, `Foo.prototype.run = ..`.
fn assignment<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(left), Some(right)) = (walker.at(node, "left"), walker.at(node, "right")) else { return };
    let text = walker.compact(left);
    if text == "module.exports" {
        match right.kind() {
            "identifier" | "class" | "function_expression" | "arrow_function" => {
                let name = if right.kind() == "identifier" { Some(right) } else { walker.at(right, "name") };
                let text = name.map_or("default", |name| walker.text_of(name));
                walker.import("", Some(text), "default").is_reexport = true;
                if right.kind().contains("function") {
                    walker.define_function_value(node, left, text, EntityKind::Function, right);
                }
            }
            "object" => {
                for child in walker.children(right) {
                    let names = match child.kind() {
                        "shorthand_property_identifier" => Some((child, child)),
                        "pair" => walker
                            .at(child, "value")
                            .filter(|value| value.kind() == "identifier")
                            .zip(walker.at(child, "key")),
                        _ => None,
                    };
                    if let Some((value, key)) = names {
                        let (value, key) = (walker.text_of(value), walker.text_of(key));
                        walker.import("", Some(value), key).is_reexport = true;
                    }
                }
            }
            _ => {}
        }
        return;
    }
    let exported = text.strip_prefix("module.exports.").or_else(|| text.strip_prefix("exports."));
    if let Some(name) = exported.filter(|name| !name.contains('.')) {
        if right.kind() == "identifier" {
            let value = walker.text_of(right);
            walker.import("", Some(value), name).is_reexport = true;
        } else {
            let (name, holds) = (name.to_owned(), walker.chain(right, 0));
            walker.variable(node, left, &name, None, holds, Some(right));
        }
        return;
    }
    if let Some((class, name)) = text.split_once(".prototype.") {
        let owner = crate::chain::Chain::name(class);
        walker.define_function_value(node, left, name, EntityKind::Method, right);
        walker.own_last(class, owner);
        return;
    }
    if text.starts_with("this.") && !text.trim_start_matches("this.").contains('.') {
        let holds = walker.chain(right, 0);
        if let Some(owner) = walker.type_path() {
            walker.take_attribute(owner, text.trim_start_matches("this.").to_owned(), &holds);
        }
    }
}

/// A function in an object is its member.
fn pair<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(key), Some(value)) = (walker.at(node, "key"), walker.at(node, "value")) else { return };
    let is_function = matches!(value.kind(), "arrow_function" | "function_expression");
    if is_function && key.kind() == "property_identifier" && !walker.is_local() {
        let name = walker.text_of(key).to_owned();
        walker.define_function_value(node, key, &name, EntityKind::Method, value);
    }
}

fn for_in<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    walker.bind_node(node, "left", "", "");
}

fn catch<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.open_scope(false);
    walker.bind_node(node, "parameter", "", "");
}

fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(source) = walker.at(node, "source") else { return };
    let module = string(walker, source);
    let Some(clause) = walker.at(node, "<import_clause>") else { return };
    walker.take_all(clause);
    for child in walker.children(clause) {
        let text = walker.text_of(child);
        match child.kind() {
            "identifier" => {
                walker.import(&module, Some("default"), text);
                walker.use_import(child, "default", text);
            }
            "namespace_import" => {
                let alias = walker.at(child, "#0").map_or("", |name| walker.text_of(name));
                walker.import(&module, None, alias);
            }
            "named_imports" => {
                for one in walker.children(child) {
                    let Some(name) = walker.at(one, "name") else { continue };
                    let alias = walker.at(one, "alias").unwrap_or(name);
                    walker.take(name);
                    walker.take(alias);
                    let (name_text, alias_text) = (walker.text_of(name), walker.text_of(alias));
                    walker.import(&module, Some(name_text), alias_text);
                    walker.use_import(one, name_text, alias_text);
                }
            }
            _ => {}
        }
    }
}

fn export<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    walker.wrap(node);
    let module = walker.at(node, "source").map(|source| string(walker, source));
    if let Some(clause) = walker.at(node, "<export_clause>") {
        for one in walker.children(clause) {
            let Some(name) = walker.at(one, "name") else { continue };
            let alias = walker.at(one, "alias").unwrap_or(name);
            walker.take(name);
            walker.take(alias);
            let (name_text, alias_text) = (walker.text_of(name), walker.text_of(alias));
            walker.import(module.as_deref().unwrap_or_default(), Some(name_text), alias_text).is_reexport = true;
            if module.is_some() {
                walker.use_import(one, name_text, alias_text);
            }
        }
        return;
    }
    if let Some(module) = module {
        let alias = walker.at(node, "<namespace_export>").and_then(|one| walker.at(one, "#0"));
        let alias = alias.map_or("", |alias| walker.text_of(alias));
        let import = walker.import(&module, None, alias);
        (import.is_reexport, import.is_wildcard) = (true, alias.is_empty());
        return;
    }
    let mut cursor = node.walk();
    if !node.children(&mut cursor).any(|child| child.kind() == "default") {
        return;
    }
    let Some(value) = walker.at(node, "declaration|value") else { return };
    let name = if value.kind() == "identifier" { Some(value) } else { walker.at(value, "name") };
    if let Some(name) = name {
        let text = walker.text_of(name);
        walker.import("", Some(text), "default").is_reexport = true;
    } else if matches!(value.kind(), "arrow_function" | "function_expression") {
        walker.define_function_value(node, value, "default", EntityKind::Function, value);
    }
}
