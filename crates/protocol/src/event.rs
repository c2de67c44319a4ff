//! Pages of the event feed.

use crate::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /events?after=&limit=&wait=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    /// `success`.
    pub status: String,
    /// Push frames, as the sockets carry them, oldest first.
    pub events: Vec<Json>,
    /// Give this as `after` for the next page.
    pub next: u64,
}
