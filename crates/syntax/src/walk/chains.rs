//! The chains that uses lead along.

use super::Walker;
use crate::Language;
use crate::chain::{Chain, Head, Step};
use crate::grammar::Role;
use crate::language::Family;
use tree_sitter::Node;

/// Deeper expressions are not followed.
pub(super) const MAX_DEPTH: usize = 24;

/// Types that stand for the one they hold, as far as their members go.
const HOLDERS: [&str; 26] = [
    "Option",
    "Result",
    "Box",
    "Rc",
    "Arc",
    "Ref",
    "RefMut",
    "Cow",
    "Promise",
    "Optional",
    "Awaitable",
    "Annotated",
    "Final",
    "ClassVar",
    "Task",
    "ValueTask",
    "Lazy",
    "unique_ptr",
    "shared_ptr",
    "weak_ptr",
    "optional",
    "Readonly",
    "Partial",
    "Required",
    "NonNullable",
    "CompletableFuture",
];

impl<'t> Walker<'t> {
    /// A name, with the words that mean the own type.
    pub(crate) fn chain_of_name(&self, name: &str) -> Chain {
        let special = match (self.language, name) {
            (Language::Python, "self" | "cls")
            | (Language::Rust, "Self")
            | (Language::Php, "$this" | "self" | "static") => Some(Head::This),
            (Language::Php, "parent") => Some(Head::Super),
            _ => None,
        };
        if let Some(head) = special.filter(|_| self.type_path().is_some()) {
            return Chain::new(head);
        }
        if name.starts_with('@') {
            return Chain::new(Head::This).member(name);
        }
        if self.language == Language::Php && name.contains('\\') {
            let root = name.starts_with('\\');
            let mut parts = name.split('\\').filter(|part| !part.is_empty());
            if root {
                return parts.fold(Chain::new(Head::Root), Chain::member);
            }
            return Chain::path(&mut parts);
        }
        Chain::name(name)
    }

    /// What an expression leads to.
    pub(crate) fn chain(&self, node: Node<'t>, depth: usize) -> Chain {
        if depth > MAX_DEPTH {
            return Chain::unknown();
        }
        match node.kind() {
            "this" => return Chain::new(Head::This),
            "base" | "super" if self.language != Language::Rust => return Chain::new(Head::Super),
            "crate" | "super" => return Chain::name(node.kind()),
            "self" => return Chain::new(Head::This),
            "template_function" | "template_type" | "template_method" | "generic_name" => {
                return self.at(node, "name|#0").map_or_else(Chain::unknown, |inner| self.chain(inner, depth + 1));
            }
            "as_expression" | "cast_expression" | "satisfies_expression" => {
                let class = self.at(node, "type|#last").and_then(|class| self.type_chain(class, 0));
                return class.map_or_else(Chain::unknown, |chain| chain.then(Step::Instance));
            }
            _ => {}
        }
        match self.role(node) {
            Some(Role::Name | Role::TypeName) => self.chain_of_name(self.text_of(node)),
            Some(Role::This) => Chain::new(Head::This),
            Some(Role::Super) => Chain::new(Head::Super),
            Some(Role::Through) => {
                node.named_child(0).map_or_else(Chain::unknown, |inner| self.chain(inner, depth + 1))
            }
            Some(Role::Member { object, name }) => {
                let Some(name) = self.at(node, name) else { return Chain::unknown() };
                let bound = name.named_child(0).filter(|_| name.kind() == "member_binding_expression");
                let name = bound.unwrap_or(name);
                let object = self.at(node, object);
                let is_path = node.kind().starts_with("scoped");
                let start = match object {
                    Some(object) if is_path && object.kind() == "self" => Chain::name("self"),
                    Some(object) if object.kind() == "generic_type" || object.kind() == "bracketed_type" => {
                        self.type_chain(object, depth + 1).unwrap_or_else(Chain::unknown)
                    }
                    Some(object) => self.chain(object, depth + 1),
                    None => {
                        Chain::new(if node.kind() == "member_access_expression" { Head::Unknown } else { Head::Root })
                    }
                };
                match self.role(name) {
                    // C++ nests `a::(b::c)`.
                    Some(Role::Member { .. }) => {
                        let rest = self.chain(name, depth + 1);
                        let first = match rest.head {
                            Head::Name(name) => start.member(&name),
                            _ => Chain::unknown(),
                        };
                        rest.steps.into_iter().fold(first, Chain::then)
                    }
                    _ => {
                        let plain = self
                            .at(name, "name|#0")
                            .filter(|_| name.kind().starts_with("template") || name.kind() == "generic_name")
                            .unwrap_or(name);
                        start.member(self.text_of(plain))
                    }
                }
            }
            Some(Role::Call { function, object, name, .. }) => self.chain_of_call(node, function, object, name, depth),
            Some(Role::New { class, .. }) => {
                let class = self.at(node, class).and_then(|class| self.type_chain(class, depth + 1));
                class.map_or_else(Chain::unknown, |chain| chain.then(Step::Instance))
            }
            Some(Role::Special(_)) if node.kind() == "call" => {
                self.chain_of_call(node, "", "receiver", "method", depth)
            }
            Some(Role::Special(_)) if node.kind() == "reference_expression" => {
                self.at(node, "value").map_or_else(Chain::unknown, |inner| self.chain(inner, depth + 1))
            }
            Some(Role::Special(_))
                if matches!(node.kind(), "variable_name" | "name" | "qualified_name" | "relative_scope") =>
            {
                self.chain_of_name(self.text_of(node))
            }
            _ => Chain::unknown(),
        }
    }

