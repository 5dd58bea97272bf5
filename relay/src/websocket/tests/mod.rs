//! A player's carrier over a WebSocket, as the player sees it.

mod pipe;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use qmux::{Config, Protocol, RecvStream, Session, Version};
use steadycast_codec_glue::wire::{
    Code, FrameHeader, GROUP_STREAM, SoundPacket, TrackId, decode_sound,
};
use tokio::sync::Notify;
use web_transport_trait::{RecvStream as _, Session as _};

use self::pipe::{Pipe, pair};
use super::acks::SEGMENT;
use super::ear::{Datagrams, Encoder};
use super::transport::{LONGEST_MESSAGE, WebSocketTransport};
use super::{Fault, Flow, GroupStreams};
use crate::broadcast::{Moment, RelayTime};
use crate::delivery::{Carrier, Place, Rush, Sent, Sounder};

/// A player's session, seen from both ends.
struct Scene {
    carrier: GroupStreams,
    flow: Arc<Flow>,
    woken: Arc<Woken>,
    player: Session,
    mute: Arc<std::sync::atomic::AtomicBool>,
}

#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

fn config() -> Config {
    let mut config = Config::new(Version::QMux02);
    config.protocol = Protocol::Negotiated("steadycast".into());
    config
}

fn now() -> Moment {
    Moment {
        relay: RelayTime::default(),
        instant: Instant::now(),
    }
}

impl Scene {
    async fn new() -> Self {
        let (here, there) = pair();
        let mute = there.mute.clone();
        let flow = Arc::new(Flow::new(Instant::now()));
        let transport = WebSocketTransport::new(here, flow.clone());
        let other = WebSocketTransport::new(there, Arc::new(Flow::new(Instant::now())));
        let (session, player) = tokio::join!(
            Session::accept(transport, config()),
            Session::connect(other, config())
        );
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let carrier = GroupStreams::new(session.unwrap(), flow.clone(), waker, (1 << 20, 9));
        Self {
            carrier,
            flow,
            woken,
            player: player.unwrap(),
            mute,
        }
    }

    /// Begins a group with a keyframe of so many bytes.
    fn open(&mut self, group: u32, len: usize) -> Vec<Bytes> {
        let pieces = frame(group, len);
        self.carrier.open();
        self.carrier.queue(&pieces, Rush::CatchingUp);
        pieces
    }

    /// Sends until nothing waits.
    async fn send_all(&mut self) {
        while self.carrier.send(now()).unwrap() == Sent::Blocked {
            self.woken.0.notified().await;
        }
    }

    /// Waits until something is so.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let waits = async {
            while !is_so(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits)
            .await
            .unwrap();
    }
}

/// Bytes of the decoder config, which nobody here reads.
const CONFIG: usize = 20;

/// A keyframe of so many bytes behind its header, in two pieces.
fn frame(group: u32, len: usize) -> Vec<Bytes> {
    let header = FrameHeader {
        keyframe: true,
        refinement: false,
        sealed: false,
        track: TrackId::MAIN,
        layer: 0,
        epoch: 1,
        group,
        index: 0,
        capture_us: 0,
        payload_len: u32::try_from(len - CONFIG).unwrap(),
        config_len: CONFIG as u16,
        colour: None,
    };
    let mut fixed = BytesMut::new();
    header.encode(&mut fixed);
    let payload = (0..len).map(|at| at as u8).collect::<Vec<_>>();
    vec![fixed.freeze(), payload.into()]
}

/// Everything on a stream until it ends, or why it was cut off.
async fn read(mut stream: RecvStream) -> Result<Bytes, qmux::Error> {
    let mut all = BytesMut::new();
    while let Some(chunk) = stream.read_chunk(usize::MAX).await? {
        all.put(chunk);
    }
    Ok(all.freeze())
}

/// What a whole group is on its stream.
fn on_stream(pieces: &[Bytes]) -> Vec<u8> {
    let mut all = vec![GROUP_STREAM];
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    all
}

#[tokio::test]
async fn a_group_arrives_whole_and_is_known_to_have_arrived() {
    let mut scene = Scene::new().await;
    let pieces = scene.open(1, 200_000);
    assert_eq!(scene.carrier.backlog().keyframe_left, usize::MAX);
    let player = scene.player.clone();
    let reads = tokio::spawn(async move { read(player.accept_uni().await.unwrap()).await });
    scene.send_all().await;
    scene
        .until(|scene| scene.carrier.backlog().keyframe_left == 0)
        .await;
    assert!(scene.carrier.round_trip().is_some());
    // The next one ends it.
    scene.open(2, 1_000);
    scene.send_all().await;
    assert_eq!(reads.await.unwrap().unwrap(), on_stream(&pieces));
}

