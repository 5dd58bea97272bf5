//! A relay's shard with one WebRTC player, and the path between them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rtc_crypto::default_provider;
use rtc_srtp::protection_profile::ProtectionProfile;
use steadycast_codec_glue::wire::Role;
use steadycast_lab::Ways;
use tokio::sync::watch;

use super::tcp::{self, Tcp};
use super::{Publisher, Viewer};
use crate::broadcast::{Broadcast, Description, Moment, Registry, RelayTime, Settings};
use crate::delivery::{Channel, Limits};
use crate::path::Model;
use crate::shard::{Remote, Wire};
use crate::webrtc::egress::carrier::{Egress, FramePacker};
use crate::webrtc::egress::packets::Packetizer;
use crate::webrtc::egress::sender::Sender;
use crate::webrtc::egress::trial::session_keys;
use crate::webrtc::ice::Credentials;
use crate::webrtc::rtcp::Feedback;
use crate::webrtc::sdp::{Media, Offer, offers};
use crate::webrtc::session::link::Path;
use crate::webrtc::session::{Ice, Session, SessionId};
use crate::webrtc::srtp::{Incoming, Keys, Outgoing};
use crate::webrtc::tcp::Outlet;

/// IP and UDP headers.
const HEADERS: usize = 28;
/// What a player says takes about so many bytes.
const SAID: usize = 120;

#[derive(Debug, Clone)]
enum Packet {
    Media(Vec<u8>),
    Said(Arc<Feedback>),
    Tcp(u64),
}

/// A socket that keeps what is sent.
#[derive(Default)]
pub(super) struct Socket(Mutex<Vec<Vec<u8>>>);

impl Wire for Socket {
    async fn send(&self, to: SocketAddr, from: Option<IpAddr>, packets: &[u8], size: usize) {
        let _ = self.send_now(to, from, packets, size);
    }

    fn send_now(
        &self,
        _: SocketAddr,
        _: Option<IpAddr>,
        packets: &[u8],
        size: usize,
    ) -> io::Result<()> {
        let mut kept = self.0.lock();
        kept.extend(packets.chunks(size).map(<[u8]>::to_vec));
        Ok(())
    }

    fn most(&self, size: usize) -> usize {
        size * 16
    }
}

pub(super) struct World {
    zero: Instant,
    now: Duration,
    path: steadycast_lab::Path<Packet>,
    broadcast: Arc<Broadcast>,
    channel: Channel<Egress<Socket>>,
    socket: Arc<Socket>,
    player: Option<usize>,
    join: Duration,
    pub(super) publisher: Publisher,
    pub(super) viewer: Viewer,
    tcp: Option<(Tcp, Duration)>,
    /// What waits in the path's queue, each 10 ms, in seconds.
    pub(super) queue: Vec<f64>,
    /// Bytes of media and of TCP that have arrived in each second.
    pub(super) arrived: Vec<[u64; 2]>,
    /// Bytes of media that were sent.
    pub(super) sent: u64,
}

impl World {
    /// A player that comes at `join`, when there has just been a keyframe.
    pub(super) fn new(ways: &Ways, seed: u64, join: Duration) -> Self {
        let zero = Instant::now();
        let registry = Registry::new(Settings::default());
        let began = relay_time(Duration::ZERO);
        let broadcast = registry.create("lab".parse().unwrap(), Description::default(), began);
        let broadcast = broadcast.unwrap();
        let begin = join.saturating_sub(Duration::from_millis(200));
        let publisher = Publisher::new(&broadcast, begin, began);
        let packer = FramePacker::new(Arc::new(Packetizer::default()));
        let limits = Limits {
            stall: Duration::from_secs(10),
        };
        Self {
            zero,
            now: Duration::ZERO,
            path: steadycast_lab::Path::new(ways, seed),
            channel: Channel::new(&broadcast, packer, limits),
            broadcast,
            socket: Arc::default(),
            player: None,
            join,
            publisher,
            viewer: Viewer::new(keys().1, join),
            tcp: None,
            queue: Vec::new(),
            arrived: Vec::new(),
            sent: 0,
        }
    }

    /// With a download beside, from `begin` on.
    pub(super) fn with_download(mut self, begin: Duration) -> Self {
        self.tcp = Some((Tcp::new(), begin));
        self
    }

    pub(super) fn counters(&self) -> &steadycast_lab::Counters {
        self.path.down.counters()
    }

    /// The model of the player's path.
    pub(super) fn model(&mut self) -> Option<Model> {
        let egress = self.channel.carrier(self.player?)?;
        egress.control.model().cloned()
    }

    pub(super) fn run(&mut self, until: Duration) {
        while self.now < until {
            self.step();
            let look = Duration::from_millis(10 * self.queue.len() as u64);
            if look <= self.now {
                let rate = self.path.down.shape().rate;
                let backlog = self.path.down.backlog();
                let waits = rate.map_or(0.0, |rate| rate.takes(backlog).as_secs_f64());
                self.queue.push(waits);
                continue;
            }
            self.now = self.due().min(look).min(until).max(self.now);
        }
    }