    fn chain_of_call(
        &self,
        node: Node<'t>,
        function: &'static str,
        object: &'static str,
        name: &'static str,
        depth: usize,
    ) -> Chain {
        if let Some(callee) = self.at(node, function) {
            let callee = self.through(callee);
            let text = self.text_of(callee);
            if self.language == Language::Python && text == "super" {
                return Chain::new(Head::Super);
            }
            if self.table.family == Family::C && text.starts_with("std::make_") {
                return self
                    .first_type_argument(callee, depth)
                    .map_or_else(Chain::unknown, |chain| chain.then(Step::Instance));
            }
            return self.chain(callee, depth + 1).then(Step::Call);
        }
        let Some(name) = self.at(node, name) else { return Chain::unknown() };
        let start = match self.at(node, object) {
            Some(object) => self.chain(object, depth + 1).member(self.text_of(name)),
            None => self.chain_of_name(self.text_of(name)),
        };
        start.then(Step::Call)
    }

    fn first_type_argument(&self, node: Node<'t>, depth: usize) -> Option<Chain> {
        let mut stack = vec![(node, 0)];
        while let Some((node, level)) = stack.pop() {
            if matches!(
                node.kind(),
                "template_argument_list" | "type_arguments" | "type_argument_list" | "type_parameter"
            ) {
                return self
                    .children(node)
                    .into_iter()
                    .find(|child| child.kind() != "lifetime")
                    .and_then(|first| self.type_chain(first, depth + 1));
            }
            if level < 4 {
                stack.extend(self.children(node).into_iter().map(|child| (child, level + 1)));
            }
        }
        None
    }

    /// The type that a type expression names, as far as its members go.
    pub(crate) fn type_chain(&self, node: Node<'t>, depth: usize) -> Option<Chain> {
        if depth > MAX_DEPTH || !node.is_named() {
            return None;
        }
        let kind = node.kind();
        if matches!(
            kind,
            "array_type"
                | "slice_type"
                | "map_type"
                | "channel_type"
                | "tuple_type"
                | "function_type"
                | "object_type"
                | "predefined_type"
                | "primitive_type"
                | "integral_type"
                | "floating_point_type"
                | "boolean_type"
                | "void_type"
                | "list"
                | "tuple"
                | "none"
                | "null"
                | "literal_type"
                | "lifetime"
                | "implicit_type"
                | "placeholder_type_specifier"
                | "auto"
                | "mutable_specifier"
                | "type_qualifier"
                | "parameter_list"
                | "never_type"
                | "unit_type"
                | "array_rank_specifier"
                | "ref_type_modifier"
                | "accessibility_modifier"
                | "sized_type_specifier"
        ) {
            if kind == "parameter_list" {
                // Several results in Go: the first one counts.
                let first = self.children(node).into_iter().next()?;
                return self.type_chain(self.at(first, "type")?, depth + 1);
            }
            return None;
        }
        if kind == "string" && self.language == Language::Python {
            let text = self.text_of(node).trim_matches(['"', '\'']);
            return text
                .split('.')
                .all(|part| !part.is_empty() && part.chars().all(|one| one.is_alphanumeric() || one == '_'))
                .then(|| Chain::path(text.split('.')));
        }
        if matches!(kind, "generic_type" | "template_type" | "generic_name" | "subscript") {
            let base = self.at(node, "type|name|value|#0")?;
            let chain = self.type_chain(base, depth + 1);
            let holder = chain.as_ref().and_then(Chain::last_name).is_some_and(|name| HOLDERS.contains(&name));
            let held = if holder { self.first_type_argument(node, depth + 1) } else { None };
            return held.or(chain);
        }
        if kind == "scoped_type_identifier" && self.language == Language::Java {
            let parts: Vec<&str> = self.text_of(node).split('.').collect();
            return Some(Chain::path(parts.into_iter()));
        }
        if kind == "qualified_identifier" && self.at(node, "name").is_some_and(|name| name.kind() == "template_type") {
            let inner = self.at(node, "name")?;
            let base = self.at(inner, "name").map_or("", |name| self.text_of(name));
            if HOLDERS.contains(&base) {
                return self.first_type_argument(inner, depth + 1);
            }
        }
        match self.role(node) {
            Some(Role::Name | Role::TypeName | Role::Member { .. }) => {
                let chain = self.chain(node, depth + 1);
                let is_var = self.language == Language::Java && chain == Chain::name("var");
                (!chain.is_unknown() && !is_var).then_some(chain)
            }
            Some(Role::Special(_)) if matches!(kind, "name" | "qualified_name" | "relative_scope") => {
                Some(self.chain_of_name(self.text_of(node)))
            }
            Some(Role::Define(_) | Role::Lambda { .. } | Role::Call { .. }) if !kind.ends_with("_specifier") => None,
            _ if kind.ends_with("_specifier") => {
                self.at(node, "name").and_then(|name| self.type_chain(name, depth + 1))
            }
            _ => self.children(node).into_iter().find_map(|child| self.type_chain(child, depth + 1)),
        }
    }
}
