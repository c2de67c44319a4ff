//! Python.

use super::{Param, Role, Table, define, param, special_param};
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Python,
    roles: &[ROLES],
    params: PARAMS,
    keywords: &[("keyword_argument", "name")],
    spreads: &["list_splat", "dictionary_splat"],
    comments: &["comment"],
    awaits: &["await"],
    hoists: true,
};

const ROLES: &[(&str, Role)] = &[
    ("function_definition", define(EntityKind::Function, "parameters", "return_type", &[])),
    ("class_definition", define(EntityKind::Class, "", "", &["superclasses"])),
    ("decorated_definition", Role::Wrapper),
    ("expression_statement", Role::Wrapper),
    ("decorator", Role::Attached),
    ("lambda", Role::Lambda { parameters: "parameters" }),
    ("list_comprehension", Role::Lambda { parameters: "" }),
    ("set_comprehension", Role::Lambda { parameters: "" }),
    ("dictionary_comprehension", Role::Lambda { parameters: "" }),
    ("generator_expression", Role::Lambda { parameters: "" }),
    ("assignment", Role::Bind { pattern: "left", class: "type", value: "right" }),
    ("named_expression", Role::Bind { pattern: "name", class: "", value: "value" }),
    ("for_statement", Role::Bind { pattern: "left", class: "", value: "" }),
    ("for_in_clause", Role::Bind { pattern: "left", class: "", value: "" }),
    ("as_pattern", Role::Bind { pattern: "alias", class: "", value: "#0" }),
    ("global_statement", Role::Skip),
    ("nonlocal_statement", Role::Skip),
    ("call", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("attribute", Role::Member { object: "object", name: "attribute" }),
    ("identifier", Role::Name),
    ("await", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("import_statement", Role::Special(import)),
    ("import_from_statement", Role::Special(import_from)),
];

const PARAMS: &[Param] = &[
    param("identifier", "", "", ""),
    param("default_parameter", "name", "", "value"),
    param("typed_parameter", "#0", "type", ""),
    param("typed_default_parameter", "name", "type", "value"),
    special_param("list_splat_pattern", "#0", "", Passing::Variadic),
    special_param("dictionary_splat_pattern", "#0", "", Passing::KeywordVariadic),
];

/// `import a.b`, `import a.b as c`.
fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    for name in walker.fields(node, "name") {
        walker.take_all(name);
        if name.kind() == "aliased_import" {
            let module = walker.at(name, "name").map_or("", |name| walker.text_of(name));
            let alias = walker.at(name, "alias").map_or("", |name| walker.text_of(name));
            walker.import(module, None, alias).is_reexport = true;
        } else {
            let module = walker.text_of(name);
            walker.import(module, None, module).is_reexport = true;
        }
    }
}

/// `from a import b as c`.
fn import_from<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(module_node) = walker.at(node, "module_name") else { return };
    walker.take_all(module_node);
    let module = walker.compact(module_node);
    if walker.at(node, "<wildcard_import>").is_some() {
        let import = walker.import(&module, None, "");
        (import.is_wildcard, import.is_reexport) = (true, true);
    }
    for name in walker.fields(node, "name") {
        walker.take_all(name);
        let plain = walker.at(name, "name").unwrap_or(name);
        let alias = walker.at(name, "alias").unwrap_or(plain);
        let (plain_text, alias_text) = (walker.text_of(plain), walker.text_of(alias));
        walker.import(&module, Some(plain_text), alias_text).is_reexport = true;
        walker.use_import(name, plain_text, alias_text);
    }
}
