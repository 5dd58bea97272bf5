//! From a connection's first packet to its session.

use std::sync::Arc;

use tokio::time::timeout;
use wtransport::Connection;
use wtransport::endpoint::{IncomingSessionFuture, SessionRequest};

use crate::broadcast::BroadcastId;
use crate::excerpt::{excerpt, excerpt_of};
use crate::metrics::Handshake;
use crate::session::{Local, Shared};

/// Serves one connection until it ends.
pub(super) async fn serve(connecting: quinn::Connecting, local: Arc<Local<Connection>>) {
    let shared = &local.shared;
    let request = IncomingSessionFuture::with_quic_connecting(connecting);
    let request = match timeout(shared.settings.connect_timeout, request).await {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => {
            let error = excerpt_of(&error);
            return tracing::debug!(error, "a connection that became no session");
        }
        Err(_) => return tracing::debug!("a connection without a session request in time"),
    };
    let Some((connection, named)) = admit(request, shared).await else {
        return;
    };
    shared.records.metrics().handshake(Handshake::Completed);
    local.serve(connection, named.as_ref()).await;
}

/// Checks path and origin (PROTOCOL 1.1). Rejections wait for the client's ack, so not for long.
/// Gives the broadcast that the path names as well, if it names one.
async fn admit(
    request: SessionRequest,
    shared: &Shared,
) -> Option<(Connection, Option<BroadcastId>)> {
    let patience = shared.settings.connect_timeout;
    let Some(named) = named(request.path()) else {
        let _ = timeout(patience, request.not_found()).await;
        return None;
    };
    let allowed = shared
        .origins
        .allow_session(request.origin(), request.authority());
    if !allowed {
        tracing::info!(
            origin = request.origin().map(excerpt),
            "session from an origin that is not allowed"
        );
        let _ = timeout(patience, request.forbidden()).await;
        return None;
    }
    match timeout(patience, request.accept()).await {
        Ok(Ok(connection)) => Some((connection, named)),
        Ok(Err(error)) => {
            let error = excerpt_of(&error);
            tracing::debug!(error, "a session that could not be accepted");
            None
        }
        Err(_) => None,
    }
}

/// The broadcast that a session's path names, if it names one; `None`: it is no session's path.
fn named(path: &str) -> Option<Option<BroadcastId>> {
    match path.strip_prefix("/session")? {
        "" => Some(None),
        rest => rest.strip_prefix('/')?.parse().ok().map(Some),
    }
}
