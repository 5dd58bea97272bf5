//! Clients of the relay, honest and otherwise: everything goes over real sessions.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use quinn::VarInt;
use steadycast_codec_glue::wire::{
    ClientMessage, Code, CodecKind, DecoderConfig, FrameHeader, GROUP_STREAM, HEADER_LEN, Phase,
    RelayMessage, ResumeSecret, Role, Serving, Status, TrackId, VERSION, decode_relay,
    encode_client,
};
use tokio::runtime::Handle;
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Endpoint};

use crate::picture::Picture;
pub use crate::publisher::Publisher;
pub use crate::session::{Carrier, Connection, Input, Output, Reset};
use crate::websocket;

/// How long anything may take before a scenario gives up: far longer than it ever takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that a client takes without reading them: few, so that one that does not read is soon full.
const RECEIVE_WINDOW: u32 = 512 << 10;

/// Awaits `future`, but not for ever.
///
/// # Errors
/// When it takes longer than [`PATIENCE`].
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .with_context(|| format!("waited in vain for {what}"))
}

/// How to reach a relay.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address.
    pub address: SocketAddr,
    /// SHA-256 of its certificate.
    pub certificate: [u8; 32],
    /// What sessions are opened over.
    pub carrier: Carrier,
}

impl Target {
    /// The same relay over this carrier.
    #[must_use]
    pub fn over(&self, carrier: Carrier) -> Self {
        Self {
            carrier,
            ..self.clone()
        }
    }
}

/// What clients do on their own runs on one thread. wtransport writes an HTTP/3 frame in pieces and reads
/// the first bytes of each stream in a task of its own: on several threads a frame may go out in several
/// packets, and a relay's wtransport loses what has come of one when anything else comes meanwhile; and of
/// two streams that come together the later one may be handed out first.
#[expect(
    clippy::expect_used,
    reason = "a test without clients has nothing to go on with"
)]
static CLIENTS: LazyLock<Handle> = LazyLock::new(|| {
    let (send, handle) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime of clients");
        send.send(runtime.handle().clone()).expect("somebody waits");
        runtime.block_on(std::future::pending::<()>());
    });
    handle.recv().expect("the thread of clients")
});

/// Opens a session, with `origin` as a browser would send it.
///
/// # Errors
/// When the relay refuses.
pub async fn connect(target: &Target, path: &str, origin: Option<&str>) -> Result<Connection> {
    match target.carrier {
        Carrier::WebTransport => over_quic(target, path, origin)
            .await
            .map(Connection::WebTransport),
        Carrier::WebSocket => {
            let session = websocket::connect(target, path, origin, RECEIVE_WINDOW.into());
            soon("a session", session).await?.map(Connection::from)
        }
    }
}

async fn over_quic(
    target: &Target,
    path: &str,
    origin: Option<&str>,
) -> Result<wtransport::Connection> {
    let mut config = ClientConfig::builder()
        .with_bind_default()
        .with_server_certificate_hashes([Sha256Digest::new(target.certificate)])
        .build();
    let mut transport = quinn::TransportConfig::default();
    transport.receive_window(VarInt::from_u32(RECEIVE_WINDOW));
    config.quic_config_mut().transport_config(transport.into());
    let url = format!("https://localhost:{}{path}", target.address.port());
    let mut request = wtransport::endpoint::ConnectOptions::builder(url);
    if let Some(origin) = origin {
        request = request.add_header("origin", origin);
    }
    let request = request.build();
    let session = async move {
        let endpoint = Endpoint::client(config)?;
        anyhow::Ok(endpoint.connect(request).await?)
    };
    soon("a session", CLIENTS.spawn(session)).await??
}

/// The control stream of a session.
pub struct Control {
    /// The session.
    pub connection: Connection,
    /// The version that its hello offers.
    pub version: u16,
    send: Output,
    recv: Input,
    buffer: BytesMut,
}

