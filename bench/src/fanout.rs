//! One run: publishers, players, and a window in which everything is counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{interval, sleep};

use crate::client::Client;
use crate::load::Load;
use crate::player::{self, Watch};
use crate::process::Gauge;
use crate::publisher::Publisher;
use crate::report::{Report, Sample};
use crate::source::Source;
use crate::tally::{Clock, Tally, times};
use crate::target::{Broadcast, Target};

/// How long players may take to join, after the last was started.
const JOIN: Duration = Duration::from_secs(30);
/// How long the picture runs before anything is counted: long enough for every window to open up.
const SETTLE: Duration = Duration::from_secs(2);
/// How long frames of the window may still be under way after it.
const STRAGGLE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// What a run is told about besides the load.
pub struct Run<'a> {
    /// The load.
    pub load: &'a Load,
    /// The relay.
    pub target: &'a Target,
    /// The relay's process, where it is on this machine.
    pub relay: Option<Gauge>,
    /// Told what is happening: a word, and how far it is, of how much.
    pub progress: &'a dyn Fn(&str, u64, u64),
}

/// Does the run. Blocks; makes a runtime of its own on this thread.
///
/// # Errors
/// When the relay cannot be reached or refuses.
pub fn run(run: &Run<'_>) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let broadcasts: Vec<Broadcast> = (0..run.load.publishers)
        .map(|number| run.target.create(&format!("Bench {number}")))
        .collect::<Result<_>>()?;
    let local = LocalSet::new();
    let report = runtime.block_on(local.run_until(Crowd::run(run, &broadcasts)));
    drop(local);
    drop(runtime);
    for broadcast in &broadcasts {
        run.target.end(broadcast)?;
    }
    report
}

/// Everybody of one run.
struct Crowd<'a> {
    run: &'a Run<'a>,
    broadcasts: &'a [Broadcast],
    clock: Clock,
    tally: Rc<RefCell<Tally>>,
    tasks: JoinSet<()>,
    /// What ended a publisher.
    failed: Rc<RefCell<Option<String>>>,
    ledgers: Vec<Rc<RefCell<crate::ledger::Ledger>>>,
    requests: Vec<Rc<RefCell<u64>>>,
}

/// Readings at one moment.
struct Reading {
    at: Instant,
    relay_cpu: Duration,
    own_cpu: Duration,
    received: u64,
}

impl<'a> Crowd<'a> {
    async fn run(run: &'a Run<'a>, broadcasts: &'a [Broadcast]) -> Result<Report> {
        let mut crowd = Self {
            run,
            broadcasts,
            clock: Clock::start(),
            tally: Rc::default(),
            tasks: JoinSet::new(),
            failed: Rc::default(),
            ledgers: Vec::new(),
            requests: Vec::new(),
        };
        let sessions = run.load.players + run.load.publishers;
        let client = Rc::new(Client::new(run.target, sessions)?);
        crowd.publish(&client).await?;
        sleep(Duration::from_millis(500)).await;
        let rss_before = crowd.rss()?;
        crowd.join(&client).await?;
        sleep(SETTLE).await;
        crowd.measure(rss_before).await
    }

    fn rss(&self) -> Result<u64> {
        self.run.relay.map_or(Ok(0), |relay| relay.rss_kb())
    }

    async fn publish(&mut self, client: &Rc<Client>) -> Result<()> {
        let load = self.run.load;
        let source = Source::of(load)?;
        let interval = Duration::from_secs(1) / load.fps;
        for (number, broadcast) in self.broadcasts.iter().enumerate() {
            let token = &broadcast.publish_token;
            let publisher =
                Publisher::join(client, number, token, source.clone(), self.clock).await?;
            self.ledgers.push(publisher.ledger());
            self.requests.push(publisher.requests());
            // Publishers do not keep step with one another.
            let delay = interval * number as u32 / load.publishers as u32;
            let (fps, failed) = (load.fps, self.failed.clone());
            self.tasks.spawn_local(async move {
                if let Err(error) = publisher.run(fps, delay).await {
                    failed.borrow_mut().get_or_insert(format!("{error:#}"));
                }
            });
        }
        Ok(())
    }

