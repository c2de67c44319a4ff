//! Files that are one value.

use serde_json::Value;

/// Whether both files hold the same value. Order within objects and tables means nothing, within lists it does.
pub(crate) fn same(language: &str, one: &[u8], two: &[u8]) -> bool {
    value(language, one).is_some_and(|one| value(language, two) == Some(one))
}

/// Whether the file holds a value; true where the language is not one of data.
pub(crate) fn is_sound(language: &str, text: &[u8]) -> bool {
    !matches!(language, "JSON" | "TOML") || value(language, text).is_some()
}

fn value(language: &str, text: &[u8]) -> Option<Value> {
    match language {
        "JSON" => serde_json::from_slice(text).ok(),
        "TOML" => toml_edit::de::from_slice(text).ok(),
        _ => None,
    }
}
