//! One pass over a tree, without recursion: entities, uses, imports and the scopes of local names.

mod chains;
mod define;
mod expression;
mod finish;
mod scope;
mod signature;

use crate::chain::Chain;
use crate::grammar::{Place, Role, Table, roles, table};
use crate::{Entity, EntityKind, File, Import, Language, Use};
use scope::Scope;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use tree_sitter::{Node, Tree};

/// Most bytes of a node's text that are looked at.
const MAX_TEXT: usize = 4_096;

/// A token: bytes and hash.
#[derive(Clone, Copy)]
pub(crate) struct Leaf {
    start: u32,
    end: u32,
    hash: u32,
}

/// An entity or scope that the walk is inside of.
struct Open {
    depth: usize,
    own_entity: Option<usize>,
    own_scope: Option<usize>,
    is_function: bool,
    /// The innermost entity, type and scope from here on outwards.
    inner_entity: Option<usize>,
    inner_type: Option<usize>,
    inner_scope: Option<usize>,
}

/// The state of the pass.
pub(crate) struct Walker<'t> {
    pub(crate) language: Language,
    pub(crate) text: &'t [u8],
    pub(crate) table: &'static Table,
    roles: &'static HashMap<&'static str, &'static Role>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) uses: Vec<(Use, Option<usize>)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) namespace: String,
    pub(crate) attributes: HashMap<(String, String), Chain>,
    paths: HashSet<String>,
    errors: Vec<Range<usize>>,
    leaves: Vec<Leaf>,
    scopes: Vec<Scope>,
    open: Vec<Open>,
    /// Nodes around the current one, outermost first.
    pub(crate) around: Vec<Node<'t>>,
    /// Nodes that are no uses: names of definitions, or part of a use already taken.
    taken: HashSet<usize>,
    /// By depth: where what belongs to the next entity starts, and where the last sibling ended (byte, line).
    pending: Vec<Option<(usize, usize)>>,
    last_line: Vec<Option<usize>>,
    /// Namespaces open around, for languages that write them: (depth, length of `namespace` before).
    namespaces: Vec<(usize, usize)>,
}

pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Reads a tree. `None` when it has more nodes than steps are left.
pub(crate) fn walk(language: Language, text: &[u8], tree: &Tree, steps: u64) -> Option<File> {
    let mut walker = Walker {
        language,
        text,
        table: table(language),
        roles: roles(language),
        entities: Vec::new(),
        uses: Vec::new(),
        imports: Vec::new(),
        namespace: String::new(),
        attributes: HashMap::new(),
        paths: HashSet::new(),
        errors: Vec::new(),
        leaves: Vec::new(),
        scopes: Vec::new(),
        open: Vec::new(),
        around: Vec::new(),
        taken: HashSet::new(),
        pending: Vec::new(),
        last_line: Vec::new(),
        namespaces: Vec::new(),
    };
    let mut cursor = tree.walk();
    let mut left = steps;
    loop {
        left = left.checked_sub(1)?;
        let node = cursor.node();
        if walker.enter(node) && cursor.goto_first_child() {
            walker.around.push(node);
            continue;
        }
        walker.leave(node);
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(walker.finish());
            }
            walker.around.pop();
            walker.leave(cursor.node());
        }
    }
}

impl<'t> Walker<'t> {
    fn depth(&self) -> usize {
        self.around.len()
    }