    async fn join(&mut self, client: &Rc<Client>) -> Result<()> {
        let load = self.run.load;
        let mut ramp = interval(Duration::from_secs(1) / load.ramp as u32);
        for number in 0..load.players {
            ramp.tick().await;
            let at = number % self.broadcasts.len();
            let watch = Watch {
                ledger: self.ledgers[at].clone(),
                tally: self.tally.clone(),
                clock: self.clock,
                appetite: load.appetite(number),
            };
            let token = self.broadcasts[at].play_token.clone();
            self.tasks
                .spawn_local(player::run(client.clone(), number, token, watch));
            self.progress(
                "joining",
                self.tally.borrow().ready as u64,
                load.players as u64,
            );
        }
        let started = Instant::now();
        while self.tally.borrow().ready < load.players && started.elapsed() < JOIN {
            self.check()?;
            self.progress(
                "joining",
                self.tally.borrow().ready as u64,
                load.players as u64,
            );
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn progress(&self, what: &str, done: u64, all: u64) {
        (self.run.progress)(what, done, all);
    }

    fn check(&self) -> Result<()> {
        match self.failed.borrow().as_ref() {
            Some(why) => bail!("a publisher ended: {why}"),
            None => Ok(()),
        }
    }

    async fn measure(&mut self, rss_before: u64) -> Result<Report> {
        let load = self.run.load;
        let ready = self.tally.borrow().ready;
        let opened = self.clock.now_us();
        self.tally.borrow_mut().window = opened..u64::MAX;
        let start = self.reading()?;
        let samples = self.sample(&start).await?;
        let end = self.reading()?;
        let closed = self.clock.now_us();
        self.tally.borrow_mut().window = opened..closed;
        let rss_after = self.rss()?;
        let expected = self.expected(opened..closed);
        self.straggle(expected).await;
        self.check()?;
        let relay_s = (end.relay_cpu - start.relay_cpu).as_secs_f64();
        let wall = (end.at - start.at).as_secs_f64();
        let tally = self.tally.borrow();
        let mut report = Report::of(load, &tally);
        report.ready = ready;
        report.expected = expected;
        report.gbit = (end.received - start.received) as f64 * 8.0 / 1e9;
        report.cpu_s = relay_s;
        report.cpu_s_per_gbit = relay_s / report.gbit;
        report.relay_cores = relay_s / wall;
        report.client_cores = (end.own_cpu - start.own_cpu).as_secs_f64() / wall;
        report.rss_kb = rss_after;
        report.rss_kb_per_player =
            rss_after.saturating_sub(rss_before) as f64 / ready.max(1) as f64;
        report.keyframe_requests = self.requests.iter().map(|count| *count.borrow()).sum();
        report.relay_skips = self.relay_skips().context("the relay's records")?;
        report.samples = samples;
        Ok(report)
    }

    fn reading(&self) -> Result<Reading> {
        let relay = self
            .run
            .relay
            .map_or(Ok(Duration::ZERO), |relay| relay.cpu())?;
        Ok(Reading {
            at: Instant::now(),
            relay_cpu: relay,
            own_cpu: Gauge::own().cpu()?,
            received: self.tally.borrow().received,
        })
    }

    /// Lets the window pass, with a look every second.
    async fn sample(&self, start: &Reading) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        let mut cpu_before = start.relay_cpu;
        let mut looks = interval(Duration::from_secs(1));
        looks.tick().await;
        self.tally.borrow_mut().recent = times();
        for second in 1..=self.run.load.seconds {
            looks.tick().await;
            self.check()?;
            let cpu = self
                .run
                .relay
                .map_or(Ok(Duration::ZERO), |relay| relay.cpu())?;
            let recent = std::mem::replace(&mut self.tally.borrow_mut().recent, times());
            samples.push(Sample {
                second,
                p50_us: recent.value_at_quantile(0.5),
                p99_us: recent.value_at_quantile(0.99),
                relay_cores: (cpu - cpu_before).as_secs_f64(),
                rss_kb: self.rss()?,
            });
            cpu_before = cpu;
            self.progress("measuring", second, self.run.load.seconds);
        }
        Ok(samples)
    }

    /// Frames that healthy players should have had.
    fn expected(&self, window: std::ops::Range<u64>) -> u64 {
        let load = self.run.load;
        let unhealthy = load.players - load.healthy();
        let watchers = |at: usize| {
            let all = (0..load.players).skip(unhealthy);
            all.filter(|number| number % self.broadcasts.len() == at)
                .count() as u64
        };
        self.ledgers
            .iter()
            .enumerate()
            .map(|(at, ledger)| ledger.borrow().count(&window) * watchers(at))
            .sum()
    }

    async fn straggle(&self, expected: u64) {
        let until = Instant::now() + STRAGGLE;
        while self.tally.borrow().frames < expected && Instant::now() < until {
            sleep(LOOK).await;
        }
    }

    fn relay_skips(&self) -> Result<u64> {
        let mut skips = 0;
        for broadcast in self.broadcasts {
            let records = self.run.target.records(&broadcast.id)?;
            skips += records["totals"]["skips"].as_u64().unwrap_or_default();
        }
        Ok(skips)
    }
}
