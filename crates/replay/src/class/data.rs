//! Files that are one value.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Whether both files hold the same value. Order within objects and tables means nothing, within lists it does.
pub(crate) fn same(language: &str, one: &[u8], two: &[u8]) -> bool {
    value(language, one).is_some_and(|one| value(language, two) == Some(one))
}

/// Whether the file holds a value; true where the language is not one of data.
pub(crate) fn is_sound(language: &str, text: &[u8]) -> bool {
    !is_data(language) || value(language, text).is_some()
}

/// Whether files of the language are one value.
pub(crate) fn is_data(language: &str) -> bool {
    matches!(language, "JSON" | "TOML" | "YAML")
}

fn value(language: &str, text: &[u8]) -> Option<Value> {
    match language {
        "JSON" => serde_json::from_slice::<Distinct>(text).ok().map(|value| value.0),
        "TOML" => toml_edit::de::from_slice(text).ok(),
        // A list of its documents.
        "YAML" => serde_saphyr::from_multiple(std::str::from_utf8(text).ok()?).ok().map(Value::Array),
        _ => None,
    }
}

/// A JSON value none of whose objects has a key twice.
struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Distinct;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value with distinct keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Distinct, A::Error> {
        let mut object = Map::new();
        while let Some((key, value)) = entries.next_entry::<String, Distinct>()? {
            if object.insert(key, value.0).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Distinct(Value::Object(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Distinct, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = entries.next_element::<Distinct>()? {
            list.push(value.0);
        }
        Ok(Distinct(Value::Array(list)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Distinct, E> {
        Ok(Distinct(Value::Null))
    }
}
