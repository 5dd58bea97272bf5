//! What a stranger may try over TCP and WebTransport, all of it at once, while others watch.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use steadycast_codec_glue::wire::{
    ClientMessage, CodecKind, CodecSet, GROUP_STREAM, Role, TrackId,
};
use steadycast_tests::client::{Control, Player, Publisher};
use steadycast_tests::picture::Picture;
use steadycast_tests::process::{RelayProcess, Tokens};
use steadycast_tests::webrtc::{Endpoint, Rogue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

/// Connections without a whole request, and how often they are opened anew.
const SILENT: usize = 1_100;
const ANEW: Duration = Duration::from_millis(4_900);
/// The address that they come from, and that of somebody who only asks how the relay is.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Between two bursts.
const PAUSE: Duration = Duration::from_millis(50);
/// As large as a picture may be.
const LARGEST: usize = (4 << 20) - 4_096;

/// What the others saw meanwhile.
#[derive(Debug, Default)]
pub(super) struct Seen {
    health: RefCell<Vec<Duration>>,
    joins: RefCell<Vec<Duration>>,
    failed: Cell<u64>,
    reflected: Cell<usize>,
    most_kb: Cell<u64>,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let worst = |times: &RefCell<Vec<Duration>>| {
            let times = times.borrow();
            let worst = times.iter().max().copied().unwrap_or_default();
            format!("{} of them, {worst:.1?} at most", times.len())
        };
        write!(
            f,
            "/health from elsewhere: {}; joins: {}; failed: {}; {} bytes to somebody who was only \
             named; RSS {} kB at most",
            worst(&self.health),
            worst(&self.joins),
            self.failed.get(),
            self.reflected.get(),
            self.most_kb.get(),
        )
    }
}

/// Begins all of it; dropping the set ends it.
pub(super) async fn begin(
    relay: &RelayProcess,
    watched: &Tokens,
    seen: &Rc<Seen>,
) -> Result<JoinSet<Result<()>>> {
    let mut all = JoinSet::new();
    let address = relay.target().address;
    all.spawn_local(say_nothing(address));
    all.spawn_local(guess(address));
    all.spawn_local(ask_for_long_paths(address));
    let endpoint = Endpoint::new(
        address,
        format!("/{}/whep", watched.id),
        watched.play.clone(),
    );
    all.spawn_local(name_another(endpoint, seen.clone()));
    let (target, play) = (relay.target().clone(), watched.play.clone());
    all.spawn_local(async move {
        loop {
            // Who reads nothing is ended after a while, and comes again.
            let control = Control::open(&target).await?;
            let _ = change_its_mind(control, play.clone()).await;
        }
    });
    for _ in 0..3 {
        let tokens = relay.broadcast().await?;
        let publisher = Publisher::join(relay.target(), &tokens.publish, None).await?;
        all.spawn_local(begin_and_never_end(publisher));
        let tokens = relay.broadcast().await?;
        let mut slow = Vec::new();
        for _ in 0..8 {
            slow.push(Player::join(relay.target(), &tokens.play).await?);
        }
        let publisher = Publisher::join(relay.target(), &tokens.publish, None).await?;
        all.spawn_local(fill(publisher, slow));
    }
    // And those who mean no harm.
    all.spawn_local(ask_how_it_is(address, seen.clone()));
    let (target, play) = (relay.target().clone(), watched.play.clone());
    let joined = seen.clone();
    all.spawn_local(async move {
        loop {
            sleep(Duration::from_millis(700)).await;
            let begun = Instant::now();
            let first = async { Player::join(&target, &play).await?.frame().await };
            match first.await {
                Ok(_) => joined.joins.borrow_mut().push(begun.elapsed()),
                Err(_) => joined.failed.set(joined.failed.get() + 1),
            }
        }
    });
    Ok(all)
}

/// Looks at the relay's memory now.
pub(super) fn look(relay: &RelayProcess, seen: &Seen) -> Result<()> {
    seen.most_kb.set(seen.most_kb.get().max(relay.memory_kb()?));
    Ok(())
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(socket.connect(to).await?)
}

/// Opens connections, and says nothing on every second one, half a request on the others.
async fn say_nothing(address: SocketAddr) -> Result<()> {
    loop {
        let begun = Instant::now();
        let mut open = Vec::with_capacity(SILENT);
        for number in 0..SILENT {
            // Refusals are what it is for.
            let Ok(mut stream) = connect(STRANGER, address).await else {
                continue;
            };
            if number % 2 == 0 {
                let _ = stream
                    .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx: ")
                    .await;
            }
            open.push(stream);
        }
        sleep(ANEW.saturating_sub(begun.elapsed())).await;
    }
}

/// One request on a connection of its own; gives the status line.
async fn ask(from: Ipv4Addr, to: SocketAddr, path: &str, key: &str) -> Result<String> {
    let mut stream = connect(from, to).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().context("no answer")?.to_owned())
}

