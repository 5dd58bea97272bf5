//! The sessions of all shards, as HTTP knows them.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use steadycast_codec_glue::wire::Code;
use tokio::sync::watch;

use super::door::Command;
use super::link::{Link, Pair};
use super::peer::{Newcomer, Peer, Side};
use super::routes::Routes;
use super::table::{Owner, Table};
use super::{Ice, OpenError, Opened, RestartError, Session, SessionId};
use crate::auth::{random, random_text};
use crate::broadcast::{Broadcast, BroadcastId, Incarnation, RelayTime};
use crate::records::Record;
use crate::session::Elsewhere;
use crate::shard::{AddressShare, Addresses};
use crate::webrtc::dtls::{Identity, IdentityError};
use crate::webrtc::egress::packets::Packetizer;
use crate::webrtc::egress::sender::Sender;
use crate::webrtc::egress::sound::SoundSender;
use crate::webrtc::ice::{Check, Credentials, Ufrag};
use crate::webrtc::ingress::upstream::Upstream;
use crate::webrtc::reach::Reach;
use crate::webrtc::sdp::{Answer, Media, Offer, Place, Restarted};
use crate::webrtc::tcp::Arrival;

/// What the bridge may cost, and where it is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach it.
    pub reach: Reach,
    /// Whether clients may come over TCP as well.
    pub tcp: bool,
    /// Sessions in all.
    pub sessions: usize,
    /// Sessions that clients of one address opened (IPv6: one /56).
    pub per_address: usize,
    /// Sessions whose client has not connected yet; of more, one of the most crowded network makes way.
    pub handshakes: usize,
    /// How long a client has to connect.
    pub connect_timeout: Duration,
    /// A session that nothing was heard of for this long is closed.
    pub idle_timeout: Duration,
    /// A player that has acknowledged nothing for this long is closed.
    pub player_stall: Duration,
}

/// Restarts of one session that its shard may not have heard of.
const RESTARTS: usize = 64;

/// Where a request for a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The relay's own address that it came to, where that is known.
    pub came_to: Option<IpAddr>,
}

/// Ends a session that nobody has come to.
fn dismiss(peer: Peer, code: Code) {
    let session = peer.session.clone();
    tracing::debug!(session = session.number, %code, "its client did not connect");
    peer.leave(code);
    session.end(code);
}

/// All WebRTC sessions of a relay.
pub struct Bridge {
    settings: Settings,
    identity: Arc<Identity>,
    table: Mutex<Table>,
    routes: Routes,
    /// How many sessions each network opened.
    networks: Addresses,
    packetizers: Mutex<HashMap<Incarnation, std::sync::Weak<Packetizer>>>,
    /// How many connections have come for sessions.
    connections: AtomicU64,
    /// Who says whether a publisher may come, where that is not known here.
    doorkeeper: OnceLock<Arc<dyn Elsewhere>>,
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

impl Bridge {
    /// A bridge without sessions.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn new(settings: Settings) -> Result<Self, IdentityError> {
        Ok(Self {
            settings,
            identity: Arc::new(Identity::generate()?),
            table: Mutex::default(),
            routes: Routes::default(),
            networks: Addresses::default(),
            packetizers: Mutex::default(),
            connections: AtomicU64::new(0),
            doorkeeper: OnceLock::new(),
        })
    }

    /// Publishers are let in once this says so.
    pub(crate) fn ask_first(&self, doorkeeper: Arc<dyn Elsewhere>) {
        // It is said once, at the start.
        let _ = self.doorkeeper.set(doorkeeper);
    }

    /// Who says whether a publisher may come, where that is not known here.
    pub(in crate::webrtc) fn doorkeeper(&self) -> Option<&Arc<dyn Elsewhere>> {
        self.doorkeeper.get()
    }

