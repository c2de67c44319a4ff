//! Work on its way to a branch.

use crate::{Client, Error};
use orchestrator_protocol::{MergeAnswer, MergeList, MergeRequest, RollbackAnswer, RollbackRequest};

impl Client {
    /// Asks for work to land.
    ///
    /// # Errors
    /// `unknown_agent`, `unknown_workspace`, `unknown_snapshot`, another refusal, or why the server could not be asked.
    pub async fn request_merge(&self, request: &MergeRequest) -> Result<MergeAnswer, Error> {
        // The same work, while it is open, is the same merge.
        self.post(&["merges"])?.repeatable().body(request).answer().await
    }

    /// All merges: those that are not over first.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub async fn merges(&self) -> Result<MergeList, Error> {
        self.get(&["merges"], &[])?.answer().await
    }

    /// One merge.
    ///
    /// # Errors
    /// `unknown_merge`, or why the server could not be asked.
    pub async fn merge(&self, id: &str) -> Result<MergeAnswer, Error> {
        self.get(&["merges", id], &[])?.answer().await
    }

    /// Takes a merge out of the queue. Twice is no error.
    ///
    /// # Errors
    /// `unknown_merge`, `merge_over`, or why the server could not be asked.
    pub async fn cancel_merge(&self, id: &str) -> Result<MergeAnswer, Error> {
        self.post(&["merges", id, "cancel"])?.repeatable().answer().await
    }

    /// Takes back what landed. Needs the operator's secret.
    ///
    /// # Errors
    /// `operator_only`, `unknown_merge`, or why the server could not be asked.
    pub async fn rollback(&self, request: &RollbackRequest) -> Result<RollbackAnswer, Error> {
        self.post(&["rollback"])?.body(request).answer().await
    }
}
