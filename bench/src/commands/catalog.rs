//! `bench catalog`: what the broadcasts of a cluster cost a relay, a process of its own, that has none of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::OrderedConfig;
use async_nats::{Client, HeaderMap};
use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use steadycast_tests::nats::Server;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{remark, show};
use crate::cluster::{ADMIN_KEY, Cluster, Plan, free_tcp};
use crate::process::Gauge;
use crate::report::columns;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often leases are renewed, as those of fifteen seconds are.
const RENEWED: Duration = Duration::from_secs(5);
/// How often something changes.
const PACE: Duration = Duration::from_millis(10);
/// One change of so many is one of the catalog: a publisher comes or goes.
const IN_CATALOG: u64 = 10;
/// Broadcasts that a relay lists at once.
const PAGE: usize = 1_000;
/// The longest list, in bytes.
const LARGEST: u64 = 64 << 20;

/// The command line of `bench catalog`.
#[derive(Debug, Args)]
pub struct Catalogs {
    /// Broadcasts that there are
    #[arg(long, default_value_t = 10_000)]
    broadcasts: u64,
    /// Relays that have a lease
    #[arg(long, default_value_t = 100)]
    relays: u64,
    /// Claims and broadcasts that change a second
    #[arg(long, default_value_t = 1_000)]
    changes: u64,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Cost {
    broadcasts: u64,
    relays: u64,
    /// Percent of a core: with nothing, with all of it at rest, with changes.
    empty: f64,
    at_rest: f64,
    changing: f64,
    changes_per_second: f64,
    /// The same changes, only received.
    received: f64,
    /// Until the relay knew all of it.
    known_ms: u128,
    bytes_each: f64,
    /// `GET /api/broadcasts`, all pages: time, and CPU time of the relay.
    listed_ms: u128,
    listed_cpu_ms: u128,
}

const HEADS: [&str; 9] = [
    "broadcasts",
    "relays",
    "% empty",
    "% at rest",
    "changes/s",
    "% changing",
    "% receiving",
    "bytes each",
    "list (ms, CPU)",
];

impl Catalogs {
    /// Does it.
    ///
    /// # Errors
    /// When there is no engine, or the relay does not keep up.
    pub fn run(self) -> Result<()> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let cost = runtime.block_on(self.measure())?;
        let percent = |value: f64| format!("{value:.2}");
        let row = vec![
            cost.broadcasts.to_string(),
            cost.relays.to_string(),
            percent(cost.empty),
            percent(cost.at_rest),
            format!("{:.0}", cost.changes_per_second),
            percent(cost.changing),
            percent(cost.received),
            format!("{:.0}", cost.bytes_each),
            format!("{}, {}", cost.listed_ms, cost.listed_cpu_ms),
        ];
        let text = columns("A relay that has none of the broadcasts", &HEADS, &[row]);
        show(self.json, &cost, &text)
    }

