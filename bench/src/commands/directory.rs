//! `bench directory`: what the directory of a cluster costs a relay that has none of its broadcasts.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use steadycast_codec_glue::wire::ResumeSecret;
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::directory::{
    Bid, Claim, Directory, Engine, Keeper, Lineage, Load, Places, Settings, State,
};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::nats::Server;
use tokio::runtime;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::show;
use crate::process::Gauge;
use crate::report::columns;

/// Long enough for those that only said once that they are there.
const LEASE: Duration = Duration::from_secs(300);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Claims that are made at once, while there are none yet.
const AT_ONCE: usize = 64;

/// The command line of `bench directory`.
#[derive(Debug, Args)]
pub struct Directories {
    /// Claims that there are
    #[arg(long, default_value_t = 10_000)]
    claims: usize,
    /// Relays that have a lease
    #[arg(long, default_value_t = 100)]
    relays: usize,
    /// Claims that change a second
    #[arg(long, default_value_t = 1_000)]
    changes: u32,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Cost {
    claims: usize,
    relays: usize,
    changes_per_second: f64,
    core_percent: f64,
    core_percent_at_rest: f64,
    microseconds_per_change: f64,
    joined_ms: u128,
    rss_kb: u64,
}

impl Directories {
    /// Does it.
    ///
    /// # Errors
    /// When there is no engine, or it does not keep up.
    pub fn run(self) -> Result<()> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let cost = runtime.block_on(self.measure())?;
        let rows = vec![vec![
            cost.claims.to_string(),
            cost.relays.to_string(),
            format!("{:.0}", cost.changes_per_second),
            format!("{:.2}", cost.core_percent),
            format!("{:.2}", cost.core_percent_at_rest),
            format!("{:.1}", cost.microseconds_per_change),
            cost.joined_ms.to_string(),
        ]];
        let text = columns("A relay that has none of the broadcasts", &HEADS, &rows);
        show(self.json, &cost, &text)
    }

    async fn measure(&self) -> Result<Cost> {
        let server = Server::start().await?;
        let url = server.url();
        let owner = Member::join("owner", &url).await?;
        for number in 1..self.relays.saturating_sub(1) {
            // Its lease stays.
            drop(Member::join(&format!("relay-{number}"), &url).await?);
        }
        let ids = ids(self.claims)?;
        for some in ids.chunks(AT_ONCE) {
            let claims = some.iter().map(|id| owner.claim(id));
            futures_util::future::try_join_all(claims).await?;
        }
        let idle = Follower::begin(&url, self.claims, self.relays)?;
        sleep(Duration::from_secs(self.seconds / 2)).await;
        let at_rest = idle.end()?;
        let follower = Follower::begin(&url, self.claims, self.relays)?;
        let made = self.change(&owner, &ids).await?;
        let cost = follower.end()?;
        let seconds = cost.time.as_secs_f64();
        let share = |part: &Part| 100.0 * part.cpu.as_secs_f64() / part.time.as_secs_f64();
        Ok(Cost {
            claims: self.claims,
            relays: self.relays,
            changes_per_second: made as f64 / seconds,
            core_percent: share(&cost),
            core_percent_at_rest: share(&at_rest),
            microseconds_per_change: cost.cpu.as_secs_f64() * 1e6 / made as f64,
            joined_ms: cost.joined.as_millis(),
            rss_kb: Gauge::own().rss_kb()?,
        })
    }

    /// Changes one claim after another at an even pace; says how many.
    async fn change(&self, owner: &Member, ids: &[BroadcastId]) -> Result<u64> {
        let pace = Duration::from_millis(10);
        let each = (f64::from(self.changes) * pace.as_secs_f64()).round() as usize;
        let (mut ticks, begun) = (interval(pace), Instant::now());
        let mut turn = ids.iter().cycle();
        let mut made = 0;
        while begun.elapsed() < Duration::from_secs(self.seconds) {
            ticks.tick().await;
            let some = turn.by_ref().take(each);
            let claims = some.map(|id| owner.claim(id));
            made += futures_util::future::try_join_all(claims).await?.len() as u64;
        }
        Ok(made)
    }
}

const HEADS: [&str; 7] = [
    "claims",
    "relays",
    "changes/s",
    "% of a core",
    "at rest",
    "µs each",
    "join (ms)",
];

fn ids(count: usize) -> Result<Vec<BroadcastId>> {
    let ids = (0..count).map(|number| format!("broadcast-{number}").parse());
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A relay as the directory sees it.
struct Member {
    directory: Engine,
    task: tokio::task::JoinHandle<()>,
}

impl Member {
    async fn join(name: &str, url: &str) -> Result<Self> {
        let (directory, keeper) = directory(name, url)?;
        let member = Self {
            task: tokio::spawn(keeper.run(CancellationToken::new())),
            directory,
        };
        joined(&member.directory).await?;
        Ok(member)
    }

    async fn claim(&self, id: &BroadcastId) -> Result<Claim> {
        let bid = Bid::Publisher {
            shown: None,
            fresh: Lineage::of(&ResumeSecret([1; 16])),
        };
        Ok(self.directory.claim(id, bid).await?)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn directory(name: &str, url: &str) -> Result<(Engine, Keeper)> {
    let settings = Settings {
        servers: vec![url.parse()?],
        credentials: None,
        authority: None,
        prefix: "bench".to_owned(),
        replicas: 1,
        lease: LEASE,
        secret: Some("a secret of relays that are measured".parse()?),
    };
    let clock = RelayClock::start();
    let load = Box::new(Load::default);
    Ok(Engine::new(
        settings,
        name.parse()?,
        Places::default(),
        clock,
        load,
    )?)
}

async fn joined(directory: &Engine) -> Result<()> {
    let mut listener = directory.listen();
    let joined = async {
        while directory.state() != State::Joined {
            listener.next().await;
        }
    };
    timeout(PATIENCE, joined)
        .await
        .context("the engine is not joined")
}

/// The relay that is measured, which has a thread to itself.
struct Follower {
    thread: thread::JoinHandle<Result<Part>>,
    end: CancellationToken,
}

/// What was measured.
#[derive(Debug)]
struct Part {
    cpu: Duration,
    time: Duration,
    joined: Duration,
}

impl Follower {
    /// Begins to follow, and returns once all is known.
    fn begin(url: &str, claims: usize, relays: usize) -> Result<Self> {
        let (ready, wait) = mpsc::channel();
        let (url, end) = (url.to_owned(), CancellationToken::new());
        let ended = end.clone();
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let begun = Instant::now();
                let follower = Member::join("follower", &url).await?;
                let joined = begun.elapsed();
                let census = follower.directory.census();
                ensure!(
                    census.claims == claims && census.relays == relays,
                    "{census:?}"
                );
                let (cpu, begun) = (Gauge::this_thread()?, Instant::now());
                // Nobody may be waiting any more.
                let _ = ready.send(());
                ended.cancelled().await;
                Ok(Part {
                    cpu: Gauge::this_thread()?.saturating_sub(cpu),
                    time: begun.elapsed(),
                    joined,
                })
            })
        });
        let begun = wait.recv_timeout(PATIENCE);
        match begun {
            Ok(()) => Ok(Self { thread, end }),
            Err(_) => {
                end.cancel();
                Err(joined_thread(thread).err().context("it ends too soon")?)
            }
        }
    }

    fn end(self) -> Result<Part> {
        self.end.cancel();
        joined_thread(self.thread)
    }
}

fn joined_thread(thread: thread::JoinHandle<Result<Part>>) -> Result<Part> {
    thread.join().ok().context("it panicked")?
}
