//! One client's session, from its first packet to its goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use steadycast_codec_glue::wire::{
    self, ClientMessage, Code, RelayMessage, ResumeSecret, Role, Status,
};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use wtransport::endpoint::{IncomingSessionFuture, SessionRequest};
use wtransport::{Connection, VarInt};

use super::control::{ControlReader, ControlWriter, ReadError};
use super::shard::Shard;
use super::{Parts, RelayClock, Settings, player, publisher};
use crate::auth::{Origins, TokenSigner, random};
use crate::broadcast::{Broadcast, Registry, RelayTime};

/// What all sessions share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) clock: RelayClock,
    pub(super) registry: Arc<Registry>,
    pub(super) tokens: Arc<TokenSigner>,
    pub(super) origins: Origins,
    pub(super) shutdown: CancellationToken,
    /// Numbers given to sessions so far.
    pub(super) numbers: AtomicU64,
    /// Sessions past their handshake.
    pub(super) established: AtomicUsize,
}

/// A client that has said hello and may be here.
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) connection: Connection,
    pub(super) reader: ControlReader,
    pub(super) writer: ControlWriter,
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) resume: Option<ResumeSecret>,
    /// The version that is spoken (PROTOCOL 2.11).
    pub(super) version: u16,
}

/// Why a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    /// The reason.
    pub(super) code: Code,
    /// What the client is told; `None` when it has left already.
    pub(super) tell: Option<String>,
}

impl Ending {
    /// The relay ends it and says why.
    pub(super) fn because(code: Code, why: impl ToString) -> Self {
        Self {
            code,
            tell: Some(why.to_string()),
        }
    }

    /// The client has left, or cannot be reached.
    pub(super) fn left(code: Code) -> Self {
        Self { code, tell: None }
    }

    /// The connection has ended by itself.
    pub(super) fn of(connection: &Connection) -> Self {
        match connection.quic_connection().close_reason() {
            Some(quinn::ConnectionError::TimedOut) => Self::left(Code::Silent),
            _ => Self::left(Code::Done),
        }
    }

    /// What reading the control stream ended with.
    pub(super) fn from_read(error: ReadError, connection: &Connection) -> Self {
        match error {
            ReadError::Ended => Self::of(connection),
            ReadError::Wire(error) => Self::because(error.code(), error),
        }
    }

    /// A second bidirectional stream (PROTOCOL 1.2).
    pub(super) fn second_control_stream() -> Self {
        Self::because(Code::UnexpectedStream, "there is one control stream")
    }

    /// The broadcast is over for this client.
    pub(super) fn over(code: Code) -> Self {
        let why = match code {
            Code::Superseded => "another publisher has taken over",
            Code::HeldTooLong => "no publisher came back in time",
            _ => "the broadcast has ended",
        };
        Self::because(code, why)
    }

    /// The relay stops, or restarts.
    pub(super) fn shutting_down() -> Self {
        Self::because(Code::ShuttingDown, "the relay is stopping")
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve(incoming: quinn::Incoming, shard: Arc<Shard>) {
    let shared = &shard.shared;
    let request = IncomingSessionFuture::with_quic_incoming(incoming);
    let request = match timeout(shared.settings.connect_timeout, request).await {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => return tracing::debug!(%error, "a connection that became no session"),
        Err(_) => return tracing::debug!("a connection without a session request in time"),
    };
    let Some(connection) = admit(request, shared).await else {
        return;
    };
    let number = shared.numbers.fetch_add(1, Ordering::Relaxed) + 1;
    let span = tracing::info_span!("session", number);
    shared.established.fetch_add(1, Ordering::Relaxed);
    greet(connection, number, &shard).instrument(span).await;
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
            origin = request.origin(),
            "session from an origin that is not allowed"
        );
        let _ = timeout(patience, request.forbidden()).await;
        return None;
    }
    match timeout(patience, request.accept()).await {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a session that could not be accepted");
            None
        }
        Err(_) => None,
    }
}

