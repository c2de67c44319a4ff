//! Entities.

use super::Walker;
use crate::chain::{Chain, Step};
use crate::grammar::{Define, Place};
use crate::{Entity, EntityKind, Language, Signature};
use tree_sitter::Node;

impl<'t> Walker<'t> {
    /// The entity of a node whose rule says where everything is.
    pub(super) fn define(&mut self, node: Node<'t>, rule: &'static Define) {
        let Some(name_node) = self.at(node, rule.name) else {
            self.open_scope(true);
            return;
        };
        let name = self.text_of(name_node).trim_start_matches('$').to_owned();
        let parameters = self.at(node, rule.parameters);
        let body = self.at(node, rule.body);
        let at = self.add(node, name_node, &name, rule.kind, body);
        if rule.kind.is_callable() {
            self.function(node, at, parameters, self.at(node, rule.result));
        } else if let Some(parameters) = parameters {
            // Records: their parameters are those of the constructor.
            self.signature(at, node, Some(parameters), None);
        }
        self.bases(node, at, rule.bases);
    }

    /// Scope, parameters, result of a function that was just added.
    pub(crate) fn function(
        &mut self,
        node: Node<'t>,
        at: usize,
        parameters: Option<Node<'t>>,
        result: Option<Node<'t>>,
    ) {
        let is_method = self.entities.get(at).is_some_and(|entity| {
            entity.parent.and_then(|at| self.entities.get(at)).is_some_and(|parent| {
                parent.kind.is_type()
                    || parent.kind == EntityKind::Impl
                    || (self.language == Language::Ruby && parent.kind == EntityKind::Module)
            })
        });
        if is_method
            && let Some(entity) = self.entities.get_mut(at)
            && entity.kind == EntityKind::Function
        {
            entity.kind = EntityKind::Method;
        }
        self.open_scope(true);
        self.signature(at, node, parameters, result);
    }

    pub(crate) fn bases(&mut self, node: Node<'t>, at: usize, places: &'static [Place]) {
        for place in places {
            let Some(list) = self.at(node, place) else { continue };
            for (class, chain) in self.base_chains(list) {
                self.inherit(class, chain, at);
            }
        }
    }