impl Control {
    /// Opens a session and its control stream, without saying anything.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn open(target: &Target) -> Result<Self> {
        Self::on(connect(target, "/session", None).await?).await
    }

    /// Opens the control stream of a session.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn on(connection: impl Into<Connection>) -> Result<Self> {
        let connection = connection.into();
        let (send, recv) = connection.open_bi().await?;
        Ok(Self {
            connection,
            version: VERSION,
            send,
            recv,
            buffer: BytesMut::new(),
        })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn send(&mut self, message: &ClientMessage) -> Result<()> {
        self.send_raw(&encode_client(message)?).await
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the relay does not take them.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        soon("the relay to read", self.send.write_all(bytes)).await??;
        Ok(())
    }

    /// The next message of the relay. Cancel-safe.
    ///
    /// # Errors
    /// When the stream ends, or the bytes are not a message.
    pub async fn next(&mut self) -> Result<RelayMessage> {
        loop {
            if let Some(prefix) = self.buffer.first_chunk::<2>() {
                let length = usize::from(u16::from_be_bytes(*prefix));
                if self.buffer.len() >= 2 + length {
                    self.buffer.advance(2);
                    match decode_relay(&self.buffer.split_to(length))? {
                        Some(message) => return Ok(message),
                        None => continue,
                    }
                }
            }
            let chunk = self.recv.read_chunk(65_536).await?;
            let chunk = chunk.context("the control stream has ended")?;
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// The next message that `pick` takes.
    ///
    /// # Errors
    /// As [`Control::next`], and when none comes.
    pub async fn find<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&RelayMessage) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                if let Some(found) = pick(&self.next().await?) {
                    return Ok(found);
                }
            }
        };
        soon(what, search).await?
    }

    /// The relay's goodbye: its code, and whether it invites back.
    ///
    /// # Errors
    /// When none comes.
    pub async fn goodbye(&mut self) -> Result<(Code, bool)> {
        let (code, again) = self
            .find("a goodbye", |message| match message {
                RelayMessage::Goodbye {
                    code,
                    retry_after_ms,
                    ..
                } => Some((*code, retry_after_ms.is_some())),
                _ => None,
            })
            .await?;
        Ok((Code::from_number(code).context("an unknown code")?, again))
    }

    /// The next status of `phase`.
    ///
    /// # Errors
    /// When none comes.
    pub async fn phase(&mut self, phase: Phase) -> Result<Status> {
        self.find("a status", |message| match message {
            RelayMessage::Status { status } if status.phase == phase => Some(*status),
            _ => None,
        })
        .await
    }

    /// The next word on what this player is served.
    ///
    /// # Errors
    /// When none comes.
    pub async fn serving(&mut self) -> Result<Serving> {
        self.find("what is served", |message| match message {
            RelayMessage::Serving { serving } => Some(*serving),
            _ => None,
        })
        .await
    }

    /// The next word on which renditions this publisher is to send: codecs and their players.
    ///
    /// # Errors
    /// When none comes.
    pub async fn renditions(&mut self) -> Result<Vec<(CodecKind, u32)>> {
        self.find("renditions", |message| match message {
            RelayMessage::Tracks { wanted } => {
                Some(wanted.iter().map(|r| (r.codec, r.players)).collect())
            }
            _ => None,
        })
        .await
    }

    /// The next keyframe request.
    ///
    /// # Errors
    /// When none comes.
    pub async fn keyframe_request(&mut self) -> Result<TrackId> {
        self.find("a keyframe request", |message| match message {
            RelayMessage::KeyframeRequest { track } => Some(*track),
            _ => None,
        })
        .await
    }

    /// A ping and its pong: everything sent before has been handled when it returns.
    ///
    /// # Errors
    /// When no pong comes.
    pub async fn ping(&mut self) -> Result<()> {
        let ping = ClientMessage::Ping {
            sequence: 1,
            sent_us: 2,
        };
        self.send(&ping).await?;
        self.find("a pong", |message| {
            matches!(message, RelayMessage::Pong { .. }).then_some(())
        })
        .await
    }

    /// Waits until the session is closed.
    ///
    /// # Errors
    /// When it stays open.
    pub async fn closed(&self) -> Result<()> {
        soon("the session to close", self.connection.closed()).await
    }

    /// Says hello and awaits the welcome.
    ///
    /// # Errors
    /// With the code, when the relay says goodbye instead.
    pub async fn hello(
        &mut self,
        role: Role,
        token: &str,
        resume: Option<ResumeSecret>,
    ) -> Result<Welcome> {
        let mut hello = hello(role, token, resume);
        if let ClientMessage::Hello { version, .. } = &mut hello {
            *version = self.version;
        }
        self.send(&hello).await?;
        match soon("a welcome", self.next()).await?? {
            RelayMessage::Welcome {
                version,
                broadcast,
                resume,
                status,
                ..
            } => Ok(Welcome {
                version,
                broadcast,
                resume,
                status,
            }),
            RelayMessage::Goodbye { code, .. } => {
                bail!("{}", Code::from_number(code).context("code")?)
            }
            other => bail!("{other:?} instead of a welcome"),
        }
    }
}

/// A hello of this version.
pub fn hello(role: Role, token: &str, resume: Option<ResumeSecret>) -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        role,
        token: token.to_owned(),
        agent: "scenario".to_owned(),
        resume,
    }
}

/// What a welcome says.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// The version that is spoken.
    pub version: u16,
    /// The broadcast.
    pub broadcast: String,
    /// What a publisher resumes with.
    pub resume: Option<ResumeSecret>,
    /// How the broadcast is doing.
    pub status: Status,
}

/// A frame as a player gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The fixed part.
    pub header: FrameHeader,
    /// The decoder config of a keyframe.
    pub config: Option<DecoderConfig>,
    /// The payload.
    pub payload: Bytes,
}

impl Received {
    /// Epoch, group and index.
    pub fn place(&self) -> (u32, u32, u32) {
        (self.header.epoch, self.header.group, self.header.index)
    }

