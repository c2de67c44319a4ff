//! What stands in the bus's files: read and written here, without touching a disk.

use super::name::is_message_id;
use orchestrator::Error;
use orchestrator_protocol::{Address, AgentId, InboxMessage, Json, ORCHESTRATOR, Timestamp};
use serde::{Deserialize, Serialize};

/// Largest payload and largest result.
pub(crate) const MAX_PAYLOAD: usize = 256 * 1024;
/// Largest file: a payload and its envelope.
pub(crate) const MAX_FILE: usize = MAX_PAYLOAD + 4 * 1024;

/// What a message may be.
const KINDS: [&str; 3] = ["task", "event", "message"];

/// A file that was refused, as its reason file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// A stable word.
    pub(crate) code: String,
    /// What and why.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// True while the file may still be being written, so that it is looked at again before it is moved.
    #[serde(skip)]
    pub(crate) may_heal: bool,
}

impl Refusal {
    pub(crate) fn new(code: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), hint: hint.into(), may_heal: false }
    }

    fn healing(self) -> Self {
        Self { may_heal: true, ..self }
    }

    /// The reason of an error of the orchestrator's.
    pub(crate) fn of(error: &Error) -> Self {
        let body = error.body();
        let code = serde_json::to_value(body.code).ok().and_then(|code| code.as_str().map(str::to_owned));
        Self::new(&code.unwrap_or_default(), body.detail, body.hint)
    }
}

/// A message as its sender wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spooled {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: Address,
    pub(crate) kind: String,
    pub(crate) payload: Json,
    pub(crate) in_reply_to: Option<String>,
    pub(crate) durable: bool,
}

#[derive(Deserialize)]
struct Raw {
    id: Option<String>,
    ts: Option<Json>,
    to: Option<String>,
    from: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    payload: Json,
    in_reply_to: Option<String>,
    durable: Option<bool>,
}

/// Reads a message. `id` is the one in its file's name; `folder` whose folder it lies in.
///
/// # Errors
/// The [`Refusal`] that its sender is to read.
pub(crate) fn parse(bytes: &[u8], id: &str, folder: &str) -> Result<Spooled, Refusal> {
    let form = "write {id, ts, to, from, type, payload} as UTF-8 into a .tmp file, then rename it to {id}.json";
    let invalid = |detail: String| Refusal::new("invalid_request", detail, form);
    let text = text_of(bytes).map_err(|detail| Refusal::new("invalid_json", detail, form).healing())?;
    if Json::is_too_deep(text) {
        return Err(Refusal::new("too_deep", "the JSON is nested deeper than 64", "send flatter data"));
    }
    if text.starts_with('[') {
        return Err(invalid("the message is a list and no object".to_owned()));
    }
    let raw: Raw = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => invalid(error.to_string()),
        _ => Refusal::new("invalid_json", format!("the file is not JSON: {error}"), form).healing(),
    })?;
    if raw.id.as_ref().is_some_and(|own| own != id) {
        return Err(Refusal::new(
            "id_mismatch",
            format!("the message says its id is {:?} and the file's name says {id:?}", raw.id.unwrap_or_default()),
            "name the file {id}.json",
        ));
    }
    if raw.ts.is_some_and(|ts| ts.as_str().starts_with(['{', '[', 't', 'f'])) {
        return Err(invalid("'ts' is neither text nor a number".to_owned()));
    }
    let is_server = raw.from.eq_ignore_ascii_case(ORCHESTRATOR);
    if let Err(error) = raw.from.parse::<AgentId>()
        && !is_server
    {
        return Err(Refusal::new("invalid_agent_id", format!("'from' names no agent: {error}"), form));
    }
    let to = raw.to.as_deref().unwrap_or(folder).parse::<Address>();
    let to = to.map_err(|error| Refusal::new("invalid_address", error.to_string(), form))?;
    let kind = raw.kind.unwrap_or_else(|| "message".to_owned());
    if !KINDS.contains(&kind.as_str()) {
        return Err(invalid(format!("'type' is task, event or message, not {kind:?}")));
    }
    if raw.payload.as_str().len() > MAX_PAYLOAD {
        return Err(too_large("payload"));
    }
    let durable = raw.durable.unwrap_or_default();
    Ok(Spooled {
        id: id.to_owned(),
        from: raw.from,
        to,
        kind,
        payload: raw.payload,
        in_reply_to: raw.in_reply_to,
        durable,
    })
}

/// The refusal of something above its limit.
pub(crate) fn too_large(what: &str) -> Refusal {
    let hint = "put large data into a file of the project and send its path";
    Refusal::new("message_too_large", format!("the {what} is larger than 256 KiB"), hint)
}

/// The text of a file without its byte-order mark.
fn text_of(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err("the file is UTF-16; in PowerShell write it with -Encoding utf8".to_owned());
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    std::str::from_utf8(bytes).map(str::trim).map_err(|error| format!("the file is not UTF-8: {error}"))
}

/// What a receiver wrote of its result: JSON where it is some, text otherwise. The flag says whether it is
/// surely whole.
pub(crate) fn result(bytes: &[u8]) -> (serde_json::Value, bool) {
    let lossy = || String::from_utf8_lossy(bytes).trim().to_owned();
    let Ok(text) = text_of(bytes) else { return (lossy().into(), false) };
    match serde_json::from_str(text) {
        Ok(value) if !Json::is_too_deep(text) => (value, text.ends_with(['}', ']', '"'])),
        _ if text.is_empty() => (serde_json::Value::Null, false),
        _ => (text.into(), false),
    }
}

