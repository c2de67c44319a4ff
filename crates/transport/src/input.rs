//! What a request brings: query and body in one, and the names in its path.

use crate::answer::Refusal;
use crate::context::Context;
use crate::limits::{MAX_BODY, MAX_BODY_TIME, MAX_MESSAGE};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use orchestrator_protocol::{
    AgentId, ApprovalAnswerRequest, ApprovalRequest, ClaimRequest, CommandRequest, ErrorCode, EscalateRequest, Json,
    KnownRequest, LeaseRequest, MergeRequest, MessageRequest, PullRequest, RegisterRequest, RenewRequest,
    ResolveRequest, RestoreRequest, RollbackRequest, StatusRequest, TaskAssignRequest, TaskCancelRequest,
    TaskClaimRequest, TaskProgressRequest, TaskReleaseRequest, TaskRequest, TaskResultRequest, WorkspaceRequest,
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::task::Poll;

/// A request's form.
pub(crate) trait Form: DeserializeOwned + 'static {
    /// The field that a body which is an array stands for.
    const LIST: Option<&'static str> = None;
    /// Whether a field is kept as it is written: then the body is read as text, and the query adds nothing.
    const RAW: bool = false;
}

impl Form for RegisterRequest {
    const LIST: Option<&'static str> = Some("capabilities");
}
impl Form for StatusRequest {}
impl Form for ResolveRequest {}
impl Form for EscalateRequest {}
impl Form for PullRequest {}
impl Form for LeaseRequest {}
impl Form for WorkspaceRequest {}
impl Form for MergeRequest {}
impl Form for RollbackRequest {}
impl Form for RestoreRequest {}
impl Form for KnownRequest {
    const LIST: Option<&'static str> = Some("commits");
}
impl Form for RenewRequest {}
impl Form for ClaimRequest {}
impl Form for CommandRequest {}
impl Form for TaskRequest {}
impl Form for TaskAssignRequest {}
impl Form for TaskClaimRequest {}
impl Form for TaskProgressRequest {}
impl Form for TaskReleaseRequest {}
impl Form for TaskCancelRequest {}
impl Form for TaskResultRequest {
    const RAW: bool = true;
}
impl Form for ApprovalRequest {}
impl Form for ApprovalAnswerRequest {}
impl Form for MessageRequest {
    const RAW: bool = true;
}

/// Query and body mixed into one form; the query wins.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: Form> FromRequest for Input<T> {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = query_pairs(request);
        let body = read_body(payload.take());
        Box::pin(async move {
            let body = body.await?;
            let text = text_of(&body)?;
            let query = query?;
            if T::RAW || (query.is_empty() && text.starts_with('{')) {
                return from_text(text).map(Self);
            }
            let mut fields = match text {
                "" => Map::new(),
                text => match serde_json::from_str(text).map_err(not_json)? {
                    Value::Object(fields) => fields,
                    list @ Value::Array(_) => match T::LIST {
                        Some(field) => Map::from_iter([(field.to_owned(), list)]),
                        None => return Err(not_an_object()),
                    },
                    _ => return Err(not_an_object()),
                },
            };
            fields.extend(query);
            serde_json::from_value(Value::Object(fields)).map(Self).map_err(other_fields)
        })
    }
}

/// Straight from the text.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data if text.starts_with('{') => other_fields(error),
        Category::Data => not_an_object(),
        Category::Syntax | Category::Eof | Category::Io => not_json(error),
    })
}

/// The query alone, for routes without a body.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Refusal;
    type Future = std::future::Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = || {
            let fields = Value::Object(query_pairs(request)?);
            serde_json::from_value(fields).map(Self).map_err(other_fields)
        };
        std::future::ready(read())
    }
}

/// The payload of a message: any JSON object, as written.
pub(crate) struct MessageBody(pub(crate) Json);

impl FromRequest for MessageBody {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(payload.take());
        Box::pin(async move {
            let body = body.await?;
            let json = Json::parse(text_of(&body)?).map_err(not_json)?;
            if !json.is_object() {
                return Err(not_an_object());
            }
            let json = json.unwrap_message();
            check_message_size(&json)?;
            Ok(Self(json))
        })
    }
}

