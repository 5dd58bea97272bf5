//! Relays that are upgraded one after another: each hands its sessions over, stops, and is started again.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, RelayMessage, Role};
use steadycast_relay::directory::State;
use steadycast_tests::client::{Carrier, Control, Player, Publisher, Target, soon};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::relay::TestRelay;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::interval;

/// How long a relay takes to hand over what it has.
const DRAIN: Duration = Duration::from_secs(4);
/// From one picture to the next, so many of which are a group.
const PICTURE: Duration = Duration::from_millis(50);
const GROUP: usize = 20;
/// Nobody is to be without a picture for longer, on a machine that has other things to do as well.
const GAP: Duration = Duration::from_secs(3);

/// Where relays are, by the URLs of their pages.
type Places = Arc<HashMap<String, Target>>;

fn pages(number: usize) -> String {
    format!("https://r{number}.example")
}

async fn cluster() -> Result<(Cluster, Places)> {
    let cluster = Cluster::with(3, |number, config| {
        config.server.public_url = pages(number).parse().ok();
    })
    .await?;
    let relays = cluster.relays.iter().enumerate();
    let places = relays.map(|(number, relay)| (pages(number), relay.target().clone()));
    let places = Arc::new(places.collect());
    Ok((cluster, places))
}

/// The first place that a client was told of, where it is not the one that it is at.
fn first<'a>(places: &'a Places, others: &[String]) -> Result<&'a Target> {
    let first = others.first().context("told to go nowhere")?;
    places
        .get(first)
        .with_context(|| format!("no relay is at {first}"))
}

/// Sends pictures that grow by a byte each, and goes where it is told to.
async fn publish(
    token: String,
    at: Target,
    places: Places,
    over: Arc<AtomicBool>,
) -> Result<usize> {
    let mut publisher = Publisher::join(&at, &token, None).await?;
    let (mut pictures, mut others) = (interval(PICTURE), Vec::new());
    let (mut sent, mut keyframe) = (0, true);
    // It sends where it is until it is let in elsewhere.
    let mut next: Option<JoinHandle<Result<Publisher>>> = None;
    while !over.load(Ordering::Relaxed) {
        let joined = async {
            match &mut next {
                Some(next) => next.await,
                None => pending().await,
            }
        };
        tokio::select! {
            joined = joined => {
                (next, keyframe) = (None, true);
                publisher = joined??;
            }
            _ = pictures.tick() => {
                sent += 1;
                let is_keyframe = std::mem::take(&mut keyframe) || sent % GROUP == 0;
                let shown = show(&mut publisher, is_keyframe, 1_000 + sent).await;
                // The other relay may have let it in by now.
                if next.is_none() {
                    shown?;
                }
            }
            message = publisher.control.next() => match message {
                Ok(RelayMessage::KeyframeRequest { .. }) => keyframe = true,
                Ok(RelayMessage::Relays { relays }) => others = relays,
                Ok(RelayMessage::Move { .. }) => {
                    let (there, token) = (first(&places, &others)?.clone(), token.clone());
                    let resume = publisher.welcome.resume;
                    let joining = async move { Publisher::join(&there, &token, resume).await };
                    next = Some(tokio::spawn(joining));
                }
                Ok(RelayMessage::Goodbye { code, message, .. }) => match next.take() {
                    // The other relay has let it in.
                    Some(next) => (publisher, keyframe) = (next.await??, true),
                    None => bail!("told {code}: {message}"),
                },
                Ok(_) => {}
                Err(error) => {
                    let joined = next.take().ok_or(error)?.await;
                    (publisher, keyframe) = (joined??, true);
                }
            }
        }
    }
    Ok(sent)
}

/// Sends a picture, and a sign of life.
async fn show(publisher: &mut Publisher, keyframe: bool, size: usize) -> Result<()> {
    match keyframe {
        true => publisher.keyframe(size).await?,
        false => publisher.delta(size).await?,
    };
    let ping = ClientMessage::Ping {
        sequence: 0,
        sent_us: 0,
    };
    publisher.control.send(&ping).await
}

/// What a player has seen.
#[derive(Debug, Default)]
struct Seen {
    newest: usize,
    missed: usize,
    longest: Duration,
    moves: usize,
}

impl Seen {
    /// A picture of this size; one that was seen before is shown by no page.
    fn see(&mut self, size: usize, since: &mut Instant) {
        if size <= self.newest {
            return;
        }
        if self.newest > 0 {
            self.missed += size - self.newest - 1;
            self.longest = self.longest.max(since.elapsed());
        }
        (self.newest, *since) = (size, Instant::now());
    }
}

/// A player's session: what is shown comes from a task, for reading a frame cannot be broken off.
struct Session {
    control: Control,
    shown: mpsc::Receiver<usize>,
}

