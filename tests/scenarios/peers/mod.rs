//! What is asked and told at any relay of several that have an engine, of what is at the others.

mod api;
mod events;
mod strangers;

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use steadycast_codec_glue::wire::Role;
use steadycast_relay::auth::AdminKey;
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::config::Config;
use steadycast_relay::directory::{Bid, Directory, State};
use steadycast_tests::client::{Player, soon};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::http::{Reply, Request};
use steadycast_tests::relay::{TestBroadcast, TestRelay};

/// The admin key of all of them.
const ADMIN: &str = "the-admin-key-of-all-relays";
/// Three relays that have an engine and the same keys.
struct Three(Cluster);

impl Deref for Three {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl DerefMut for Three {
    fn deref_mut(&mut self) -> &mut Cluster {
        &mut self.0
    }
}

impl Three {
    async fn start() -> Result<Self> {
        Self::with(|_| {}).await
    }

    /// The same of which each has a configuration that `change` has changed.
    async fn with(change: impl Fn(&mut Config)) -> Result<Self> {
        let admin: AdminKey = ADMIN.parse()?;
        let configured = |_, config: &mut Config| {
            config.server.admin_key = Some(admin.clone());
            config.metrics.listen = "127.0.0.1:0".parse().ok();
            give_key(&config.server.state_dir);
            change(config);
        };
        Ok(Self(Cluster::with(3, configured).await?))
    }

    /// A broadcast that is at the first of them, which all know.
    async fn broadcast(&self) -> Result<TestBroadcast<'_>> {
        let broadcast = self.relays[0].broadcast().await?;
        let homes = self.relays[0].site().homes.as_ref();
        let homes = homes.context("no engine")?;
        homes.bring(&broadcast.id, Bid::Home).await?;
        for relay in &self.relays {
            let directory = &relay.site().directory;
            let known = || directory.find(&broadcast.id).is_some();
            relay.until("its claim", known).await?;
        }
        Ok(broadcast)
    }

    /// Somebody who watches it at one of them.
    async fn player(&self, relay: usize, id: &BroadcastId) -> Result<Player> {
        let relay = &self.relays[relay];
        Player::join(relay.target(), &relay.known(id).token(Role::Player)).await
    }
}

/// Has a relay sign tokens as all others do.
fn give_key(state: &Path) {
    let mut file = OpenOptions::new();
    let file = file.write(true).create(true).mode(0o600);
    let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let written = file.open(state.join("token.key"));
    // Where that fails no token of another is good, and nothing of what follows holds.
    let _ = written.and_then(|mut file| file.write_all(key.as_bytes()));
}

/// Waits until a relay knows of so many.
async fn knows(relay: &TestRelay, count: usize) -> Result<()> {
    let directory = &relay.site().directory;
    let mut listener = directory.listen();
    let known = async {
        while directory.state() != State::Joined || directory.census().relays != count {
            listener.next().await;
        }
    };
    soon("others to be known", known).await
}

async fn send(relay: &TestRelay, method: &str, path: &str, body: &str) -> Result<Reply> {
    let request = Request {
        method,
        path,
        bearer: ADMIN,
        headers: &[("content-type", "application/json")],
        body: body.as_bytes(),
    };
    request.send(relay.address()).await
}

async fn get(relay: &TestRelay, path: &str) -> Result<Value> {
    let reply = send(relay, "GET", path, "").await?;
    ensure!(reply.status == 200, "{path}: {reply:?}");
    Ok(serde_json::from_str(&reply.body)?)
}

/// Asks until the answer is so.
async fn until(
    relay: &TestRelay,
    path: &str,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let search = async {
        loop {
            let answer = get(relay, path).await?;
            if holds(&answer) {
                return Ok(answer);
            }
            looks.tick().await;
        }
    };
    soon(what, search).await?
}
