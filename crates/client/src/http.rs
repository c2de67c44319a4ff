//! Calls over HTTP: the plumbing. The calls themselves stand in one file a resource.

use crate::{Error, base::Base};
use reqwest::{Method, RequestBuilder, StatusCode, Url, header, redirect};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

mod agents;
mod approvals;
mod leases;
mod merges;
mod messages;
mod server;
mod snapshots;
mod sync;
mod tasks;
mod workspaces;

pub use approvals::ApprovalsQuery;
pub use messages::Broadcast;
pub use sync::{ChangesQuery, ImpactQuery};
pub use tasks::TasksQuery;

/// How long the server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take, beyond what the call itself asks the server to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Header that carries the operator's secret.
pub(crate) const OPERATOR: &str = "x-orchestrator-operator";

/// Makes the calls of the HTTP interface. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    base: Base,
    http: reqwest::Client,
    timeout: Duration,
    operator: Option<header::HeaderValue>,
}

impl Client {
    /// A client of the server at `base_url`, such as `http://localhost:8000`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::BaseUrl`] when the URL cannot be used.
    pub fn new(base_url: &str) -> Result<Self, Error> {
        let base = Base::parse(base_url)?;
        // Whoever installs a provider first wins; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Error::BaseUrl { url: base_url.to_owned(), reason: innermost(&error) })?;
        Ok(Self { base, http, timeout: ANSWER_TIMEOUT, operator: None })
    }

    /// Waits this long for answers, beyond what a call itself asks the server to wait; 30 s otherwise.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the operator's secret along, which operator calls need.
    ///
    /// # Errors
    /// [`Error::Argument`], which does not show the secret, when it holds characters that no header can carry.
    pub fn with_operator_secret(mut self, secret: &str) -> Result<Self, Error> {
        let mut value = header::HeaderValue::from_str(secret.trim())
            .map_err(|_| Error::Argument { value: "the secret".to_owned(), what: "the value of a header" })?;
        value.set_sensitive(true);
        self.operator = Some(value);
        Ok(self)
    }

    /// The server's base URL, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base.to_string()
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    pub(crate) fn operator(&self) -> Option<&header::HeaderValue> {
        self.operator.as_ref()
    }

    /// A request for a route; `query` pairs without a value are left out.
    fn request(&self, method: Method, segments: &[&str], query: &[(&str, Option<String>)]) -> Result<Call<'_>, Error> {
        let mut url = self.base.route(segments)?;
        let given = query.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        if given.clone().next().is_some() {
            url.query_pairs_mut().extend_pairs(given);
        }
        let is_repeatable = method == Method::GET;
        let mut builder = self.http.request(method, url.clone());
        if let Some(secret) = &self.operator {
            builder = builder.header(OPERATOR, secret.clone());
        }
        Ok(Call { client: self, url, builder, wait: Duration::ZERO, taken: &[], is_repeatable })
    }

    fn get(&self, segments: &[&str], query: &[(&str, Option<String>)]) -> Result<Call<'_>, Error> {
        self.request(Method::GET, segments, query)
    }

    fn post(&self, segments: &[&str]) -> Result<Call<'_>, Error> {
        self.request(Method::POST, segments, &[])
    }
}

/// One request on its way.
struct Call<'c> {
    client: &'c Client,
    url: Url,
    builder: RequestBuilder,
    /// How long the server was asked to wait before it answers.
    wait: Duration,
    /// Statuses beyond 2xx whose body is an answer all the same.
    taken: &'static [u16],
    /// Making the call twice does no more than making it once.
    is_repeatable: bool,
}

impl Call<'_> {
    fn body(mut self, body: &impl Serialize) -> Self {
        self.builder = self.builder.json(body);
        self
    }

    fn bytes(mut self, kind: &'static str, body: Vec<u8>) -> Self {
        self.builder = self.builder.header(header::CONTENT_TYPE, kind).body(body);
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    fn waiting(mut self, wait: Option<Duration>) -> Self {
        self.wait = wait.unwrap_or_default();
        self
    }

    fn taking(mut self, statuses: &'static [u16]) -> Self {
        self.taken = statuses;
        self
    }

    fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// Sends the request and reads the answer.
    async fn answer<T: DeserializeOwned>(self) -> Result<T, Error> {
        let after = self.client.timeout.saturating_add(self.wait);
        let failed = |error: &reqwest::Error| {
            if error.is_builder() {
                Error::Argument { value: innermost(error), what: "part of a request" }
            } else if error.is_timeout() && !error.is_connect() {
                Error::Timeout { url: self.client.base_url(), after }
            } else {
                Error::Unreachable { url: self.client.base_url(), reason: innermost(error) }
            }
        };
        // A kept connection may turn out to be dead only when it is used, as after a restart of the server.
        let spare = if self.is_repeatable { self.builder.try_clone() } else { None };
        let exchanged = match (exchange(self.builder.timeout(after)).await, spare) {
            (Err(error), Some(spare)) if is_lost(&error) => exchange(spare.timeout(after)).await,
            (exchanged, _) => exchanged,
        };
        let (status, body) = exchanged.map_err(|error| failed(&error))?;
        if !status.is_success() && !self.taken.contains(&status.as_u16()) {
            return Err(Error::from_answer(self.url.as_str(), status.as_u16(), &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            // A success of another form is foreign; a status of `taken` may come with an error body all the same.
            let (url, status) = (self.url.to_string(), status.as_u16());
            match Error::from_answer(&url, status, &body) {
                Error::Unexpected { .. } => Error::Unexpected { status, url, reason: error.to_string() },
                refused => refused,
            }
        })
    }
}

/// Sends a request and reads the whole answer.
async fn exchange(builder: RequestBuilder) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
    let response = builder.send().await?;
    Ok((response.status(), response.bytes().await?.into()))
}

/// Whether the connection broke after it stood.
fn is_lost(error: &reqwest::Error) -> bool {
    !error.is_builder() && !error.is_connect() && !error.is_timeout()
}

/// The cause at the bottom says what happened; those above it only say where.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Seconds as a query carries them.
fn seconds(wait: Option<Duration>) -> Option<String> {
    wait.map(|wait| wait.as_secs_f64().to_string())
}
