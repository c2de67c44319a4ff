//! Uses, and the chains they lead along.

use super::{Walker, hash_of};
use crate::chain::{Chain, Head, Step};
use crate::grammar::Role;
use crate::language::Family;
use crate::{Arguments, Language, Use, UseKind};
use tree_sitter::Node;

/// Deeper expressions are not followed.
const MAX_DEPTH: usize = 24;

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
    fn innermost(&mut self, name: Node<'t>) -> Node<'t> {
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
    fn through(&self, node: Node<'t>) -> Node<'t> {
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
