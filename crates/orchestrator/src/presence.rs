//! When agents were last heard of: derived from their traffic, never stored.

use orchestrator_protocol::{AgentId, Timestamp};
use papaya::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One agent's signs of life.
#[derive(Debug)]
pub struct Presence {
    id: AgentId,
    epoch: Instant,
    /// Milliseconds after the epoch.
    last: AtomicU64,
    /// Wall clock, for people.
    label: AtomicI64,
    silenced: AtomicBool,
    connections: AtomicU32,
}

impl Presence {
    /// Notes a sign of life. True when the agent was offline for its silence, so that its return must be recorded.
    pub fn touch(&self, now: Timestamp) -> bool {
        let elapsed = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
        self.label.store(now.0, Ordering::Relaxed);
        self.silenced.load(Ordering::Relaxed)
    }

    /// When it was last heard of, as a label.
    #[must_use]
    pub fn last_activity(&self) -> Timestamp {
        Timestamp(self.label.load(Ordering::Relaxed))
    }

    /// Its open sockets.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// A socket was opened.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A socket was closed.
    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    fn silent_for(&self) -> Duration {
        let elapsed = self.epoch.elapsed();
        elapsed.saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}

/// All agents' signs of life.
#[derive(Debug)]
pub(crate) struct Presences {
    epoch: Instant,
    by_key: HashMap<String, Arc<Presence>>,
}

impl Presences {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now(), by_key: HashMap::new() }
    }

    /// The presence of an agent, made when it is new.
    pub(crate) fn of(&self, id: &AgentId, now: Timestamp) -> Arc<Presence> {
        let make = || {
            Arc::new(Presence {
                id: id.clone(),
                epoch: self.epoch,
                last: AtomicU64::new(u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(0)),
                label: AtomicI64::new(now.0),
                silenced: AtomicBool::new(false),
                connections: AtomicU32::new(0),
            })
        };
        self.by_key.pin().get_or_insert_with(id.key(), make).clone()
    }

    /// Looks at the presence behind a key, without a copy.
    pub(crate) fn with<T>(&self, key: &str, look: impl FnOnce(Option<&Presence>) -> T) -> T {
        look(self.by_key.pin().get(key).map(Arc::as_ref))
    }

    pub(crate) fn get(&self, id: &AgentId) -> Option<Arc<Presence>> {
        self.by_key.pin().get(&id.key()).cloned()
    }

    /// Notes that an agent is offline for its silence, or no longer.
    pub(crate) fn set_silenced(&self, id: &AgentId, silenced: bool, now: Timestamp) {
        self.of(id, now).silenced.store(silenced, Ordering::Relaxed);
    }

    /// The agents that were silent for longer than their term and are not yet known to be offline.
    pub(crate) fn overdue(&self, silence: Duration) -> Vec<AgentId> {
        let guard = self.by_key.pin();
        let overdue = guard
            .values()
            .filter(|presence| !presence.silenced.load(Ordering::Relaxed) && presence.silent_for() > silence);
        overdue.map(|presence| presence.id.clone()).collect()
    }

    /// Drops an agent that left.
    pub(crate) fn forget(&self, id: &AgentId) {
        let guard = self.by_key.pin();
        // A socket may still hold it; then it stays until the next registration takes it up again.
        if guard.get(&id.key()).is_some_and(|presence| presence.connections() == 0) {
            guard.remove(&id.key());
        }
    }
}