    async fn measure(&self) -> Result<Cost> {
        let engine = Server::start().await?;
        let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_tcp()?));
        let cluster = Cluster::start(&Plan {
            relays: 1,
            ports: None,
            engine: vec![vec![engine.url()]],
            replicas: 1,
            cables: false,
            flags: vec![format!("--metrics-listen={metrics}")],
        })
        .await?;
        let member = cluster.members.first().context("no relay")?;
        let gauge = Gauge::of(member.pid().context("it does not run")?);
        let api = format!("http://{}/api/broadcasts", member.address);
        let figures = format!("http://{metrics}/metrics");
        let others = Others::new(&engine, self).await?;
        // What it does at its start is over by then.
        sleep(Duration::from_secs(5)).await;
        let (empty, before_kb) = (self.rest(&gauge).await?, gauge.rss_kb()?);
        let begun = Instant::now();
        others.lease().await?;
        others.fill().await?;
        remark("Waiting until the relay knows all of it");
        wait_for(&figures, self.broadcasts).await?;
        let known = begun.elapsed();
        // What it has written to disk, and waited with, is done by then.
        others.rest(Duration::from_secs(10)).await?;
        let after_kb = gauge.rss_kb()?;
        let at_rest = self.share(&gauge, others.rest(self.time())).await?.0;
        let receiver = Receiver::begin(&engine).await?;
        let (changing, made) = self.share(&gauge, others.change(self.time())).await?;
        let received = receiver.end()?;
        // Nobody but the relay itself is asked for what the others have from here on: they are gone.
        others.leave().await?;
        let (cpu, begun) = (gauge.cpu()?, Instant::now());
        let listed = listed(&api).await?;
        let (listed_for, listed_cpu) = (begun.elapsed(), gauge.cpu()?.saturating_sub(cpu));
        ensure!(listed == self.broadcasts, "{listed} are listed");
        Ok(Cost {
            broadcasts: self.broadcasts,
            relays: self.relays,
            empty,
            at_rest,
            changing,
            changes_per_second: made as f64 / self.time().as_secs_f64(),
            received,
            known_ms: known.as_millis(),
            bytes_each: (after_kb.saturating_sub(before_kb) * 1_024) as f64
                / self.broadcasts as f64,
            listed_ms: listed_for.as_millis(),
            listed_cpu_ms: listed_cpu.as_millis(),
        })
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    async fn rest(&self, gauge: &Gauge) -> Result<f64> {
        let resting = async {
            sleep(self.time()).await;
            Ok(())
        };
        Ok(self.share(gauge, resting).await?.0)
    }

    /// What share of a core a process takes meanwhile, in percent.
    async fn share<T>(
        &self,
        gauge: &Gauge,
        meanwhile: impl Future<Output = Result<T>>,
    ) -> Result<(f64, T)> {
        let (cpu, begun) = (gauge.cpu()?, Instant::now());
        let done = meanwhile.await?;
        let cpu = gauge.cpu()?.saturating_sub(cpu);
        Ok((percent(cpu, begun.elapsed()), done))
    }
}

fn percent(cpu: Duration, time: Duration) -> f64 {
    100.0 * cpu.as_secs_f64() / time.as_secs_f64()
}

/// All other relays, as the engine has them.
struct Others {
    client: Client,
    broadcasts: u64,
    relays: u64,
    changes: u64,
}

impl Others {
    async fn new(engine: &Server, plan: &Catalogs) -> Result<Self> {
        Ok(Self {
            client: async_nats::connect(engine.url()).await?,
            broadcasts: plan.broadcasts,
            relays: plan.relays.saturating_sub(1).max(1),
            changes: plan.changes,
        })
    }

    async fn write(&self, bucket: &str, key: &str, value: &Value) -> Result<()> {
        let subject = format!("$KV.steadycast-{bucket}.{key}");
        Ok(self
            .client
            .publish(subject, value.to_string().into())
            .await?)
    }

    async fn lease(&self) -> Result<()> {
        for relay in 0..self.relays {
            let lease = json!({
                "relay": format!("other-{relay}"), "run": 1, "seconds": 15,
                "links": format!("other-{relay}.example:4434"),
                "load": {"sessions": relay, "players": relay},
            });
            self.write("directory", &format!("lease.other-{relay}"), &lease)
                .await?;
        }
        Ok(self.client.flush().await?)
    }

    /// All of them are gone, at once.
    async fn leave(&self) -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert("KV-Operation", "PURGE");
        for relay in 0..self.relays {
            let subject = format!("$KV.steadycast-directory.lease.other-{relay}");
            let sent =
                self.client
                    .publish_with_headers(subject, headers.clone(), Vec::new().into());
            sent.await?;
        }
        self.client.flush().await?;
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    async fn claim(&self, broadcast: u64, epoch: u64) -> Result<()> {
        let relay = (broadcast + epoch) % self.relays;
        let claim = json!({
            "relay": format!("other-{relay}"), "epoch": epoch,
            "lineage": "AAAAAAAAAAAAAAAAAAAAAA",
        });
        self.write("directory", &format!("claim.b-{broadcast}"), &claim)
            .await
    }

    async fn describe(&self, broadcast: u64, seconds: u64) -> Result<()> {
        let there = json!({"there": {
            "title": format!("The broadcast of number {broadcast}"), "created": 1_700_000_000,
            "maker": "somebody", "chosen": true, "publisher": {"awaySince": 1_700_000_000 + seconds},
        }});
        self.write("broadcasts", &format!("broadcast.b-{broadcast}"), &there)
            .await
    }

