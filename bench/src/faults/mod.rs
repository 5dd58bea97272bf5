//! A cluster of processes under faults: relays and the engine's servers are killed, frozen and cut off, one after another
//! in a seeded order, while a publisher and many players run. What players saw of each is counted.

mod aired;
mod fault;
mod ground;
mod host;
mod journey;
mod report;
mod seen;
mod stall;
mod watcher;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;
use steadycast_tests::client::{Carrier, Player, Target};
use steadycast_tests::nats::{Gate, Three};
use tokio::time::{interval, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

pub use fault::{Act, Kind, Part};
pub use report::{Outcome, Report, Sight};

use self::aired::Aired;
use self::fault::{Fault, Place, Scene, order, place};
use self::ground::Ground;
use self::host::{Host, Standing};
use self::report::{Concern, Took};
use self::stall::Stall;
use self::watcher::Watcher;
use crate::cluster::{Cluster, Plan};

/// What is run.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Faults {
    /// Faults, one after another
    #[arg(long, default_value_t = 17)]
    pub count: usize,
    /// Relays
    #[arg(long, default_value_t = 4)]
    pub relays: usize,
    /// Players, as many at each relay; every third comes over WebSocket
    #[arg(long, default_value_t = 50)]
    pub players: usize,
    /// Broadcasts, each with a publisher of its own
    #[arg(long, default_value_t = 3)]
    pub broadcasts: usize,
    /// How long a relay's lease is good, in seconds
    #[arg(long, default_value_t = 15)]
    pub lease: u64,
    /// How long a fault takes at most, in seconds
    #[arg(long, default_value_t = 15)]
    pub longest_s: u64,
    /// These kinds alone, such as "kill origin", with commas between
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Kind>,
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

/// A broadcast with its publisher.
struct Show {
    aired: Arc<Aired>,
    host: Host,
}

/// Everything that runs.
struct Run {
    settings: Faults,
    engine: Three,
    /// The ways of each relay to the engine.
    ways: Vec<Vec<Gate>>,
    cluster: Cluster,
    ground: Arc<Ground>,
    shows: Vec<Show>,
    watchers: Vec<Watcher>,
    stall: Stall,
    _knocks: AbortOnDropHandle<()>,
}

impl Faults {
    /// Runs it; `told` hears of each fault when it is over.
    ///
    /// # Errors
    /// When something does not start, or does not come back.
    pub async fn run(&self, told: impl Fn(&Outcome)) -> Result<Report> {
        ensure!(self.relays > 1, "one relay has no other to go to");
        ensure!(self.broadcasts > 0, "there is nothing to see");
        let mut run = Run::begin(self).await?;
        let mut outcomes = Vec::new();
        let longest = Duration::from_secs(self.longest_s);
        for fault in order((self.count, &self.only), longest, self.relays, self.seed) {
            let outcome = run.play(&fault).await;
            let outcome = outcome.with_context(|| format!("{}: {fault}", outcomes.len() + 1))?;
            told(&outcome);
            outcomes.push(outcome);
        }
        run.ground.over.store(true, Ordering::Relaxed);
        Ok(Report::new(self.clone(), outcomes))
    }

    /// A cluster whose relays reach the engine, and one another, by ways that can be cut.
    fn plan(&self, ways: &[Vec<Gate>]) -> Plan {
        let urls = |ways: &Vec<Gate>| {
            let urls = ways.iter().map(|way| format!("nats://{}", way.address()));
            urls.collect()
        };
        Plan {
            relays: self.relays,
            ports: None,
            engine: ways.iter().map(urls).collect(),
            replicas: 3,
            cables: true,
            flags: vec![format!("--cluster-lease-s={}", self.lease)],
        }
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
        let cluster = Cluster::start(&settings.plan(&ways)).await?;
        let targets = cluster.members.iter().map(|member| {
            let mut target: Target = member.target()?.pinned()?;
            target.carrier = Carrier::WebTransport;
            Ok(target)
        });
        let ground = Arc::new(Ground::new(targets.collect::<Result<_>>()?));
        let knocks = tokio::spawn(ground.clone().knock());
        let mut shows = Vec::new();
        for number in 0..settings.broadcasts {
            let relay = number % settings.relays;
            let tokens = cluster.members[relay].target()?.create("Faults")?;
            let aired = Arc::new(Aired::new(ground.clone(), tokens));
            let host = Host::begin(aired.clone(), relay);
            shows.push(Show { aired, host });
        }
        let mut run = Self {
            settings: settings.clone(),
            engine,
            ways,
            cluster,
            shows,
            watchers: Vec::new(),
            stall: Stall::watch(),
            ground,
            _knocks: AbortOnDropHandle::new(knocks),
        };
        run.converges(Instant::now()).await?;
        run.spread();
        Ok(run)
    }

    /// Which broadcast a player watches.
    fn show_of(&self, player: usize) -> usize {
        player / self.settings.relays % self.settings.broadcasts
    }

    /// Has as many players at each relay: in place of those that have left theirs others come.
    fn spread(&mut self) {
        for number in 0..self.settings.players {
            let relay = number % self.settings.relays;
            let there = self.watchers.get(number).map(Watcher::relay);
            if there == Some(relay) {
                continue;
            }
            let carrier = match number % 3 {
                0 => Carrier::WebSocket,
                _ => Carrier::WebTransport,
            };
            let aired = self.shows[self.show_of(number)].aired.clone();
            let watcher = Watcher::begin(aired, relay, carrier);
            match self.watchers.get_mut(number) {
                Some(old) => *old = watcher,
                None => self.watchers.push(watcher),
            }
        }
    }

    async fn play(&mut self, fault: &Fault) -> Result<Outcome> {
        self.spread();
        sleep(REST).await;
        for watcher in &self.watchers {
            watcher.take();
        }
        for show in &self.shows {
            show.host.left().take();
        }
        self.stall.take();
        let origins = self.origins()?;
        let place = place(fault, origins[0], self.settings.relays);
        let there: Vec<_> = self.watchers.iter().map(Watcher::relay).collect();
        let dies = matches!(fault.kind.0, Act::Kill | Act::Freeze);
        let dying = match place {
            Place::Relay(relay) if dies => Some(relay),
            _ => None,
        };
        if let Some(relay) = dying {
            self.ground.is_whole(relay, false);
        }
        self.scene().strike(fault, place)?;
        let told = match fault.kind.1 {
            Part::Rival => Some(self.rival(origins[0], fault).await?),
            _ => None,
        };
        sleep(fault.lasts).await;
        self.scene().heal(fault, place).await?;
        let healed = Instant::now();
        if let Some(relay) = dying {
            self.ground.is_whole(relay, true);
        }
        let left = match dying {
            Some(_) if fault.kind.0 == Act::Freeze => Some(self.are_told(healed).await?),
            _ => None,
        };
        let converged = self.converges(healed).await?;
        let seen: Vec<_> = self.watchers.iter().map(Watcher::take).collect();
        let concern = |number: usize| {
            let show = self.show_of(number);
            match fault.kind.1 {
                Part::Rival if show == 0 => Concern::Behind,
                _ => concern(fault, place, there[number], origins[show]),
            }
        };
        let hosts = self.shows.iter().flat_map(|show| show.host.left().take());
        let refused = hosts.collect();
        let took = Took {
            converged,
            told: told.or(left),
            stalled: self.stall.take(),
        };
        Ok(Outcome::of(fault, (&seen, refused), concern, took))
    }

    fn scene(&mut self) -> Scene<'_> {
        Scene {
            cluster: &mut self.cluster,
            engine: &mut self.engine,
            ways: &self.ways,
        }
    }

    /// Where the publishers are.
    fn origins(&self) -> Result<Vec<usize>> {
        let at = self.shows.iter().map(|show| match show.host.standing() {
            Standing::At(relay) => Ok(relay),
            other => anyhow::bail!("a publisher is {other:?}"),
        });
        at.collect()
    }

    /// Another publisher comes to another relay: the one that was there is told so, and goes. Gives after how long.
    async fn rival(&mut self, origin: usize, fault: &Fault) -> Result<Duration> {
        let relays = self.settings.relays;
        let other = (origin + 1 + fault.which % (relays - 1)) % relays;
        let show = &mut self.shows[0];
        let rival = Host::begin(show.aired.clone(), other);
        let old = std::mem::replace(&mut show.host, rival);
        let mut looks = interval(Duration::from_millis(10));
        let began = async {
            while !matches!(show.host.standing(), Standing::At(_)) {
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
        told.context("two publishers are live")
    }

    /// Waits until publishers that were at a relay while it stood still are told that they are elsewhere; gives how long
    /// that took.
    async fn are_told(&self, since: Instant) -> Result<Duration> {
        let waiting = async {
            let mut looks = interval(Duration::from_millis(10));
            loop {
                looks.tick().await;
                let mut over = self.shows.iter().map(|show| show.host.left().over());
                if let Some(last) = over.try_fold(since, |last, one| Some(last.max(one?))) {
                    return last.saturating_duration_since(since);
                }
            }
        };
        let told = timeout(GIVEN_UP, waiting).await;
        told.context("a publisher that has left is not told")
    }

    /// Waits until every player's picture is new, and that of one who comes to any relay, and until all relays reach the
    /// engine; gives how long that took.
    async fn converges(&self, since: Instant) -> Result<Duration> {
        let waiting = async {
            let mut looks = interval(Duration::from_millis(50));
            loop {
                looks.tick().await;
                let old = self.watchers.iter().any(|watcher| watcher.age() > NEW);
                let shown = !old && self.origins().is_ok() && self.comes_everywhere().await;
                if shown && self.all_joined().await {
                    return since.elapsed();
                }
            }
        };
        let converged = timeout(GIVEN_UP, waiting).await;
        converged.with_context(|| self.stuck())
    }

    async fn all_joined(&self) -> bool {
        let members = self.cluster.members.iter();
        let figures: Vec<_> = members.map(|member| member.figures()).collect();
        let asked = tokio::task::spawn_blocking(move || {
            let mut figures = figures.iter();
            figures.all(|figures| joined(figures).unwrap_or_default())
        });
        asked.await.unwrap_or_default()
    }

    fn stuck(&self) -> String {
        let all = self.watchers.iter().enumerate();
        let old = all.filter(|(_, watcher)| watcher.age() > NEW);
        let at: Vec<_> = old
            .map(|(number, watcher)| (self.show_of(number) + 1, watcher.relay() + 1))
            .collect();
        let hosts: Vec<_> = self.shows.iter().map(|show| show.host.standing()).collect();
        format!(
            "it does not converge: these players of (broadcast, relay) see nothing new: {at:?}, publishers are {hosts:?}"
        )
    }

    /// Whether a player that comes to any of the relays gets a picture that is new.
    async fn comes_everywhere(&self) -> bool {
        let joins = self.shows.iter().flat_map(|show| {
            let tokens = &show.aired.tokens;
            self.ground.targets().map(async move |target| {
                let joined = timeout(NEW, fresh(target, &tokens.play_token)).await;
                matches!(joined, Ok(Ok(())))
            })
        });
        join_all(joins).await.into_iter().all(|fresh| fresh)
    }
}

/// Whether a relay says that the engine takes its claims.
fn joined(figures: &str) -> Result<bool> {
    let text = ureq::get(figures).call()?.body_mut().read_to_string()?;
    Ok(text.contains("steadycast_directory_state{state=\"joined\"} 1"))
}

/// How a fault concerns a player that is `there`, of a broadcast whose publisher is at `origin`.
fn concern(fault: &Fault, place: Place, there: usize, origin: usize) -> Concern {
    let dies = matches!(fault.kind.0, Act::Kill | Act::Freeze);
    match place {
        Place::Relay(relay) if dies && relay == there => Concern::Hit,
        // What the engine says does not concern pictures.
        Place::Relay(_) if fault.kind.0 == Act::Apart => Concern::None,
        Place::Relay(relay) if relay == origin && (dies || there != origin) => Concern::Behind,
        Place::Relay(relay) if relay == there && there != origin => Concern::Behind,
        Place::Between(one, other) => {
            match [[one, other], [other, one]].contains(&[there, origin]) {
                true => Concern::Behind,
                false => Concern::None,
            }
        }
        Place::Relay(_) | Place::None => Concern::None,
    }
}

async fn fresh(target: &Target, token: &str) -> Result<()> {
    let mut player = Player::join(target, token).await?;
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