    /// Types in a list of bases.
    fn base_chains(&self, list: Node<'t>) -> Vec<(Node<'t>, Chain)> {
        let direct = |node: &Node<'_>| {
            matches!(
                node.kind(),
                "identifier"
                    | "type_identifier"
                    | "constant"
                    | "name"
                    | "scoped_type_identifier"
                    | "generic_type"
                    | "attribute"
                    | "scope_resolution"
            )
        };
        if direct(&list) {
            return self.type_chain(list, 0).map(|chain| (list, chain)).into_iter().collect();
        }
        let mut found = Vec::new();
        for child in self.children(list) {
            if matches!(child.kind(), "type_list" | "extends_clause" | "implements_clause") {
                for inner in self.children(child) {
                    found.extend(self.type_chain(inner, 0).map(|chain| (inner, chain)));
                }
            } else if !matches!(
                child.kind(),
                "keyword_argument" | "access_specifier" | "type_arguments" | "argument_list" | "lifetime"
            ) {
                found.extend(self.type_chain(child, 0).map(|chain| (child, chain)));
            }
        }
        found
    }

    /// An entity extends or implements something.
    pub(crate) fn inherit(&mut self, class: Node<'t>, chain: Chain, at: usize) {
        let Some(name) = chain.last_name().map(ToOwned::to_owned) else { return };
        self.take_all(class);
        self.record(class, crate::UseKind::Inherit, &name, None, chain.clone(), None, class);
        if let Some(entity) = self.entities.get_mut(at) {
            entity.bases.push(chain);
        }
    }

    /// A node and what is within it are no uses of their own.
    pub(crate) fn take_all(&mut self, node: Node<'t>) {
        let mut stack = vec![(node, 0)];
        while let Some((node, depth)) = stack.pop() {
            self.take(node);
            if depth < 8 {
                let children = self.children(node).into_iter();
                stack.extend(
                    children
                        .filter(|child| {
                            !matches!(
                                child.kind(),
                                "type_arguments"
                                    | "arguments"
                                    | "argument_list"
                                    | "type_argument_list"
                                    | "template_argument_list"
                            )
                        })
                        .map(|child| (child, depth + 1)),
                );
            }
        }
    }

    /// Adds an entity and goes into it until its node ends.
    pub(crate) fn add(
        &mut self,
        node: Node<'t>,
        name_node: Node<'t>,
        name: &str,
        kind: EntityKind,
        body: Option<Node<'t>>,
    ) -> usize {
        self.take(name_node);
        let depth = self.depth();
        let parent = self.entity();
        let path = match parent.and_then(|at| self.entities.get(at)) {
            Some(outer) if !outer.path.is_empty() => format!("{}.{name}", outer.path),
            _ => name.to_owned(),
        };
        let start = match self.pending.get(depth).copied().flatten() {
            Some((start, end)) if !self.is_gap(end, node.start_byte()) || end >= node.start_byte() => start,
            _ => node.start_byte(),
        };
        let start_row = self.row_of(start, node);
        let end = node.end_byte().max(start);
        let body_range = body.map(|body| body.byte_range());
        let signature_end = body_range.as_ref().map_or(end, |body| body.start.max(node.start_byte()));
        self.paths.insert(path.clone());
        self.entities.push(Entity {
            kind,
            name: name.to_owned(),
            path,
            parent,
            namespace: self.namespace.clone(),
            range: start..end,
            lines: start_row..node.end_position().row + 1,
            signature_range: node.start_byte()..signature_end,
            body_range,
            signature: Signature::default(),
            is_declaration: false,
            is_sound: true,
            body_hash: 0,
            tokens: Vec::new(),
            bases: Vec::new(),
            owner: None,
            value: None,
        });
        let at = self.entities.len() - 1;
        self.push_open(Some(at), None, false);
        self.modifiers(node, at);
        at
    }

    fn row_of(&self, start: usize, node: Node<'t>) -> usize {
        let between = self.text.get(start..node.start_byte()).unwrap_or_default();
        node.start_position().row.saturating_sub(between.iter().filter(|byte| **byte == b'\n').count())
    }

    /// A variable, constant or field. A second assignment of the same path is no second entity.
    pub(crate) fn define_variable(
        &mut self,
        node: Node<'t>,
        name_node: Node<'t>,
        name: &str,
        kind: EntityKind,
        holds: Chain,
        value: Option<Node<'t>>,
    ) -> Option<usize> {
        self.leave_sibling();
        let parent = self
            .entity()
            .and_then(|at| self.entities.get(at))
            .map(|outer| outer.path.clone())
            .filter(|path| !path.is_empty());
        let path = parent.map_or_else(|| name.to_owned(), |outer| format!("{outer}.{name}"));
        if self.paths.contains(&path) {
            return None;
        }
        let at = self.add(node, name_node, name, kind, value);
        if let Some(entity) = self.entities.get_mut(at) {
            entity.value = (!holds.is_unknown()).then_some(holds);
        }
        Some(at)
    }

    /// Leaves a variable bound by the same node: its siblings are not within it.
    fn leave_sibling(&mut self) {
        let depth = self.depth();
        self.open.pop_if(|open| {
            let entity = open.own_entity.and_then(|at| self.entities.get(at));
            open.depth == depth
                && entity.is_some_and(|entity| {
                    matches!(entity.kind, EntityKind::Field | EntityKind::Constant | EntityKind::Variable)
                })
        });
    }

    /// A variable that holds a function is a function.
    pub(crate) fn define_function_value(
        &mut self,
        node: Node<'t>,
        name_node: Node<'t>,
        name: &str,
        kind: EntityKind,
        value: Node<'t>,
    ) {
        let body = self.at(value, "body");
        let at = self.add(node, name_node, name, kind, body);
        let parameters = self.at(value, "parameters|parameter");
        let result = self.at(value, "return_type");
        let scopes = self.scopes.len();
        self.modifiers(value, at);
        self.signature(at, value, parameters, result);
        self.scopes.truncate(scopes.max(self.scopes.len()));
    }

    /// Says that an entity's result or value has this written type.
    pub(crate) fn written_type(&mut self, at: usize, class: Node<'t>) {
        let chain = self.type_chain(class, 0).map(|chain| chain.then(Step::Instance));
        let text = self.compact(class);
        if let Some(entity) = self.entities.get_mut(at) {
            entity.value = chain;
            entity.signature.result = Some(text);
        }
    }
}

/// What the special handlers of the languages need.
impl<'t> Walker<'t> {
    /// An entity without anything inside.
    pub(crate) fn leaf_entity(&mut self, node: Node<'t>, name: Node<'t>, kind: EntityKind) -> usize {
        let text = self.text_of(name).trim_start_matches('$').to_owned();
        let at = self.add(node, name, &text, kind, None);
        self.open.pop();
        at
    }

    /// The last entity is a member of a type written elsewhere.
    pub(crate) fn own_last(&mut self, path: &str, owner: Chain) {
        if let Some(entity) = self.entities.last_mut() {
            entity.path = format!("{path}.{}", entity.name);
            entity.owner = Some(owner);
            if entity.kind == EntityKind::Function {
                entity.kind = EntityKind::Method;
            }
        }
    }

    /// Passes what belongs to the next entity on to the node's children.
    pub(crate) fn wrap(&mut self, node: Node<'t>) {
        let depth = self.depth();
        let start = self.pending.get(depth).copied().flatten().map_or(node.start_byte(), |(start, _)| start);
        self.pending.push(Some((start, node.start_byte())));
    }

    /// An imported name is a use of it.
    pub(crate) fn use_import(&mut self, node: Node<'t>, name: &str, alias: &str) {
        self.record(node, crate::UseKind::Import, name, None, Chain::name(alias), None, node);
    }
}
