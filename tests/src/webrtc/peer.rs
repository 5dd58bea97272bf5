//! The loop that moves packets between a socket and `str0m`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaData, MediaKind, Mid};
use str0m::net::Receive;
use str0m::rtp::{Extension, RawPacket};
use str0m::{Event, Input, Output, Rtc, RtcConfig};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::network::Network;
use super::session::{Endpoint, Session, SoundOffer};
use crate::client::soon;
use crate::coded::Kind;

/// The largest UDP datagram.
const DATAGRAM: usize = 65_535;

/// What a peer has heard.
#[derive(Debug)]
pub(super) enum Heard {
    Connected,
    Frame(Box<MediaData>),
    Sound(Box<MediaData>),
    KeyframeRequest,
    Closed,
}

/// What is done with a peer, between two packets.
pub(super) type Act = Box<dyn FnOnce(&mut Rtc) + Send>;

/// A datagram as it was on the wire.
type Datagram = Vec<u8>;

enum Command {
    Act(Act),
    Send(Datagram),
}

/// The header of a packet of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rtp {
    /// Its source.
    pub ssrc: u32,
    /// What it carries.
    pub payload_type: u8,
    /// Its number.
    pub sequence: u16,
    /// Its time, in 1/90,000 s; of sound in 1/48,000 s.
    pub timestamp: u32,
    /// Whether it is a frame's last.
    pub marker: bool,
    /// Bytes of the payload.
    pub len: usize,
    /// Whether it says that pictures may be shown at once.
    pub at_once: bool,
}

#[derive(Debug, Default)]
struct Log {
    relay: Option<SocketAddr>,
    received: Vec<Rtp>,
    sent: Vec<Datagram>,
}

/// A peer and the session that it was opened with.
pub struct Peer {
    /// Over HTTP.
    pub session: Session,
    /// Payload types of what is sent again.
    pub retransmissions: Vec<u8>,
    pub(super) mid: Mid,
    /// The section of sound, where it was offered.
    pub(super) sound: Option<Mid>,
    heard: mpsc::UnboundedReceiver<Heard>,
    commands: mpsc::UnboundedSender<Command>,
    log: Arc<Mutex<Log>>,
    _task: AbortOnDropHandle<()>,
}

fn config(endpoint: &Endpoint) -> RtcConfig {
    let has = |kind| endpoint.codecs.contains(&kind);
    let SoundOffer { red, nack } = endpoint.sound.unwrap_or_default();
    let mut config = RtcConfig::new()
        .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
        .clear_codecs()
        .enable_vp8(has(Kind::Vp8))
        .enable_vp9(has(Kind::Vp9))
        .enable_h264(has(Kind::H264))
        .enable_av1(has(Kind::Av1))
        .enable_opus(endpoint.sound.is_some(), red)
        .set_extension(6, Extension::PlayoutDelay)
        .enable_raw_packets(true);
    for params in config.codec_config().iter_mut() {
        if params.spec().codec == Codec::Opus {
            params.set_fb_nack(nack);
        }
    }
    config
}

impl Peer {
    /// Opens a session with an offer that `change` has changed, and begins to connect.
    pub(super) async fn open(
        endpoint: &Endpoint,
        direction: Direction,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let (network, here) = Network::open(endpoint).await?;
        let mut rtc = config(endpoint).build(Instant::now());
        rtc.add_local_candidate(network.candidate(here)?);
        let (mids, mut offer, pending) = offer(&mut rtc, direction, endpoint.sound.is_some())?;
        if endpoint.passive {
            offer = offer.replace("a=setup:actpass", "a=setup:passive");
        }
        let (session, answer) = endpoint.open(&change(offer)).await?;
        let answer = SdpAnswer::from_sdp_string(&answer)?;
        rtc.sdp_api().accept_answer(pending, answer)?;
        let known = rtc.codec_config().params().iter();
        let again = known.filter_map(|params| params.resend());
        let retransmissions = again.map(|number| *number).collect();
        let (tell, heard) = mpsc::unbounded_channel();
        let (commands, commanded) = mpsc::unbounded_channel();
        let log = Arc::new(Mutex::new(Log::default()));
        let driver = Driver {
            rtc,
            here,
            network,
            commanded,
            tell,
            log: log.clone(),
        };
        Ok(Self {
            session,
            retransmissions,
            mid: mids.0,
            sound: mids.1,
            heard,
            commands,
            log,
            _task: AbortOnDropHandle::new(tokio::spawn(driver.run())),
        })
    }

