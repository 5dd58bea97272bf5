//! `GET /metrics`, on an address of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::totals::Moment;
use crate::auth::Gate;
use crate::broadcast::Registry as Broadcasts;
use crate::records::Records;

/// What the figures are read from.
#[derive(Clone)]
pub struct Sources {
    /// What is counted.
    pub records: Arc<Records>,
    /// The broadcasts.
    pub broadcasts: Arc<Broadcasts>,
    /// The sessions.
    pub gate: Arc<Gate>,
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
            router: Router::new()
                .route("/metrics", get(metrics))
                .with_state(sources),
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
        let served = axum::serve(self.tcp, self.router)
            .with_graceful_shutdown(async move { shutdown.cancelled().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "metrics are not served any more");
        }
    }
}

impl fmt::Debug for MetricsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsListener").finish_non_exhaustive()
    }
}

async fn metrics(State(sources): State<Sources>) -> Response {
    let moment = Moment {
        broadcasts: &sources.broadcasts,
        gate: &sources.gate,
    };
    match sources.records.metrics().render(&moment) {
        Ok(text) => {
            let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (kind, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the figures cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