#[tokio::test]
async fn no_more_is_on_its_way_than_a_path_may_have_of_which_nothing_is_heard() {
    let mut scene = Scene::new().await;
    scene.mute.store(true, Ordering::Relaxed);
    scene.open(1, 500_000);
    let mut sent = scene.carrier.send(now()).unwrap();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        sent = scene.carrier.send(now()).unwrap();
    }
    assert_eq!(sent, Sent::Blocked);
    let (in_flight, window) = scene.flow.read(|acks| (acks.in_flight(), acks.window()));
    assert!(
        in_flight > window - 2 * SEGMENT && in_flight < window + SEGMENT,
        "{in_flight} of {window}"
    );
    assert!(scene.carrier.unheard_since(Instant::now()).is_some());
    assert!(scene.carrier.backlog().keyframe_left > 450_000);
    // Sound would only wait.
    let sound = Encoder.sound(&packet(1));
    let mut heard = 0;
    while scene.carrier.hear(&sound, Place::Alone, now()) {
        heard += 1;
        tokio::task::yield_now().await;
    }
    assert!((1..200).contains(&heard), "{heard}");
}

#[tokio::test]
async fn a_group_that_is_cut_ends_with_its_reason_and_takes_back_what_waits() {
    let mut scene = Scene::new().await;
    scene.open(1, 500_000);
    while scene.flow.read(|acks| acks.written_of(0)) == 0 {
        assert_eq!(scene.carrier.send(now()), Ok(Sent::Blocked));
        tokio::task::yield_now().await;
    }
    scene.carrier.cut();
    assert_eq!(scene.carrier.backlog().unsent, 0);
    let pieces = scene.open(2, 2_000);
    scene.send_all().await;
    let first = scene.player.accept_uni().await.unwrap();
    let reason = read(first).await.unwrap_err();
    assert!(
        matches!(reason, qmux::Error::StreamReset(code) if code.into_inner() == u64::from(Code::Skipped.number())),
        "{reason}"
    );
    let mut second = scene.player.accept_uni().await.unwrap();
    let chunk = second.read_chunk(usize::MAX).await.unwrap().unwrap();
    assert_eq!(chunk[..], on_stream(&pieces)[..chunk.len()]);
}

fn packet(sequence: u32) -> SoundPacket {
    SoundPacket {
        begins: sequence == 1,
        sealed: false,
        epoch: 1,
        sequence,
        capture_us: 5,
        repeats: Vec::new(),
        frame: Bytes::from(vec![0xf8; 80]),
    }
}

#[tokio::test]
async fn sound_arrives_as_it_was_said() {
    let mut scene = Scene::new().await;
    for sequence in 1..=50 {
        let sound: Datagrams = Encoder.sound(&packet(sequence));
        assert!(scene.carrier.hear(&sound, Place::Alone, now()));
        let datagram = scene.player.recv_datagram().await.unwrap();
        let heard = decode_sound(&datagram).unwrap().unwrap();
        assert_eq!((heard.sequence, heard.frame.len()), (sequence, 80));
    }
}

#[tokio::test]
async fn bytes_without_meaning_go_out_as_datagrams_and_show_what_the_path_carries() {
    let mut scene = Scene::new().await;
    let before = scene.flow.read(|acks| acks.datagrams());
    scene.carrier.fill(10_000, Instant::now());
    while let Some(due) = scene.carrier.due() {
        tokio::time::sleep_until(due.into()).await;
        scene.carrier.pass_time(now());
    }
    scene
        .until(|scene| scene.flow.read(|acks| acks.in_flight()) == 0)
        .await;
    let sent = scene.flow.read(|acks| acks.datagrams()) - before;
    assert!((10..=21).contains(&sent), "{sent}");
}

/// Says something to a relay that awaits a session, and gives what it has against that.
async fn blamed(message: Message) -> Option<Fault> {
    let (here, mut there): (Pipe, Pipe) = pair();
    let flow = Arc::new(Flow::new(Instant::now()));
    let session = Session::accept(WebSocketTransport::new(here, flow.clone()), config());
    there.send(message).await.unwrap();
    let session = tokio::time::timeout(Duration::from_secs(5), session).await;
    assert!(session.unwrap().is_err());
    // It hears that it broke the rules, and then nothing more.
    let heard = there.collect::<Vec<_>>().await;
    assert!(
        matches!(heard.last(), Some(Ok(Message::Close(_)))),
        "{heard:?}"
    );
    flow.why()
}

#[tokio::test]
async fn what_no_end_of_this_protocol_says_ends_the_session_and_is_named() {
    assert_eq!(blamed(Message::text("hello")).await, Some(Fault::Text));
    let long = LONGEST_MESSAGE + 1;
    let oversized = Message::Binary(vec![0; long].into());
    assert_eq!(blamed(oversized).await, Some(Fault::Oversized(long)));
    let pong = Message::Pong(Bytes::copy_from_slice(&u64::MAX.to_be_bytes()));
    let fault = blamed(pong).await;
    assert!(matches!(fault, Some(Fault::Unsent(_))), "{fault:?}");
}

#[tokio::test]
async fn pongs_that_answer_nothing_are_overheard() {
    let (here, mut there) = pair();
    let flow = Arc::new(Flow::new(Instant::now()));
    let transport = WebSocketTransport::new(here, flow.clone());
    let pong = Message::Pong(Bytes::from_static(b"keep-alive"));
    there.send(pong).await.unwrap();
    let other = WebSocketTransport::new(there, Arc::new(Flow::new(Instant::now())));
    let (session, player) = tokio::join!(
        Session::accept(transport, config()),
        Session::connect(other, config())
    );
    assert!(session.is_ok() && player.is_ok());
    assert_eq!(flow.why(), None);
}
