//! One run: publishers, players, and a window in which everything is counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use steadycast_relay::shard::RelayClock;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{interval, sleep};

use crate::checker::Watch;
use crate::client::Client;
use crate::entrance::Entrance;
use crate::load::{Appetite, Load};
use crate::process::Gauge;
use crate::publishers::Publishers;
use crate::report::{Narrow, Report, Sample};
use crate::sound::SoundReport;
use crate::tally::{Tally, times};
use crate::target::{Broadcast, Target};

/// How long players may take to join, after the last was started.
pub(crate) const JOIN: Duration = Duration::from_secs(30);
/// How long the picture runs before anything is counted: long enough for every window to open up.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);
/// How long what was said before may still be heard.
const SETTLE_SOUND: Duration = Duration::from_millis(200);
/// How long frames of the window may still be under way after it.
const STRAGGLE: Duration = Duration::from_secs(2);
/// Requests over HTTP that may wait for their answer at once.
const BLOCKING_THREADS: usize = 8;
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// What a run is told about besides the load.
pub struct Run<'a> {
    /// The load.
    pub load: &'a Load,
    /// The relay.
    pub target: &'a Target,
    /// The relay's process, where it is on this machine.
    pub relay: Option<Gauge>,
    /// From one sample to the next.
    pub every: Duration,
    /// Told what is happening: a word, and how far it is, of how much.
    pub progress: Progress<'a>,
}

/// Is told what is happening: a word, and how far it is, of how much.
pub type Progress<'a> = &'a dyn Fn(&str, u64, u64);

/// Does the run. Blocks; makes a runtime of its own on this thread.
///
/// # Errors
/// When the relay cannot be reached or refuses.
pub fn run(run: &Run<'_>) -> Result<Report> {
    let broadcasts: Vec<Broadcast> = (0..run.load.publishers)
        .map(|number| run.target.create(&format!("Bench {number}")))
        .collect::<Result<_>>()?;
    let report = on_this_thread(Crowd::run(run, &broadcasts));
    for broadcast in &broadcasts {
        run.target.end(broadcast)?;
    }
    report
}

/// Runs `work` and the local tasks that it spawns on this thread alone, so that its core is the
/// client's.
///
/// # Errors
/// As `work`.
pub fn on_this_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // For what cannot but block. They stay, so that their CPU time is not forgotten.
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(Duration::MAX)
        .build()?;
    runtime.block_on(LocalSet::new().run_until(work))
}

/// Everybody of one run.
struct Crowd<'a> {
    run: &'a Run<'a>,
    broadcasts: &'a [Broadcast],
    clock: RelayClock,
    tally: Rc<RefCell<Tally>>,
    publishers: Publishers,
    players: JoinSet<()>,
}

/// Readings at one moment.
struct Reading {
    at: Instant,
    relay_cpu: Duration,
    relay_waited: Duration,
    own_cpu: Duration,
    own_waited: Duration,
    received: u64,
    /// Frames of sound of all publishers.
    sounds: u64,
    /// Frames of each publisher.
    sent: Vec<u64>,
}

impl<'a> Crowd<'a> {
    async fn run(run: &'a Run<'a>, broadcasts: &'a [Broadcast]) -> Result<Report> {
        let load = run.load;
        let client = Client::new(run.target, load.publishers)?;
        let clock = RelayClock::start();
        let mut crowd = Self {
            run,
            broadcasts,
            clock,
            tally: Rc::default(),
            publishers: Publishers::start(&client, (&load.picture, load.sound), broadcasts, clock)
                .await?,
            players: JoinSet::new(),
        };
        sleep(Duration::from_millis(500)).await;
        let rss_before = crowd.rss()?;
        let unhealthy = load.players - load.healthy();
        let entrance = Entrance::new(run.target, load.transport, load.players, unhealthy)?
            .with_narrow(run.target, load.narrow, load.narrow_kbit)
            .await?;
        crowd.join(&Rc::new(entrance)).await?;
        crowd.publishers.script().speak(load.sound.is_some());
        sleep(SETTLE).await;
        crowd.measure(rss_before).await
    }

    fn rss(&self) -> Result<u64> {
        self.run.relay.map_or(Ok(0), |relay| relay.rss_kb())
    }

