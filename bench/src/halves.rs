//! The two halves of a run, for two machines: one publishes, the other watches.
//!
//! The watching half does not know what was sent: it checks the order of
//! frames and that streams begin with keyframes. Latency is its own clock less
//! the capture time in the header, so that it means something only where the
//! two clocks are synchronised.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use steadycast_relay::shard::RelayClock;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::checker::Watch;
use crate::client::Client;
use crate::entrance::Entrance;
use crate::fanout::{JOIN, LOOK, Progress, SETTLE, on_this_thread};
use crate::load::{Appetite, Picture};
use crate::process::Gauge;
use crate::publishers::Publishers;
use crate::report::{Row, spread, table};
use crate::tally::Tally;
use crate::target::{Broadcast, Target};
use crate::transport::Transport;

/// How often a publisher that has ended is noticed.
const CHECK: Duration = Duration::from_secs(1);

/// Creates a broadcast, tells of it, and publishes until the process is asked to end. Blocks; makes
/// a runtime of its own on this thread.
///
/// # Errors
/// When the relay cannot be reached, refuses, or ends the session.
pub fn publish(
    target: &Target,
    picture: &Picture,
    announce: impl FnOnce(&Broadcast) -> Result<()>,
) -> Result<()> {
    let broadcast = target.create("Bench")?;
    let published = on_this_thread(async {
        let client = Client::new(target, 1)?;
        let broadcasts = std::slice::from_ref(&broadcast);
        let publishers =
            Publishers::start(&client, (picture, None), broadcasts, RelayClock::start()).await?;
        announce(&broadcast)?;
        until_asked(&publishers).await
    });
    let ended = target.end(&broadcast);
    // What went wrong first says more.
    published.and(ended)
}

async fn until_asked(publishers: &Publishers) -> Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let came = async |signal: &mut Signal| signal.recv().await;
    loop {
        tokio::select! {
            _ = came(&mut interrupted) => return Ok(()),
            _ = came(&mut terminated) => return Ok(()),
            () = sleep(CHECK) => publishers.check()?,
        }
    }
}

/// Who watches, and for how long.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Audience {
    /// Players that watch
    #[arg(long, default_value_t = 200)]
    pub players: usize,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Players that join per second
    #[arg(long, default_value_t = 200)]
    pub ramp: usize,
    /// By what they watch.
    #[command(flatten)]
    #[serde(flatten)]
    pub transport: Transport,
}

/// What an audience saw. Times in microseconds.
#[derive(Debug, Serialize)]
pub struct Watched {
    /// The audience.
    #[serde(flatten)]
    pub audience: Audience,
    /// Players that had a picture before the window opened.
    pub ready: usize,
    /// Frames captured in the window that players have had.
    pub frames: u64,
    /// Gbit on group streams in the window.
    pub gbit: f64,
    /// From a frame's capture time to its last byte at a player: median.
    pub p50_us: u64,
    /// 95 of 100.
    pub p95_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// Median of keyframes.
    pub key_p50_us: u64,
    /// 99 of 100 keyframes.
    pub key_p99_us: u64,
    /// Median of other frames.
    pub delta_p50_us: u64,
    /// 99 of 100 other frames.
    pub delta_p99_us: u64,
    /// From opening a session to its first whole frame: median.
    pub join_p50_us: u64,
    /// 95 of 100.
    pub join_p95_us: u64,
    /// Groups that players saw cut off.
    pub skips: u64,
    /// Sessions that ended early.
    pub closed: u64,
    /// Frames out of order, or without a keyframe before them.
    pub bad: u64,
    /// Cores that this client kept busy; near 1 it is the client that is measured.
    pub client_cores: f64,
    /// A word on why sessions ended early.
    #[serde(skip)]
    pub first_end: Option<String>,
}

/// Attaches an audience to a broadcast, of which the play token is needed (and the id, for players by
/// WebRTC), and watches. Blocks; makes a runtime of its own on this
/// thread.
///
/// # Errors
/// When a socket cannot be made.
pub fn watch(
    target: &Target,
    broadcast: &Broadcast,
    audience: &Audience,
    progress: Progress<'_>,
) -> Result<Watched> {
    on_this_thread(async {
        let (clock, tally) = (RelayClock::start(), Rc::<RefCell<Tally>>::default());
        let entrance = Entrance::new(target, audience.transport, audience.players, 0)?;
        let entrance = Rc::new(entrance);
        let mut players = JoinSet::new();
        let mut ramp = interval(Duration::from_secs(1) / audience.ramp as u32);
        for number in 0..audience.players {
            ramp.tick().await;
            let watch = Watch {
                ledger: None,
                tally: tally.clone(),
                clock,
                appetite: Appetite::Healthy,
                listens: false,
            };
            let (entrance, broadcast) = (entrance.clone(), broadcast.clone());
            players.spawn_local(async move {
                entrance.admit(number, &broadcast, watch).await;
            });
        }
        all_ready(&tally, audience.players, progress).await;
        sleep(SETTLE).await;
        measure(audience, clock, &tally, progress).await
    })
}

