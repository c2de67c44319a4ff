//! Leases.

use crate::{Client, Error};
use orchestrator_protocol::{LeaseAnswer, LeaseList, LeaseRequest, RenewRequest};
use reqwest::Method;

impl Client {
    /// Claims a path, pattern or entity for a time. Claiming what one holds renews it.
    ///
    /// # Errors
    /// `lease_held`, whose body says by whom and since when, or why the server could not be asked.
    pub async fn acquire_lease(&self, request: &LeaseRequest) -> Result<LeaseAnswer, Error> {
        self.post(&["leases"])?.repeatable().body(request).answer().await
    }

    /// All claims that stand.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn leases(&self) -> Result<LeaseList, Error> {
        self.get(&["leases"], &[])?.answer().await
    }

    /// Holds a claim for another term.
    ///
    /// # Errors
    /// `unknown_lease`, `stale_token`, or why the server could not be asked.
    pub async fn renew_lease(&self, lease: &str, request: &RenewRequest) -> Result<LeaseAnswer, Error> {
        self.post(&["leases", lease, "renew"])?.body(request).answer().await
    }

    /// Gives a claim up. The answer is the server's own.
    ///
    /// # Errors
    /// `unknown_lease`, `stale_token`, or why the server could not be asked.
    pub async fn release_lease(&self, lease: &str, token: u64) -> Result<serde_json::Value, Error> {
        self.request(Method::DELETE, &["leases", lease], &[("token", Some(token.to_string()))])?.answer().await
    }
}
