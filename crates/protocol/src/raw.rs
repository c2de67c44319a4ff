//! JSON kept as the text its author wrote.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::{PartialSchema, ToSchema};

/// Deepest nesting of arrays and objects that is read, anywhere.
pub const MAX_DEPTH: usize = 64;

/// A JSON value kept as text, so that no number, key order or duplicate key is changed on the way
/// through the server. Cheap to clone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Takes a text that must be one JSON value.
    ///
    /// # Errors
    /// The parser's error when it is not.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw: Box<RawValue> = serde_json::from_str(text)?;
        Ok(Self(raw.into()))
    }

    /// Whether a text nests deeper than [`MAX_DEPTH`]; to be asked before anything parses it.
    #[must_use]
    pub fn is_too_deep(text: &str) -> bool {
        depth(text) > MAX_DEPTH
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether the value is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// The value, for looking into it. Numbers beyond a double lose precision here, never in the text.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }

    /// The inner object where the value is `{"message": {...}}` and nothing else, itself otherwise: the
    /// documented message routes take both forms.
    #[must_use]
    pub fn unwrap_message(self) -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wrapped {
            message: Json,
        }
        match serde_json::from_str::<Wrapped>(self.as_str()) {
            Ok(wrapped) if wrapped.message.is_object() => wrapped.message,
            _ => self,
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        // A `Value` always serialises: its keys are strings and its numbers finite.
        Self(serde_json::value::to_raw_value(&value).unwrap_or_default().into())
    }
}

impl PartialSchema for Json {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::Object::with_type(utoipa::openapi::schema::SchemaType::AnyValue).into()
    }
}

impl ToSchema for Json {}

/// Deepest nesting of arrays and objects in a JSON text, counted without recursion.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_keeps_its_text() {
        let text = r#"{"b":1e400,"a":12345678901234567890123,"a":2}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }

    #[test]
    fn only_a_lone_message_object_is_unwrapped() {
        for (input, expected) in [
            (r#"{"message":{"a":1}}"#, r#"{"a":1}"#),
            (r#"{"message":"text"}"#, r#"{"message":"text"}"#),
            (r#"{"message":{"a":1},"b":2}"#, r#"{"message":{"a":1},"b":2}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(Json::parse(input).unwrap().unwrap_message().as_str(), expected);
        }
    }

    #[test]
    fn brackets_in_strings_do_not_count_as_depth() {
        assert_eq!(depth(r#"{"a":"[[[[\"[["}"#), 1);
        assert_eq!(depth("[[],[[]]]"), 3);
    }
}