    /// The rules.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The shards, and which of them looks after an address.
    pub(in crate::webrtc) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Opens a session for somebody at `from` who wants to watch.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn watch(
        &self,
        broadcast: &Arc<Broadcast>,
        record: Record,
        offer: &Offer,
        from: Origin,
    ) -> Result<Opened, OpenError> {
        let share = self.make_room(from.address)?;
        let mut seat = broadcast.expect_player()?;
        // It has said nothing else before, so that it is heard whenever this is.
        seat.decodes(offer.codecs(), RelayTime::default());
        seat.takes_any_width();
        seat.listen(offer.opus().is_some());
        let now = Instant::now();
        let [a, b, c, d, e, f, g, h, i, j] = random::<10>()?;
        // Never the same.
        let media = Media {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            rtx_ssrc: u32::from_be_bytes([!a, e, f, g]),
            sound_ssrc: u32::from_be_bytes([a ^ 0x55, h, i, j]),
        };
        let [k, l, m, n, o, p] = random::<6>()?;
        let [first, again, other] = [[k, l], [m, n], [o, p]].map(u16::from_be_bytes);
        let sender = Sender::new(offer, media, [first, again]);
        let sound = offer.opus();
        let sound = sound.map(|opus| {
            let sound = SoundSender::new(opus, media.sound_ssrc, other);
            sound.opened_there(offer.carries().is_some())
        });
        let newcomer = Newcomer {
            seat,
            sender,
            sound,
        };
        let side = Side::Expected(Box::new(newcomer));
        self.open(broadcast, offer, (record, share, from), media, side, now)
    }

