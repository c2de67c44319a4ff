//! Local names and what they hold.

use super::Walker;
use crate::chain::{Chain, Head, Step};
use crate::grammar::Place;
use crate::{EntityKind, Language};
use std::collections::HashMap;
use tree_sitter::Node;

/// Most scopes around a name that are searched.
const MAX_SCOPES: usize = 256;

/// A local name.
pub(super) struct Binding {
    /// What it holds; unknown for most.
    pub(super) value: Chain,
    /// From which byte on it is known; 0 when in all of its scope.
    pub(super) from: usize,
    /// Where it is written.
    pub(super) at: usize,
}

/// The names of a function or block.
pub(super) struct Scope {
    pub(super) parent: Option<usize>,
    pub(super) names: HashMap<String, Vec<Binding>>,
}

impl<'t> Walker<'t> {
    /// A name bound in the innermost scope. Outside of scopes nothing happens.
    pub(crate) fn bind(&mut self, name: &str, value: Chain, node: Node<'t>, from: usize) {
        let from = if self.table.hoists { 0 } else { from };
        let Some(scope) = self.scope() else { return };
        if let Some(scope) = self.scopes.get_mut(scope) {
            let binding = Binding { value, from, at: node.start_byte() };
            scope.names.entry(name.to_owned()).or_default().push(binding);
        }
    }

    /// `pattern: class = value`. Local when in a function, else entities.
    pub(crate) fn bind_node(&mut self, node: Node<'t>, pattern: Place, class: Place, value: Place) {
        let Some(pattern) = self.at(node, pattern) else { return };
        let class = self.at(node, class);
        let value = self.at(node, value);
        self.bind_pattern(node, pattern, class, value);
    }

