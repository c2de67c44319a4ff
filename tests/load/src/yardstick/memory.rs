//! What the yardstick keeps in memory: agents under a lock, and the queues of the open sockets.

use bytestring::ByteString;
use orchestrator_protocol::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Frames that a socket's queue holds: so many that none is ever dropped. Room is only taken when it is used.
const QUEUE: usize = 65_536;

/// An agent with the fields that the real list shows.
#[derive(Debug, Serialize)]
pub(crate) struct Agent {
    pub(crate) agent_id: String,
    pub(crate) status: String,
    pub(crate) current_task: Option<String>,
    /// Text already: formatting it for each answer would only make the yardstick look worse.
    pub(crate) last_activity: String,
    pub(crate) workload: f64,
    pub(crate) capabilities: Vec<String>,
    pub(crate) role: Option<String>,
    pub(crate) workspace: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) connections: u32,
}

/// The queue of an open socket.
pub(crate) type Queue = (u64, mpsc::Sender<ByteString>);

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) agents: Mutex<BTreeMap<String, Agent>>,
    sockets: Mutex<Arc<Vec<Queue>>>,
    count: AtomicU64,
}

impl Memory {
    /// Numbers for sockets, messages and events.
    pub(crate) fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes an agent's status; false when it is not registered.
    pub(crate) fn update(&self, id: &str, status: String, task: Option<String>, workload: f64) -> bool {
        let mut agents = self.agents.lock();
        let Some(agent) = agents.get_mut(id) else { return false };
        agent.status = status;
        agent.current_task = task;
        agent.workload = workload;
        true
    }

    /// Opens a queue.
    pub(crate) fn join(&self, id: u64) -> mpsc::Receiver<ByteString> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Arc::make_mut(&mut *self.sockets.lock()).push((id, sender));
        receiver
    }

    /// Drops a queue.
    pub(crate) fn leave(&self, id: u64) {
        Arc::make_mut(&mut *self.sockets.lock()).retain(|(socket, _)| *socket != id);
    }

    /// All open queues.
    pub(crate) fn queues(&self) -> Arc<Vec<Queue>> {
        self.sockets.lock().clone()
    }
}

/// Now, as the wire shows it.
pub(crate) fn now() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or_default()).to_string()
}
