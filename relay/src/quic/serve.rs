//! From a connection's first packet to its goodbye.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use steadycast_codec_glue::wire::{self, ClientMessage, Code, ResumeSecret, Role};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;
use wtransport::Connection;
use wtransport::endpoint::{IncomingSessionFuture, SessionRequest};

use super::control::{ControlReader, ControlWriter};
use super::ending::{Ending, close, part};
use super::local::Local;
use super::session::{Session, Shared};
use super::{player, publisher};
use crate::auth::{Power, Transport, Visit};
use crate::broadcast::{Broadcast, BroadcastId};
use crate::events::SessionFacts;
use crate::excerpt::{excerpt, excerpt_of};
use crate::metrics::Handshake;
use crate::records::Record;

/// Serves one connection until it ends.
pub(super) async fn serve(connecting: quinn::Connecting, local: Arc<Local>) {
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
    let number = shared.gate.number();
    let span = tracing::info_span!("session", number);
    shared.established.fetch_add(1, Ordering::Relaxed);
    shared.records.metrics().handshake(Handshake::Completed);
    greet(connection, named.as_ref(), number, &local)
        .instrument(span)
        .await;
    shared.established.fetch_sub(1, Ordering::Relaxed);
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

/// Reads the hello, and serves what it asks for or says why not.
async fn greet(
    connection: Connection,
    named: Option<&BroadcastId>,
    number: u64,
    local: &Arc<Local>,
) {
    let shared = &local.shared;
    let deadline = Instant::now() + shared.settings.hello_timeout;
    let Ok(Ok((send, recv))) = timeout_at(deadline, connection.accept_bi()).await else {
        tracing::debug!("no control stream in time");
        close(&connection, Code::HelloTimeout);
        return;
    };
    let mut reader = ControlReader::new(recv);
    let mut writer = ControlWriter::new(send, shared.settings.player_stall);
    let hello = match timeout_at(deadline, reader.next()).await {
        Ok(hello) => hello.map_err(|error| Ending::from_read(error, &connection)),
        Err(_) => Err(Ending::because(Code::HelloTimeout, "no Hello in time")),
    };
    let visit = Visit {
        number,
        transport: Transport::WebTransport,
        from: connection.remote_address().ip(),
        since: shared.clock.now(),
    };
    let role = match &hello {
        Ok(ClientMessage::Hello { role, .. }) => Some(*role),
        _ => None,
    };
    let admitted = match hello {
        Ok(hello) => authorize(hello, named, visit, shared).await,
        Err(ending) => Err(ending),
    };
    let refused = |code| {
        let publishes = role == Some(Role::Publisher);
        let facts = publishes.then(|| stranger(&visit));
        shared.records.refused(code, facts);
    };
    let ending = match admitted {
        Err(ending) => {
            tracing::info!(code = %ending.code, why = ending.tell, "session refused");
            refused(ending.code);
            part(&ending, &mut writer, &connection, number).await;
            return;
        }
        Ok(admitted) => {
            writer.speaks(admitted.version);
            let session = Session {
                number,
                connection: connection.clone(),
                reader,
                writer,
                broadcast: admitted.broadcast,
                resume: admitted.resume,
                version: admitted.version,
            };
            let ending = run(session, &admitted.record, local).await;
            admitted.record.end(ending.code);
            if !admitted.record.has_begun() {
                refused(ending.code);
            }
            ending
        }
    };
    tracing::info!(code = %ending.code, why = ending.tell, "session ended");
}

/// Who said hello, and what it wants.
struct Admitted {
    version: u16,
    record: Record,
    broadcast: Arc<Broadcast>,
    resume: Option<ResumeSecret>,
}

/// Checks a hello against PROTOCOL 1.4, 2.4, 2.11 and 6.
async fn authorize(
    hello: ClientMessage,
    named: Option<&BroadcastId>,
    visit: Visit,
    shared: &Shared,
) -> Result<Admitted, Ending> {
    let ClientMessage::Hello {
        version: newest,
        role,
        token,
        agent,
        resume,
    } = hello
    else {
        return Err(Ending::because(Code::OutOfOrder, "Hello comes first"));
    };
    let version = wire::agree(newest).ok_or_else(|| unspoken(newest))?;
    let pass = shared
        .gate
        .admit(&token, role, named, visit)
        .await
        .map_err(|refusal| Ending::because(refusal.code(), refusal))?;
    let broadcast = shared
        .registry
        .find(pass.broadcast())
        .ok_or_else(|| Ending::because(Code::UnknownBroadcast, "there is no such broadcast"))?;
    let agent = excerpt(&agent);
    tracing::info!(broadcast = %pass.broadcast(), ?role, agent, version, "session");
    Ok(Admitted {
        version,
        record: shared.records.open(pass),
        broadcast,
        resume,
    })
}

/// Somebody of whom nothing is known but that they wanted to publish.
fn stranger(visit: &Visit) -> SessionFacts {
    SessionFacts {
        number: Some(visit.number),
        role: Power::Publish,
        transport: visit.transport.name(),
        address: visit.from,
        subject: None,
        name: None,
        token_id: None,
    }
}

fn unspoken(version: u16) -> Ending {
    let (oldest, newest) = (wire::MIN_VERSION, wire::VERSION);
    let why = format!("this relay speaks versions {oldest} to {newest}, not {version}");
    Ending::because(Code::UnsupportedVersion, why)
}

async fn run(session: Session, record: &Record, local: &Arc<Local>) -> Ending {
    match record.pass().role() {
        Role::Publisher => publisher::run(session, record, &local.shared).await,
        Role::Player => player::run(session, record, local).await,
    }
}