    /// The next thing that it hears and `pick` takes.
    pub(super) async fn find<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(Heard) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                let heard = self.heard.recv().await.context("the peer has ended")?;
                if let Some(found) = pick(heard) {
                    return Ok(found);
                }
            }
        };
        soon(what, search).await?
    }

    /// What it has heard and nobody has asked for yet.
    pub(super) fn waiting(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    /// Waits until it is connected.
    ///
    /// # Errors
    /// When it does not connect.
    pub async fn connected(&mut self) -> Result<()> {
        let connected = |heard| matches!(heard, Heard::Connected).then_some(());
        self.find("a connection", connected).await
    }

    /// Waits until the relay has closed it.
    ///
    /// # Errors
    /// When it stays open.
    pub async fn closed(&mut self) -> Result<()> {
        let closed = |heard| matches!(heard, Heard::Closed).then_some(());
        self.find("the end of the connection", closed).await
    }

    pub(super) fn act(&self, act: impl FnOnce(&mut Rtc) + Send + 'static) {
        // A peer that has ended does nothing any more.
        let _ = self.commands.send(Command::Act(Box::new(act)));
    }

    /// Sends a datagram from the peer's own address.
    pub fn send_raw(&self, datagram: Vec<u8>) {
        // As above.
        let _ = self.commands.send(Command::Send(datagram));
    }

    /// The packets of media that have come, retransmissions under their own numbers.
    pub fn packets(&self) -> Vec<Rtp> {
        self.log.lock().received.clone()
    }

    /// The datagrams that were sent.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.log.lock().sent.clone()
    }

    /// Uses other ICE credentials from now on: its own, and the relay's.
    pub async fn restart_ice(&mut self) -> Result<()> {
        let (ask, told) = tokio::sync::oneshot::channel();
        self.act(|rtc| {
            let _ = ask.send(rtc.direct_api().local_ice_credentials());
        });
        let own = soon("credentials", told).await??;
        let ufrag = format!("{}x", own.ufrag);
        let (theirs, password) = self.session.restart(&ufrag, &own.pass).await?;
        self.act(move |rtc| {
            let mut api = rtc.direct_api();
            api.set_local_ice_credentials(str0m::IceCreds {
                ufrag,
                pass: own.pass,
            });
            api.set_remote_ice_credentials(str0m::IceCreds {
                ufrag: theirs,
                pass: password,
            });
        });
        Ok(())
    }
}

/// The sections of picture and sound.
type Mids = (Mid, Option<Mid>);

fn offer(
    rtc: &mut Rtc,
    direction: Direction,
    sound: bool,
) -> Result<(Mids, String, SdpPendingOffer)> {
    let mut change = rtc.sdp_api();
    let mid = change.add_media(MediaKind::Video, direction, None, None, None);
    let sound = sound.then(|| change.add_media(MediaKind::Audio, direction, None, None, None));
    let (offer, pending) = change.apply().context("nothing is offered")?;
    Ok(((mid, sound), offer.to_sdp_string(), pending))
}

/// Owns the peer's state.
struct Driver {
    rtc: Rtc,
    network: Network,
    here: SocketAddr,
    commanded: mpsc::UnboundedReceiver<Command>,
    tell: mpsc::UnboundedSender<Heard>,
    log: Arc<Mutex<Log>>,
}

impl Driver {
    async fn run(mut self) {
        let mut datagram = vec![0; DATAGRAM];
        // It does nothing by itself before it knows the time.
        while self.pass_time() {
            let Some(until) = self.send().await else {
                break;
            };
            tokio::select! {
                (len, from) = self.network.receive(&mut datagram) => {
                    self.receive(&datagram[..len], from);
                }
                command = self.commanded.recv() => match command {
                    Some(Command::Act(act)) => act(&mut self.rtc),
                    Some(Command::Send(datagram)) => self.send_raw(&datagram).await,
                    None => return,
                },
                () = tokio::time::sleep_until(until.into()) => {}
            }
        }
        self.say(Heard::Closed);
    }

    /// False when it can go on no longer.
    fn pass_time(&mut self) -> bool {
        let now = Input::Timeout(Instant::now());
        self.rtc.handle_input(now).is_ok()
    }

    fn say(&self, heard: Heard) {
        // Who does not listen is not told.
        let _ = self.tell.send(heard);
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr) {
        let received = Receive::new(self.network.protocol(), from, self.here, datagram);
        if let Ok(received) = received {
            // What makes no sense to the implementation is lost.
            let _ = self
                .rtc
                .handle_input(Input::Receive(Instant::now(), received));
        }
    }

    fn record(&self, datagram: &[u8], to: SocketAddr) {
        let mut log = self.log.lock();
        log.relay = Some(to);
        log.sent.push(datagram.to_vec());
    }

    async fn send_raw(&mut self, datagram: &[u8]) {
        let to = self.log.lock().relay;
        if let Some(to) = to {
            self.network.send(datagram, to).await;
        }
    }

    /// Sends what there is to send; gives the time when there is more, `None` at the end.
    async fn send(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output().ok()? {
                Output::Timeout(until) => return self.rtc.is_alive().then_some(until),
                Output::Transmit(transmit) => {
                    let to = transmit.destination;
                    self.record(&transmit.contents, to);
                    self.network.send(&transmit.contents, to).await;
                }
                Output::Event(event) => self.take(event),
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Connected => self.say(Heard::Connected),
            Event::MediaData(data) if data.params.spec().codec == Codec::Opus => {
                self.say(Heard::Sound(Box::new(data)));
            }
            Event::MediaData(data) => self.say(Heard::Frame(Box::new(data))),
            Event::KeyframeRequest(_) => self.say(Heard::KeyframeRequest),
            Event::RawPacket(packet) => {
                if let RawPacket::RtpRx(header, payload) = *packet {
                    let least = Some(str0m::media::MediaTime::ZERO);
                    let values = &header.ext_vals;
                    self.log.lock().received.push(Rtp {
                        ssrc: *header.ssrc,
                        payload_type: *header.payload_type,
                        sequence: header.sequence_number,
                        timestamp: header.timestamp,
                        marker: header.marker,
                        len: payload.len(),
                        at_once: values.play_delay_min == least && values.play_delay_max.is_some(),
                    });
                }
            }
            _ => {}
        }
    }
}
