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
use crate::broadcast::Broadcast;
use crate::excerpt::{excerpt, excerpt_of};

/// Serves one connection until it ends.
pub(super) async fn serve(incoming: quinn::Incoming, local: Arc<Local>) {
    let shared = &local.shared;
    let request = IncomingSessionFuture::with_quic_incoming(incoming);
    let request = match timeout(shared.settings.connect_timeout, request).await {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => {
            let error = excerpt_of(&error);
            return tracing::debug!(error, "a connection that became no session");
        }
        Err(_) => return tracing::debug!("a connection without a session request in time"),
    };
    let Some(connection) = admit(request, shared).await else {
        return;
    };
    let number = shared.numbers.fetch_add(1, Ordering::Relaxed) + 1;
    let span = tracing::info_span!("session", number);
    shared.established.fetch_add(1, Ordering::Relaxed);
    greet(connection, number, &local).instrument(span).await;
    shared.established.fetch_sub(1, Ordering::Relaxed);
}

/// Checks path and origin (PROTOCOL 1.1). Rejections wait for the client's ack, so not for long.
async fn admit(request: SessionRequest, shared: &Shared) -> Option<Connection> {
    let patience = shared.settings.connect_timeout;
    if request.path() != "/session" {
        let _ = timeout(patience, request.not_found()).await;
        return None;
    }
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
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            let error = excerpt_of(&error);
            tracing::debug!(error, "a session that could not be accepted");
            None
        }
        Err(_) => None,
    }
}

/// Reads the hello, and serves what it asks for or says why not.
async fn greet(connection: Connection, number: u64, local: &Arc<Local>) {
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
    let admitted = hello.and_then(|hello| authorize(hello, shared));
    let ending = match admitted {
        Err(ending) => {
            tracing::info!(code = %ending.code, why = ending.tell, "session refused");
            part(&ending, &mut writer, &connection, number).await;
            return;
        }
        Ok((version, role, broadcast, resume)) => {
            writer.speaks(version);
            let session = Session {
                number,
                connection: connection.clone(),
                reader,
                writer,
                broadcast,
                resume,
                version,
            };
            run(role, session, local).await
        }
    };
    tracing::info!(code = %ending.code, why = ending.tell, "session ended");
}

/// Checks a hello against PROTOCOL 1.4, 2.4, 2.11 and 6; gives the version that is spoken as well.
fn authorize(
    hello: ClientMessage,
    shared: &Shared,
) -> Result<(u16, Role, Arc<Broadcast>, Option<ResumeSecret>), Ending> {
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
    let claims = shared
        .tokens
        .verify(&token, shared.clock.now())
        .map_err(|error| Ending::because(error.code(), error))?;
    if claims.role != role {
        return Err(Ending::because(
            Code::WrongRole,
            "the token is for another role",
        ));
    }
    let broadcast = shared
        .registry
        .find(&claims.broadcast)
        .ok_or_else(|| Ending::because(Code::UnknownBroadcast, "there is no such broadcast"))?;
    let agent = excerpt(&agent);
    tracing::info!(broadcast = %claims.broadcast, ?role, agent, version, "session");
    Ok((version, role, broadcast, resume))
}

fn unspoken(version: u16) -> Ending {
    let (oldest, newest) = (wire::MIN_VERSION, wire::VERSION);
    let why = format!("this relay speaks versions {oldest} to {newest}, not {version}");
    Ending::because(Code::UnsupportedVersion, why)
}

async fn run(role: Role, session: Session, local: &Arc<Local>) -> Ending {
    match role {
        Role::Publisher => publisher::run(session, &local.shared).await,
        Role::Player => player::run(session, local).await,
    }
}