/// Guesses the admin key.
async fn guess(address: SocketAddr) -> Result<()> {
    let mut bursts = interval(PAUSE);
    for number in 0u64.. {
        bursts.tick().await;
        let key = format!("an-admin-key-{number:08}");
        // Some wait for long, and some are refused.
        let guess = ask(STRANGER, address, "/api/broadcasts", &key);
        let _ = tokio::time::timeout(PAUSE, guess).await;
    }
    Ok(())
}

/// Asks for what is not there, at length.
async fn ask_for_long_paths(address: SocketAddr) -> Result<()> {
    let mut bursts = interval(PAUSE);
    let path = format!("/{}", "x".repeat(60_000));
    loop {
        bursts.tick().await;
        for _ in 0..5 {
            let _ = ask(STRANGER, address, &path, "none").await;
        }
    }
}

/// Has a session, and says that it is where it is not.
async fn name_another(endpoint: Endpoint, seen: Rc<Seen>) -> Result<()> {
    let rogue = Rogue::join(&endpoint, "recvonly").await?;
    let victim = UdpSocket::bind("127.0.0.1:0").await?;
    let mut datagram = [0; 2_000];
    loop {
        // Meanwhile it is a good player: it reads, answers and checks.
        let nothing = rogue.receive("nothing", |_| false);
        let _ = tokio::time::timeout(Duration::from_secs(1), nothing).await;
        let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        rogue.send(&check).await?;
        let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        victim.send_to(&check, endpoint.http).await?;
        while let Ok(len) = victim.try_recv(&mut datagram) {
            seen.reflected.set(seen.reflected.get() + len);
        }
    }
}

/// Says ever something else of what it can decode, asks for keyframes, and reports nonsense.
async fn change_its_mind(mut control: Control, token: String) -> Result<()> {
    control.hello(Role::Player, &token, None).await?;
    let mut bursts = interval(PAUSE);
    for number in 0usize.. {
        bursts.tick().await;
        let codec = CodecKind::ALL[number % CodecKind::ALL.len()];
        let codecs = CodecSet::NONE.with(codec);
        for message in [
            ClientMessage::Decodes { codecs },
            ClientMessage::KeyframeRequest { epoch: 1, group: 0 },
            ClientMessage::Decodes {
                codecs: CodecSet::NONE.with(CodecKind::Vp8),
            },
        ] {
            control.send(&message).await?;
        }
    }
    Ok(())
}

/// Begins pictures as large as they may be and sends little of each.
async fn begin_and_never_end(publisher: Publisher) -> Result<()> {
    let mut open = Vec::new();
    for group in 0..60 {
        let picture = Picture {
            track: TrackId::MAIN,
            codec: publisher.codec,
            epoch: publisher.epoch(),
            group,
            index: 0,
            len: LARGEST,
        };
        let mut stream = publisher.control.connection.open_uni().await?;
        stream.write_all(&[GROUP_STREAM]).await?;
        stream.write_all(&picture.encode()?[..20_000]).await?;
        open.push(stream);
    }
    stay(publisher).await
}

/// Sends nothing but signs of life.
async fn stay(mut publisher: Publisher) -> Result<()> {
    loop {
        sleep(Duration::from_millis(250)).await;
        publisher.control.ping().await?;
    }
}

/// Sends the largest pictures that there are to players that take next to nothing.
async fn fill(mut publisher: Publisher, mut slow: Vec<Player>) -> Result<()> {
    for number in 0usize.. {
        publisher.keyframe(3 << 20).await?;
        publisher.control.ping().await?;
        // One of them takes a little now and then.
        let at = number % slow.len().max(1);
        let _ = tokio::time::timeout(Duration::from_millis(20), slow[at].frame()).await;
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

async fn ask_how_it_is(address: SocketAddr, seen: Rc<Seen>) -> Result<()> {
    loop {
        sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        match ask(NEIGHBOUR, address, "/health", "none").await {
            Ok(status) if status.contains(" 200 ") || status.contains(" 204 ") => {
                seen.health.borrow_mut().push(begun.elapsed());
            }
            _ => seen.failed.set(seen.failed.get() + 1),
        }
    }
}

/// Fails where somebody who meant no harm had to bear it.
pub(super) fn judge(seen: &Seen, log_bytes: u64, lasting: Duration, budget_kb: u64) -> Result<()> {
    let minutes = lasting.as_secs_f64() / 60.0;
    let per_minute = log_bytes as f64 / minutes;
    ensure!(per_minute < 1e6, "{per_minute:.0} bytes of log a minute");
    ensure!(
        seen.failed.get() == 0,
        "{} were not served",
        seen.failed.get()
    );
    let most = seen.most_kb.get();
    ensure!(most < budget_kb, "{most} kB of memory, {budget_kb} at most");
    ensure!(seen.reflected.get() < 1_000 * lasting.as_secs() as usize);
    Ok(())
}