    /// Track, group and index.
    pub fn track_place(&self) -> (TrackId, u32, u32) {
        (self.header.track, self.header.group, self.header.index)
    }

    /// Whether the payload is the one that the frame was sent with.
    pub fn is_intact(&self) -> bool {
        let (epoch, group, index) = self.place();
        let sent = Picture {
            track: self.header.track,
            epoch,
            group,
            index,
            len: self.payload.len(),
            ..Picture::default()
        };
        sent.payload() == self.payload
    }
}

/// An honest player.
pub struct Player {
    /// Its control stream.
    pub control: Control,
    /// What it was welcomed with.
    pub welcome: Welcome,
    group: Option<Input>,
    /// Streams that the relay cut off.
    pub cut: u32,
}

impl Player {
    /// Joins the broadcast of `token`.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn join(target: &Target, token: &str) -> Result<Self> {
        Self::greet(Control::open(target).await?, token).await
    }

    /// Joins the broadcast of `token` on a session that is open.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn greet(mut control: Control, token: &str) -> Result<Self> {
        let welcome = control.hello(Role::Player, token, None).await?;
        Ok(Self {
            control,
            welcome,
            group: None,
            cut: 0,
        })
    }

    /// Says what it can decode.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn decodes(&mut self, codecs: &[CodecKind]) -> Result<()> {
        let codecs = codecs.iter().copied().collect();
        self.control.send(&ClientMessage::Decodes { codecs }).await
    }

    /// The next frame.
    ///
    /// # Errors
    /// When none comes, or the relay breaks the protocol.
    pub async fn frame(&mut self) -> Result<Received> {
        soon("a frame", self.next_frame()).await?
    }

    /// Takes no more of the group that it reads.
    pub fn stop(&mut self) {
        if let Some(stream) = self.group.take() {
            stream.stop();
        }
    }

    async fn next_frame(&mut self) -> Result<Received> {
        let connection = &self.control.connection;
        next_frame(connection, &mut self.group, &mut self.cut).await
    }

    /// Its control stream and its frames, for two that read them at once.
    pub fn split(self) -> (Control, Frames) {
        let frames = Frames {
            connection: self.control.connection.clone(),
            group: self.group,
            cut: self.cut,
        };
        (self.control, frames)
    }
}

/// The frames of a player whose control stream somebody else reads.
pub struct Frames {
    connection: Connection,
    group: Option<Input>,
    /// Streams that the relay cut off.
    pub cut: u32,
}

impl Frames {
    /// The next frame, however long it takes. Not cancel-safe.
    ///
    /// # Errors
    /// When the session ends, or the relay breaks the protocol.
    pub async fn next(&mut self) -> Result<Received> {
        next_frame(&self.connection, &mut self.group, &mut self.cut).await
    }
}

async fn next_frame(
    connection: &Connection,
    group: &mut Option<Input>,
    cut: &mut u32,
) -> Result<Received> {
    loop {
        let Some(stream) = group else {
            let mut stream = connection.accept_uni().await?;
            match read_kind(&mut stream).await {
                Ok(()) => *group = Some(stream),
                Err(error) => expect_cut(&error, cut)?,
            }
            continue;
        };
        match read_frame(stream).await {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => *group = None,
            Err(error) => {
                expect_cut(&error, cut)?;
                *group = None;
            }
        }
    }
}

fn expect_cut(error: &anyhow::Error, cut: &mut u32) -> Result<()> {
    match error.downcast_ref() {
        Some(Reset(Some(Code::Skipped))) => {
            *cut += 1;
            Ok(())
        }
        _ => bail!("{error:#}"),
    }
}

async fn read_kind(stream: &mut Input) -> Result<()> {
    let mut kind = [0];
    ensure!(fill(stream, &mut kind).await?, "an empty stream");
    ensure!(kind[0] == GROUP_STREAM, "a stream that is no group");
    Ok(())
}

/// One frame of a group stream; `None` at its end.
async fn read_frame(stream: &mut Input) -> Result<Option<Received>> {
    let mut fixed = [0; HEADER_LEN];
    if !fill(stream, &mut fixed).await? {
        return Ok(None);
    }
    let header = FrameHeader::decode(&fixed)?;
    let mut config = vec![0; header.config_len.into()];
    let mut payload = vec![0; header.payload_len as usize];
    ensure!(fill(stream, &mut config).await?, "cut in the config");
    ensure!(fill(stream, &mut payload).await?, "cut in the payload");
    let config = match header.keyframe {
        true => Some(DecoderConfig::decode(&config)?),
        false => None,
    };
    Ok(Some(Received {
        header,
        config,
        payload: payload.into(),
    }))
}

async fn fill(stream: &mut Input, buffer: &mut [u8]) -> Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]).await? {
            Some(read) => filled += read,
            None if filled == 0 => return Ok(false),
            None => bail!("the group ends inside a frame"),
        }
    }
    Ok(true)
}