    async fn join(&mut self, entrance: &Rc<Entrance>) -> Result<()> {
        let load = self.run.load;
        let mut ramp = interval(Duration::from_secs(1) / load.ramp as u32);
        for number in 0..load.players {
            ramp.tick().await;
            let at = number % self.broadcasts.len();
            let appetite = load.appetite(number);
            // What renditions are made of is not recorded.
            let whole = !matches!(appetite, Appetite::Narrow(_));
            let watch = Watch {
                ledger: whole.then(|| self.publishers.ledger(at)),
                tally: self.tally.clone(),
                clock: self.clock,
                appetite,
                listens: load.sound.is_some(),
            };
            let (entrance, broadcast) = (entrance.clone(), self.broadcasts[at].clone());
            self.players.spawn_local(async move {
                entrance.admit(number, &broadcast, watch).await;
            });
            self.progress("joining", self.ready(), load.players as u64);
        }
        let started = Instant::now();
        while self.ready() < load.players as u64 && started.elapsed() < JOIN {
            self.publishers.check()?;
            self.progress("joining", self.ready(), load.players as u64);
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn ready(&self) -> u64 {
        self.tally.borrow().ready as u64
    }

    fn progress(&self, what: &str, done: u64, all: u64) {
        (self.run.progress)(what, done, all);
    }

    async fn measure(&mut self, rss_before: u64) -> Result<Report> {
        let ready = self.tally.borrow().ready;
        let opened = self.clock.now().as_micros();
        self.tally.borrow_mut().window = opened..u64::MAX;
        let start = self.reading()?;
        let samples = self.sample(&start).await?;
        let end = self.reading()?;
        let closed = self.clock.now().as_micros();
        self.tally.borrow_mut().window = opened..closed;
        let rss_after = self.rss()?;
        let expected = self.expected(&start, &end);
        self.straggle(expected).await;
        self.publishers.check()?;
        let relay_s = (end.relay_cpu - start.relay_cpu).as_secs_f64();
        let wall = (end.at - start.at).as_secs_f64();
        let mut report = Report::of(self.run.load, &self.tally.borrow());
        report.ready = ready;
        report.expected = expected;
        report.gbit = (end.received - start.received) as f64 * 8.0 / 1e9;
        report.cpu_s = relay_s;
        report.cpu_s_per_gbit = relay_s / report.gbit;
        report.relay_cores = relay_s / wall;
        report.relay_wait = (end.relay_waited - start.relay_waited).as_secs_f64() / wall;
        report.client_cores = (end.own_cpu - start.own_cpu).as_secs_f64() / wall;
        report.client_wait = (end.own_waited - start.own_waited).as_secs_f64() / wall;
        report.rss_kb = rss_after;
        report.rss_kb_per_player =
            rss_after.saturating_sub(rss_before) as f64 / ready.max(1) as f64;
        let asked = self.publishers.asked();
        report.keyframe_requests = asked.keyframes;
        report.narrow = self.narrow(asked.renditions);
        report.relay_skips = self.relay_skips().context("the relay's records")?;
        report.samples = samples;
        if let Some(kbit) = self.run.load.sound {
            let sent = end.sounds - start.sounds;
            report.sound = Some(self.sound(kbit, sent).await?);
        }
        Ok(report)
    }

    /// What was heard in the window of what was sent, and what it takes of the relay: for as long again publishers
    /// speak in every other second.
    async fn sound(&self, kbit: u64, sent: u64) -> Result<SoundReport> {
        let mut costs = Vec::new();
        for pair in 0..self.run.load.seconds.max(2) / 2 {
            self.progress("weighing sound", 2 * pair, self.run.load.seconds);
            let (with, heard) = self.second(true).await?;
            let (without, _) = self.second(false).await?;
            let took = with.as_secs_f64() - without.as_secs_f64();
            costs.push(took * 1e6 / heard.max(1) as f64);
        }
        costs.sort_by(f64::total_cmp);
        let healthy = self.run.load.healthy() as u64 / self.broadcasts.len() as u64;
        let tally = self.tally.borrow();
        let heard = &tally.sound;
        let at = |share| heard.latency.value_at_quantile(share);
        Ok(SoundReport {
            kbit,
            frames: heard.frames,
            expected: sent * healthy,
            gaps: heard.gaps,
            p50_us: at(0.5),
            p95_us: at(0.95),
            max_us: heard.latency.max(),
            cpu_us: costs[costs.len() / 2],
            cpu_us_spread: [costs[0], costs[costs.len() - 1]],
        })
    }

    /// What a second takes of the relay in which publishers speak or are silent, and how many frames were heard in it.
    async fn second(&self, speak: bool) -> Result<(Duration, u64)> {
        self.publishers.script().speak(speak);
        sleep(SETTLE_SOUND).await;
        let heard = || self.tally.borrow().sound.all;
        let before = (self.relay_cpu()?, heard());
        sleep(Duration::from_secs(1)).await;
        self.publishers.check()?;
        Ok((self.relay_cpu()? - before.0, heard() - before.1))
    }

    /// Waits for nothing, so that no frame comes between its figures.
    fn reading(&self) -> Result<Reading> {
        let (own, relay) = (Gauge::own(), self.run.relay);
        Ok(Reading {
            at: Instant::now(),
            relay_cpu: self.relay_cpu()?,
            relay_waited: relay.map_or(Ok(Duration::ZERO), |relay| relay.waited())?,
            own_cpu: own.cpu()?,
            own_waited: own.waited()?,
            received: self.tally.borrow().received,
            sounds: self.publishers.script().sent(),
            sent: self.publishers.sent(),
        })
    }

    fn relay_cpu(&self) -> Result<Duration> {
        let relay = self.run.relay;
        relay.map_or(Ok(Duration::ZERO), |relay| relay.cpu())
    }

    /// Lets the window pass, with a look now and then.
    async fn sample(&self, start: &Reading) -> Result<Vec<Sample>> {
        let (seconds, every) = (self.run.load.seconds, self.run.every.as_secs().max(1));
        let mut samples = Vec::new();
        let mut cpu_before = start.relay_cpu;
        let mut looks = interval(Duration::from_secs(1));
        looks.tick().await;
        self.tally.borrow_mut().recent = times();
        for second in 1..=seconds {
            looks.tick().await;
            self.publishers.check()?;
            if second % every == 0 {
                let cpu = self.relay_cpu()?;
                let cores = (cpu - cpu_before).as_secs_f64() / every as f64;
                cpu_before = cpu;
                samples.push(self.look(second, cores)?);
            }
            self.progress("measuring", second, seconds);
        }
        Ok(samples)
    }

    fn look(&self, second: u64, relay_cores: f64) -> Result<Sample> {
        let recent = std::mem::replace(&mut self.tally.borrow_mut().recent, times());
        let relay = self.run.relay;
        Ok(Sample {
            second,
            frames: recent.len(),
            p50_us: recent.value_at_quantile(0.5),
            p99_us: recent.value_at_quantile(0.99),
            relay_cores,
            rss_kb: self.rss()?,
            files: relay.map_or(Ok(0), |relay| relay.files())?,
            threads: relay.map_or(Ok(0), |relay| relay.threads())?,
        })
    }

    /// Frames that healthy players should have had.
    fn expected(&self, start: &Reading, end: &Reading) -> u64 {
        let load = self.run.load;
        let unhealthy = load.players - load.healthy();
        let watchers = |at: usize| {
            let all = (0..load.players).skip(unhealthy);
            all.filter(|number| number % self.broadcasts.len() == at)
                .count() as u64
        };
        let sent = start.sent.iter().zip(&end.sent);
        sent.enumerate()
            .map(|(at, (before, after))| (after - before) * watchers(at))
            .sum()
    }

    /// What players behind narrow paths have had, if there are any.
    fn narrow(&self, renditions: u64) -> Option<Narrow> {
        let load = self.run.load;
        let times = &self.tally.borrow().narrow;
        (load.narrow > 0).then(|| Narrow {
            players: load.narrow,
            kbit: load.narrow_kbit,
            frames_per_second: times.len() as f64 / load.seconds as f64 / load.narrow as f64,
            p50_us: times.value_at_quantile(0.5),
            p95_us: times.value_at_quantile(0.95),
            renditions,
        })
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