    async fn fill(&self) -> Result<()> {
        for broadcast in 0..self.broadcasts {
            // Claimed before it is known: nobody is to take it for one that no relay has.
            self.claim(broadcast, 1).await?;
            self.describe(broadcast, 0).await?;
        }
        Ok(self.client.flush().await?)
    }

    /// Renews the leases, and no more.
    async fn rest(&self, time: Duration) -> Result<()> {
        self.act(time, 0).await.map(drop)
    }

    /// Changes one after another at an even pace; says how many.
    async fn change(&self, time: Duration) -> Result<u64> {
        self.act(time, self.changes).await
    }

    async fn act(&self, time: Duration, changes: u64) -> Result<u64> {
        let begun = Instant::now();
        let (mut renewals, mut ticks) = (interval(RENEWED), interval(PACE));
        let each = changes / u64::try_from(1_000 / PACE.as_millis())?;
        let mut made = 0;
        while begun.elapsed() < time {
            tokio::select! {
                _ = renewals.tick() => self.lease().await?,
                _ = ticks.tick() => for _ in 0..each {
                    let broadcast = made % self.broadcasts;
                    match made % IN_CATALOG {
                        0 => self.describe(broadcast, made).await?,
                        _ => self.claim(broadcast, 2 + made).await?,
                    }
                    made += 1;
                },
            }
        }
        self.client.flush().await?;
        Ok(made)
    }
}

/// Somebody who does nothing but receive what changes, as the relay does, on a thread of its own.
struct Receiver {
    thread: std::thread::JoinHandle<Result<f64>>,
    end: CancellationToken,
}

impl Receiver {
    async fn begin(engine: &Server) -> Result<Self> {
        let (url, end) = (engine.url(), CancellationToken::new());
        let (ready, is_ready) = oneshot::channel();
        let ended = end.clone();
        let thread = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(receive(url, ready, ended))
        });
        is_ready.await?;
        Ok(Self { thread, end })
    }

    fn end(self) -> Result<f64> {
        self.end.cancel();
        self.thread.join().ok().context("it panicked")?
    }
}

async fn receive(url: String, ready: oneshot::Sender<()>, ended: CancellationToken) -> Result<f64> {
    let client = async_nats::connect(url).await?;
    let context = async_nats::jetstream::new(client.clone());
    let mut all = Vec::new();
    for bucket in ["directory", "broadcasts"] {
        let stream = context
            .get_stream(format!("KV_steadycast-{bucket}"))
            .await?;
        let consumer = stream.create_consumer(OrderedConfig {
            deliver_subject: client.new_inbox(),
            deliver_policy: DeliverPolicy::New,
            ..OrderedConfig::default()
        });
        all.push(consumer.await?.messages().await?);
    }
    let mut all = stream::select_all(all);
    let (cpu, begun) = (Gauge::this_thread()?, Instant::now());
    // Nobody may be waiting any more.
    let _ = ready.send(());
    loop {
        tokio::select! {
            message = all.next() => drop(message.context("it ended")??),
            () = ended.cancelled() => break,
        }
    }
    Ok(percent(
        Gauge::this_thread()?.saturating_sub(cpu),
        begun.elapsed(),
    ))
}

/// Waits until a relay knows so many broadcasts.
async fn wait_for(figures: &str, broadcasts: u64) -> Result<()> {
    let known = format!("\nsteadycast_broadcasts_known {broadcasts}\n");
    let wait = async {
        loop {
            let url = figures.to_owned();
            let text = spawn_blocking(move || {
                anyhow::Ok(ureq::get(url).call()?.body_mut().read_to_string()?)
            });
            if text.await??.contains(&known) {
                return anyhow::Ok(());
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, wait).await?
}

/// Lists all broadcasts, page by page; says how many there are.
async fn listed(api: &str) -> Result<u64> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let url = format!("{api}?limit={PAGE}{after}");
        let page = spawn_blocking(move || {
            let request = ureq::get(url).header("Authorization", format!("Bearer {ADMIN_KEY}"));
            let body = request
                .call()?
                .body_mut()
                .with_config()
                .limit(LARGEST)
                .read_to_vec()?;
            anyhow::Ok(serde_json::from_slice::<Value>(&body)?)
        });
        let page = page.await??;
        count += page["broadcasts"].as_array().map_or(0, Vec::len) as u64;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(count),
        }
    }
}
