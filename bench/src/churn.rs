//! Players that come and go while the picture runs.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use steadycast_relay::shard::RelayClock;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::checker::Watch;
use crate::client::Client;
use crate::entrance::Entrance;
use crate::fanout::{Progress, on_this_thread};
use crate::load::{Appetite, Picture};
use crate::process::Gauge;
use crate::publishers::Publishers;
use crate::report::{Row, spread, table};
use crate::tally::Tally;
use crate::target::{Broadcast, Target};
use crate::transport::Transport;

/// How long the picture runs before the first player comes, and before what is left is looked at.
const CALM: Duration = Duration::from_secs(1);
/// How long the relay may take to see that everybody has left: longer than a session may be silent.
const EMPTY: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// What a churn is made of.
#[derive(Debug, Clone, Serialize)]
pub struct Traffic {
    /// Players at a time, about.
    pub players: usize,
    /// Players that come per second, and that leave.
    pub rate: usize,
    /// How long players come, in seconds.
    pub seconds: u64,
    /// By what they watch.
    #[serde(flatten)]
    pub transport: Transport,
    /// What they watch.
    #[serde(flatten)]
    pub picture: Picture,
}

impl Traffic {
    /// How long each player stays.
    pub fn stay(&self) -> Duration {
        Duration::from_secs_f64(self.players as f64 / self.rate as f64)
    }
}

/// What a relay holds at one moment.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Holdings {
    /// Memory, in kB.
    pub rss_kb: u64,
    /// Files and sockets.
    pub files: usize,
}

impl Holdings {
    fn of(relay: Option<Gauge>) -> Result<Self> {
        let Some(relay) = relay else {
            return Ok(Self::default());
        };
        Ok(Self {
            rss_kb: relay.rss_kb()?,
            files: relay.files()?,
        })
    }
}

/// The figures of a churn. Times in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Churn {
    /// The traffic.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// Players that came.
    pub came: usize,
    /// Of them, those that had a picture.
    pub joined: usize,
    /// Of them, those that had none while they stayed.
    pub failed: usize,
    /// Sessions that ended before their player left.
    pub closed: u64,
    /// Frames that were wrong: never sent, corrupt, or out of order.
    pub bad: u64,
    /// From opening a session to its first whole frame: median.
    pub join_p50_us: u64,
    /// 95 of 100.
    pub join_p95_us: u64,
    /// 99 of 100.
    pub join_p99_us: u64,
    /// The relay before the first player came.
    pub before: Holdings,
    /// The relay when the last one had come.
    pub busy: Holdings,
    /// The relay when everybody had left.
    pub after: Holdings,
    /// Players that the relay still counts then.
    pub left_over: u64,
    /// Cores that this client kept busy; near 1 it is the client that is measured.
    pub client_cores: f64,
    /// A word on why sessions ended early.
    #[serde(skip)]
    pub first_end: Option<String>,
}

/// Does it. Blocks; makes a runtime of its own on this thread.
///
/// # Errors
/// When the relay cannot be reached or refuses.
pub fn run(
    traffic: &Traffic,
    target: &Target,
    relay: Option<Gauge>,
    progress: Progress<'_>,
) -> Result<Churn> {
    let broadcast = target.create("Churn")?;
    let street = Street {
        traffic,
        target,
        relay,
        broadcast: &broadcast,
        clock: RelayClock::start(),
        tally: Rc::default(),
        progress,
    };
    let churn = on_this_thread(street.run());
    let ended = target.end(&broadcast);
    // What went wrong first says more.
    churn.and_then(|churn| ended.map(|()| churn))
}

/// Where they come and go.
struct Street<'a> {
    traffic: &'a Traffic,
    target: &'a Target,
    relay: Option<Gauge>,
    broadcast: &'a Broadcast,
    clock: RelayClock,
    tally: Rc<RefCell<Tally>>,
    progress: Progress<'a>,
}

