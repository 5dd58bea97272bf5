//! Does the relay's memory stay flat over many publisher restarts, joins and leaves, and under bad
//! input over WebRTC?
//!
//! `endurance [--relay target/release/steadycast] [--restarts 200] [--joins 2000] [--hostile 30]`

mod hostile;
mod strangers;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use steadycast_tests::client::{Control, Player, Publisher};
use steadycast_tests::process::{RelayProcess, Tokens};
use tokio::task::LocalSet;

/// Players that watch while publishers come and go.
const WATCHING: usize = 5;
/// Players that join at the same time.
const AT_ONCE: usize = 20;
const KEYFRAME_BYTES: usize = 100_000;
const DELTA_BYTES: usize = 8_000;
/// Pictures have `limits.cache_bytes` (256 MiB); the rest is sessions, and what the allocator keeps.
const BUDGET_KB: u64 = 400_000;

struct Options {
    relay: PathBuf,
    restarts: usize,
    joins: usize,
    /// How long one siege lasts, in seconds.
    hostile: u64,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            relay: "target/release/steadycast".into(),
            restarts: 200,
            joins: 2000,
            hostile: 30,
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--relay" => options.relay = value.into(),
                "--restarts" => options.restarts = value.parse()?,
                "--joins" => options.joins = value.parse()?,
                "--hostile" => options.hostile = value.parse()?,
                _ => bail!("unknown option {name}"),
            }
        }
        Ok(options)
    }
}

/// One line of the table.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn row(relay: &RelayProcess, what: &str) -> Result<u64> {
    let memory = relay.memory_kb()?;
    println!("{what:<40} {memory:>10} {:>8}", relay.open_files()?);
    Ok(memory)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
async fn main() -> Result<()> {
    let options = Options::parse()?;
    let relay = RelayProcess::start(&options.relay).await?;
    let tokens = relay.broadcast().await?;
    println!("{:<40} {:>10} {:>8}", "", "RSS kB", "files");
    row(&relay, "started")?;
    restarts(&relay, &tokens, options.restarts / 10).await?;
    joins(&relay, &tokens, options.joins / 10).await?;
    row(&relay, "warmed up (a tenth of each)")?;
    let worst = restarts(&relay, &tokens, options.restarts).await?;
    row(
        &relay,
        &format!("after {} publisher restarts", options.restarts),
    )?;
    let (times, failed) = joins(&relay, &tokens, options.joins).await?;
    row(&relay, &format!("after {} joins and leaves", options.joins))?;
    restarts(&relay, &tokens, options.restarts).await?;
    joins(&relay, &tokens, options.joins).await?;
    row(&relay, "after the same once more")?;
    println!("picture moving again, worst after attach: {worst:.1?}");
    println!(
        "join to first frame, {AT_ONCE} at once: median {:.1?}, p95 {:.1?}",
        times[times.len() / 2],
        times[times.len() * 95 / 100]
    );
    println!(
        "handshakes that failed and were tried again: {failed} of {}",
        options.joins
    );
    println!("{}", relay.records(&tokens.id).await?["totals"]);
    for siege in ["first", "second", "third"] {
        let tokens = relay.broadcast().await?;
        let lasting = Duration::from_secs(options.hostile);
        let (seen, logged) = (Rc::default(), relay.log_bytes()?);
        let (watched, tried) = LocalSet::new()
            .run_until(hostile::siege(&relay, &tokens, lasting, &seen))
            .await?;
        let logged = relay.log_bytes()? - logged;
        row(&relay, &format!("at the end of the {siege} siege"))?;
        nobody_left(&relay, &tokens).await?;
        row(&relay, "and once all of it is over")?;
        println!("{tried}");
        println!(
            "the players meanwhile: all of {} frames, {} gaps",
            watched.frames, watched.gaps
        );
        println!("{seen}; {logged} bytes of log");
        strangers::judge(&seen, logged, lasting, BUDGET_KB)?;
    }
    Ok(())
}

/// Publishers come and crash while players watch. Returns the longest time from attach to picture.
async fn restarts(relay: &RelayProcess, tokens: &Tokens, count: usize) -> Result<Duration> {
    let mut players = Vec::new();
    for _ in 0..WATCHING {
        players.push(Player::join(relay.target(), &tokens.play).await?);
    }
    let mut worst = Duration::ZERO;
    for _ in 0..count {
        let mut publisher = Publisher::join(relay.target(), &tokens.publish, None).await?;
        let started = Instant::now();
        publisher.keyframe(KEYFRAME_BYTES).await?;
        publisher.delta(DELTA_BYTES).await?;
        for player in &mut players {
            while player.frame().await?.place() != (publisher.epoch(), 0, 1) {}
        }
        worst = worst.max(started.elapsed());
        publisher.crash();
    }
    Ok(worst)
}

/// Players join the held picture and leave. Returns the join times, sorted, and the handshakes that
/// failed: now and then wtransport 0.7.2 loses part of a frame that comes in two packets.
async fn joins(
    relay: &RelayProcess,
    tokens: &Tokens,
    count: usize,
) -> Result<(Vec<Duration>, usize)> {
    let mut times = Vec::with_capacity(count);
    let mut failed = 0;
    while times.len() < count {
        let mut joining = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE.min(count - times.len()) {
            let (target, token) = (relay.target().clone(), tokens.play.clone());
            joining.spawn(async move {
                let started = Instant::now();
                let Ok(control) = Control::open(&target).await else {
                    return Ok(None);
                };
                let mut player = Player::greet(control, &token).await?;
                player.frame().await?;
                anyhow::Ok(Some(started.elapsed()))
            });
        }
        while let Some(joined) = joining.join_next().await {
            match joined?? {
                Some(time) => times.push(time),
                None => failed += 1,
            }
        }
    }
    nobody_left(relay, tokens).await?;
    times.sort();
    Ok((times, failed))
}

/// Waits until the relay has seen all players leave.
async fn nobody_left(relay: &RelayProcess, tokens: &Tokens) -> Result<()> {
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let gone = async {
        while relay.records(&tokens.id).await?["players"] != 0 {
            looks.tick().await;
        }
        anyhow::Ok(())
    };
    // Whoever never connects, or falls silent, is waited for a while.
    let gone = tokio::time::timeout(Duration::from_secs(60), gone).await;
    gone.context("the players did not leave")?
}
