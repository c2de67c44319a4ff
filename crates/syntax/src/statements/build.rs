//! From syntax tree to [`Tree`].

use super::shape::{ANGLES, Shape, shape};
use super::{Atom, Body, Element, Item, ItemRole, List, ListRole, Space, Token, TokenKind, Tree};
use crate::parse::tree;
use crate::walk::walk;
use crate::{Error, File, Language, Limits};
use tree_sitter::Node;

/// Deepest syntax tree that is read.
const MOST_DEPTH: usize = 200;

/// Reads a file's statements.
///
/// # Errors
/// [`Error`] when the text is over a limit, or cannot be parsed as a whole: a tree with errors is not taken for structure.
pub fn statements(language: Language, text: &[u8], limits: Limits) -> Result<Tree<'_>, Error> {
    build(language, text, &tree(language, text, limits)?)
}

/// Reads a file's statements, and what it defines and uses, from one parse.
///
/// # Errors
/// As [`statements`].
pub fn statements_and_file(language: Language, text: &[u8], limits: Limits) -> Result<(Tree<'_>, File), Error> {
    let tree = tree(language, text, limits)?;
    let statements = build(language, text, &tree)?;
    let file = walk(language, text, &tree, limits.steps).ok_or(Error::TooLong { limit: limits.steps })?;
    Ok((statements, file))
}

fn build<'t>(language: Language, text: &'t [u8], tree: &tree_sitter::Tree) -> Result<Tree<'t>, Error> {
    let root = tree.root_node();
    if root.has_error() {
        return Err(Error::Unsound);
    }
    let mut builder = Builder { text, shape: shape(language), at: 0 };
    let body = builder.body(root, b"", 0)?;
    let end = Space { text: text.get(builder.at..).unwrap_or_default(), indent: None };
    let tree = Tree { language, body, end };
    // What cannot be written as it was read is not understood.
    if tree.text() == text { Ok(tree) } else { Err(Error::Unsound) }
}

pub(super) struct Builder<'t> {
    pub(super) text: &'t [u8],
    pub(super) shape: &'static Shape,
    /// End of the last token.
    pub(super) at: usize,
}

/// A list that is open, or the atoms of an item.
struct Frame<'t> {
    role: ListRole,
    open: Option<Token<'t>>,
    /// The closing bracket; nothing for a list without brackets.
    closes: &'static [u8],
    elements: Vec<Element<'t>>,
    atoms: Vec<Atom<'t>>,
}

