//! From an upgraded connection to its session, on a shard.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::ws::WebSocket;
use parking_lot::RwLock;
use qmux::Session;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::flow::Flow;
use super::link::Socket;
use super::stranger::{Guarded, Known};
use super::transport::WebSocketTransport;
use super::upgrade::terms;
use crate::broadcast::BroadcastId;
use crate::excerpt::{excerpt, excerpt_of};
use crate::session::{Local, Shared};
use crate::shard::{AddressShare, Moving};

/// Where WebSockets come in from HTTP: the shards take them in turn.
pub(crate) struct Entrance {
    shared: Arc<Shared>,
    shards: RwLock<Vec<Served>>,
    turn: AtomicUsize,
}

/// A shard, where its share of the sessions is served.
#[derive(Clone)]
struct Served {
    runtime: Handle,
    local: Arc<Local<Socket>>,
}

/// Why somebody does not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Pages of its origin may not (PROTOCOL 1.1).
    #[error("pages of this origin may not open sessions here")]
    Origin,
    /// The relay has as many sessions as it may have.
    #[error("the relay is full")]
    Full,
    /// The client's network has as many as it may have.
    #[error("there are too many sessions from this address")]
    Crowded,
    /// The relay is about to end.
    #[error("the relay is stopping")]
    Stopping,
}

/// A client's place among the sessions.
pub(crate) struct Admission {
    address: IpAddr,
    _share: AddressShare,
    _counted: TaskTrackerToken,
}

/// How a client has come.
pub(crate) struct Arrival {
    /// The broadcast that it has come for, if its path names one.
    pub(crate) named: Option<BroadcastId>,
    /// Has its connection move to the shard, where it is the session's own.
    pub(crate) moving: Option<Moving>,
}

impl Entrance {
    /// Without shards: nobody is served until there are some.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            shards: RwLock::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// What its sessions share with all others.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// This shard takes its share from now on. Call it within the shard's runtime.
    pub(crate) fn open(&self) {
        self.shards.write().push(Served {
            runtime: Handle::current(),
            local: Arc::new(Local::new(self.shared.clone())),
        });
    }

    /// Gives a client a place that has come from `address`, by a page of `origin`, to the host `authority`.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        origin: Option<&str>,
        authority: &str,
    ) -> Result<Admission, Refused> {
        let Shared {
            settings,
            origins,
            shutdown,
            addresses,
            sessions,
            ..
        } = &*self.shared;
        if shutdown.is_cancelled() {
            return Err(Refused::Stopping);
        }
        if !origins.allow_session(origin, authority) {
            let origin = origin.map(excerpt);
            tracing::info!(origin, "session from an origin that is not allowed");
            return Err(Refused::Origin);
        }
        if sessions.len() >= settings.sessions {
            tracing::warn!(
                sessions = sessions.len(),
                "refused a session: the relay is full"
            );
            return Err(Refused::Full);
        }
        let share = addresses
            .admit(address, settings.sessions_per_address)
            .ok_or(Refused::Crowded)?;
        Ok(Admission {
            address,
            _share: share,
            _counted: sessions.token(),
        })
    }

    /// Serves a client on a shard, until its session has ended; dropping this ends it at once.
    pub(crate) async fn serve(&self, socket: WebSocket, admission: Admission, arrival: Arrival) {
        let Some(Served { runtime, local }) = self.next() else {
            return;
        };
        let session =
            runtime.spawn(async move { converse(socket, admission, arrival, &local).await });
        // Fails where the shard has ended.
        let _ = AbortOnDropHandle::new(session).await;
    }

    fn next(&self) -> Option<Served> {
        let shards = self.shards.read();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = shards.len().max(1);
        shards.get(turn % count).cloned()
    }
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards = self.shards.read().len();
        f.debug_struct("Entrance").field("shards", &shards).finish()
    }
}

async fn converse(
    socket: WebSocket,
    admission: Admission,
    Arrival { named, moving }: Arrival,
    local: &Arc<Local<Socket>>,
) {
    if let Some(moving) = moving {
        moving.begin();
    }
    let flow = Arc::new(Flow::new(Instant::now()));
    let known = Known::default();
    let socket = Guarded::new(socket, flow.clone(), known.clone());
    let transport = WebSocketTransport::new(socket, flow.clone());
    let session = match Session::accept(transport, terms(&local.shared.settings)).await {
        Ok(session) => session,
        Err(error) => {
            let error = excerpt_of(&error);
            return tracing::debug!(error, "a WebSocket that became no session");
        }
    };
    let link = Socket {
        session,
        flow,
        known,
        address: admission.address,
    };
    local.serve(link, named.as_ref()).await;
}