    /// As `bind_node`, with the nodes.
    pub(crate) fn bind_pattern(
        &mut self,
        node: Node<'t>,
        pattern: Node<'t>,
        class: Option<Node<'t>>,
        value: Option<Node<'t>>,
    ) {
        let mut patterns = vec![pattern];
        let mut values: Vec<Node<'t>> = value.into_iter().collect();
        let is_list = |node: &Node<'_>| {
            matches!(node.kind(), "expression_list" | "pattern_list" | "left_assignment_list" | "right_assignment_list")
        };
        let listed = is_list(&pattern);
        if listed {
            patterns = self.children(pattern);
        }
        if value.as_ref().is_some_and(is_list) {
            values = value.map(|node| self.children(node)).unwrap_or_default();
        }
        let pairwise = patterns.len() == values.len();
        for (at, pattern) in patterns.iter().enumerate() {
            let own = if pairwise { values.get(at).copied() } else { None };
            // The first result of a Go call is the value, the second mostly an error.
            let own =
                own.or_else(|| if self.language == Language::Go && at == 0 { values.first().copied() } else { None });
            let holds = self.holds(class, own);
            self.bind_one(node, *pattern, class, &holds, own);
        }
    }

    /// What a variable holds: its written type, or the value it is made with.
    pub(crate) fn holds(&mut self, class: Option<Node<'t>>, value: Option<Node<'t>>) -> Chain {
        let written = class.and_then(|class| self.type_chain(class, 0)).map(|chain| chain.then(Step::Instance));
        written.or_else(|| value.map(|value| self.chain(value, 0))).unwrap_or_else(Chain::unknown)
    }

    fn bind_one(
        &mut self,
        node: Node<'t>,
        pattern: Node<'t>,
        class: Option<Node<'t>>,
        holds: &Chain,
        value: Option<Node<'t>>,
    ) {
        let local = self.is_local();
        if let Some((owner, name)) = self.own_attribute(pattern) {
            self.take_attribute(owner, name, holds);
            return;
        }
        let names = self.pattern_names(pattern);
        let single = matches!(names.as_slice(), [(one, _)] if one.byte_range() == pattern.byte_range() || pattern.kind() == "mut_pattern");
        for (name_node, name) in names {
            self.take(name_node);
            let value_chain = if single { holds.clone() } else { Chain::unknown() };
            if local {
                let from = value.map_or(pattern.end_byte(), |value| value.end_byte());
                self.bind(&name, value_chain, node, from);
            } else {
                self.variable(node, name_node, &name, class, value_chain, value.filter(|_| single));
            }
        }
    }

    /// `self.x`, `this.x`, `@x`: the owner's path and the name.
    fn own_attribute(&mut self, pattern: Node<'t>) -> Option<(String, String)> {
        let chain = self.chain(pattern, 0);
        match (&chain.head, chain.steps.as_slice()) {
            (Head::This, [Step::Member(name)]) => Some((self.type_path()?, name.to_string())),
            (Head::Name(this), [Step::Member(name)]) if self.language == Language::Python && &**this == "self" => {
                Some((self.type_path()?, name.to_string()))
            }
            _ => None,
        }
    }

    pub(crate) fn take_attribute(&mut self, owner: String, name: String, value: &Chain) {
        let Some(scope) = self.scope() else { return };
        if value.is_unknown() {
            return;
        }
        let at = self.around.last().map_or(0, Node::start_byte);
        let (value, _) = self.substitute(value, Some(scope), at.saturating_add(1), 6);
        if !value.is_unknown() {
            self.attributes.entry((owner, name)).or_insert(value);
        }
    }

    /// The names a pattern binds, and their nodes.
    pub(crate) fn pattern_names(&self, pattern: Node<'t>) -> Vec<(Node<'t>, String)> {
        let mut names = Vec::new();
        let mut stack = vec![(pattern, 0)];
        while let Some((node, depth)) = stack.pop() {
            match node.kind() {
                "identifier"
                | "shorthand_property_identifier_pattern"
                | "shorthand_field_identifier"
                | "variable_name" => {
                    let name = self.text_of(node);
                    if !name.is_empty() && name != "_" {
                        names.push((node, name.to_owned()));
                    }
                }
                // In Ruby a constant is bound like a variable.
                "constant" if self.language == Language::Ruby => names.push((node, self.text_of(node).to_owned())),
                "attribute"
                | "member_expression"
                | "field_expression"
                | "selector_expression"
                | "subscript"
                | "subscript_expression"
                | "index_expression"
                | "element_reference"
                | "member_access_expression"
                | "scoped_identifier"
                | "call"
                | "call_expression"
                | "instance_variable"
                | "field_access" => {}
                _ if depth < 32 => {
                    let mut cursor = node.walk();
                    let named = node.children(&mut cursor).enumerate().filter(|(_, child)| child.is_named());
                    for (at, child) in named {
                        let field = u32::try_from(at).ok().and_then(|at| node.field_name_for_child(at));
                        let skips = match field {
                            Some("type" | "key" | "right" | "value" | "default_value") => {
                                node.kind() != "pair_pattern" || field == Some("key")
                            }
                            Some("name") => {
                                node.kind() == "field_pattern" && node.child_by_field_name("pattern").is_some()
                            }
                            _ => false,
                        };
                        if !skips {
                            stack.push((child, depth + 1));
                        }
                    }
                }
                _ => {}
            }
        }
        names.sort_by_key(|(node, _)| node.start_byte());
        names
    }

    /// A variable that is no local: of the file or of a type.
    pub(crate) fn variable(
        &mut self,
        node: Node<'t>,
        name_node: Node<'t>,
        name: &str,
        class: Option<Node<'t>>,
        holds: Chain,
        value: Option<Node<'t>>,
    ) {
        let in_type = self.entity().and_then(|at| self.entities.get(at)).is_some_and(|entity| entity.kind.is_type());
        if let Some(value) = value.filter(|value| self.is_function(*value)) {
            let kind = if in_type { EntityKind::Method } else { EntityKind::Function };
            self.define_function_value(node, name_node, name, kind, value);
            return;
        }
        let upper =
            name.len() > 1 && name.chars().all(|letter| letter.is_uppercase() || letter.is_numeric() || letter == '_');
        let constant = upper || (self.language == Language::Ruby && name.starts_with(char::is_uppercase));
        let kind = match (in_type, constant) {
            (_, true) => EntityKind::Constant,
            (true, false) => EntityKind::Field,
            (false, false) => EntityKind::Variable,
        };
        let at = self.define_variable(node, name_node, name, kind, holds, value);
        let text = class.map(|class| self.compact(class));
        if let Some(entity) = at.and_then(|at| self.entities.get_mut(at)) {
            entity.signature.result = text;
        }
    }

    fn is_function(&self, value: Node<'_>) -> bool {
        matches!(value.kind(), "arrow_function" | "function_expression" | "generator_function")
    }

    /// Replaces a local name by what it holds. The second value says whether the head was local.
    pub(super) fn substitute(&self, chain: &Chain, scope: Option<usize>, at: usize, fuel: usize) -> (Chain, bool) {
        let Head::Name(name) = &chain.head else { return (chain.clone(), false) };
        let mut next = scope;
        // Deeper nesting is not written by people.
        for _ in 0..MAX_SCOPES {
            let Some(number) = next else { break };
            let Some(scope) = self.scopes.get(number) else { break };
            if let Some(bindings) = scope.names.get(&**name) {
                let visible: Vec<&Binding> = bindings.iter().filter(|binding| binding.from <= at).collect();
                if !visible.is_empty() {
                    let held = self.held(&visible, at);
                    let Some(binding) = held.filter(|_| fuel > 0) else {
                        return (Chain::unknown().followed_by(chain), true);
                    };
                    let before = if self.table.hoists { binding.at.saturating_sub(1) } else { binding.at };
                    let outer = if binding.value.head == chain.head { scope.parent } else { Some(number) };
                    let (value, _) = self.substitute(&binding.value, outer, before, fuel - 1);
                    return (value.followed_by(chain), true);
                }
            }
            next = scope.parent;
        }
        (chain.clone(), false)
    }

    /// The one binding that counts; `None` when they do not agree.
    fn held<'b>(&self, visible: &[&'b Binding], at: usize) -> Option<&'b Binding> {
        if !self.table.hoists {
            return visible.iter().max_by_key(|binding| binding.at).copied();
        }
        let known: Vec<&&Binding> = visible.iter().filter(|binding| !binding.value.is_unknown()).collect();
        let before: Vec<&&&Binding> = known.iter().filter(|binding| binding.at <= at).collect();
        let first = known.first()?;
        if known.iter().all(|binding| binding.value == first.value) && known.len() == visible.len() {
            return Some(first);
        }
        match before.as_slice() {
            [one] if visible.iter().filter(|binding| binding.at <= at).count() == 1 => Some(one),
            _ => None,
        }
    }
}

impl Chain {
    /// The steps of `rest` after this one.
    fn followed_by(self, rest: &Self) -> Self {
        rest.steps.iter().fold(self, |chain, step| chain.then(step.clone()))
    }
}
