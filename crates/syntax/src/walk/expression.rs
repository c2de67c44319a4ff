//! Uses: calls, names, members, types.

use super::chains::MAX_DEPTH;
use super::{Walker, hash_of};
use crate::chain::Chain;
use crate::grammar::Role;
use crate::language::Family;
use crate::{Arguments, Language, Use, UseKind};
use tree_sitter::Node;

impl<'t> Walker<'t> {
    /// A use, unless it was taken with another one.
    pub(super) fn expression(&mut self, node: Node<'t>, role: &'static Role) {
        if self.is_taken(node) {
            return;
        }
        match role {
            Role::Call { .. } => self.call(node, role),
            Role::New { class, arguments } => {
                let arguments = self.at(node, arguments).map(|list| self.arguments(list));
                if let Some(class) = self.at(node, class)
                    && let Some(chain) = self.type_chain(class, 0)
                {
                    self.take_all(class);
                    let name = chain.last_name().unwrap_or_default().to_owned();
                    let arguments = Some(arguments.unwrap_or_default());
                    self.record(node, UseKind::Construct, &name, None, chain, arguments, class);
                }
            }
            Role::Member { object, name } => {
                let Some(name) = self.at(node, name).map(|name| self.innermost(name)) else { return };
                let receiver = self.at(node, object);
                let chain = self.chain(node, 0);
                self.take(name);
                let text = self.text_of(name).trim_start_matches('$').to_owned();
                self.record(node, UseKind::Member, &text, receiver, chain, None, name);
            }
            Role::TypeName => {
                let chain = self.chain(node, 0);
                let text = self.text_of(node).to_owned();
                self.record(node, UseKind::Type, &text, None, chain, None, node);
            }
            _ => {
                let chain = self.chain(node, 0);
                let text = self.text_of(node).to_owned();
                self.record(node, UseKind::Reference, &text, None, chain, None, node);
            }
        }
    }

    /// A call, for handlers that read some calls otherwise.
    pub(crate) fn use_call(&mut self, node: Node<'t>, role: &'static Role) {
        if !self.is_taken(node) {
            self.call(node, role);
        }
    }

    fn call(&mut self, node: Node<'t>, role: &'static Role) {
        let Role::Call { function, object, name, arguments } = role else { return };
        let passed = self.at(node, arguments).map(|list| self.arguments(list)).unwrap_or_default();
        let (receiver, name_node, chain);
        if let Some(callee) = self.at(node, function) {
            let callee = self.through(callee);
            self.take(callee);
            match self.role(callee) {
                Some(Role::Member { object, name }) => {
                    let Some(found) = self.at(callee, name).map(|name| self.innermost(name)) else { return };
                    (receiver, name_node, chain) = (self.at(callee, object), found, self.chain(callee, 0));
                }
                Some(Role::Name | Role::TypeName | Role::Special(_)) => {
                    (receiver, name_node, chain) = (None, callee, self.chain(callee, 0));
                }
                _ => return,
            }
        } else {
            let Some(found) = self.at(node, name) else { return };
            receiver = self.at(node, object);
            name_node = found;
            chain = match receiver {
                Some(receiver) => self.chain(receiver, 0).member(self.text_of(found)),
                None if self.table.family == Family::Ruby || self.table.family == Family::Java => {
                    self.chain_of_name(self.text_of(found))
                }
                None => self.chain(found, 0),
            };
        }
        self.take(name_node);
        // `template<..>` and `<..>` around the name.
        let plain =
            self.at(name_node, "name").filter(|_| name_node.kind().starts_with("template")).unwrap_or(name_node);
        let plain = self.at(plain, "<identifier>").filter(|_| plain.kind() == "generic_name").unwrap_or(plain);
        self.take(plain);
        let text = self.text_of(plain).trim_start_matches('$').rsplit('\\').next().unwrap_or_default().to_owned();
        if self.language == Language::Ruby && text == "new" && receiver.is_some() {
            let class = Chain {
                head: chain.head.clone(),
                steps: chain.steps.split_last().map(|(_, before)| before.to_vec()).unwrap_or_default(),
            };
            if let Some(name) =
                class.last_name().map(ToOwned::to_owned).filter(|name| name.starts_with(char::is_uppercase))
            {
                self.record(node, UseKind::Construct, &name, None, class, Some(passed), name_node);
                return;
            }
        }
        self.record(node, UseKind::Call, &text, receiver, chain, Some(passed), name_node);
    }

