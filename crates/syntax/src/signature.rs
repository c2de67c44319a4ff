//! Signatures, and whether a call fits one.

use crate::Arguments;

/// How a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Passing {
    /// By position, or by name where the language allows it.
    Positional,
    /// By name only.
    Keyword,
    /// Takes all positions that are left.
    Variadic,
    /// Takes all names that are left.
    KeywordVariadic,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name; empty when none is written.
    pub name: String,
    /// Its type as written, without layout.
    pub written_type: Option<String>,
    /// Whether a call may leave it out.
    pub is_optional: bool,
    /// How it is passed.
    pub passing: Passing,
}

/// What a caller has to know of an entity. Free of layout and comments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Parameters without the receiver; of a Rust struct its fields, as keyword parameters.
    pub parameters: Vec<Parameter>,
    /// The receiver where it is a parameter (`&mut self`), or `static`, or empty.
    pub receiver: String,
    /// The result's type, or a variable's type, as written.
    pub result: Option<String>,
    /// Whether it is asynchronous.
    pub is_async: bool,
    /// Visibility as written: `pub`, `private`; empty when none is.
    pub visibility: String,
    /// All of it, tokens separated by one space.
    pub text: String,
    /// Whether parameters were written, so that calls can be compared with them.
    pub has_parameters: bool,
}

impl Signature {
    /// Fewest and most arguments by position; `None` for no upper bound.
    #[must_use]
    pub fn arity(&self) -> (usize, Option<usize>) {
        let positional = || self.parameters.iter().filter(|one| one.passing == Passing::Positional);
        let fewest = positional().filter(|one| !one.is_optional).count();
        let unbounded = self.parameters.iter().any(|one| one.passing == Passing::Variadic);
        (fewest, if unbounded { None } else { Some(positional().count()) })
    }

    /// Whether a call with these arguments fits. A spread fits as long as nothing contradicts it.
    #[must_use]
    pub fn accepts(&self, arguments: &Arguments) -> bool {
        if !self.has_parameters {
            return true;
        }
        let has = |passing| self.parameters.iter().any(|one| one.passing == passing);
        let positional: Vec<&Parameter> =
            self.parameters.iter().filter(|one| one.passing == Passing::Positional).collect();
        if arguments.positional > positional.len() && !has(Passing::Variadic) {
            return false;
        }
        let known = |name: &String| {
            let named = |one: &&Parameter| matches!(one.passing, Passing::Positional | Passing::Keyword);
            self.parameters.iter().filter(named).any(|one| one.name == *name)
        };
        if !has(Passing::KeywordVariadic) && !arguments.keywords.iter().all(known) {
            return false;
        }
        let taken = positional.iter().take(arguments.positional);
        if taken.clone().any(|one| !one.name.is_empty() && arguments.keywords.contains(&one.name)) {
            return false;
        }
        if arguments.spread {
            return true;
        }
        let by_position = positional.iter().skip(arguments.positional).copied();
        let by_name = self.parameters.iter().filter(|one| one.passing == Passing::Keyword);
        let mut left = by_position.chain(by_name);
        left.all(|one| one.is_optional || arguments.keywords.contains(&one.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, is_optional: bool, passing: Passing) -> Parameter {
        Parameter { name: name.into(), written_type: None, is_optional, passing }
    }

    fn call(positional: usize, keywords: &[&str], spread: bool) -> Arguments {
        Arguments { positional, keywords: keywords.iter().map(|one| (*one).to_owned()).collect(), spread }
    }

    #[test]
    fn a_call_fits_when_all_that_is_required_is_there_and_nothing_else() {
        let parameters = vec![
            parameter("a", false, Passing::Positional),
            parameter("b", true, Passing::Positional),
            parameter("c", false, Passing::Keyword),
        ];
        let signature = Signature { parameters, has_parameters: true, ..Signature::default() };
        assert_eq!(signature.arity(), (1, Some(2)));
        for (arguments, fits) in [
            (call(1, &["c"], false), true),
            (call(2, &["c"], false), true),
            (call(0, &["a", "c"], false), true),
            (call(1, &["c", "b"], false), true),
            (call(1, &[], false), false),
            (call(3, &["c"], false), false),
            (call(1, &["c", "d"], false), false),
            (call(1, &["a", "c"], false), false),
            (call(0, &[], true), true),
            (call(3, &[], true), false),
        ] {
            assert_eq!(signature.accepts(&arguments), fits, "{arguments:?}");
        }
    }
}
