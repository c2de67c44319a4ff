//! The languages that can be read, and which file is written in which.

use std::fmt;

/// A programming language with a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    Python,
    JavaScript,
    TypeScript,
    /// TypeScript with JSX; its grammar differs from that of TypeScript.
    Tsx,
    Rust,
    Go,
    Java,
    C,
    Cpp,
    CSharp,
    Ruby,
    Php,
}

/// Extensions in lower case. `.h` is C or C++; the C++ grammar reads nearly all of C, so it is taken for C++.
const EXTENSIONS: [(&str, Language); 36] = [
    ("py", Language::Python),
    ("pyi", Language::Python),
    ("pyw", Language::Python),
    ("js", Language::JavaScript),
    ("jsx", Language::JavaScript),
    ("mjs", Language::JavaScript),
    ("cjs", Language::JavaScript),
    ("ts", Language::TypeScript),
    ("mts", Language::TypeScript),
    ("cts", Language::TypeScript),
    ("tsx", Language::Tsx),
    ("rs", Language::Rust),
    ("go", Language::Go),
    ("java", Language::Java),
    ("c", Language::C),
    ("h", Language::Cpp),
    ("cc", Language::Cpp),
    ("cpp", Language::Cpp),
    ("cxx", Language::Cpp),
    ("c++", Language::Cpp),
    ("hh", Language::Cpp),
    ("hpp", Language::Cpp),
    ("hxx", Language::Cpp),
    ("h++", Language::Cpp),
    ("ipp", Language::Cpp),
    ("inl", Language::Cpp),
    ("tpp", Language::Cpp),
    ("cs", Language::CSharp),
    ("csx", Language::CSharp),
    ("rb", Language::Ruby),
    ("rake", Language::Ruby),
    ("gemspec", Language::Ruby),
    ("ru", Language::Ruby),
    ("php", Language::Php),
    ("phtml", Language::Php),
    ("inc", Language::Php),
];

/// Files without an extension that say their language by name.
const NAMES: [(&str, Language); 4] = [
    ("Rakefile", Language::Ruby),
    ("Gemfile", Language::Ruby),
    ("SConstruct", Language::Python),
    ("wscript", Language::Python),
];

/// Languages that see each other's definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Family {
    Python,
    Script,
    Rust,
    Go,
    Java,
    C,
    CSharp,
    Ruby,
    Php,
}

impl Language {
    /// The language of a file, by its name alone. `None` when no grammar fits.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Some(*language);
        }
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, language)| *language)
    }

    /// All languages, in a fixed order, whether built in or not.
    #[must_use]
    pub fn all() -> &'static [Self] {
        use Language::{C, CSharp, Cpp, Go, Java, JavaScript, Php, Python, Ruby, Rust, Tsx, TypeScript};
        &[Python, JavaScript, TypeScript, Tsx, Rust, Go, Java, C, Cpp, CSharp, Ruby, Php]
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Self::Python => Family::Python,
            Self::JavaScript | Self::TypeScript | Self::Tsx => Family::Script,
            Self::Rust => Family::Rust,
            Self::Go => Family::Go,
            Self::Java => Family::Java,
            Self::C | Self::Cpp => Family::C,
            Self::CSharp => Family::CSharp,
            Self::Ruby => Family::Ruby,
            Self::Php => Family::Php,
        }
    }

    /// Whether its grammar is built in: each language is a feature of this crate.
    #[must_use]
    pub fn is_built_in(self) -> bool {
        self.grammar().is_some()
    }

    /// The parser's tables.
    pub(crate) fn grammar(self) -> Option<tree_sitter::Language> {
        match self {
            #[cfg(feature = "python")]
            Self::Python => Some(tree_sitter_python::LANGUAGE.into()),
            #[cfg(feature = "javascript")]
            Self::JavaScript => Some(tree_sitter_javascript::LANGUAGE.into()),
            #[cfg(feature = "typescript")]
            Self::TypeScript => Some(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()),
            #[cfg(feature = "typescript")]
            Self::Tsx => Some(tree_sitter_typescript::LANGUAGE_TSX.into()),
            #[cfg(feature = "rust")]
            Self::Rust => Some(tree_sitter_rust::LANGUAGE.into()),
            #[cfg(feature = "go")]
            Self::Go => Some(tree_sitter_go::LANGUAGE.into()),
            #[cfg(feature = "java")]
            Self::Java => Some(tree_sitter_java::LANGUAGE.into()),
            #[cfg(feature = "c")]
            Self::C => Some(tree_sitter_c::LANGUAGE.into()),
            #[cfg(feature = "cpp")]
            Self::Cpp => Some(tree_sitter_cpp::LANGUAGE.into()),
            #[cfg(feature = "csharp")]
            Self::CSharp => Some(tree_sitter_c_sharp::LANGUAGE.into()),
            #[cfg(feature = "ruby")]
            Self::Ruby => Some(tree_sitter_ruby::LANGUAGE.into()),
            #[cfg(feature = "php")]
            Self::Php => Some(tree_sitter_php::LANGUAGE_PHP.into()),
            #[cfg(not(feature = "python"))]
            Self::Python => None,
            #[cfg(not(feature = "javascript"))]
            Self::JavaScript => None,
            #[cfg(not(feature = "typescript"))]
            Self::TypeScript | Self::Tsx => None,
            #[cfg(not(feature = "rust"))]
            Self::Rust => None,
            #[cfg(not(feature = "go"))]
            Self::Go => None,
            #[cfg(not(feature = "java"))]
            Self::Java => None,
            #[cfg(not(feature = "c"))]
            Self::C => None,
            #[cfg(not(feature = "cpp"))]
            Self::Cpp => None,
            #[cfg(not(feature = "csharp"))]
            Self::CSharp => None,
            #[cfg(not(feature = "ruby"))]
            Self::Ruby => None,
            #[cfg(not(feature = "php"))]
            Self::Php => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Tsx => "TSX",
            Self::Rust => "Rust",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::C => "C",
            Self::Cpp => "C++",
            Self::CSharp => "C#",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_language() {
        for (path, language) in [
            ("a/b.py", Some(Language::Python)),
            ("a.d.ts", Some(Language::TypeScript)),
            ("A.TSX", Some(Language::Tsx)),
            ("include/a.h", Some(Language::Cpp)),
            ("Rakefile", Some(Language::Ruby)),
            ("py", None),
            ("a.txt", None),
            ("", None),
        ] {
            assert_eq!(Language::of_path(path), language, "{path}");
        }
    }
}
