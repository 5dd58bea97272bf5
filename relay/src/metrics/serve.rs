//! `GET /metrics`, on an address of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::totals::Moment;
use crate::auth::Gate;
use crate::broadcast::Registry as Broadcasts;
use crate::directory::Directory;
use crate::http;
use crate::records::Records;
use crate::shard::Pulse;
use crate::store::Ledger;
use crate::tls::Identities;

/// Connections at once; of more nobody is heard.
const AT_ONCE: usize = 64;
/// How long a connection may last.
const LONGEST: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system has refused to.
const PAUSE: Duration = Duration::from_millis(100);

/// What the figures are read from.
#[derive(Clone)]
pub struct Sources {
    /// What is counted.
    pub records: Arc<Records>,
    /// The broadcasts.
    pub broadcasts: Arc<Broadcasts>,
    /// The sessions.
    pub gate: Arc<Gate>,
    /// The certificate.
    pub identities: Identities,
    /// Which relay has what.
    pub directory: Arc<dyn Directory>,
    /// The broadcasts that are known, wherever they are.
    pub ledger: Arc<Ledger>,
    /// The shards.
    pub(crate) shards: Vec<Pulse>,
}

/// Answers those who collect figures. Nobody is asked for a key here: the address is for this host, or a network of
/// the operator's own.
pub struct MetricsListener {
    tcp: TcpListener,
    router: Router,
}

impl MetricsListener {
    /// Listens at `address`. Call it within a runtime.
    ///
    /// # Errors
    /// When the system refuses the address.
    pub fn bind(address: SocketAddr, sources: Sources) -> std::io::Result<Self> {
        let tcp = std::net::TcpListener::bind(address)?;
        tcp.set_nonblocking(true)?;
        Ok(Self {
            tcp: TcpListener::from_std(tcp)?,
            router: router(sources),
        })
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let stream = tokio::select! {
                accepted = self.tcp.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "metrics: the system refuses a connection");
                        sleep(PAUSE).await;
                        continue;
                    }
                },
                () = shutdown.cancelled() => return,
            };
            // Of more nobody is heard.
            let Ok(place) = room.clone().try_acquire_owned() else {
                continue;
            };
            let service = TowerToHyperService::new(self.router.clone());
            tokio::spawn(async move {
                let _place = place;
                let builder = Builder::new(TokioExecutor::new());
                let served = builder.serve_connection(TokioIo::new(stream), service);
                // Those who collect figures come again.
                let _ = timeout(LONGEST, served).await;
            });
        }
    }
}

impl fmt::Debug for MetricsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsListener").finish_non_exhaustive()
    }
}

/// What it answers.
pub(crate) fn router(sources: Sources) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(sources)
}

async fn metrics(State(sources): State<Sources>, request: HeaderMap) -> Response {
    let identity = sources.identities.borrow().clone();
    let moment = Moment {
        broadcasts: &sources.broadcasts,
        gate: &sources.gate,
        directory: &*sources.directory,
        known: sources.ledger.count(),
        busy: sources.shards.iter().map(Pulse::busy).collect(),
        certificate: identity.map(|identity| identity.not_after()),
    };
    match sources.records.metrics().render(&moment) {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            let plain = || text.clone().into();
            http::text(kind, &request, plain, || {
                http::gzip(&text, Compression::fast())
            })
        }
        Err(error) => {
            tracing::error!(%error, "the figures cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
