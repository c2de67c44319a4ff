//! What handlers share.

use crate::openapi::Routes;
use crate::operator::OperatorSecret;
use actix_web::HttpRequest;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use orchestrator::{Actor, Orchestrator};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// What handlers share.
pub(crate) struct Context {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) operator: OperatorSecret,
    pub(crate) shutdown: CancellationToken,
    pub(crate) routes: Routes,
    sockets: AtomicUsize,
}

impl Context {
    pub(crate) fn new(orchestrator: Orchestrator, operator: OperatorSecret, shutdown: CancellationToken) -> Self {
        Self { orchestrator, operator, shutdown, routes: Routes::default(), sockets: AtomicUsize::new(0) }
    }

    /// Who asks: the operator when the secret is shown.
    pub(crate) fn caller(&self, request: &HttpRequest) -> Actor {
        let shown = request.headers().get(OperatorSecret::HEADER).and_then(|value| value.to_str().ok());
        if shown.is_some_and(|shown| self.operator.is(shown)) { Actor::Operator } else { Actor::Anyone }
    }

    pub(crate) fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    pub(crate) fn socket_opened(&self) {
        self.sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_closed(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The recorder of all metrics: one a process, however many servers run in it.
pub(crate) fn metrics_recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
