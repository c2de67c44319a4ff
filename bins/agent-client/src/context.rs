//! What every command works with.

use crate::arguments::Global;
use crate::exit::Failure;
use crate::output::Output;
use orchestrator_client::Client;
use std::time::Duration;

/// Variable that may hold the operator's secret itself.
const SECRET: &str = "ORCHESTRATOR_OPERATOR_SECRET";

/// The server to ask and the place to print.
pub(crate) struct Context<'o> {
    pub(crate) client: Client,
    pub(crate) out: &'o Output,
}

impl<'o> Context<'o> {
    pub(crate) fn new(global: &Global, out: &'o Output) -> Result<Self, Failure> {
        let client = Client::new(&global.base_url)?.with_timeout(Duration::from_secs(global.timeout.into()));
        let client = match operator_secret(global)? {
            Some(secret) => client.with_operator_secret(&secret)?,
            None => client,
        };
        Ok(Self { client, out })
    }
}

/// The secret, which is shown nowhere.
fn operator_secret(global: &Global) -> Result<Option<String>, Failure> {
    let Some(path) = &global.operator_secret_file else {
        return Ok(std::env::var(SECRET).ok().filter(|secret| !secret.trim().is_empty()));
    };
    let secret = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            format!("the operator's secret in {} cannot be read: {error}", path.display()),
            "give the file that the server made in its state folder",
        )
    })?;
    Ok(Some(secret))
}