    fn due(&self) -> Duration {
        let coming = Some(self.join).filter(|_| self.player.is_none());
        let viewer = self.player.map(|_| self.viewer.due());
        let channel = self.channel.deadline();
        let channel = channel.map(|due| due.saturating_duration_since(self.zero));
        let tcp = self.tcp.as_ref().map(|(tcp, begin)| tcp.due().max(*begin));
        let all = [self.path.next_due(), coming, viewer, channel, tcp];
        let all = all.into_iter().flatten();
        all.fold(self.publisher.next, Duration::min)
    }

    fn moment(&self) -> Moment {
        Moment {
            relay: relay_time(self.now),
            instant: self.zero + self.now,
        }
    }

    fn step(&mut self) {
        let now = self.now;
        self.arrivals();
        if self.publisher.next <= now {
            self.publisher.publish(relay_time(now));
            self.channel.wake();
        }
        if self.player.is_none() && self.join <= now {
            self.join();
        }
        if self.player.is_some() {
            while let Some(said) = self.viewer.poll(now) {
                self.path.up.send(now, SAID, Packet::Said(Arc::new(said)));
            }
        }
        let moment = self.moment();
        if self
            .channel
            .deadline()
            .is_some_and(|due| due <= moment.instant)
        {
            self.channel.pass_time(moment);
        }
        while self.channel.advance(moment, 16) {}
        assert_eq!(self.channel.take_over(), []);
        for datagram in std::mem::take(&mut *self.socket.0.lock()) {
            let bytes = datagram.len() + HEADERS;
            self.sent += bytes as u64;
            self.path.down.send(now, bytes, Packet::Media(datagram));
        }
        if let Some((tcp, _)) = self.tcp.as_mut().filter(|(_, begin)| *begin <= now) {
            tcp.timeout(now);
            while let Some(number) = tcp.send(now) {
                self.path.down.send(now, tcp::PACKET, Packet::Tcp(number));
            }
        }
    }

    fn arrivals(&mut self) {
        let now = self.now;
        while let Some(arrival) = self.path.down.poll(now) {
            let second = now.as_secs() as usize;
            self.arrived
                .resize(self.arrived.len().max(second + 1), [0; 2]);
            match arrival.packet {
                Packet::Media(datagram) => {
                    self.arrived[second][0] += arrival.bytes as u64;
                    self.viewer.take(now, &datagram);
                }
                Packet::Tcp(number) => {
                    self.arrived[second][1] += arrival.bytes as u64;
                    self.path.up.send(now, 40, Packet::Tcp(number));
                }
                Packet::Said(_) => {}
            }
        }
        while let Some(arrival) = self.path.up.poll(now) {
            match arrival.packet {
                Packet::Said(said) => self.hear(&said),
                Packet::Tcp(number) => {
                    if let Some((tcp, _)) = &mut self.tcp {
                        tcp.acked(now, number);
                    }
                }
                Packet::Media(_) => {}
            }
        }
    }

    fn join(&mut self) {
        let seat = self.broadcast.attach_player().unwrap();
        let offer: Offer = Offer::parse(offers::of("chromium-player"), Role::Player).unwrap();
        let media = Media {
            ssrc: 7,
            rtx_ssrc: 8,
            sound_ssrc: 9,
        };
        let path = Path {
            remote: Remote::udp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9)),
            local: None,
        };
        let egress = Egress::new(
            session(&self.broadcast, &offer),
            Arc::new(Outlet::new(self.socket.clone())),
            path,
            keys().0,
            (Sender::new(&offer, media, [0, 0]), None),
            self.zero + self.now,
        );
        self.player = Some(self.channel.join(seat, |_| egress));
    }

    /// What a shard does with a player's word.
    fn hear(&mut self, said: &Feedback) {
        let now = self.moment();
        let player = self.player.unwrap();
        let egress = self.channel.carrier(player).unwrap();
        let stuck = egress.is_stuck(said, now.instant);
        egress.take_feedback(said, now);
        if stuck && egress.may_begin_again(now.instant) {
            self.channel.restart(player, now);
        }
        self.channel.ready(player);
    }
}

fn relay_time(now: Duration) -> RelayTime {
    RelayTime::from_micros(1_000_000) + now
}

/// What the relay sends with, and what opens that.
fn keys() -> (Outgoing, Incoming) {
    let profile = ProtectionProfile::AeadAes128Gcm;
    let provider = default_provider().unwrap();
    Keys::of(profile, session_keys(profile))
        .contexts(provider)
        .unwrap()
}

fn session(broadcast: &Arc<Broadcast>, offer: &Offer) -> Arc<Session> {
    Arc::new(Session {
        id: SessionId("lab".into()),
        broadcast: broadcast.clone(),
        record: crate::records::any_record(Role::Player),
        role: Role::Player,
        number: 1,
        ice: Mutex::new(Ice {
            names: Vec::new(),
            current: Credentials::of("ufrag", "password"),
            remote: offer.credentials.clone(),
            generation: 1,
        }),
        over: watch::Sender::new(None),
        frames_sent: AtomicU64::new(0),
        listeners: watch::Sender::new(0),
        codecs: offer.codecs(),
        path: Mutex::default(),
        meter: Mutex::default(),
    })
}
