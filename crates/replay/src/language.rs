//! What a file is written in, for the tables and for what white space means.

use orchestrator_syntax::Language;

/// By extension, what no grammar reads.
const OTHERS: [(&str, &str); 34] = [
    ("json", "JSON"),
    ("toml", "TOML"),
    ("yml", "YAML"),
    ("yaml", "YAML"),
    ("md", "Markdown"),
    ("markdown", "Markdown"),
    ("mdx", "Markdown"),
    ("rst", "reStructuredText"),
    ("adoc", "AsciiDoc"),
    ("txt", "text"),
    ("cfg", "INI"),
    ("ini", "INI"),
    ("conf", "INI"),
    ("properties", "INI"),
    ("css", "CSS"),
    ("scss", "CSS"),
    ("less", "CSS"),
    ("html", "HTML"),
    ("xml", "XML"),
    ("svg", "XML"),
    ("sh", "Shell"),
    ("bash", "Shell"),
    ("mk", "Make"),
    ("kt", "Kotlin"),
    ("kts", "Kotlin"),
    ("scala", "Scala"),
    ("groovy", "Groovy"),
    ("gradle", "Groovy"),
    ("swift", "Swift"),
    ("tcl", "Tcl"),
    ("lua", "Lua"),
    ("sql", "SQL"),
    ("vue", "Vue"),
    ("lock", "lock file"),
];

/// The name of the language of a file, by its path; `other` when it is not known.
#[must_use]
pub fn language(path: &str) -> String {
    if let Some(language) = Language::of_path(path) {
        return language.to_string();
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "Makefile" | "GNUmakefile" | "makefile") {
        return "Make".to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let known = OTHERS.iter().find(|(known, _)| Some(*known) == extension.as_deref());
    known.map_or("other", |(_, language)| language).to_owned()
}

/// What white space means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum White {
    /// Nothing but an end of word.
    Free,
    /// At the start of a line it is structure.
    Indent,
    /// It may mean something anywhere but at the end of a line.
    Text,
}

/// What white space means in a language.
pub(crate) fn white(language: &str) -> White {
    match language {
        "JavaScript" | "TypeScript" | "TSX" | "Rust" | "Go" | "Java" | "C" | "C++" | "C#" | "Ruby" | "PHP" | "JSON"
        | "TOML" | "CSS" | "Kotlin" | "Scala" | "Groovy" | "Swift" | "SQL" | "Lua" => White::Free,
        "Python" | "YAML" | "Make" => White::Indent,
        _ => White::Text,
    }
}
