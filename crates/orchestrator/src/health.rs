//! What does not work at the moment, by name.

use orchestrator_protocol::Degradation;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// The named degradations that stand.
#[derive(Debug, Default)]
pub(crate) struct Degradations(Mutex<BTreeMap<&'static str, Degradation>>);

impl Degradations {
    /// Notes that something does not work.
    pub(crate) fn raise(&self, name: &'static str, reason: impl Into<String>, cure: &str) {
        let (reason, cure) = (reason.into(), cure.to_owned());
        tracing::warn!(name, reason, cure, "degraded");
        self.0.lock().insert(name, Degradation { name: name.to_owned(), reason, cure });
    }

    /// Notes that it works again.
    pub(crate) fn clear(&self, name: &'static str) {
        if self.0.lock().remove(name).is_some() {
            tracing::info!(name, "recovered");
        }
    }

    pub(crate) fn list(&self) -> Vec<Degradation> {
        self.0.lock().values().cloned().collect()
    }
}