    /// Keeps a use.
    #[expect(clippy::too_many_arguments, reason = "they are the fields of a use")]
    pub(crate) fn record(
        &mut self,
        node: Node<'t>,
        kind: UseKind,
        name: &str,
        receiver: Option<Node<'t>>,
        target: Chain,
        arguments: Option<Arguments>,
        name_node: Node<'t>,
    ) {
        if name.is_empty() {
            return;
        }
        let is_awaited = self.around.iter().rev().take(3).any(|outer| {
            self.table.awaits.contains(&outer.kind()) || outer.child(0).is_some_and(|first| first.kind() == "await")
        });
        let receiver = receiver.map(|receiver| self.compact(receiver).chars().take(200).collect::<String>());
        let hash = hash_of(&(kind, name, &receiver, arguments.as_ref().map(|_| self.call_hash(node)), is_awaited));
        let one = Use {
            name: name.to_owned(),
            kind,
            receiver,
            arguments,
            range: node.byte_range(),
            line: name_node.start_position().row,
            entity: self.entity(),
            is_local: false,
            is_awaited,
            target,
            hash,
        };
        let scope = self.scope();
        self.uses.push((one, scope));
    }

    /// Hash of what a call passes; long arguments, like functions, do not count.
    fn call_hash(&self, node: Node<'t>) -> u64 {
        let list = self.children(node).into_iter().last();
        let passed = list.map(|list| self.children(list)).unwrap_or_default();
        let texts: Vec<String> = passed
            .into_iter()
            .map(|one| if one.end_byte() - one.start_byte() > 200 { String::new() } else { self.compact(one) })
            .collect();
        hash_of(&texts)
    }

    /// What a call passes.
    pub(crate) fn arguments(&mut self, list: Node<'t>) -> Arguments {
        let mut found = Arguments::default();
        for child in self.children(list) {
            let kind = child.kind();
            if self.table.comments.contains(&kind) || kind == "block_argument" {
                continue;
            }
            let inner = child.named_child(0).map_or("", |inner| inner.kind());
            let keyword = self.table.keywords.iter().find(|(known, _)| *known == kind);
            if let Some(name) = keyword.and_then(|(_, place)| self.at(child, place)) {
                self.take(name);
                found.keywords.push(self.text_of(name).trim_matches(':').to_owned());
            } else if self.table.spreads.contains(&kind) || (kind == "argument" && self.table.spreads.contains(&inner))
            {
                found.spread = true;
            } else {
                found.positional += 1;
            }
        }
        found
    }

    /// The last name of `a::(b::c)`; what is around it is taken.
    pub(super) fn innermost(&mut self, name: Node<'t>) -> Node<'t> {
        let mut name = name;
        if name.kind() == "member_binding_expression" {
            self.take(name);
            name = name.named_child(0).unwrap_or(name);
        }
        for _ in 0..MAX_DEPTH {
            let Some(Role::Member { object, name: place }) = self.role(name) else { return name };
            self.take(name);
            self.at(name, object).into_iter().for_each(|object| self.take(object));
            match self.at(name, place) {
                Some(inner) => name = inner,
                None => return name,
            }
        }
        name
    }

    /// A node without what stands for its first child.
    pub(super) fn through(&self, node: Node<'t>) -> Node<'t> {
        let mut node = node;
        for _ in 0..MAX_DEPTH {
            match self.role(node) {
                Some(Role::Through) => match node.named_child(0) {
                    Some(inner) => node = inner,
                    None => return node,
                },
                _ => return node,
            }
        }
        node
    }
}