    /// Opens a session for somebody at `from` who wants to publish. Whoever publishes now goes on until the
    /// newcomer has connected.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn publish(
        &self,
        broadcast: &Arc<Broadcast>,
        record: Record,
        offer: &Offer,
        from: Origin,
    ) -> Result<Opened, OpenError> {
        let share = self.make_room(from.address)?;
        let now = Instant::now();
        let ssrc = u32::from_be_bytes(random()?);
        let side = Side::Publisher(Box::new(Upstream::new(offer, ssrc, broadcast)));
        let media = Media {
            ssrc,
            rtx_ssrc: !ssrc,
            sound_ssrc: !ssrc ^ 1,
        };
        self.open(broadcast, offer, (record, share, from), media, side, now)
    }

    /// Where it is reached now.
    fn place(&self, came_to: Option<IpAddr>) -> Place {
        Place {
            addresses: self.settings.reach.addresses(came_to),
            tcp: self.settings.tcp,
        }
    }

    /// Room for one more session.
    fn make_room(&self, from: IpAddr) -> Result<AddressShare, OpenError> {
        let admitted = self.networks.admit(from, self.settings.per_address);
        let share = admitted.ok_or(OpenError::Crowded)?;
        match self.sessions() >= self.settings.sessions {
            true => Err(OpenError::Full),
            false => Ok(share),
        }
    }

    fn open(
        &self,
        broadcast: &Arc<Broadcast>,
        offer: &Offer,
        (record, share, from): (Record, AddressShare, Origin),
        media: Media,
        side: Side,
        now: Instant,
    ) -> Result<Opened, OpenError> {
        let credentials = Credentials::fresh()?;
        let place = self.place(from.came_to);
        let id = SessionId(random_text()?.into());
        let role = side.role();
        let number = record.pass().number();
        record.begin();
        let session = Arc::new(Session {
            id,
            broadcast: broadcast.clone(),
            record,
            role,
            number,
            ice: Mutex::new(Ice {
                current: credentials.clone(),
                remote: offer.credentials.clone(),
                generation: 1,
                names: vec![credentials.ufrag.clone()],
            }),
            over: watch::Sender::new(None),
            frames_sent: AtomicU64::new(0),
            listeners: watch::Sender::new(0),
            codecs: offer.codecs(),
            path: Mutex::default(),
            meter: Mutex::default(),
        });
        let answer = Answer {
            offer,
            role,
            credentials: &credentials,
            fingerprint: self.identity.fingerprint(),
            place: &place,
            media,
            number,
        }
        .to_string();
        let link = Link::new(
            self.identity.clone(),
            Pair {
                ours: credentials.clone(),
                theirs: offer.credentials.clone(),
            },
            (offer.fingerprint.clone(), offer.setup),
            role,
            now,
        );
        let network = share.network();
        let peer = Box::new(Peer {
            session: session.clone(),
            link,
            side,
            _share: share,
        });
        let until = now + self.settings.connect_timeout;
        let mut table = self.table.lock();
        let gone = table.wait_for(peer, network, until, self.settings.handshakes);
        drop(table);
        if let Some(peer) = gone {
            dismiss(*peer, Code::TooMany);
        }
        Ok(Opened { session, answer })
    }

    /// The session of this name at this broadcast.
    pub fn find(&self, broadcast: &BroadcastId, id: &SessionId) -> Option<Arc<Session>> {
        let table = self.table.lock();
        let found = table.get(id)?;
        (found.broadcast.id() == broadcast).then(|| found.clone())
    }

    /// A client whose request came to that address of the relay's restarts ICE: gives the relay's side of
    /// it as an SDP fragment. `None` when the
    /// client's own side is the one that is known: it restarts nothing.
    ///
    /// # Errors
    /// [`RestartError`]; the session goes on as it was.
    pub fn restart(
        &self,
        session: &Arc<Session>,
        (ufrag, password): (&str, &str),
        came_to: Option<IpAddr>,
    ) -> Result<Option<String>, RestartError> {
        {
            let ice = session.ice.lock();
            if ice.remote.ufrag.as_str() == ufrag {
                return Ok(None);
            }
            // Those that its shard has not heard of yet: it is not told more than it can follow.
            if ice.names.len() > RESTARTS {
                return Err(RestartError::Busy);
            }
        }
        let credentials = Credentials::fresh()?;
        let place = self.place(came_to);
        let remote = Credentials::of(ufrag, password);
        let mut table = self.table.lock();
        table.restart(session, credentials.clone(), remote, &self.routes)?;
        let restarted = Restarted {
            credentials: &credentials,
            place: &place,
        };
        Ok(Some(restarted.to_string()))
    }

    /// Ends a session because its client wants it so.
    pub fn close(&self, session: &Arc<Session>) {
        let waiting = self.table.lock().close(session, &self.routes);
        if let Some(peer) = waiting {
            peer.leave(Code::Done);
        }
        session.end(Code::Done);
    }

    /// The page of a player that opens frames itself asks for a keyframe.
    pub fn plead(&self, session: &Arc<Session>) {
        self.table.lock().plead(session, &self.routes);
    }

    /// Gives up sessions whose client has not come in time, and those of broadcasts that ended.
    pub fn tick(&self) {
        let late = self.table.lock().give_up_late(Instant::now());
        for peer in late {
            let code = peer.session.has_to_end().unwrap_or(Code::Silent);
            dismiss(peer, code);
        }
    }

    /// Gives up sessions whose client has not come: the relay stops.
    pub fn shut_down(&self) {
        let waiting = self.table.lock().give_up_all();
        for peer in waiting {
            dismiss(peer, Code::ShuttingDown);
        }
    }

    /// A connection has come that begins with a check: hands it to the shard of the session. One that is
    /// for no session is closed.
    pub(crate) fn receive(&self, arrival: Arrival) {
        let Some(shard) = self.shard_of(&arrival) else {
            tracing::debug!("closed a connection: its check is for no session");
            return;
        };
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let adopt = Command::Adopt(Box::new(arrival), number);
        self.routes.command(shard, adopt);
    }

    /// The shard whose session a connection is for, or would be.
    pub(in crate::webrtc) fn shard_of(&self, arrival: &Arrival) -> Option<usize> {
        let mut check = Check::parse(&arrival.first).ok()?;
        let shards = self.routes.shards();
        self.table.lock().shard_of(&mut check, shards)
    }

    /// Whose a check is that `shard` does not know.
    pub(in crate::webrtc) fn owner(&self, check: &mut Check, shard: usize) -> Owner {
        self.table.lock().owner(check, shard)
    }

    /// Forgets a session that is over.
    pub(in crate::webrtc) fn forget(&self, peer: &Peer, code: Code) {
        self.table.lock().forget(&peer.session);
        peer.session.end(code);
    }

    /// A session is not known by this name any more.
    pub(in crate::webrtc) fn rename(&self, session: &Session, gone: &Ufrag) {
        self.table.lock().rename(gone);
        session.ice.lock().names.retain(|name| name != gone);
    }

    /// What cuts a broadcast's frames, for all shards.
    pub(in crate::webrtc) fn packetizer(&self, broadcast: &Broadcast) -> Arc<Packetizer> {
        let mut packetizers = self.packetizers.lock();
        if let Some(known) = packetizers
            .get(&broadcast.incarnation())
            .and_then(std::sync::Weak::upgrade)
        {
            return known;
        }
        packetizers.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Packetizer::of(broadcast.account().clone()));
        packetizers.insert(broadcast.incarnation(), Arc::downgrade(&new));
        new
    }

    /// Sessions, those included whose client has not come yet.
    pub fn sessions(&self) -> usize {
        self.table.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::wire::Role;

    use super::*;
    use crate::broadcast::{Description, Registry};
    use crate::records::any_record;
    use crate::webrtc::offers;
    use crate::webrtc::session::door::Door;

    fn bridge() -> Bridge {
        bridge_at(Reach::At(Vec::new()))
    }

    fn bridge_at(reach: Reach) -> Bridge {
        Bridge::new(Settings {
            reach,
            tcp: true,
            sessions: 1,
            per_address: 1,
            handshakes: 1,
            connect_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            player_stall: Duration::ZERO,
        })
        .unwrap()
    }

    /// A restart that HTTP has taken; the shard has a command for it that it has not looked at.
    fn restart(bridge: &Bridge, session: &Arc<Session>, ufrag: &str) {
        let restarted = bridge.restart(session, (ufrag, "a password of the client's"), None);
        assert!(restarted.unwrap().is_some());
    }

    #[test]
    fn a_broadcast_has_nothing_of_one_that_had_its_id_before() {
        let registry = Registry::new(crate::broadcast::Settings::default());
        let create = || {
            let now = RelayTime::from_micros(1);
            registry.create("again".parse().unwrap(), Description::default(), now)
        };
        let first = create().unwrap();
        let bridge = bridge();
        let packetizer = bridge.packetizer(&first);
        assert!(Arc::ptr_eq(&packetizer, &bridge.packetizer(&first)));
        assert!(registry.end(first.id(), Code::BroadcastEnded));
        let second = create().unwrap();
        assert!(!Arc::ptr_eq(&packetizer, &bridge.packetizer(&second)));
    }

    #[test]
    fn a_restart_names_the_address_first_that_its_request_came_to() {
        let bridge = bridge_at(Reach::Host {
            port: 4433,
            ipv6: false,
        });
        let registry = Registry::new(crate::broadcast::Settings::default());
        let id = "restarted".parse().unwrap();
        let now = RelayTime::from_micros(1);
        let broadcast = registry.create(id, Description::default(), now).unwrap();
        let offer = Offer::parse(offers::of("chromium-player"), Role::Player).unwrap();
        let from = Origin {
            address: "192.0.2.1".parse().unwrap(),
            came_to: None,
        };
        let session = bridge
            .watch(&broadcast, any_record(Role::Player), &offer, from)
            .unwrap()
            .session;
        let client = ("other", "a password of the client's");
        let came_to = "198.51.100.9".parse().ok();
        let fragment = bridge.restart(&session, client, came_to).unwrap().unwrap();
        let mut candidates = fragment.lines().filter(|line| line.contains("candidate:"));
        let first = candidates.next().unwrap();
        assert!(first.contains(" 198.51.100.9 4433 "), "{first}");
    }

    #[test]
    fn of_a_session_that_ends_before_its_shard_hears_of_restarts_nothing_is_left() {
        let bridge = bridge();
        let (packets, _waiting) = tokio::sync::mpsc::channel(1);
        let (commands, mut unheard) = tokio::sync::mpsc::unbounded_channel();
        bridge.routes().enlist(Door { packets, commands });
        let registry = Registry::new(crate::broadcast::Settings::default());
        let id = "restarted".parse().unwrap();
        let broadcast = registry
            .create(id, Description::default(), RelayTime::from_micros(1))
            .unwrap();
        let offer = Offer::parse(offers::of("chromium-player"), Role::Player).unwrap();
        let from = Origin {
            address: "192.0.2.1".parse().unwrap(),
            came_to: None,
        };
        let session = bridge
            .watch(&broadcast, any_record(Role::Player), &offer, from)
            .unwrap()
            .session;
        // Its client has come.
        let ufrag = session.ice.lock().current.ufrag.clone();
        let mut peer = bridge.table.lock().hand_over(&ufrag, 0).unwrap();
        for name in ["first", "second", "third"] {
            restart(&bridge, &session, name);
        }
        // The shard hears of the first alone.
        let Ok(Command::Restart(_, credentials)) = unheard.try_recv() else {
            panic!("another command");
        };
        assert!(peer.link.restart(credentials).is_none());
        bridge.forget(&peer, Code::Done);
        assert!(bridge.table.lock().is_empty());
    }
}
