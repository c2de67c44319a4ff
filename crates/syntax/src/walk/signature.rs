//! Parameters, results and modifiers.

use super::Walker;
use crate::chain::{Chain, Step};
use crate::grammar::Param;
use crate::{EntityKind, Language, Parameter, Passing};
use tree_sitter::Node;

impl<'t> Walker<'t> {
    /// Text without layout.
    pub(crate) fn compact(&self, node: Node<'t>) -> String {
        let mut text = String::new();
        let mut gap = false;
        for word in self.text_of(node).chars().take(2_000) {
            if word.is_whitespace() {
                gap = true;
                continue;
            }
            let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            if gap && is_word(word) && text.chars().next_back().is_some_and(is_word) {
                text.push(' ');
            }
            gap = false;
            text.push(word);
        }
        text.trim_start_matches(':').trim_start_matches("->").to_owned()
    }

    /// Fills the signature of a function's entity; binds its parameters when its scope is open.
    pub(crate) fn signature(
        &mut self,
        at: usize,
        node: Node<'t>,
        parameters: Option<Node<'t>>,
        result: Option<Node<'t>>,
    ) {
        let mut list = parameters.map(|node| self.parameters(node)).unwrap_or_default();
        let kind = self.entities.get(at).map(|entity| entity.kind);
        let is_static = self.is_static(node, at);
        let mut receiver = if is_static { "static".to_owned() } else { String::new() };
        if self.language == Language::Python && kind == Some(EntityKind::Method) && !is_static && !list.is_empty() {
            receiver = list.remove(0).name;
        }
        if let Some(own) = parameters.and_then(|node| self.at(node, "<self_parameter>")) {
            receiver = self.compact(own);
        }
        let chain = result.and_then(|result| self.type_chain(result, 0));
        let text = result.map(|result| self.compact(result));
        if let Some(entity) = self.entities.get_mut(at) {
            entity.signature.parameters = list;
            entity.signature.has_parameters = parameters.is_some() || entity.kind.is_callable();
            if !receiver.is_empty() {
                entity.signature.receiver = receiver;
            }
            entity.signature.result = text;
            if let Some(chain) = chain {
                entity.value = Some(chain.then(Step::Instance));
            }
        }
    }

    fn is_static(&self, node: Node<'t>, at: usize) -> bool {
        let decorated = || {
            let wrapper = self.around.last().filter(|outer| outer.kind() == "decorated_definition")?;
            let decorators = self.children(*wrapper);
            decorators
                .iter()
                .any(|one| one.kind() == "decorator" && self.text_of(*one).trim() == "@staticmethod")
                .then_some(())
        };
        let written = self.entities.get(at).is_some_and(|entity| entity.signature.receiver == "static");
        written || node.kind() == "singleton_method" || (self.language == Language::Python && decorated().is_some())
    }

    /// The parameters in a list; they are bound in the innermost scope.
    pub(crate) fn parameters(&mut self, list: Node<'t>) -> Vec<Parameter> {
        let mut found = Vec::new();
        let mut keyword_only = false;
        // A single name: `x => x`.
        if list.kind() == "identifier" {
            return self.parameter(
                list,
                &Param {
                    kind: "identifier",
                    name: "",
                    class: "",
                    default: "",
                    is_optional: false,
                    passing: Passing::Positional,
                },
            );
        }
        for child in self.children(list) {
            if matches!(child.kind(), "keyword_separator") {
                keyword_only = true;
                continue;
            }
            if matches!(child.kind(), "variadic_parameter") && child.named_child_count() == 0 {
                found.push(Parameter {
                    name: String::new(),
                    written_type: None,
                    is_optional: true,
                    passing: Passing::Variadic,
                });
                continue;
            }
            let Some(rule) = self.table.params.iter().find(|rule| rule.kind == child.kind()) else { continue };
            for mut one in self.parameter(child, rule) {
                if keyword_only && one.passing == Passing::Positional {
                    one.passing = Passing::Keyword;
                }
                keyword_only |= one.passing == Passing::Variadic && self.language == Language::Python;
                found.push(one);
            }
        }
        // In C# a `params` array stands in the list without a node of its own.
        if let Some(name) = list.child_by_field_name("name").filter(|_| self.language == Language::CSharp) {
            self.take(name);
            let name_text = self.text_of(name).to_owned();
            self.bind(&name_text, Chain::unknown(), list, 0);
            found.push(Parameter {
                name: name_text,
                written_type: None,
                is_optional: true,
                passing: Passing::Variadic,
            });
        }
        found
    }

