//! The run: a relay, a publisher, players that join a few at a time, a window, a report.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};
use url::Url;

use crate::client::client;
use crate::player::{Counted, Player};
use crate::process;
use crate::publisher::{Publisher, Shape};
use crate::relay::Relay;
use crate::report::{Cpu, Measured, Report};
use crate::tally::Tally;

/// The publisher alone for as long as this before the relay's memory is read for the first time.
const SETTLE: Duration = Duration::from_secs(1);
/// The run goes on with the players that are there when joining takes longer than this.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
/// How long frames of the window may still come after it has closed.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// How to run the load.
pub(crate) struct Plan {
    /// The relay's program.
    pub(crate) relay: PathBuf,
    /// Players to join.
    pub(crate) players: u32,
    /// What is published.
    pub(crate) shape: Shape,
    /// How long the window is open.
    pub(crate) window: Duration,
    /// The core of the relay, when it is bound to one.
    pub(crate) relay_core: Option<usize>,
    /// The core of the publisher and the players, when they are bound to one.
    pub(crate) client_core: Option<usize>,
    /// Players that share a UDP socket, at least 1.
    pub(crate) per_socket: u32,
    /// Players that join at the same time, at least 1.
    pub(crate) join_parallel: u32,
    /// How far a group may fall behind before a player gives it up.
    pub(crate) max_age: Duration,
}

/// Starts the relay on its core; then binds this thread, and with it the runtime, to the clients' core.
///
/// # Errors
/// When a core does not exist or the relay cannot be started.
pub(crate) fn start_relay(plan: &Plan) -> anyhow::Result<Relay> {
    process::pin(plan.relay_core).context("--relay-core")?;
    let relay = Relay::start(&plan.relay)?;
    process::pin(plan.client_core).context("--client-core")?;
    Ok(relay)
}

/// Runs the load against a relay that has been started.
///
/// # Errors
/// When the relay ends or the publisher loses it; players that fail are only missing in the report.
pub(crate) async fn run(plan: &Plan, relay: &Relay) -> anyhow::Result<Report> {
    let url: Url = format!("https://127.0.0.1:{}/", relay.port()).parse()?;
    let tally = Arc::new(Tally::new()?);
    let publisher = Publisher::connect(
        client(Ipv4Addr::LOCALHOST)?,
        url.clone(),
        plan.shape,
        Arc::clone(&tally),
    )
    .await?;
    tokio::select! {
        report = measure(plan, relay, url, &tally) => report,
        ended = publisher.run() => {
            ended?;
            bail!("the publisher has stopped")
        }
    }
}

async fn measure(
    plan: &Plan,
    relay: &Relay,
    url: Url,
    tally: &Arc<Tally>,
) -> anyhow::Result<Report> {
    sleep(SETTLE).await;
    let rss_before = relay.resident_kb()?;
    let mut crowd = JoinSet::new();
    join(plan, url, tally, &mut crowd).await?;
    let ready = *tally.ready().borrow();
    tracing::info!(ready, "players are watching");

    let (before, opened) = (cpu(relay)?, Instant::now());
    tally.open_window();
    sleep(plan.window).await;
    tally.close_window();
    let (after, wall_s) = (cpu(relay)?, opened.elapsed().as_secs_f64());
    let rss_kb = (rss_before, relay.resident_kb()?);

    wait_for_stragglers(plan.players, tally).await;
    let measured = Measured {
        players: plan.players,
        ready,
        before,
        after,
        wall_s,
        rss_kb,
    };
    Ok(Report::new(&tally.counts(), &measured))
}

/// Lets the players in, `join_parallel` at a time, so that a join is measured and not the crowd before a door.
async fn join(
    plan: &Plan,
    url: Url,
    tally: &Arc<Tally>,
    crowd: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let mut ready = tally.ready();
    let limit = tokio::time::Instant::now() + JOIN_LIMIT;
    let mut shared = client(Ipv4Addr::LOCALHOST)?;
    for number in 0..plan.players {
        if number > 0 && number.is_multiple_of(plan.per_socket) {
            shared = client(Ipv4Addr::LOCALHOST)?;
        }
        let turn = ready.wait_for(|ready| ready + plan.join_parallel > number);
        // Out of time: the rest come all at once and are ready or not.
        let _ = timeout_at(limit, turn).await;
        let player = Player {
            client: shared.clone(),
            url: url.clone(),
            max_age: plan.max_age,
            shape: plan.shape,
            notes: Arc::new(Counted::new(Arc::clone(tally))),
        };
        crowd.spawn(async move {
            if let Err(error) = player.watch().await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(number, error, "a player has stopped");
            }
        });
    }
    let all = ready.wait_for(|ready| *ready >= plan.players);
    let _ = timeout_at(limit, all).await;
    Ok(())
}

async fn wait_for_stragglers(players: u32, tally: &Tally) {
    let limit = Instant::now() + STRAGGLERS;
    while !tally.is_complete(players) && Instant::now() < limit {
        sleep(Duration::from_millis(10)).await;
    }
}

fn cpu(relay: &Relay) -> anyhow::Result<Cpu> {
    Ok(Cpu {
        relay: relay.cpu_seconds()?,
        client: process::cpu_seconds(std::process::id())?,
    })
}
