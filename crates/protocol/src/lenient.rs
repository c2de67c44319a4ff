//! Readers for values that arrive both as JSON and as query strings: `0.8` and `"0.8"`, `["a"]` and `"a,b"`.

use serde::{Deserialize, Deserializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

/// An optional double, written as a number or as its text.
pub(crate) fn double<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<NumberOrText>::deserialize(deserializer)? {
        None => Ok(None),
        Some(NumberOrText::Number(number)) => Ok(Some(number)),
        Some(NumberOrText::Text(text)) => {
            text.trim().parse().map(Some).map_err(|_| de::Error::custom(format!("'{text}' is not a number")))
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IntegerOrText {
    Integer(u64),
    Text(String),
}

/// An optional unsigned integer, written as a number or as its text.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Option::<IntegerOrText>::deserialize(deserializer)? {
        None => Ok(None),
        Some(IntegerOrText::Integer(number)) => Ok(Some(number)),
        Some(IntegerOrText::Text(text)) => {
            text.trim().parse().map(Some).map_err(|_| de::Error::custom(format!("'{text}' is not a whole number")))
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SignedOrText {
    Signed(i32),
    Text(String),
}

/// An optional signed integer, written as a number or as its text.
pub(crate) fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    match Option::<SignedOrText>::deserialize(deserializer)? {
        None => Ok(None),
        Some(SignedOrText::Signed(number)) => Ok(Some(number)),
        Some(SignedOrText::Text(text)) => {
            text.trim().parse().map(Some).map_err(|_| {
                de::Error::custom(format!("'{text}' is not a whole number from -2147483648 to 2147483647"))
            })
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BoolOrText {
    Bool(bool),
    Text(String),
}

/// An optional boolean, written as one or as `true`/`false`/`1`/`0`.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Option::<BoolOrText>::deserialize(deserializer)? {
        None => Ok(None),
        Some(BoolOrText::Bool(value)) => Ok(Some(value)),
        Some(BoolOrText::Text(text)) => match text.trim() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(de::Error::custom(format!("'{text}' is neither true nor false"))),
        },
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ListOrText {
    List(Vec<String>),
    Text(String),
}

/// An optional list of words, written as an array or separated by commas.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(match Option::<ListOrText>::deserialize(deserializer)? {
        None => None,
        Some(ListOrText::List(list)) => Some(list),
        Some(ListOrText::Text(text)) => {
            Some(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
    })
}