impl Session {
    async fn join(at: &Target, token: &str) -> Result<Self> {
        let (control, mut frames) = Player::join(at, token).await?.split();
        let (show, shown) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Ok(frame) = frames.next().await {
                if show.send(frame.payload.len()).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { control, shown })
    }

    async fn next(&mut self) -> Result<usize> {
        self.shown.recv().await.context("its pictures have ended")
    }
}

/// Plays, and goes where it is told to: with the new picture before it lets go of the old one.
async fn play(
    token: String,
    (at, carrier): (Target, Carrier),
    places: Places,
    seen: Arc<Mutex<Seen>>,
) -> Result<()> {
    let (mut others, mut since) = (Vec::new(), Instant::now());
    let mut pings = interval(Duration::from_millis(250));
    let mut session = Session::join(&at, &token).await?;
    loop {
        let Session { control, shown } = &mut session;
        tokio::select! {
            size = shown.recv() => {
                seen.lock().see(size.context("its pictures have ended")?, &mut since);
            }
            _ = pings.tick() => {
                let ping = ClientMessage::Ping { sequence: 0, sent_us: 0 };
                control.send(&ping).await?;
            }
            message = control.next() => match message? {
                RelayMessage::Relays { relays } => others = relays,
                RelayMessage::Move { .. } => {
                    let there = first(&places, &others)?.clone().over(carrier);
                    let mut next = Session::join(&there, &token).await?;
                    // Both play until the new one shows what is as new.
                    loop {
                        let (size, is_next) = tokio::select! {
                            size = session.next() => (size?, false),
                            size = next.next() => (size?, true),
                        };
                        let newest = seen.lock().newest;
                        seen.lock().see(size, &mut since);
                        if is_next && size >= newest {
                            break;
                        }
                    }
                    seen.lock().moves += 1;
                    session = next;
                }
                RelayMessage::Goodbye { code, message, .. } => bail!("told {code}: {message}"),
                _ => {}
            }
        }
    }
}

/// Stops a relay as SIGTERM does, and starts it again; gives it when it is ready.
async fn upgrade(relay: TestRelay) -> Result<TestRelay> {
    relay.site().leave(DRAIN).await;
    let relay = relay.restart().await?;
    let site = relay.site();
    let ready = || {
        let homes = site.homes.as_ref();
        site.directory.state() == State::Joined
            && site.directory.relays().len() == 3
            && homes.is_some_and(|homes| homes.catalog().is_reached())
    };
    relay.until("it to be ready", ready).await?;
    Ok(relay)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_loses_a_picture_while_relays_are_upgraded_one_after_another() -> Result<()> {
    let (mut cluster, places) = cluster().await?;
    let id = cluster.broadcast().await?;
    let known = cluster.relays[0].known(&id);
    let [publish_token, play_token] = [Role::Publisher, Role::Player].map(|role| known.token(role));
    let over = Arc::new(AtomicBool::new(false));
    let at = cluster.relays[0].target().clone();
    let publishing = tokio::spawn(publish(publish_token, at, places.clone(), over.clone()));
    let mut players = Vec::new();
    for (number, relay) in cluster.relays.iter().enumerate() {
        for carrier in [Carrier::WebTransport, Carrier::WebSocket] {
            let seen = Arc::new(Mutex::new(Seen::default()));
            let at = (relay.target().over(carrier), carrier);
            let playing = play(play_token.clone(), at, places.clone(), seen.clone());
            let name = format!("relay {number}, {carrier:?}");
            players.push((name, seen, tokio::spawn(playing)));
        }
    }
    let all_see = async |more: usize| -> Result<()> {
        for (name, seen, playing) in &players {
            let from = seen.lock().newest;
            let mut looks = interval(PICTURE);
            while seen.lock().newest <= from + more {
                ensure!(!playing.is_finished(), "{name} has ended");
                looks.tick().await;
            }
        }
        Ok(())
    };
    soon("pictures at all", all_see(GROUP)).await??;
    for _ in 0..3 {
        let relay = cluster.relays.remove(0);
        cluster.relays.push(upgrade(relay).await?);
        soon("pictures after an upgrade", all_see(GROUP)).await??;
    }
    over.store(true, Ordering::Relaxed);
    let sent = publishing.await??;
    for (name, seen, playing) in players {
        playing.abort();
        // Where it has ended it says why.
        if let Ok(ended) = playing.await {
            ended.with_context(|| name.clone())?;
        }
        let seen = seen.lock();
        println!("{name}: {seen:?} of {sent}");
        ensure!(seen.moves > 0, "{name} was nowhere else");
        ensure!(
            seen.longest < GAP,
            "{name}: {:?} without a picture",
            seen.longest
        );
    }
    Ok(())
}
