//! The server: bound, then run.

use crate::access::AccessRules;
use crate::app;
use crate::context::{Context, metrics_recorder};
use crate::limits::MAX_BODY;
use crate::operator::OperatorSecret;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, HttpServer, web};
use orchestrator::Orchestrator;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt;

/// How a server is bound.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// A loopback address and a port; port 0 takes a free one. `127.0.0.1` brings `[::1]` with it where there is
    /// one, because `localhost` may mean either.
    pub bind: SocketAddr,
    /// Foreign origins whose pages may ask, such as `http://localhost:3000`.
    pub origins: Vec<String>,
    /// What tells the operator.
    pub operator: OperatorSecret,
    /// Threads that serve requests; `None` for one a core.
    pub workers: Option<usize>,
}

/// Why a server could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Reachable from other machines.
    #[error("{0} is not a loopback address; without access tokens only 127.0.0.1 and [::1] are served")]
    NotLoopback(IpAddr),
    /// Taken, or not allowed.
    #[error("failed to listen on {0}: {1}; stop what listens there, or choose another with --bind ADDR:PORT")]
    Listen(SocketAddr, std::io::Error),
}

/// A bound server.
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    orchestrator: Orchestrator,
    options: ServerOptions,
}

impl Server {
    /// Listens. Nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`BindError`] says which address, and why.
    pub fn bind(orchestrator: Orchestrator, options: ServerOptions) -> Result<Self, BindError> {
        let asked = options.bind;
        if !asked.ip().is_loopback() {
            return Err(BindError::NotLoopback(asked.ip()));
        }
        let first = listen(asked)?;
        let address = first.local_addr().map_err(|error| BindError::Listen(asked, error))?;
        let (mut listeners, mut addresses) = (vec![first], vec![address]);
        if asked.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let twin = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), address.port());
            match listen(twin) {
                Ok(listener) => {
                    listeners.push(listener);
                    addresses.push(twin);
                }
                Err(error) => tracing::warn!(%error, "IPv6 loopback is not served"),
            }
        }
        Ok(Self { listeners, addresses, orchestrator, options })
    }

    /// The addresses that are listened on; the first is the one that was asked for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until told to stop, then lets requests end, closes sockets with a code and returns. The
    /// orchestrator is not shut down: that is its owner's to do, afterwards.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn run(self, shutdown: CancellationToken) -> std::io::Result<()> {
        let Self { listeners, addresses, orchestrator, options } = self;
        let port = addresses.first().map_or(0, SocketAddr::port);
        metrics_recorder();
        let rules = web::Data::new(AccessRules::new(port, &options.origins));
        let context = web::Data::new(Context::new(orchestrator, options.operator, shutdown.clone()));
        let workers = options.workers;
        let factory = move || {
            let app = App::new()
                .app_data(context.clone())
                .app_data(rules.clone())
                .app_data(web::PayloadConfig::new(MAX_BODY))
                .into_utoipa_app();
            app::services(app, &context)
                .into_app()
                .wrap(from_fn(app::guard))
                .wrap(Condition::new(!rules.origins().is_empty(), app::cors(&rules)))
        };
        let mut server = HttpServer::new(factory)
            .disable_signals()
            .shutdown_timeout(5)
            .client_request_timeout(Duration::from_secs(10))
            .keep_alive(Duration::from_secs(75));
        if let Some(workers) = workers {
            server = server.workers(workers);
        }
        for listener in listeners {
            server = server.listen(listener)?;
        }
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(async move {
            shutdown.cancelled().await;
            handle.stop(true).await;
        });
        server.await
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listener = TcpListener::bind(address).map_err(|error| BindError::Listen(address, error))?;
    listener.set_nonblocking(true).map_err(|error| BindError::Listen(address, error))?;
    Ok(listener)
}
