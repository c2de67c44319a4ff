//! Ruby.

use super::{Param, Role, Table, define, param, special_param};
use crate::chain::Chain;
use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Passing};
use tree_sitter::Node;

pub(super) static TABLE: Table = Table {
    family: Family::Ruby,
    roles: &[ROLES],
    params: PARAMS,
    keywords: &[("pair", "<hash_key_symbol>")],
    spreads: &["splat_argument", "hash_splat_argument"],
    comments: &["comment"],
    awaits: &[],
    hoists: true,
};

const ROLES: &[(&str, Role)] = &[
    ("method", define(EntityKind::Function, "parameters", "", &[])),
    ("singleton_method", define(EntityKind::Method, "parameters", "", &[])),
    ("class", Role::Special(class)),
    ("module", Role::Special(class)),
    ("assignment", Role::Bind { pattern: "left", class: "", value: "right" }),
    ("operator_assignment", Role::Bind { pattern: "left", class: "", value: "right" }),
    ("exception_variable", Role::Bind { pattern: "#0", class: "", value: "" }),
    ("for", Role::Bind { pattern: "pattern", class: "", value: "" }),
    ("block", Role::Lambda { parameters: "parameters" }),
    ("do_block", Role::Lambda { parameters: "parameters" }),
    ("lambda", Role::Lambda { parameters: "parameters" }),
    ("call", Role::Special(call)),
    ("scope_resolution", Role::Member { object: "scope", name: "name" }),
    ("identifier", Role::Name),
    ("constant", Role::Name),
    ("instance_variable", Role::Name),
    ("class_variable", Role::Name),
    ("self", Role::This),
    ("super", Role::Super),
    ("parenthesized_statements", Role::Through),
];

const PARAMS: &[Param] = &[
    param("identifier", "", "", ""),
    param("optional_parameter", "name", "", "value"),
    param("destructured_parameter", "", "", ""),
    special_param("splat_parameter", "#0", "", Passing::Variadic),
    special_param("hash_splat_parameter", "#0", "", Passing::KeywordVariadic),
    Param {
        kind: "keyword_parameter",
        name: "name",
        class: "",
        default: "value",
        is_optional: false,
        passing: Passing::Keyword,
    },
];

const CALL: Role = Role::Call { function: "", object: "receiver", name: "method", arguments: "arguments" };

fn class<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let Some(name) = walker.at(node, "name") else { return };
    walker.take_all(name);
    let text = walker.compact(name).replace("::", ".");
    let kind = if node.kind() == "class" { EntityKind::Class } else { EntityKind::Module };
    let at = walker.add(node, name, &text, kind, walker.at(node, "body"));
    if let Some(entity) = walker.entities.get_mut(at) {
        entity.name = text.rsplit('.').next().unwrap_or_default().to_owned();
    }
    if let Some(base) = walker.at(node, "superclass").and_then(|one| walker.at(one, "#0"))
        && let Some(chain) = walker.type_chain(base, 0)
    {
        walker.inherit(base, chain, at);
    }
}

/// `require`, `include`, `attr_accessor`, and everything else that is called.
fn call<'t>(walker: &mut Walker<'t>, node: Node<'t>) {
    let name = walker.at(node, "method").map_or("", |name| walker.text_of(name));
    let first = walker.at(node, "arguments").and_then(|list| walker.at(list, "#0"));
    if walker.at(node, "receiver").is_none() {
        match name {
            "require" | "require_relative" | "load" => {
                let path = first.map_or("", |first| walker.text_of(first)).trim_matches(['"', '\'']);
                let relative = if name == "require_relative" && !path.starts_with('.') { "./" } else { "" };
                let import = walker.import(&format!("{relative}{path}"), None, "");
                (import.is_wildcard, import.is_reexport) = (true, true);
                return;
            }
            "include" | "extend" | "prepend" if !walker.is_local() => {
                let list = walker.at(node, "arguments").map(|list| walker.children(list)).unwrap_or_default();
                for one in list {
                    if let (Some(chain), Some(at)) = (walker.type_chain(one, 0), walker.entity()) {
                        walker.inherit(one, chain, at);
                    }
                }
                return;
            }
            "attr_accessor" | "attr_reader" | "attr_writer" => {
                let list = walker.at(node, "arguments").map(|list| walker.children(list)).unwrap_or_default();
                for one in list.into_iter().filter(|one| one.kind() == "simple_symbol") {
                    let text = walker.text_of(one).trim_start_matches(':').to_owned();
                    let holds = Chain::new(crate::chain::Head::This).member(&format!("@{text}"));
                    walker.define_variable(node, one, &text, EntityKind::Field, holds, None);
                }
                return;
            }
            _ => {}
        }
    }
    walker.use_call(node, &CALL);
}
