//! Bad input over WebRTC, of every kind at once, while others watch.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use steadycast_tests::client::Publisher;
use steadycast_tests::coded::{Kind, Random, coded};
use steadycast_tests::process::{RelayProcess, Tokens};
use steadycast_tests::webrtc::{Endpoint, Player, Rogue, rtcp};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::strangers::{self, Seen};

/// Players that must not notice.
const WATCHING: usize = 5;
const FRAME_BYTES: usize = 8_000;
/// Between two bursts of each of those who mean no good.
const PAUSE: Duration = Duration::from_millis(10);
/// Clients with keys that say what they like.
const ROGUES: u64 = 3;

/// What was tried.
#[derive(Debug, Default)]
pub(super) struct Tried {
    offers: Cell<u64>,
    refused: Cell<u64>,
    datagrams: Cell<u64>,
    addresses: Cell<u64>,
    feedback: Cell<u64>,
    listeners: Cell<u64>,
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} offers that nobody followed ({} of them refused), {} datagrams of noise, good checks from {} \
             addresses, {} packets of feedback by {ROGUES} clients with keys, {} listeners",
            self.offers.get(),
            self.refused.get(),
            self.datagrams.get(),
            self.addresses.get(),
            self.feedback.get(),
            self.listeners.get(),
        )
    }
}

fn count(of: &Cell<u64>) {
    of.set(of.get() + 1);
}

/// What came of it for those who watched: they got every frame, or the siege has failed.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Frames, of all players together.
    pub(super) frames: u64,
    /// Those before which something was missing.
    pub(super) gaps: u64,
}

/// Attacks the relay for so long; the broadcast has players and a publisher meanwhile.
pub(super) async fn siege(
    relay: &RelayProcess,
    tokens: &Tokens,
    lasting: Duration,
    seen: &Rc<Seen>,
) -> Result<(Watched, Rc<Tried>)> {
    let path = format!("/{}/whep", tokens.id);
    let endpoint = Endpoint::new(relay.target().address, path, tokens.play.clone());
    let mut players = Vec::new();
    for _ in 0..WATCHING {
        players.push(Player::watch(&endpoint).await?);
    }
    let mut publisher = Publisher::join(relay.target(), &tokens.publish, None).await?;
    let tried = Rc::new(Tried::default());
    let mut attackers = JoinSet::new();
    // Before the others leave no room for them.
    for seed in 0..ROGUES {
        let rogue = Rogue::join(&endpoint, "recvonly").await?;
        attackers.spawn_local(storm(rogue, seed, tried.clone()));
    }
    attackers.spawn_local(offers(endpoint.clone(), tried.clone()));
    attackers.spawn_local(noise(endpoint.clone(), tried.clone()));
    attackers.spawn_local(addresses(endpoint.clone(), tried.clone()));
    attackers.spawn_local(listeners(endpoint, tried.clone()));
    let mut others = strangers::begin(relay, tokens, seen).await?;

    let mut watched = Watched::default();
    let until = Instant::now() + lasting;
    let mut pace = interval(Duration::from_millis(33));
    for number in 0u32.. {
        if Instant::now() >= until {
            break;
        }
        pace.tick().await;
        let frame = coded(Kind::Vp8, number.is_multiple_of(30), number, FRAME_BYTES);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        publisher
            .send_coded(&frame, now.as_micros().try_into()?)
            .await?;
        for player in &mut players {
            let seen = player.expect(&frame).await?;
            watched.frames += 1;
            watched.gaps += u64::from(!seen.contiguous);
        }
        if let Some(ended) = attackers.try_join_next().or_else(|| others.try_join_next()) {
            ended??;
        }
        if number.is_multiple_of(30) {
            strangers::look(relay, seen)?;
        }
    }
    attackers.shutdown().await;
    others.shutdown().await;
    Ok((watched, tried))
}

/// Opens sessions and never comes.
async fn offers(endpoint: Endpoint, tried: Rc<Tried>) -> Result<()> {
    loop {
        count(&tried.offers);
        if Rogue::open(&endpoint, "recvonly").await.is_err() {
            count(&tried.refused);
        }
    }
}

/// Sends what is nothing, but begins as STUN, DTLS and RTP do, and as QUIC does.
async fn noise(endpoint: Endpoint, tried: Rc<Tried>) -> Result<()> {
    let mut random = Random::new(1);
    let mut sockets = Vec::new();
    for _ in 0..16 {
        sockets.push(UdpSocket::bind("127.0.0.1:0").await?);
    }
    let mut bursts = interval(PAUSE);
    loop {
        bursts.tick().await;
        for socket in &sockets {
            for first in [0, 1, 20, 22, 63, 64, 128, 144, 191, 200] {
                let len = 1 + random.number() as usize % 1_300;
                let mut datagram: Vec<_> = (0..len).map(|_| random.number() as u8).collect();
                datagram[0] = first;
                socket.send_to(&datagram, endpoint.http).await?;
                count(&tried.datagrams);
            }
        }
    }
}

/// Is one client that comes from ever more addresses.
async fn addresses(endpoint: Endpoint, tried: Rc<Tried>) -> Result<()> {
    let rogue = Rogue::join(&endpoint, "recvonly").await?;
    let mut bursts = interval(PAUSE);
    loop {
        bursts.tick().await;
        for _ in 0..4 {
            let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.send_to(&check, endpoint.http).await?;
            count(&tried.addresses);
        }
    }
}

/// Has keys, and uses them for storms of feedback, whole and broken; in the end it is gone without
/// a word.
async fn storm(mut rogue: Rogue, seed: u64, tried: Rc<Tried>) -> Result<()> {
    let mut random = Random::new(seed);
    let mut bursts = interval(PAUSE);
    loop {
        bursts.tick().await;
        let first = random.number() as u16;
        let all: Vec<_> = (0..30)
            .map(|at| (first.wrapping_add(at * 17), 0xffff))
            .collect();
        let mut broken = rtcp::nack(1, rogue.ssrc, &all);
        broken.truncate(random.number() as usize % broken.len());
        for packet in [
            rtcp::nack(1, rogue.ssrc, &all),
            rtcp::pli(1, rogue.ssrc),
            rtcp::loss_report(1, rogue.ssrc, 200),
            [rtcp::receiver_report(1), broken].concat(),
        ] {
            let protected = rogue.protect_rtcp(&packet)?;
            rogue.send(&protected).await?;
            count(&tried.feedback);
        }
    }
}

/// Listens to one session again and again, and never hangs up.
async fn listeners(endpoint: Endpoint, tried: Rc<Tried>) -> Result<()> {
    let rogue = Rogue::join(&endpoint, "recvonly").await?;
    let mut listeners = VecDeque::new();
    let mut bursts = interval(PAUSE);
    loop {
        bursts.tick().await;
        // Or its session would be taken for abandoned: it checks, reads and answers.
        rogue
            .send(&rogue.check_with(&rogue.ufrag, &rogue.password)?)
            .await?;
        let nothing = rogue.receive("nothing", |_| false);
        let _ = tokio::time::timeout(Duration::from_millis(2), nothing).await;
        listeners.push_back(rogue.session.events().await?);
        count(&tried.listeners);
        if listeners.len() > 200 {
            listeners.pop_front();
        }
    }
}