/// The control command that a message for the orchestrator holds.
pub(crate) fn command_of(payload: &Json) -> Option<String> {
    let value = payload.to_value();
    let text = value.as_str().or_else(|| value.get("command")?.as_str())?;
    text.trim_start().starts_with('*').then(|| text.to_owned())
}

/// How the keys of all that came through the bus begin.
pub(crate) const KEY: &str = "bus:";

/// The id that a key of the bus holds.
pub(crate) fn id_of_key(key: &str) -> Option<&str> {
    key.strip_prefix(KEY).filter(|id| is_message_id(id) && super::name::number(id).is_none())
}

/// The idempotency key of a message that came as a file.
pub(crate) fn key_of(id: &str) -> String {
    format!("{KEY}{id}")
}

/// The text of a message's file.
pub(crate) fn message_file(name: &str, message: InboxMessage) -> Vec<u8> {
    #[derive(Serialize)]
    struct File {
        id: String,
        ts: Timestamp,
        to: String,
        from: String,
        #[serde(rename = "type")]
        kind: String,
        payload: Option<Json>,
        in_reply_to: Option<String>,
    }
    let InboxMessage { from, to, payload, kind, timestamp: ts, in_reply_to, .. } = message;
    // Text, numbers and JSON that was parsed before: this cannot fail.
    serde_json::to_vec(&File { id: name.to_owned(), ts, to, from, kind, payload, in_reply_to }).unwrap_or_default()
}

/// Whether a file was written for a message of this sender and time.
pub(crate) fn is_copy(bytes: &[u8], from: &str, at: Timestamp) -> bool {
    #[derive(Deserialize)]
    struct Origin {
        from: String,
        ts: Timestamp,
    }
    let text = text_of(bytes).ok().filter(|text| !Json::is_too_deep(text));
    let origin = text.and_then(|text| serde_json::from_str::<Origin>(text).ok());
    origin.is_some_and(|origin| origin.from == from && origin.ts == at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> String {
        parse(text, "x", "dev").map_or_else(|refusal| refusal.code, |_| "ok".to_owned())
    }

    #[test]
    fn messages_are_read_as_every_writer_writes_them() {
        let expected =
            parse(br#"{"id":"x","ts":"t","to":"dev","from":"a","type":"task","payload":{"n":1}}"#, "x", "dev");
        let expected = expected.unwrap();
        assert_eq!((expected.kind.as_str(), expected.to.to_string().as_str()), ("task", "dev"));
        let windows = "\u{feff}{\r\n  \"id\": \"x\",\r\n  \"ts\": 5, \"to\": \"dev\", \"from\": \"a\",\r\n \"type\": \"task\", \"payload\": {\"n\":1}\r\n}\r\n";
        assert_eq!(parse(windows.as_bytes(), "x", "dev").unwrap(), expected);
        assert_eq!(parse(br#"{"from":"a","type":"task","payload":{"n":1}}"#, "x", "dev").unwrap(), expected);
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let deep = format!(r#"{{"from":"a","payload":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let large = format!(r#"{{"from":"a","payload":"{}"}}"#, "x".repeat(MAX_PAYLOAD));
        for (text, expected) in [
            (&b""[..], "invalid_json"),
            (b"{\"from\":\"a\"", "invalid_json"),
            (b"\xff\xfe{\0}\0", "invalid_json"),
            (b"{\"from\":\"\xff\"}", "invalid_json"),
            (b"[]", "invalid_request"),
            (b"5", "invalid_request"),
            (b"{}", "invalid_request"),
            (br#"{"from":"a"}"#, "invalid_request"),
            (br#"{"from":5,"payload":1}"#, "invalid_request"),
            (br#"{"from":"a","from":"b","payload":1}"#, "invalid_request"),
            (br#"{"from":"a","payload":1,"type":"tsak"}"#, "invalid_request"),
            (br#"{"from":"a","payload":1,"ts":{}}"#, "invalid_request"),
            (br#"{"from":"a","payload":1,"id":"y"}"#, "id_mismatch"),
            (br#"{"from":"../a","payload":1}"#, "invalid_agent_id"),
            (br#"{"from":"a","payload":1,"to":"a/b"}"#, "invalid_address"),
            (br#"{"from":"a","payload":NaN}"#, "invalid_json"),
            (deep.as_bytes(), "too_deep"),
            (large.as_bytes(), "message_too_large"),
            (br#"{"from":"a","payload":null}"#, "ok"),
        ] {
            assert_eq!(code(text), expected, "{}", String::from_utf8_lossy(&text[..text.len().min(60)]));
        }
    }

    #[test]
    fn results_are_any_text() {
        for (text, expected, whole) in [
            (&br#"{"a":1}"#[..], serde_json::json!({"a": 1}), true),
            (b"all good\r\n", "all good".into(), false),
            (b"", serde_json::Value::Null, false),
            (b"12", 12.into(), false),
            (b"a\xff", "a\u{fffd}".into(), false),
        ] {
            assert_eq!(result(text), (expected, whole));
        }
    }

    #[test]
    fn commands_are_text_or_a_field() {
        for (payload, expected) in [
            (r#""*status""#, Some("*status")),
            (r#"{"command":"*sync:status"}"#, Some("*sync:status")),
            (r#"{"command":"rm"}"#, None),
            (r#""hello""#, None),
            ("5", None),
        ] {
            assert_eq!(command_of(&Json::parse(payload).unwrap()).as_deref(), expected);
        }
    }
}
