//! Which relay has which broadcast: the same for a relay by itself and for several that have an engine, and what
//! becomes of it when the engine is killed, frozen, cut in two or forgets everything.

mod failures;
mod relays;
mod secured;
mod several;
mod suite;
mod taken_back;
mod three;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use steadycast_codec_glue::wire::ResumeSecret;
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::directory::{
    Bid, Claim, Directory, Engine, Event, Lineage, Listener, Load, Places, Settings, State,
};
use steadycast_relay::shard::RelayClock;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long leases last here.
const LEASE: Duration = Duration::from_secs(4);
/// Within what everything is as it should be again.
const CONVERGED: Duration = LEASE.saturating_add(Duration::from_secs(10));

/// A relay's directory, which is kept until this is dropped.
struct Relay {
    directory: Engine,
    listener: Listener,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Deref for Relay {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.directory
    }
}

impl Relay {
    /// One of this name, which has reached one of these servers.
    async fn join(name: &str, servers: &[String], replicas: usize) -> Result<Self> {
        let mut relay = Self::begin(name, servers, replicas)?;
        relay.becomes(State::Joined).await?;
        Ok(relay)
    }

    fn begin(name: &str, servers: &[String], replicas: usize) -> Result<Self> {
        Self::with(name, settings_of(servers, replicas)?)
    }

    fn with(name: &str, settings: Settings) -> Result<Self> {
        let places = Places {
            links: Some(format!("{name}:4434").into()),
            pages: None,
            region: None,
        };
        let (id, clock) = (name.parse()?, RelayClock::start());
        let load = Box::new(Load::default);
        let (directory, keeper) = Engine::new(settings, id, places, clock, load)?;
        let shutdown = CancellationToken::new();
        Ok(Self {
            listener: directory.listen(),
            task: tokio::spawn(keeper.run(shutdown.clone())),
            directory,
            shutdown,
        })
    }

    /// Waits for something that has changed.
    async fn hears(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Result<Event> {
        let waiting = async {
            loop {
                match self.listener.next().await {
                    Some(Ok(event)) if is_it(&event) => return Ok(event),
                    Some(Ok(_)) => {}
                    other => bail!("{other:?} while waiting for {what}"),
                }
            }
        };
        let heard = timeout(CONVERGED, waiting).await;
        heard.with_context(|| format!("{} waited in vain for {what}", self.own()))?
    }

    async fn becomes(&mut self, state: State) -> Result<()> {
        if self.state() != state {
            let directory = self.directory.clone();
            self.hears(state.name(), |_| directory.state() == state)
                .await?;
        }
        Ok(())
    }

    /// Waits until a broadcast is at this relay, as this one knows.
    async fn finds(&mut self, id: &BroadcastId, at: &str) -> Result<()> {
        let there = |relay: &Engine| {
            relay
                .find(id)
                .is_some_and(|found| found.relay.as_str() == at)
        };
        if !there(&self.directory) {
            let directory = self.directory.clone();
            let what = format!("{id} at {at}");
            self.hears(&what, |_| there(&directory)).await?;
        }
        Ok(())
    }

    async fn loses(&mut self, id: &BroadcastId) -> Result<()> {
        let lost =
            |event: &Event| matches!(event, Event::Lost { broadcast, .. } if broadcast == id);
        self.hears("its loss", lost).await.map(drop)
    }

    /// It dies, without a word to anybody.
    async fn dies(mut self) {
        self.task.abort();
        // It has been aborted.
        let _ = (&mut self.task).await;
    }

    /// It goes, and says so.
    async fn goes(mut self) -> Result<()> {
        self.shutdown.cancel();
        Ok((&mut self.task).await?)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How relays of the tests reach an engine that asks for nothing.
fn settings_of(servers: &[String], replicas: usize) -> Result<Settings> {
    let servers = servers.iter().map(|url| url.parse());
    Ok(Settings {
        servers: servers.collect::<Result<_, _>>()?,
        credentials: None,
        authority: None,
        prefix: "test".to_owned(),
        replicas,
        lease: LEASE,
        secret: Some("a secret that all relays of the tests know".parse()?),
    })
}

fn id(name: &str) -> Result<BroadcastId> {
    Ok(name.parse()?)
}

fn lineage(byte: u8) -> Lineage {
    Lineage::of(&ResumeSecret([byte; 16]))
}

fn newcomer(byte: u8) -> Bid {
    Bid::Publisher {
        shown: None,
        fresh: lineage(byte),
    }
}

fn returning(byte: u8) -> Bid {
    Bid::Publisher {
        shown: Some(lineage(byte)),
        fresh: lineage(byte + 100),
    }
}

/// Claims until the engine takes it; a claim that it does not answer is no claim.
async fn claimed(relay: &Relay, broadcast: &BroadcastId, bid: Bid) -> Result<Claim> {
    let mut tries = tokio::time::interval(Duration::from_millis(20));
    let claiming = async {
        loop {
            tries.tick().await;
            if let Ok(claim) = relay.claim(broadcast, bid).await {
                return claim;
            }
        }
    };
    let claim = timeout(CONVERGED, claiming).await;
    claim.with_context(|| format!("{} claims {broadcast} in vain", relay.own()))
}

type Shared = Arc<dyn Directory>;
