//! A cluster of processes under faults: relays and the engine's servers are killed, frozen and cut off, one after another
//! in a seeded order, while a publisher and many players run. What players saw of each is counted.

mod fault;
mod ground;
mod host;
mod report;
mod watcher;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use steadycast_tests::client::{Carrier, Player, Target};
use steadycast_tests::nats::{Gate, Three};
use tokio::time::{interval, sleep, timeout};

pub use fault::{Act, Part};
pub use report::{Outcome, Report};

use self::fault::{Fault, heal, order, strike};
use self::ground::Ground;
use self::host::{Host, Standing};
use self::watcher::Watcher;
use crate::cluster::{Cluster, Plan};

/// What is run.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Faults {
    /// Faults, one after another
    #[arg(long, default_value_t = 12)]
    pub count: usize,
    /// Relays
    #[arg(long, default_value_t = 4)]
    pub relays: usize,
    /// Players, as many at each relay
    #[arg(long, default_value_t = 50)]
    pub players: usize,
    /// How long a relay's lease is good, in seconds
    #[arg(long, default_value_t = 15)]
    pub lease: u64,
    /// The same seed, the same order
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A player's picture is new while it is no older than this.
const NEW: Duration = Duration::from_secs(1);
/// How long it may take until the run is given up.
const GIVEN_UP: Duration = Duration::from_secs(90);
/// Rest between one fault and the next.
const REST: Duration = Duration::from_secs(3);

/// Everything that runs.
struct Run {
    settings: Faults,
    engine: Three,
    /// The ways of each relay to the engine.
    ways: Vec<Vec<Gate>>,
    cluster: Cluster,
    ground: Arc<Ground>,
    host: Host,
    watchers: Vec<Watcher>,
    tokens: crate::target::Broadcast,
}

impl Faults {
    /// Runs it; `told` hears of each fault when it is over.
    ///
    /// # Errors
    /// When something does not start, or does not come back.
    pub async fn run(&self, told: impl Fn(&Outcome)) -> Result<Report> {
        ensure!(self.relays > 1, "one relay has no other to go to");
        let mut run = Run::begin(self).await?;
        let mut outcomes = Vec::new();
        for fault in order(self.count, self.relays, self.seed) {
            let outcome = run.play(&fault).await?;
            told(&outcome);
            outcomes.push(outcome);
        }
        run.ground.over.store(true, Ordering::Relaxed);
        Ok(Report::new(self.clone(), outcomes))
    }
}

impl Run {
    async fn begin(settings: &Faults) -> Result<Self> {
        let engine = Three::start().await?;
        let mut ways = Vec::new();
        for relay in 0..settings.relays {
            let mut own = Vec::new();
            for number in 0..3 {
                own.push(engine.servers[(relay + number) % 3].way().await?);
            }
            ways.push(own);
        }
        let urls = |ways: &Vec<Gate>| {
            let urls = ways.iter().map(|way| format!("nats://{}", way.address()));
            urls.collect()
        };
        let plan = Plan {
            relays: settings.relays,
            ports: None,
            engine: ways.iter().map(urls).collect(),
            replicas: 3,
            cables: true,
            flags: vec![format!("--cluster-lease-s={}", settings.lease)],
        };
        let cluster = Cluster::start(&plan).await?;
        let first = cluster.members[0].target()?;
        let tokens = first.create("Faults")?;
        let targets = cluster.members.iter().map(|member| {
            let mut target: Target = member.target()?.pinned()?;
            target.carrier = Carrier::WebTransport;
            Ok(target)
        });
        let ground = Arc::new(Ground::new(targets.collect::<Result<_>>()?));
        let host = Host::begin(ground.clone(), 0, tokens.publish_token.clone());
        let mut run = Self {
            settings: settings.clone(),
            engine,
            ways,
            cluster,
            host,
            watchers: Vec::new(),
            tokens,
            ground,
        };
        run.converges(Instant::now()).await?;
        run.spread();
        Ok(run)
    }

    /// Has as many players at each relay: in place of those that have left theirs others come.
    fn spread(&mut self) {
        for number in 0..self.settings.players {
            let relay = number % self.settings.relays;
            let there = self.watchers.get(number).map(Watcher::relay);
            if there == Some(relay) {
                continue;
            }
            let token = self.tokens.play_token.clone();
            let watcher = Watcher::begin(self.ground.clone(), relay, token);
            match self.watchers.get_mut(number) {
                Some(old) => *old = watcher,
                None => self.watchers.push(watcher),
            }
        }
    }

