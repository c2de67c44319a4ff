//! Payloads as they are typed: JSON, or a text.

use crate::exit::Failure;
use orchestrator_protocol::Json;
use serde_json::json;
use std::io::Read;

/// Reads a payload. Any JSON value is taken as it is; other text becomes `{"message": TEXT}`, the form of the
/// documented messages; `-` reads standard input. What begins like an object or array and is none is refused
/// unless `as_text`, since it is more likely a typing error than a text.
pub(crate) fn read(argument: &str, as_text: bool) -> Result<Json, Failure> {
    let mut piped = String::new();
    let text = if argument == "-" {
        std::io::stdin().read_to_string(&mut piped)?;
        piped.trim_end()
    } else {
        argument
    };
    if as_text {
        return Ok(json!({ "message": text }).into());
    }
    match Json::parse(text) {
        Ok(value) => Ok(value),
        Err(error) if text.trim_start().starts_with(['{', '[']) => Err(Failure::usage(
            format!("the payload is not JSON: {error}"),
            "mend it, or give --text to send it as text",
        )),
        Err(_) => Ok(json!({ "message": text }).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn json_is_kept_and_text_is_wrapped() {
        for (text, as_text, expected) in [
            (r#"{"n": 1e400}"#, false, r#"{"n": 1e400}"#),
            ("42", false, "42"),
            ("hello there", false, r#"{"message":"hello there"}"#),
            ("{broken", true, r#"{"message":"{broken"}"#),
            ("", false, r#"{"message":""}"#),
        ] {
            assert_eq!(read(text, as_text).unwrap().as_str(), expected);
        }
        assert_eq!(read("{broken", false).unwrap_err().exit, Exit::Usage);
    }
}