/// Reads the hello, and serves what it asks for or says why not.
async fn greet(connection: Connection, number: u64, shard: &Arc<Shard>) {
    let shared = &shard.shared;
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
            run(role, session, shard).await
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
    tracing::info!(broadcast = %claims.broadcast, ?role, agent, version, "session");
    Ok((version, role, broadcast, resume))
}

fn unspoken(version: u16) -> Ending {
    let (oldest, newest) = (wire::MIN_VERSION, wire::VERSION);
    let why = format!("this relay speaks versions {oldest} to {newest}, not {version}");
    Ending::because(Code::UnsupportedVersion, why)
}

async fn run(role: Role, session: Session, shard: &Arc<Shard>) -> Ending {
    match role {
        Role::Publisher => publisher::run(session, &shard.shared).await,
        Role::Player => player::run(session, shard).await,
    }
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            settings: parts.settings,
            clock: parts.clock,
            registry: parts.registry,
            tokens: parts.tokens,
            origins: parts.origins,
            shutdown: parts.shutdown,
            numbers: AtomicU64::new(0),
            established: AtomicUsize::new(0),
        }
    }

    /// Sessions past their handshake.
    pub(super) fn established(&self) -> usize {
        self.established.load(Ordering::Relaxed)
    }

    /// A secret that nobody can guess.
    pub(super) fn secret(&self) -> Result<ResumeSecret, Ending> {
        random()
            .map(ResumeSecret)
            .map_err(|error| Ending::because(Code::Internal, error))
    }
}

impl Session {
    /// The first message to the client.
    pub(super) fn welcome(
        &self,
        resume: Option<ResumeSecret>,
        heartbeat: Duration,
        status: Status,
        now: RelayTime,
    ) -> RelayMessage {
        RelayMessage::Welcome {
            version: self.version,
            session: self.number,
            broadcast: self.broadcast.id().to_string(),
            resume,
            heartbeat_ms: heartbeat.as_millis() as u32,
            relay_us: now.as_micros(),
            status,
        }
    }

    /// Says goodbye as `ending` wants and closes.
    pub(super) async fn part(mut self, ending: &Ending) {
        part(ending, &mut self.writer, &self.connection, self.number).await;
    }
}

/// How long a client has to close after it was told goodbye (PROTOCOL 2.8).
const PARTING: Duration = Duration::from_millis(500);

async fn part(ending: &Ending, writer: &mut ControlWriter, connection: &Connection, number: u64) {
    if let Some(why) = &ending.tell {
        let goodbye = RelayMessage::Goodbye {
            code: ending.code.number(),
            message: shortened(why),
            retry_after_ms: retry_after(ending.code, number),
        };
        let told = timeout(PARTING, writer.send(&goodbye)).await;
        writer.finish();
        if matches!(told, Ok(Ok(()))) {
            let _ = timeout(PARTING, connection.closed()).await;
        }
    }
    close(connection, ending.code);
}

/// Spread over a second by session, so that not all come back at once.
fn retry_after(code: Code, number: u64) -> Option<u32> {
    let spread = (number % 8) as u32 * 100;
    match code {
        Code::TooMany => Some(5000 + spread),
        code if code.retries() => Some(200 + spread),
        _ => None,
    }
}

/// Cuts `why` to what a goodbye may carry, at a character's boundary.
fn shortened(why: &str) -> String {
    why[..why.floor_char_boundary(wire::limits::GOODBYE_TEXT)].to_owned()
}

fn close(connection: &Connection, code: Code) {
    connection.close(
        VarInt::from_u32(code.number().into()),
        code.name().as_bytes(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_goodbye_is_cut_between_characters() {
        assert!(shortened(&"ä".repeat(200)).len() <= wire::limits::GOODBYE_TEXT);
    }

    #[test]
    fn only_some_goodbyes_invite_back() {
        assert!(retry_after(Code::ShuttingDown, 3).is_some());
        assert!(retry_after(Code::Superseded, 3).is_none());
    }
}