    async fn play(&mut self, fault: &Fault) -> Result<Outcome> {
        self.spread();
        sleep(REST).await;
        self.watchers
            .iter()
            .for_each(|watcher| drop(watcher.take()));
        let Standing::At(origin) = self.host.standing() else {
            anyhow::bail!("the publisher is nowhere");
        };
        let relay = fault::relay(fault, origin, self.settings.relays);
        let there: Vec<_> = self.watchers.iter().map(Watcher::relay).collect();
        let dies = matches!(fault.act, Act::Kill | Act::Freeze);
        if let Some(relay) = relay.filter(|_| dies) {
            self.ground.is_whole(relay, false);
        }
        strike(
            fault,
            relay,
            (&mut self.cluster, &mut self.engine, &self.ways),
        )?;
        let told_ms = match fault.part {
            Part::Rival => Some(self.rival(origin, fault).await?),
            _ => None,
        };
        sleep(fault.lasts).await;
        heal(
            fault,
            relay,
            (&mut self.cluster, &mut self.engine, &self.ways),
        )
        .await?;
        let healed = Instant::now();
        if let Some(relay) = relay {
            self.ground.is_whole(relay, true);
        }
        let converged = self.converges(healed).await?;
        let seen: Vec<_> = self.watchers.iter().map(Watcher::take).collect();
        let hit = |at: &usize| dies && Some(*at) == relay;
        Ok(Outcome::of(
            fault,
            &seen,
            |number| hit(&there[number]),
            converged,
            told_ms,
        ))
    }

    /// Another publisher comes to another relay: the one that was there is told so, and goes. Gives after how long.
    async fn rival(&mut self, origin: usize, fault: &Fault) -> Result<u64> {
        let relays = self.settings.relays;
        let other = (origin + 1 + fault.which % (relays - 1)) % relays;
        let token = self.tokens.publish_token.clone();
        let rival = Host::begin(self.ground.clone(), other, token);
        let old = std::mem::replace(&mut self.host, rival);
        let mut looks = interval(Duration::from_millis(10));
        let began = async {
            while !matches!(self.host.standing(), Standing::At(_)) {
                looks.tick().await;
            }
            let begun = Instant::now();
            loop {
                looks.tick().await;
                if let Standing::Superseded(at) = old.standing() {
                    return at.saturating_duration_since(begun);
                }
            }
        };
        let told = timeout(GIVEN_UP, began).await;
        let told = told.context("two publishers are live")?;
        Ok(told.as_millis() as u64)
    }

    /// Waits until every player's picture is new, and that of one who comes to any relay; gives how long that took.
    async fn converges(&self, since: Instant) -> Result<Duration> {
        let waiting = async {
            let mut looks = interval(Duration::from_millis(50));
            loop {
                looks.tick().await;
                let old = self.watchers.iter().any(|watcher| watcher.age() > NEW);
                let at = matches!(self.host.standing(), Standing::At(_));
                if !old && at && self.comes_everywhere().await {
                    return since.elapsed();
                }
            }
        };
        let converged = timeout(GIVEN_UP, waiting).await;
        converged.with_context(|| self.stuck())
    }

    fn stuck(&self) -> String {
        let old = self.watchers.iter().filter(|watcher| watcher.age() > NEW);
        let at: Vec<_> = old.map(|watcher| watcher.relay() + 1).collect();
        format!(
            "it does not converge: players of relays {at:?} see nothing new, the publisher is {:?}",
            self.host.standing()
        )
    }

    /// Whether a player that comes to any of the relays gets a picture that is new.
    async fn comes_everywhere(&self) -> bool {
        let joins = self.ground.targets.iter().map(|target| async {
            let joined = timeout(NEW, self.fresh(target)).await;
            matches!(joined, Ok(Ok(())))
        });
        let all = futures_util::future::join_all(joins).await;
        all.into_iter().all(|fresh| fresh)
    }

    async fn fresh(&self, target: &Target) -> Result<()> {
        let mut player = Player::join(target, &self.tokens.play_token).await?;
        loop {
            let frame = player.frame().await?;
            let shown = host::Shown::read(&frame.payload);
            let now = host::now_us();
            let is_new = |shown: host::Shown| now.saturating_sub(shown.captured) < 500_000;
            if shown.is_some_and(is_new) {
                return Ok(());
            }
        }
    }
}