/// Refuses a payload that is larger than a message may be.
pub(crate) fn check_message_size(payload: &Json) -> Result<(), Refusal> {
    let size = payload.as_str().len();
    if size <= MAX_MESSAGE {
        return Ok(());
    }
    let detail = format!("the message has {size} bytes, at most {MAX_MESSAGE} are taken");
    Err(Refusal::new(ErrorCode::MessageTooLarge, detail, "put what is larger into a file and send its path"))
}

/// The agent that a path names.
pub(crate) struct AgentPath(pub(crate) AgentId);

impl FromRequest for AgentPath {
    type Error = Refusal;
    type Future = std::future::Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id: Result<AgentId, _> = request.match_info().query("agent_id").parse();
        if let (Ok(id), Some(context)) = (&id, request.app_data::<web::Data<Context>>()) {
            // Whatever an agent asks on its own routes is a sign of life.
            if request.method() != actix_web::http::Method::GET || request.path().ends_with("/inbox") {
                context.orchestrator.heard_of(id);
            }
        }
        std::future::ready(id.map(Self).map_err(Refusal::from))
    }
}

/// A number behind a letter, such as `m42`; ids of that kind look like it.
pub(crate) fn numbered(letter: char, text: &str, unknown: ErrorCode) -> Result<u64, Refusal> {
    let number = text.strip_prefix(letter).and_then(|digits| digits.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| {
        let detail = format!("no '{text:.80}' is known");
        Refusal::new(unknown, detail, format!("ids of this kind look like {letter}42"))
    })
}

/// The pairs of the query. A name that comes several times is a list.
fn query_pairs(request: &HttpRequest) -> Result<Map<String, Value>, Refusal> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = pairs.map_err(|error| {
        let detail = format!("the query cannot be read: {error}");
        Refusal::new(ErrorCode::InvalidRequest, detail, "write it as ?name=value&name=value, percent-encoded")
    })?;
    let mut fields = Map::new();
    for (name, value) in pairs.into_inner() {
        let value = Value::String(value);
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(fields)
}

async fn read_body(payload: Payload) -> Result<Bytes, Refusal> {
    let slow = |_| {
        let detail = format!("the body did not arrive within {} s", MAX_BODY_TIME.as_secs());
        Refusal::new(ErrorCode::Timeout, detail, "send it again, faster")
    };
    let mut read = std::pin::pin!(read_all(payload));
    // Most bodies are there already; a timer is only armed for those that are not.
    match futures_util::poll!(read.as_mut()) {
        Poll::Ready(body) => body,
        Poll::Pending => tokio::time::timeout(MAX_BODY_TIME, read).await.map_err(slow)?,
    }
}

async fn read_all(mut payload: Payload) -> Result<Bytes, Refusal> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => too_large(),
            error => Refusal::new(
                ErrorCode::InvalidRequest,
                format!("the body did not arrive whole: {error}"),
                "send it again",
            ),
        })?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large() -> Refusal {
    let detail = format!("the body has more than {MAX_BODY} bytes");
    Refusal::new(ErrorCode::BodyTooLarge, detail, "send less at once")
}

/// The body as text. Depth is checked before anything parses it.
fn text_of(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Refusal::new(ErrorCode::InvalidJson, format!("the body is not UTF-8: {error}"), "encode it as UTF-8")
    })?;
    if Json::is_too_deep(text) {
        let detail = format!("the body is nested deeper than {}", orchestrator_protocol::MAX_DEPTH);
        return Err(Refusal::new(ErrorCode::TooDeep, detail, "flatten it"));
    }
    Ok(text.trim())
}

#[expect(clippy::needless_pass_by_value, reason = "it is a map_err function")]
fn not_json(error: serde_json::Error) -> Refusal {
    Refusal::new(ErrorCode::InvalidJson, format!("the body is not JSON: {error}"), "send one JSON value")
}

fn not_an_object() -> Refusal {
    let detail = "the body is not a JSON object";
    Refusal::new(ErrorCode::InvalidRequest, detail, "send {...}; see /docs for the fields")
}

#[expect(clippy::needless_pass_by_value, reason = "it is a map_err function")]
fn other_fields(error: serde_json::Error) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, error.to_string(), "see /docs for the fields and their types")
}
