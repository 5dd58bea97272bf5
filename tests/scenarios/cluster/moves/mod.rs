//! Publishers that come to another relay than the one before: everybody stays, and sees the newest.

mod apart;
mod carriers;
mod claims;
mod cuts;
mod links;
mod media;
mod starts;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_tests::client::{Carrier, Player, Publisher};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::TestRelay;

pub(super) use self::cuts::{Host, have_seen};

/// What a publisher that was taken over is told within, wherever the new one is.
const TOLD: Duration = Duration::from_secs(1);

/// Pictures whose size says which of all of them they are, whoever sends them.
#[derive(Default)]
pub(super) struct Show(usize);

impl Show {
    pub(super) async fn keyframe(&mut self, publisher: &mut Publisher) -> Result<Picture> {
        self.0 += 1;
        publisher.keyframe(20_000 + self.0).await
    }

    pub(super) async fn delta(&mut self, publisher: &mut Publisher) -> Result<Picture> {
        self.0 += 1;
        publisher.delta(20_000 + self.0).await
    }
}

/// A player that is never shown what it has seen, or what is older.
pub(super) struct Viewer {
    at: String,
    pub(super) player: Player,
    seen: usize,
}

impl Viewer {
    pub(super) async fn at(at: &str, relay: &TestRelay, id: &BroadcastId) -> Result<Self> {
        Ok(Self {
            at: at.to_owned(),
            player: relay.known(id).player().await?,
            seen: 0,
        })
    }

    async fn sees(&mut self, sent: &Picture) -> Result<()> {
        loop {
            let frame = self.player.frame().await?;
            let size = frame.payload.len();
            let (at, seen) = (&self.at, self.seen);
            ensure!(size > seen, "{at}: picture {size} after {seen}");
            self.seen = size;
            ensure!(size <= sent.len, "{at}: {size} instead of {}", sent.len);
            if size == sent.len {
                return Ok(());
            }
        }
    }
}

/// Viewers of a broadcast at each relay, over both carriers.
async fn viewers(cluster: &Cluster, id: &BroadcastId) -> Result<Vec<Viewer>> {
    let mut viewers = Vec::new();
    for (number, relay) in cluster.relays.iter().enumerate() {
        let token = relay.known(id).token(Role::Player);
        for carrier in [Carrier::WebTransport, Carrier::WebSocket] {
            viewers.push(Viewer {
                at: format!("relay {number}, {carrier:?}"),
                player: Player::join(&relay.target().over(carrier), &token).await?,
                seen: 0,
            });
        }
    }
    Ok(viewers)
}

pub(super) async fn all_see(viewers: &mut [Viewer], sent: &Picture) -> Result<()> {
    for viewer in viewers {
        viewer.sees(sent).await?;
    }
    Ok(())
}

/// A broadcast of the first relay's, with viewers at each, who have seen its first picture.
async fn on_air(cluster: &Cluster) -> Result<(BroadcastId, Show, Publisher, Vec<Viewer>)> {
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    let sent = show.keyframe(&mut publisher).await?;
    let mut viewers = viewers(cluster, &id).await?;
    all_see(&mut viewers, &sent).await?;
    Ok((id, show, publisher, viewers))
}

/// Nobody at any relay was told goodbye.
fn nobody_left(cluster: &Cluster, id: &BroadcastId) -> Result<()> {
    for relay in &cluster.relays {
        let left = relay.known(id).records()?.totals.players_left;
        ensure!(left.is_empty(), "{left:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_comes_to_another_relay_is_seen_at_all_and_the_one_before_is_told()
-> Result<()> {
    let cluster = Cluster::of(3).await?;
    let (id, mut show, mut publisher, mut viewers) = on_air(&cluster).await?;
    let mut slowest = Duration::ZERO;
    for number in [1, 2, 0, 1, 0, 2] {
        let came = Instant::now();
        let next = cluster.relays[number].known(&id).publisher().await?;
        ensure!(publisher.control.goodbye().await? == (Code::Superseded, false));
        slowest = slowest.max(came.elapsed());
        publisher = next;
        for _ in 0..2 {
            let sent = show.keyframe(&mut publisher).await?;
            all_see(&mut viewers, &sent).await?;
            for _ in 0..5 {
                let sent = show.delta(&mut publisher).await?;
                all_see(&mut viewers, &sent).await?;
            }
        }
    }
    println!("a publisher that was taken over was told within {slowest:?}");
    ensure!(slowest < TOLD, "told after {slowest:?}");
    nobody_left(&cluster, &id)
}
