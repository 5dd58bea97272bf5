//! A relay that does not reach the engine for longer than its lease, while its publisher and players are with it.

use anyhow::{Context, Result, ensure};
use steadycast_relay::config::Config;
use steadycast_relay::directory::{EngineUrl, State};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::nats::Gate;

use super::cuts::{Host, have_seen};
use super::{Show, all_see, nobody_left, viewers};

/// Two relays and a third one, which reaches the engine by this way.
async fn by_a_way() -> Result<(Cluster, Gate)> {
    let mut cluster = Cluster::of(2).await?;
    let way = cluster.engine.way().await?;
    let url: EngineUrl = format!("nats://{}", way.address()).parse()?;
    let join = |_, config: &mut Config| {
        config.cluster.nats = vec![url.clone()];
    };
    let third = cluster.another(2, join).await?;
    cluster.relays.push(third);
    cluster.know_one_another().await?;
    Ok((cluster, way))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_was_taken_for_dead_while_its_publisher_was_there_has_the_broadcast_back()
-> Result<()> {
    let (cluster, way) = by_a_way().await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[2].known(&id).publisher().await?;
    let first = show.keyframe(&mut publisher).await?;
    let mut viewers = viewers(&cluster, &id).await?;
    all_see(&mut viewers, &first).await?;
    let mut host = Host { publisher, show };
    let at = |relay: usize| {
        let found = cluster.relays[relay].site().directory.find(&id);
        found.map(|found| found.relay.to_string())
    };
    way.close(true);
    let kept = async {
        let elsewhere = || at(0).is_some_and(|at| at != "r2");
        cluster.relays[0].until("another home", elsewhere).await
    };
    host.until("another home", kept).await?;
    ensure!(at(2).as_deref() == Some("r2"), "it knows of nothing");
    way.close(false);
    let back = async {
        let joined = || cluster.relays[2].site().directory.state() == State::Joined;
        cluster.relays[2].until("the engine", joined).await?;
        for relay in 0..3 {
            let own = || at(relay).as_deref() == Some("r2");
            cluster.relays[relay]
                .until("the broadcast to be back", own)
                .await?;
        }
        Ok(())
    };
    host.until("the broadcast to be back", back).await?;
    let sent = host.delta().await?;
    host.until("it to be seen everywhere", have_seen(&mut viewers, &sent))
        .await?;
    let records = cluster.relays[2].known(&id).records()?;
    ensure!(records.totals.publishers_joined == 1, "it has stayed");
    nobody_left(&cluster, &id).context("everybody stays")
}