impl Street<'_> {
    async fn run(&self) -> Result<Churn> {
        let traffic = self.traffic;
        let client = Client::new(self.target, 1)?;
        let entrance = Entrance::new(self.target, traffic.transport, traffic.players, 0)?;
        let broadcasts = std::slice::from_ref(self.broadcast);
        let publishers =
            Publishers::start(&client, (&traffic.picture, None), broadcasts, self.clock).await?;
        sleep(CALM).await;
        let before = Holdings::of(self.relay)?;
        let (started, cpu) = (Instant::now(), Gauge::own().cpu()?);
        let (came, mut players) = self.let_come(&Rc::new(entrance), &publishers).await?;
        let busy = Holdings::of(self.relay)?;
        while players.join_next().await.is_some() {}
        let spent = (Gauge::own().cpu()? - cpu).as_secs_f64();
        let client_cores = spent / started.elapsed().as_secs_f64();
        let left_over = self.empty().await?;
        publishers.check()?;
        let after = Holdings::of(self.relay)?;
        let tally = self.tally.borrow();
        let join = |share| tally.join.value_at_quantile(share);
        Ok(Churn {
            traffic: self.traffic.clone(),
            came,
            joined: tally.ready,
            failed: came - tally.ready,
            closed: tally.closed,
            bad: tally.bad(),
            join_p50_us: join(0.5),
            join_p95_us: join(0.95),
            join_p99_us: join(0.99),
            before,
            busy,
            after,
            left_over,
            client_cores,
            first_end: tally.first_end.clone(),
        })
    }

    /// Players come one after another, and leave as a page that is closed does. Returns how many
    /// came, and those that are still there.
    async fn let_come(
        &self,
        entrance: &Rc<Entrance>,
        publishers: &Publishers,
    ) -> Result<(usize, JoinSet<()>)> {
        let traffic = self.traffic;
        let all = traffic.rate * traffic.seconds as usize;
        let mut players = JoinSet::new();
        let mut comes = interval(Duration::from_secs(1) / traffic.rate as u32);
        for number in 0..all {
            comes.tick().await;
            publishers.check()?;
            let watch = Watch {
                ledger: Some(publishers.ledger(0)),
                tally: self.tally.clone(),
                clock: self.clock,
                appetite: Appetite::Healthy,
                listens: false,
            };
            let (entrance, broadcast) = (entrance.clone(), self.broadcast.clone());
            let stay = traffic.stay();
            players.spawn_local(async move {
                // One that has left is dropped with all that it holds.
                let _ = timeout(stay, entrance.admit(number, &broadcast, watch)).await;
            });
            while players.try_join_next().is_some() {}
            (self.progress)("coming", number as u64, all as u64);
        }
        Ok((all, players))
    }

    /// Waits until the relay counts no player any more, or for [`EMPTY`]. Returns how many it counts.
    async fn empty(&self) -> Result<u64> {
        let since = Instant::now();
        loop {
            let records = self.target.records(&self.broadcast.id)?;
            let players = records["players"].as_u64();
            let players = players.context("the relay's records have no players")?;
            if players == 0 || since.elapsed() > EMPTY {
                sleep(CALM).await;
                return Ok(players);
            }
            (self.progress)("leaving", since.elapsed().as_secs(), EMPTY.as_secs());
            sleep(LOOK).await;
        }
    }
}

impl Churn {
    /// The result for people.
    pub fn text(&self) -> String {
        let traffic = &self.traffic;
        let title = format!(
            "{} players come per second for {} s, and stay {:.1} s each",
            traffic.rate,
            traffic.seconds,
            traffic.stay().as_secs_f64()
        );
        let mut text = table(&title, &self.rows());
        if let Some(why) = &self.first_end {
            let _ = writeln!(text, "  ! the first session to end early: {why}");
        }
        text
    }

    fn rows(&self) -> Vec<Row> {
        let held = |held: Holdings| {
            let megabytes = held.rss_kb as f64 / 1e3;
            format!("{megabytes:.1} MB, {} files", held.files)
        };
        vec![
            (
                "came, had a picture, had none",
                format!("{}, {}, {}", self.came, self.joined, self.failed),
            ),
            (
                "wrong frames, sessions lost",
                format!("{}, {}", self.bad, self.closed),
            ),
            (
                "join p50 / p95 / p99",
                spread(&[self.join_p50_us, self.join_p95_us, self.join_p99_us]),
            ),
            ("relay before", held(self.before)),
            ("relay at the end of the rush", held(self.busy)),
            ("relay after everybody has left", held(self.after)),
            ("players left over", self.left_over.to_string()),
            ("client cores", format!("{:.2}", self.client_cores)),
        ]
    }
}