async fn all_ready(tally: &RefCell<Tally>, players: usize, progress: Progress<'_>) {
    let started = Instant::now();
    while tally.borrow().ready < players && started.elapsed() < JOIN {
        progress("joining", tally.borrow().ready as u64, players as u64);
        sleep(LOOK).await;
    }
}

async fn measure(
    audience: &Audience,
    clock: RelayClock,
    tally: &RefCell<Tally>,
    progress: Progress<'_>,
) -> Result<Watched> {
    let (started, cpu) = (Instant::now(), Gauge::own().cpu()?);
    let (ready, received) = (tally.borrow().ready, tally.borrow().received);
    tally.borrow_mut().window = clock.now().as_micros()..u64::MAX;
    for second in 1..=audience.seconds {
        sleep(Duration::from_secs(1)).await;
        progress("watching", second, audience.seconds);
    }
    let spent = (Gauge::own().cpu()? - cpu).as_secs_f64();
    let tally = tally.borrow();
    Ok(Watched {
        ready,
        gbit: (tally.received - received) as f64 * 8.0 / 1e9,
        client_cores: spent / started.elapsed().as_secs_f64(),
        ..Watched::of(audience, &tally)
    })
}

impl Watched {
    /// What players counted; the rest is filled in by who knows.
    fn of(audience: &Audience, tally: &Tally) -> Self {
        Self {
            audience: audience.clone(),
            ready: 0,
            frames: tally.frames,
            gbit: 0.0,
            p50_us: tally.latency.value_at_quantile(0.5),
            p95_us: tally.latency.value_at_quantile(0.95),
            p99_us: tally.latency.value_at_quantile(0.99),
            max_us: tally.latency.max(),
            key_p50_us: tally.key_latency.value_at_quantile(0.5),
            key_p99_us: tally.key_latency.value_at_quantile(0.99),
            delta_p50_us: tally.delta_latency.value_at_quantile(0.5),
            delta_p99_us: tally.delta_latency.value_at_quantile(0.99),
            join_p50_us: tally.join.value_at_quantile(0.5),
            join_p95_us: tally.join.value_at_quantile(0.95),
            skips: tally.skips,
            closed: tally.closed,
            bad: tally.bad(),
            client_cores: 0.0,
            first_end: tally.first_end.clone(),
        }
    }

    /// The result for people.
    pub fn text(&self) -> String {
        let title = format!(
            "{} players for {} s; latency assumes that both machines' clocks are synchronised",
            self.audience.players, self.audience.seconds
        );
        let mut text = table(&title, &self.rows());
        if let Some(why) = &self.first_end {
            text += &format!("  ! the first session to end early: {why}\n");
        }
        text
    }

    fn rows(&self) -> Vec<Row> {
        let players = self.audience.players;
        let rate = self.frames as f64 / self.audience.seconds as f64 / players as f64;
        vec![
            (
                "players with a picture",
                format!("{} of {players}", self.ready),
            ),
            (
                "frames, per player and second",
                format!("{}, {rate:.2}", self.frames),
            ),
            (
                "wrong frames, sessions lost, skips",
                format!("{}, {}, {}", self.bad, self.closed, self.skips),
            ),
            ("delivered", format!("{:.3} Gbit", self.gbit)),
            (
                "latency p50 / p95 / p99 / max",
                spread(&[self.p50_us, self.p95_us, self.p99_us, self.max_us]),
            ),
            (
                "  of keyframes p50 / p99",
                spread(&[self.key_p50_us, self.key_p99_us]),
            ),
            (
                "  of other frames p50 / p99",
                spread(&[self.delta_p50_us, self.delta_p99_us]),
            ),
            (
                "join p50 / p95",
                spread(&[self.join_p50_us, self.join_p95_us]),
            ),
            ("client cores", format!("{:.2}", self.client_cores)),
        ]
    }
}
