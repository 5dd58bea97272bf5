//! The loads of `bench`, run against moq-relay with moq's own client crates.
//!
//! The relay comes from the registry: `cargo install moq-relay --version 0.17.10 --no-default-features --features
//! noq,websocket --root DIR`, and then `--relay DIR/bin/moq-relay`.

mod apart;
mod client;
mod clock;
mod fanout;
mod payload;
mod player;
mod process;
mod publisher;
mod relay;
mod report;
mod tally;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::fanout::Plan;
use crate::publisher::Shape;
use crate::report::Report;

/// Name of the only broadcast.
pub(crate) const BROADCAST: &str = "bench";
/// Name of its only track.
pub(crate) const TRACK: &str = "video";

/// Runs the project's load against moq-relay.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One publisher, many players, one report on standard output.
    Fanout(Fanout),
    /// A publisher at a relay that runs already.
    Publish(Publish),
    /// A player there: a line for each frame, with its capture and its arrival in microseconds, and its bytes.
    Watch(Watch),
}

#[derive(Args)]
struct Publish {
    /// The relay.
    #[arg(long)]
    url: Url,
    #[command(flatten)]
    picture: Picture,
}

#[derive(Args)]
struct Watch {
    #[command(flatten)]
    published: Publish,
    /// Milliseconds that a group may fall behind before a player gives it up.
    #[arg(long, default_value_t = 1_000)]
    max_age_ms: u64,
}

#[derive(Args)]
struct Picture {
    /// Frames per second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    fps: u32,
    /// Bytes of a frame that is not a keyframe.
    #[arg(long, default_value_t = 8_000)]
    delta_bytes: usize,
    /// Bytes of a keyframe.
    #[arg(long, default_value_t = 100_000)]
    key_bytes: usize,
    /// Frames in a group, its keyframe included.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    group: u32,
}

impl From<Picture> for Shape {
    fn from(picture: Picture) -> Self {
        Self {
            fps: picture.fps,
            group: picture.group,
            key_bytes: picture.key_bytes,
            delta_bytes: picture.delta_bytes,
        }
    }
}

#[derive(Args)]
struct Fanout {
    /// Path of the moq-relay program.
    #[arg(long)]
    relay: PathBuf,
    /// Players, each with a session of its own.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    players: u32,
    #[command(flatten)]
    picture: Picture,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Core that the relay is bound to.
    #[arg(long)]
    relay_core: Option<usize>,
    /// Core that the publisher and the players are bound to.
    #[arg(long)]
    client_core: Option<usize>,
    /// Players that share a UDP socket.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    per_socket: u32,
    /// Players that join at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    join_parallel: u32,
    /// Milliseconds that a group may fall behind before a player gives it up; 0 gives it up as soon as the next begins.
    #[arg(long, default_value_t = 1_000)]
    max_age_ms: u64,
    /// Print the report on one line.
    #[arg(long)]
    json: bool,
}

impl Fanout {
    fn plan(self) -> Plan {
        Plan {
            relay: self.relay,
            players: self.players,
            shape: self.picture.into(),
            window: Duration::from_secs(self.seconds),
            relay_core: self.relay_core,
            client_core: self.client_core,
            per_socket: self.per_socket,
            join_parallel: self.join_parallel,
            max_age: Duration::from_millis(self.max_age_ms),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let Cli { command } = Cli::parse();
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error,moq_peer=info"));
    let stderr = std::io::stderr;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .init();
    match command {
        Command::Fanout(args) => {
            let one_line = args.json;
            let report = fanout(&args.plan())?;
            print(&report, one_line)
        }
        Command::Publish(args) => on_this_thread(apart::publish(args.url, args.picture.into())),
        Command::Watch(args) => {
            let Publish { url, picture } = args.published;
            let max_age = Duration::from_millis(args.max_age_ms);
            on_this_thread(apart::watch(url, picture.into(), max_age))
        }
    }
}

fn on_this_thread<T>(act: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(act)
}

/// One thread does all: the relay's core is left alone, and the clients' share of the other is known.
fn fanout(plan: &Plan) -> anyhow::Result<Report> {
    let relay = fanout::start_relay(plan)?;
    on_this_thread(async {
        tokio::select! {
            report = fanout::run(plan, &relay) => report,
            ended = interrupted() => {
                ended.context("signals")?;
                bail!("interrupted")
            }
        }
    })
}

/// Waits for a polite end, so that the relay does not outlive this process.
async fn interrupted() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

fn print(report: &Report, one_line: bool) -> anyhow::Result<()> {
    let text = if one_line {
        serde_json::to_string(report)
    } else {
        serde_json::to_string_pretty(report)
    }?;
    writeln!(std::io::stdout(), "{text}").context("standard output")
}
