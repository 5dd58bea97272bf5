//! Who gets in, and how all leave.

use std::sync::Arc;
use std::time::Duration;

use quinn::VarInt;
use wtransport::Connection;

use super::Endpoint;
use super::serve::serve;
use crate::metrics::Handshake;
use crate::session::Local;
use crate::shard::DRAIN;

/// The QUIC sessions of a shard.
pub(crate) struct Sessions {
    quic: quinn::Endpoint,
    endpoint: Endpoint,
    local: Arc<Local<Connection>>,
}

impl Sessions {
    pub(super) fn new(quic: quinn::Endpoint, endpoint: Endpoint) -> Self {
        let local = Arc::new(Local::new(endpoint.shared.clone()));
        Self {
            quic,
            endpoint,
            local,
        }
    }

    /// Serves until the shutdown and until the sessions have parted.
    pub(crate) async fn run(self) {
        let shutdown = self.endpoint.shared.shutdown.clone();
        loop {
            tokio::select! {
                incoming = self.quic.accept() => match incoming {
                    Some(incoming) => self.admit(incoming),
                    None => break,
                },
                () = shutdown.cancelled() => break,
            }
        }
        self.drain().await;
    }

    fn admit(&self, incoming: quinn::Incoming) {
        let shared = &self.endpoint.shared;
        let (settings, sessions) = (&shared.settings, &shared.sessions);
        let count = |result| shared.records.metrics().handshake(result);
        let under_way = self.quic.open_connections().max(sessions.len());
        if under_way >= settings.sessions {
            tracing::warn!(
                sessions = under_way,
                "refused a connection: the relay is full"
            );
            count(Handshake::Refused);
            incoming.refuse();
            return;
        }
        let pending = sessions.len().saturating_sub(shared.established());
        if pending > settings.retry_above
            && !incoming.remote_address_validated()
            && incoming.may_retry()
        {
            // Fails only where `may_retry` is false.
            count(Handshake::Retried);
            let _ = incoming.retry();
            return;
        }
        let address = incoming.remote_address().ip();
        let Some(share) = shared
            .addresses
            .admit(address, settings.sessions_per_address)
        else {
            tracing::debug!("refused a connection: its address has too many");
            count(Handshake::Refused);
            incoming.refuse();
            return;
        };
        count(Handshake::Begun);
        let connecting = match incoming.accept_with(self.endpoint.config_for(share)) {
            Ok(connecting) => connecting,
            Err(error) => return tracing::debug!(%error, "a connection that did not begin"),
        };
        sessions.spawn(serve(connecting, self.local.clone()));
    }

    async fn drain(&self) {
        let sessions = &self.endpoint.shared.sessions;
        sessions.close();
        if tokio::time::timeout(DRAIN, sessions.wait()).await.is_err() {
            tracing::warn!(
                sessions = sessions.len(),
                "sessions that did not part in time"
            );
        }
        self.quic.close(VarInt::from_u32(0), b"");
        let _ = tokio::time::timeout(Duration::from_secs(1), self.quic.wait_idle()).await;
    }
}
