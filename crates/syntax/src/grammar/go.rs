//! Go.

use super::{Param, Role, Table, define, param, special_param};
use crate::chain::Step;
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Parameter, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Go,
    roles: &[ROLES],
    params: PARAMS,
    keywords: &[("keyed_element", "key")],
    spreads: &["variadic_argument"],
    comments: &["comment"],
    awaits: &[],
    hoists: false,
};

const ROLES: &[(&str, Role)] = &[
    ("package_clause", Role::Skip),
    ("function_declaration", define(EntityKind::Function, "parameters", "result", &[])),
    ("method_declaration", Role::Special(method)),
    ("method_elem", define(EntityKind::Method, "parameters", "result", &[])),
    ("type_declaration", Role::Wrapper),
    ("const_declaration", Role::Wrapper),
    ("var_declaration", Role::Wrapper),
    ("type_spec", Role::Special(type_spec)),
    ("type_alias", Role::Special(alias)),
    ("field_declaration", Role::Special(field)),
    ("const_spec", Role::Special(spec)),
    ("var_spec", Role::Special(spec)),
    ("import_spec", Role::Special(import)),
    ("func_literal", Role::Lambda { parameters: "parameters" }),
    ("block", Role::Scope),
    ("if_statement", Role::Scope),
    ("for_statement", Role::Scope),
    ("expression_case", Role::Scope),
    ("type_case", Role::Scope),
    ("type_switch_statement", Role::Special(type_switch)),
    ("short_var_declaration", Role::Bind { pattern: "left", class: "", value: "right" }),
    ("range_clause", Role::Bind { pattern: "left", class: "", value: "" }),
    ("call_expression", Role::Call { function: "function", object: "", name: "", arguments: "arguments" }),
    ("composite_literal", Role::New { class: "type", arguments: "body" }),
    ("selector_expression", Role::Member { object: "operand", name: "field" }),
    ("qualified_type", Role::Member { object: "package", name: "name" }),
    ("identifier", Role::Name),
    ("package_identifier", Role::Name),
    ("type_identifier", Role::TypeName),
    ("unary_expression", Role::Through),
    ("parenthesized_expression", Role::Through),
    ("literal_element", Role::Through),
];

const PARAMS: &[Param] = &[
    param("parameter_declaration", "name", "type", ""),
    special_param("variadic_parameter_declaration", "name", "type", Passing::Variadic),
];

fn method<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(receiver)) = (walker.at(node, "name"), walker.at(node, "receiver")) else { return };
    let owner = walker.at(receiver, "#0").and_then(|one| walker.at(one, "type"));
    let Some(owner) = owner.and_then(|class| walker.type_chain(class, 0)) else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Method, walker.at(node, "body"));
    let class = owner.last_name().unwrap_or_default().to_owned();
    walker.own_last(&class, owner);
    walker.function(node, at, walker.at(node, "parameters"), walker.at(node, "result"));
    walker.parameters(receiver);
    let pointer = walker.text_of(receiver).contains('*');
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.signature.receiver = if pointer { "*" } else { "" }.to_owned();
    }
}

fn type_spec<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(class)) = (walker.at(node, "name"), walker.at(node, "type")) else { return };
    let text = walker.text_of(name);
    let kind = match class.kind() {
        "interface_type" => EntityKind::Interface,
        _ => EntityKind::Struct,
    };
    let at = walker.add(node, name, text, kind, Some(class));
    let Some(list) = walker.at(class, "<field_declaration_list>") else {
        if kind == EntityKind::Interface {
            for one in walker.children(class).into_iter().filter(|one| one.kind() == "type_elem") {
                if let Some(chain) = walker.type_chain(one, 0) {
                    walker.inherit(one, chain, at);
                }
            }
        }
        return;
    };
    let mut parameters = Vec::new();
    for one in walker.children(list).into_iter().filter(|one| one.kind() == "field_declaration") {
        let class = walker.at(one, "type");
        let text = class.map(|class| walker.compact(class));
        let names = walker.fields(one, "name");
        for name in &names {
            let name = walker.text_of(*name).to_owned();
            parameters.push(Parameter {
                name,
                written_type: text.clone(),
                is_optional: true,
                passing: Passing::Positional,
            });
        }
        if let (true, Some(class)) = (names.is_empty(), class)
            && let Some(chain) = walker.type_chain(class, 0)
        {
            let name = chain.last_name().unwrap_or_default().to_owned();
            parameters.push(Parameter { name, written_type: text, is_optional: true, passing: Passing::Positional });
            walker.inherit(class, chain, at);
        }
    }
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.signature.parameters = parameters;
        entity.signature.has_parameters = true;
    }
}

fn alias<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (Some(name), Some(class)) = (walker.at(node, "name"), walker.at(node, "type")) else { return };
    let text = walker.text_of(name);
    let at = walker.add(node, name, text, EntityKind::Alias, None);
    walker.written_type(at, class);
}

fn field<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(class) = walker.at(node, "type") else { return };
    for name in walker.fields(node, "name") {
        let at = walker.leaf_entity(node, name, EntityKind::Field);
        walker.written_type(at, class);
    }
}

fn spec<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let (class, value) = (walker.at(node, "type"), walker.at(node, "value"));
    let values = value.map(|list| walker.children(list)).unwrap_or_default();
    for (at, name) in walker.fields(node, "name").into_iter().enumerate() {
        let own = values.get(at).copied();
        let holds = walker.holds(class, own);
        if walker.is_local() {
            let text = walker.text_of(name).to_owned();
            walker.take(name);
            walker.bind(&text, holds, name, node.end_byte());
            continue;
        }
        let kind = if node.kind() == "const_spec" { EntityKind::Constant } else { EntityKind::Variable };
        let text = walker.text_of(name).to_owned();
        let made = walker.define_variable(node, name, &text, kind, holds, own);
        let written = class.map(|class| walker.compact(class));
        if let Some(entity) = made.and_then(|at| walker.entities.get_mut(at)) {
            entity.signature.result = written;
        }
    }
}

/// `switch t := x.(type)`: in a case with one type, `t` has it.
fn type_switch<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(alias) = walker.at(node, "alias") else { return };
    walker.open_scope(false);
    for (name, text) in walker.pattern_names(alias) {
        walker.take(name);
        walker.bind(&text, crate::chain::Chain::unknown(), name, 0);
        for case in walker.children(node).into_iter().filter(|child| child.kind() == "type_case") {
            let class = walker.at(case, "type").and_then(|class| walker.type_chain(class, 0));
            let chain = class.map_or_else(crate::chain::Chain::unknown, |chain| chain.then(Step::Instance));
            walker.bind(&text, chain, case, case.start_byte());
        }
    }
}

fn import<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(path) = walker.at(node, "path") else { return };
    let module = walker.text_of(path).trim_matches(['"', '`']);
    let name = walker.at(node, "name");
    name.into_iter().for_each(|name| walker.take(name));
    match name.map(|name| walker.text_of(name)) {
        Some("_") => {}
        Some(".") => walker.import(module, None, "").is_wildcard = true,
        Some(alias) => {
            walker.import(module, None, alias);
        }
        None => {
            // `/v2` at the end is a version, not a name.
            let is_version = |part: &str| {
                part.strip_prefix('v')
                    .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|one| one.is_ascii_digit()))
            };
            let alias = module.rsplit('/').find(|part| !is_version(part)).unwrap_or(module);
            walker.import(module, None, alias);
        }
    }
}