impl<'t> Builder<'t> {
    /// The statements in a node; `outer` is the indentation of the item around.
    fn body(&mut self, node: Node<'_>, outer: &'t [u8], depth: usize) -> Result<Body<'t>, Error> {
        if depth > MOST_DEPTH {
            return Err(Error::TooDeep { limit: MOST_DEPTH });
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).filter(|child| !self.is_blank(*child)).collect();
        self.among(&children, outer, depth)
    }

    /// The statements among some nodes.
    fn among(&mut self, children: &[Node<'_>], outer: &'t [u8], depth: usize) -> Result<Body<'t>, Error> {
        // Some grammars count a comment behind the closing bracket to what is inside.
        let close = children
            .first()
            .and_then(|first| closes(self.slice(*first)))
            .and_then(|close| children.iter().rposition(|child| !child.is_named() && self.slice(*child) == close));
        let inner = children.iter().skip(usize::from(close.is_some())).find(|child| child.is_named());
        let indent = inner.map_or(outer, |first| self.indent_at(first.start_byte()));
        let mut body = Body {
            outer,
            indent,
            open: None,
            items: Vec::new(),
            tail: Vec::new(),
            close: None,
            after: Vec::new(),
            hash: 0,
            layout: 0,
        };
        let (mut lead, mut attached) = (Vec::new(), Vec::new());
        for (place, child) in children.iter().enumerate() {
            if close.is_some() && place == 0 {
                body.open = Some(self.token(*child, outer));
            } else if body.close.is_some() {
                let tokens = self.lines(*child, outer);
                body.after.extend(tokens);
            } else if close == Some(place) {
                // Comments at the end belong to the body.
                body.tail = std::mem::take(&mut lead);
                body.close = Some(self.token(*child, outer));
            } else if Self::is_comment(*child) {
                let is_behind = self.is_on_line(*child) && lead.is_empty();
                let tokens = self.lines(*child, indent);
                match body.items.last_mut() {
                    _ if !attached.is_empty() => attached.extend(tokens.into_iter().map(Atom::Token)),
                    Some(item) if is_behind => {
                        item.atoms.extend(tokens.into_iter().map(Atom::Token));
                        item.seal();
                    }
                    _ => lead.extend(tokens),
                }
            } else if !child.is_named() && lead.is_empty() && !body.items.is_empty() {
                let token = self.token(*child, indent);
                if let Some(item) = body.items.last_mut() {
                    item.atoms.push(Atom::Token(token));
                    item.seal();
                }
            } else if self.shape.attached.contains(&child.kind()) {
                attached.extend(self.atoms(*child, indent, depth + 1)?);
            } else {
                let mut item = self.item(*child, std::mem::take(&mut lead), indent, depth + 1)?;
                if !attached.is_empty() {
                    attached.append(&mut item.atoms);
                    item.atoms = std::mem::take(&mut attached);
                    item.seal();
                }
                body.items.push(item);
            }
        }
        if !attached.is_empty() {
            // Nothing that it could belong to.
            return Err(Error::Unsound);
        }
        if body.close.is_none() {
            body.tail = lead;
        }
        body.seal();
        Ok(body)
    }

    fn item(
        &mut self,
        node: Node<'_>,
        lead: Vec<Token<'t>>,
        indent: &'t [u8],
        depth: usize,
    ) -> Result<Item<'t>, Error> {
        let atoms = self.atoms(node, indent, depth)?;
        let (node, role, name) = self.role(node, &atoms);
        let mut item = Item { node, role, name, lead, atoms, hash: 0, layout: 0 };
        item.seal();
        Ok(item)
    }

    fn atoms(&mut self, node: Node<'_>, indent: &'t [u8], depth: usize) -> Result<Vec<Atom<'t>>, Error> {
        let mut frames = vec![Frame::plain()];
        self.flatten(node, indent, &mut frames, depth)?;
        match (frames.pop(), frames.is_empty()) {
            (Some(frame), true) => Ok(frame.atoms),
            _ => Err(Error::Unsound),
        }
    }

    /// What an item is, looked at through its decorations.
    fn role(&self, node: Node<'_>, atoms: &[Atom<'t>]) -> (u16, ItemRole, Option<Vec<u8>>) {
        let mut inner = node;
        while let Some((_, field)) = self.shape.wrappers.iter().find(|(kind, _)| *kind == inner.kind()) {
            let count = inner.named_child_count();
            let next = match *field {
                "" => count.checked_sub(1).and_then(|last| inner.named_child(last as u32)),
                field => inner.child_by_field_name(field),
            };
            match next {
                Some(next) => inner = next,
                None => break,
            }
        }
        let kind = inner.kind();
        let place =
            |table: &[(&str, &'static str)]| table.iter().find(|(one, _)| *one == kind).map(|(_, field)| *field);
        let (role, name) = if self.shape.imports.contains(&kind) {
            (ItemRole::Import, None)
        } else if self.shape.exits.contains(&kind) || self.is_exit(inner) {
            (ItemRole::Exit, None)
        } else if let Some(field) = place(self.shape.definitions) {
            (ItemRole::Definition, self.name(inner, field, atoms))
        } else if let Some(field) = place(self.shape.fields) {
            (ItemRole::Field, self.name(inner, field, atoms))
        } else {
            (ItemRole::Statement, None)
        };
        (inner.kind_id(), role, name)
    }

    /// Whether an expression statement leaves the body, as in Rust.
    fn is_exit(&self, node: Node<'_>) -> bool {
        node.kind() == "expression_statement"
            && node.named_child(0).is_some_and(|child| self.shape.exits.contains(&child.kind()))
    }

    fn name(&self, node: Node<'_>, field: &str, atoms: &[Atom<'t>]) -> Option<Vec<u8>> {
        if field.is_empty() {
            let mut name = Vec::new();
            for atom in atoms {
                match atom {
                    Atom::Body(_) => break,
                    Atom::Token(token) if token.text == b"=" => break,
                    _ => atom.each_token(&mut |token| {
                        if token.kind != TokenKind::Comment {
                            name.extend_from_slice(token.text);
                            name.push(b' ');
                        }
                    }),
                }
            }
            return Some(name);
        }
        let mut named = node.child_by_field_name(field)?;
        while !named.kind().starts_with("qualified")
            && let Some(inner) = named.child_by_field_name("name").or_else(|| named.child_by_field_name("declarator"))
        {
            named = inner;
        }
        let name = self.slice(named);
        match node.child_by_field_name("receiver") {
            Some(receiver) => {
                let mut words = self.slice(receiver).split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
                let class = words.rfind(|word| !word.is_empty()).unwrap_or_default();
                Some([class, b".", name].concat())
            }
            None => Some(name.to_vec()),
        }
    }

    fn flatten(
        &mut self,
        node: Node<'_>,
        indent: &'t [u8],
        frames: &mut Vec<Frame<'t>>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MOST_DEPTH {
            return Err(Error::TooDeep { limit: MOST_DEPTH });
        }
        if self.is_blank(node) {
            return Ok(());
        }
        let kind = node.kind();
        if node.is_named() && (self.shape.statements.contains(&kind) || self.shape.members.contains(&kind)) {
            let body = self.body(node, indent, depth + 1)?;
            return push(frames, Atom::Body(body));
        }
        if node.child_count() == 0 || self.shape.atomic.contains(&kind) {
            return self.leaf(node, indent, frames);
        }
        let bare = self.bare(node);
        let mut cursor = node.walk();
        let mut is_open = false;
        if self.shape.cases.contains(&kind) {
            let children: Vec<Node<'_>> = node.children(&mut cursor).filter(|child| !self.is_blank(*child)).collect();
            let colon = children.iter().rposition(|child| child.kind() == ":" || child.kind() == "switch_label");
            let (head, statements) = children.split_at(colon.map_or(children.len(), |colon| colon + 1));
            for child in head {
                self.flatten(*child, indent, frames, depth + 1)?;
            }
            if !statements.is_empty() {
                let body = self.among(statements, indent, depth + 1)?;
                push(frames, Atom::Body(body))?;
            }
            return Ok(());
        }
        for child in node.children(&mut cursor) {
            match bare {
                Some((first, role)) if first == child.id() => {
                    frames.push(Frame { role, ..Frame::plain() });
                    is_open = true;
                }
                // What ends the statement is no part of its last entry.
                Some(_) if is_open && child.kind() == ";" => {
                    self.close(frames, None)?;
                    is_open = false;
                }
                _ => {}
            }
            self.flatten(child, indent, frames, depth + 1)?;
        }
        if is_open {
            self.close(frames, None)?;
        }
        Ok(())
    }

    /// Where the list without brackets begins that a node has, and what its entries mean.
    fn bare(&self, node: Node<'_>) -> Option<(usize, ListRole)> {
        let (_, field, role) = self.shape.bare.iter().find(|(kind, ..)| *kind == node.kind())?;
        let first = match *field {
            "" => node.named_child(0)?,
            field => node.child_by_field_name(field)?,
        };
        let mut cursor = node.walk();
        let kinds: Vec<&str> = node.children(&mut cursor).map(|child| child.kind()).collect();
        let is_list = *role == ListRole::Set || kinds.contains(&",");
        (is_list && !kinds.contains(&"(")).then_some((first.id(), *role))
    }

    fn leaf(&mut self, node: Node<'_>, indent: &'t [u8], frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        let is_on_line = self.is_on_line(node);
        if Self::is_comment(node) {
            // Behind a comma it belongs to the entry before.
            let tokens = self.lines(node, indent);
            let frame = frames.last_mut().ok_or(Error::Unsound)?;
            match frame.elements.last_mut() {
                Some(element) if is_on_line && frame.atoms.is_empty() => {
                    element.after.extend(tokens);
                    element.seal();
                }
                _ => frame.atoms.extend(tokens.into_iter().map(Atom::Token)),
            }
            return Ok(());
        }
        if node.is_named() && self.shape.atomic.contains(&node.kind()) {
            let tokens = self.lines(node, indent);
            frames.last_mut().ok_or(Error::Unsound)?.atoms.extend(tokens.into_iter().map(Atom::Token));
            return Ok(());
        }
        let token = self.token(node, indent);
        let parent = node.parent();
        let parent_kind = parent.map_or("", |parent| parent.kind());
        let is_angle = |text: &[u8]| matches!(text, b"<" | b">") && ANGLES.contains(&parent_kind);
        let opens = match token.text {
            b"(" | b"[" | b"{" => closes(token.text),
            b"<" if is_angle(token.text) => Some(&b">"[..]),
            _ => None,
        };
        if let Some(closes) = opens {
            let role = self.shape.lists.iter().find(|(kind, _)| *kind == parent_kind).map(|(_, role)| *role);
            let role = role.unwrap_or(ListRole::Sequence);
            frames.push(Frame { role, open: Some(token), closes, ..Frame::plain() });
            return Ok(());
        }
        let is_close = matches!(token.text, b")" | b"]" | b"}") || is_angle(token.text);
        let is_in_list = frames.len() > 1;
        let frame = frames.last_mut().ok_or(Error::Unsound)?;
        if is_close && is_in_list && frame.closes == token.text {
            return self.close(frames, Some(token));
        }
        if token.text == b"," && is_in_list {
            let atoms = std::mem::take(&mut frame.atoms);
            frame.elements.push(Element::new(atoms, Some(token)));
            return Ok(());
        }
        frame.atoms.push(Atom::Token(token));
        Ok(())
    }

    fn close(&mut self, frames: &mut Vec<Frame<'t>>, close: Option<Token<'t>>) -> Result<(), Error> {
        let mut frame = frames.pop().ok_or(Error::Unsound)?;
        let is_comment = |atom: &Atom<'_>| matches!(atom, Atom::Token(token) if token.kind == TokenKind::Comment);
        let mut tail = Vec::new();
        if frame.atoms.iter().all(is_comment) {
            for atom in frame.atoms {
                if let Atom::Token(token) = atom {
                    tail.push(token);
                }
            }
        } else {
            let atoms = std::mem::take(&mut frame.atoms);
            frame.elements.push(Element::new(atoms, None));
        }
        let Frame { role, open, elements, .. } = frame;
        let mut list = List { role, open, elements, tail, close, hash: 0, layout: 0 };
        list.seal();
        push(frames, Atom::List(list))
    }
}

impl Frame<'_> {
    fn plain() -> Self {
        Self { role: ListRole::Sequence, open: None, closes: b"", elements: Vec::new(), atoms: Vec::new() }
    }
}

fn push<'t>(frames: &mut [Frame<'t>], atom: Atom<'t>) -> Result<(), Error> {
    frames.last_mut().ok_or(Error::Unsound)?.atoms.push(atom);
    Ok(())
}

fn closes(open: &[u8]) -> Option<&'static [u8]> {
    match open {
        b"(" => Some(b")"),
        b"[" => Some(b"]"),
        b"{" => Some(b"}"),
        _ => None,
    }
}