    /// The text of a node, at most its first 4,096 bytes: names are shorter, and nested nodes are asked one by one.
    /// Ends where it is no UTF-8.
    pub(crate) fn text_of(&self, node: Node<'_>) -> &'t str {
        let end = node.end_byte().min(node.start_byte() + MAX_TEXT);
        let bytes = self.text.get(node.start_byte()..end).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or("")
            }
        }
    }

    pub(crate) fn role(&self, node: Node<'_>) -> Option<&'static Role> {
        if node.is_named() { self.roles.get(node.kind()).copied() } else { None }
    }

    /// The child at a place.
    pub(crate) fn at(&self, node: Node<'t>, place: Place) -> Option<Node<'t>> {
        place.split('|').filter(|one| !one.is_empty()).find_map(|one| {
            if one == "#0" {
                node.named_child(0)
            } else if one == "#last" {
                let count = u32::try_from(node.named_child_count()).ok()?;
                node.named_child(count.checked_sub(1)?)
            } else if let Some(kind) = one.strip_prefix('<') {
                let kind = kind.trim_end_matches('>');
                self.children(node).into_iter().find(|child| child.kind() == kind)
            } else {
                node.child_by_field_name(one)
            }
        })
    }

    /// Named children, at most 10,000 of them.
    pub(crate) fn children(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).take(10_000).collect()
    }

    /// Children with the name of their field.
    pub(crate) fn fields(&self, node: Node<'t>, name: &str) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        node.children_by_field_name(name, &mut cursor).filter(Node::is_named).take(10_000).collect()
    }

    /// Says that a node is no use of its own.
    pub(crate) fn take(&mut self, node: Node<'_>) {
        self.taken.insert(node.id());
    }

    pub(crate) fn is_taken(&self, node: Node<'_>) -> bool {
        self.taken.contains(&node.id())
    }

    /// Whether to go into the node's children.
    fn enter(&mut self, node: Node<'t>) -> bool {
        let depth = self.depth();
        self.pending.resize(depth + 1, None);
        self.last_line.resize(depth + 1, None);
        if node.is_error() || node.is_missing() {
            self.errors.push(node.byte_range());
            return false;
        }
        if self.table.comments.contains(&node.kind()) {
            self.attach(node);
            return false;
        }
        if node.child_count() == 0 {
            self.leaf(node);
        }
        let Some(role) = self.role(node) else {
            if node.is_named() {
                self.set_pending(None);
            }
            return true;
        };
        match role {
            Role::Define(rule) => self.define(node, rule),
            Role::Call { .. } | Role::New { .. } | Role::Member { .. } | Role::Name | Role::TypeName => {
                self.expression(node, role);
            }
            Role::This | Role::Super | Role::Through => {}
            Role::Scope => self.open_scope(false),
            Role::Lambda { parameters } => {
                self.open_scope(true);
                if let Some(parameters) = self.at(node, parameters) {
                    self.parameters(parameters);
                }
            }
            Role::Bind { pattern, class, value } => self.bind_node(node, pattern, class, value),
            Role::Wrapper => {
                let start = self.pending.get(depth).copied().flatten().map_or(node.start_byte(), |(start, _)| start);
                self.pending.push(Some((start, node.start_byte())));
                return true;
            }
            Role::Attached => {
                self.attach(node);
                return true;
            }
            Role::Skip => return false,
            Role::Special(handle) => handle(self, node),
        }
        self.set_pending(None);
        true
    }

    fn leave(&mut self, node: Node<'t>) {
        let depth = self.depth();
        while self.open.last().is_some_and(|open| open.depth >= depth) {
            self.open.pop();
        }
        while let Some((_, length)) = self.namespaces.pop_if(|(at, _)| *at >= depth) {
            self.namespace.truncate(length);
        }
        self.pending.truncate(depth + 1);
        self.last_line.truncate(depth + 1);
        if let Some(last) = self.last_line.get_mut(depth) {
            *last = Some(node.end_position().row);
        }
        if self.language == Language::Python && node.kind() == "block" {
            let end = u32::try_from(node.end_byte()).unwrap_or(u32::MAX);
            self.leaves.push(Leaf { start: end.saturating_sub(1), end, hash: 1 });
        }
    }

    /// Takes a comment or attribute as belonging to the next entity, unless it stands behind something on its line.
    fn attach(&mut self, node: Node<'t>) {
        let depth = self.depth();
        let before = self.pending.get(depth).copied().flatten();
        let last_line = self.last_line.get(depth).copied().flatten();
        if last_line == Some(node.start_position().row) && before.is_none() {
            return;
        }
        let start = match before {
            Some((start, end)) if !self.is_gap(end, node.start_byte()) => start,
            _ => node.start_byte(),
        };
        self.set_pending(Some((start, node.end_byte())));
    }

    fn set_pending(&mut self, to: Option<(usize, usize)>) {
        let depth = self.depth();
        if let Some(pending) = self.pending.get_mut(depth) {
            *pending = to;
        }
    }

    /// Whether a blank line lies between two places.
    fn is_gap(&self, from: usize, to: usize) -> bool {
        let between = self.text.get(from..to).unwrap_or_default();
        between.iter().filter(|byte| **byte == b'\n').count() > 1
    }

    fn leaf(&mut self, node: Node<'t>) {
        let bytes = self.text.get(node.byte_range()).unwrap_or_default();
        let closes = matches!(bytes, b")" | b"]" | b"}" | b">");
        if closes && self.leaves.last().is_some_and(|leaf| self.bytes_of(*leaf) == b",") {
            self.leaves.pop();
        }
        if bytes.is_empty() || (bytes == b";" && self.table.family == crate::language::Family::Script) {
            return;
        }
        let (Ok(start), Ok(end)) = (u32::try_from(node.start_byte()), u32::try_from(node.end_byte())) else { return };
        self.leaves.push(Leaf { start, end, hash: hash_of(bytes) as u32 | 2 });
    }

    fn bytes_of(&self, leaf: Leaf) -> &[u8] {
        self.text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default()
    }

    fn leaves_in(&self, range: &Range<usize>) -> &[Leaf] {
        let from = self.leaves.partition_point(|leaf| (leaf.start as usize) < range.start);
        let to = self.leaves.partition_point(|leaf| (leaf.start as usize) < range.end);
        self.leaves.get(from..to.max(from)).unwrap_or_default()
    }

    /// The innermost open entity.
    pub(crate) fn entity(&self) -> Option<usize> {
        self.open.last()?.inner_entity
    }

    /// Goes into an entity or scope until the current node ends.
    fn push_open(&mut self, entity: Option<usize>, scope: Option<usize>, is_function: bool) {
        let last = self.open.last();
        let is_type = |entity: &Entity| {
            entity.kind.is_type()
                || entity.kind == EntityKind::Impl
                || (entity.kind == EntityKind::Module && self.language == Language::Ruby)
        };
        let own_type = entity.filter(|at| self.entities.get(*at).is_some_and(is_type));
        let open = Open {
            depth: self.depth(),
            own_entity: entity,
            own_scope: scope,
            is_function,
            inner_entity: entity.or_else(|| last.and_then(|last| last.inner_entity)),
            inner_type: own_type.or_else(|| last.and_then(|last| last.inner_type)),
            inner_scope: scope.or_else(|| last.and_then(|last| last.inner_scope)),
        };
        self.open.push(open);
    }

    /// Whether names bound here are local: inside a function or block, and not directly in a type.
    pub(crate) fn is_local(&self) -> bool {
        let innermost = self.open.iter().rev().find(|open| {
            open.is_function
                || open.own_scope.is_some()
                || open.own_entity.and_then(|at| self.entities.get(at)).is_some_and(|entity| entity.kind.is_type())
        });
        innermost.is_some_and(|open| open.is_function || open.own_scope.is_some())
    }

    /// The nearest type around, by its path.
    pub(crate) fn type_path(&self) -> Option<String> {
        let at = self.open.last()?.inner_type?;
        self.entities.get(at).map(|entity| entity.path.clone())
    }

    fn scope(&self) -> Option<usize> {
        self.open.last()?.inner_scope
    }

    /// Opens a scope until the current node ends. Blocks are none where names are known in all of a function.
    pub(crate) fn open_scope(&mut self, is_function: bool) {
        if !is_function && self.table.hoists {
            return;
        }
        let parent = self.scope();
        self.scopes.push(Scope { parent, names: HashMap::new() });
        let scope = Some(self.scopes.len() - 1);
        self.push_open(None, scope, is_function);
    }

    pub(crate) fn open_namespace(&mut self, name: &str) {
        self.namespaces.push((self.depth(), self.namespace.len()));
        self.extend_namespace(name);
    }

    /// Adds to the namespace until its node ends, or the file.
    pub(crate) fn extend_namespace(&mut self, name: &str) {
        if !self.namespace.is_empty() {
            self.namespace.push('.');
        }
        self.namespace.push_str(name);
    }

    /// Keeps an import. What else there is to say of it, the caller sets.
    pub(crate) fn import(&mut self, module: &str, name: Option<&str>, alias: &str) -> &mut Import {
        let import = Import {
            module: module.to_owned(),
            name: name.map(ToOwned::to_owned),
            alias: alias.to_owned(),
            is_wildcard: false,
            is_reexport: false,
            is_static: false,
        };
        self.imports.push_mut(import)
    }
}