    fn parameter(&mut self, node: Node<'t>, rule: &Param) -> Vec<Parameter> {
        let class = self.at(node, rule.class);
        let text = class.map(|class| self.compact(class));
        if text.as_deref() == Some("void") && node.named_child_count() == 1 {
            return Vec::new();
        }
        let names = if rule.name.is_empty() {
            vec![node]
        } else if rule.name == "name" {
            self.fields(node, "name")
        } else {
            self.at(node, rule.name).into_iter().collect()
        };
        let mut passing = rule.passing;
        let mut is_optional = rule.is_optional || self.at(node, rule.default).is_some() || has_equals(node);
        if names.iter().any(|name| matches!(name.kind(), "list_splat_pattern" | "rest_pattern" | "variadic_declarator"))
        {
            (passing, is_optional) = (Passing::Variadic, true);
        }
        if names.iter().any(|name| name.kind() == "dictionary_splat_pattern") {
            (passing, is_optional) = (Passing::KeywordVariadic, true);
        }
        if names.iter().any(|name| name.kind() == "this") {
            return Vec::new();
        }
        let chain = class.filter(|_| passing == Passing::Positional || passing == Passing::Keyword);
        let chain = chain.and_then(|class| self.type_chain(class, 0)).map(|chain| chain.then(Step::Instance));
        let chain = chain.unwrap_or_else(Chain::unknown);
        let mut found = Vec::new();
        for name in &names {
            let bound = self.pattern_names(*name);
            let single = matches!(bound.as_slice(), [_])
                && !name.kind().ends_with("object_pattern")
                && !name.kind().ends_with("array_pattern")
                && !name.kind().ends_with("tuple_pattern");
            for (bound_node, bound_name) in &bound {
                self.take(*bound_node);
                self.bind(bound_name, if single { chain.clone() } else { Chain::unknown() }, *bound_node, 0);
            }
            let own =
                if single { bound.first().map(|(_, name)| name.trim_start_matches('$').to_owned()) } else { None };
            found.push(Parameter { name: own.unwrap_or_default(), written_type: text.clone(), is_optional, passing });
        }
        if names.is_empty() {
            found.push(Parameter { name: String::new(), written_type: text, is_optional, passing });
        }
        // TypeScript and PHP: a parameter with a visibility is a field too.
        let promoted =
            node.kind() == "property_promotion_parameter" || self.at(node, "<accessibility_modifier>").is_some();
        if let (true, Some(owner), Some(one)) = (promoted, self.type_path(), found.first()) {
            self.attributes.entry((owner, one.name.clone())).or_insert(chain);
        }
        found
    }

    /// Words before the name: visibility, `static`, `async`.
    pub(crate) fn modifiers(&mut self, node: Node<'t>, at: usize) {
        let mut visibility = Vec::new();
        let mut is_async = false;
        let mut receiver = "";
        let mut cursor = node.walk();
        for child in node.children(&mut cursor).take(24) {
            if matches!(
                child.kind(),
                "parameters"
                    | "formal_parameters"
                    | "parameter_list"
                    | "block"
                    | "statement_block"
                    | "declaration_list"
                    | "class_body"
                    | "compound_statement"
            ) {
                break;
            }
            let is_modifier =
                !child.is_named() || child.kind().contains("modifier") || child.kind() == "storage_class_specifier";
            let written = if is_modifier { self.text_of(child) } else { "" };
            if child.kind() == "visibility_modifier" {
                visibility.push(written);
                continue;
            }
            for word in written.split_whitespace().take(16) {
                match word {
                    "async" => is_async = true,
                    "static" if matches!(self.language, Language::C) => visibility.push("static"),
                    "static" => receiver = "static",
                    "public" | "private" | "protected" | "internal" => visibility.push(word),
                    _ => {}
                }
            }
        }
        if let Some(entity) = self.entities.get_mut(at) {
            if !visibility.is_empty() {
                entity.signature.visibility = visibility.join(" ");
            }
            entity.signature.is_async |= is_async;
            if !receiver.is_empty() {
                receiver.clone_into(&mut entity.signature.receiver);
            }
        }
    }
}

/// Whether a default is written without a field of its own.
fn has_equals(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).take(16).any(|child| child.kind() == "=")
}
