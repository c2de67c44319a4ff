//! Tokens of a tree: their white space, and texts and comments by their lines.

use super::build::Builder;
use super::{Space, Token, TokenKind};
use tree_sitter::Node;

impl<'t> Builder<'t> {
    pub(super) fn slice(&self, node: Node<'_>) -> &'t [u8] {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Whether there is nothing in it to be seen: ends of lines and of indented blocks.
    pub(super) fn is_blank(&self, node: Node<'_>) -> bool {
        self.slice(node).trim_ascii().is_empty()
    }

    pub(super) fn is_comment(node: Node<'_>) -> bool {
        node.kind().ends_with("comment")
    }

    pub(super) fn token(&mut self, node: Node<'_>, indent: &'t [u8]) -> Token<'t> {
        let mut range = node.byte_range();
        // Some grammars put the end of the line into a comment or directive.
        while range.end > range.start && matches!(self.text.get(range.end - 1), Some(b'\n' | b'\r')) {
            range.end -= 1;
        }
        let space = Space { text: self.text.get(self.at..range.start).unwrap_or_default(), indent: Some(indent) };
        let text = self.text.get(range.clone()).unwrap_or_default();
        self.at = range.end;
        let kind = if Self::is_comment(node) {
            TokenKind::Comment
        } else if node.is_named() && self.shape.atomic.contains(&node.kind()) {
            TokenKind::Text
        } else if text.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii()) {
            if node.is_named() { TokenKind::Word } else { TokenKind::Keyword }
        } else {
            TokenKind::Sign
        };
        Token { space, text, kind }
    }

    /// A comment or text: a token for each of its lines. White space within a text is part of it.
    pub(super) fn lines(&mut self, node: Node<'_>, indent: &'t [u8]) -> Vec<Token<'t>> {
        let whole = self.token(node, indent);
        let mut tokens = Vec::new();
        let mut at = 0;
        let mut start = 0;
        while let Some(end) = whole.text.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            let end = start + end;
            let line = whole.text.get(at..end).unwrap_or_default();
            let trimmed = line.strip_suffix(b"\r").unwrap_or(line);
            tokens.push(at..at + trimmed.len());
            let mut next = end + 1;
            if whole.kind == TokenKind::Comment {
                let rest = whole.text.get(next..).unwrap_or_default();
                next += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            }
            (at, start) = (next, next);
        }
        tokens.push(at..whole.text.len());
        let mut last = 0;
        tokens
            .into_iter()
            .enumerate()
            .map(|(place, range)| {
                let space = match place {
                    0 => whole.space,
                    // The lines of a text are never indented anew.
                    _ => Space {
                        text: whole.text.get(last..range.start).unwrap_or_default(),
                        indent: (whole.kind == TokenKind::Comment).then_some(indent),
                    },
                };
                last = range.end;
                Token { space, text: whole.text.get(range).unwrap_or_default(), kind: whole.kind }
            })
            .collect()
    }

    /// What the line on which a byte lies is indented with.
    pub(super) fn indent_at(&self, byte: usize) -> &'t [u8] {
        let before = self.text.get(..byte).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = self.text.get(start..).unwrap_or_default();
        let width = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        line.get(..width).unwrap_or_default()
    }

    pub(super) fn is_on_line(&self, node: Node<'_>) -> bool {
        !self.text.get(self.at..node.start_byte()).unwrap_or_default().contains(&b'\n')
    }
}
