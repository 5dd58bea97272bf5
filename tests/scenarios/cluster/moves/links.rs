//! Relays that die, and links that are cut, while a broadcast is at several.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{Code, Phase, ResumeSecret, Role};
use steadycast_tests::client::Publisher;
use steadycast_tests::cluster::Cluster;
use steadycast_tests::relay::TestRelay;

use super::{Show, Viewer, all_see, nobody_left, on_air};

/// A lease that does not end while a scenario lasts.
const A_MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_loses_its_own_players_and_no_others() -> Result<()> {
    let mut cluster = Cluster::of(3).await?;
    let (id, mut show, publisher, mut viewers) = on_air(&cluster).await?;
    let lineage = publisher.welcome.resume;
    cluster.relays.remove(0).dies().await?;
    viewers.drain(..2);
    for viewer in &mut viewers {
        viewer.player.control.phase(Phase::Held).await?;
    }
    let token = cluster.relays[0].known(&id).token(Role::Publisher);
    let died = Instant::now();
    let mut publisher = Publisher::join(cluster.relays[0].target(), &token, lineage).await?;
    let sent = show.keyframe(&mut publisher).await?;
    all_see(&mut viewers, &sent).await?;
    println!("seen again {:?} after it came back", died.elapsed());
    nobody_left(&cluster, &id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_whose_relay_has_died_is_at_home_where_its_players_are_with_its_picture()
-> Result<()> {
    let mut cluster = Cluster::of(3).await?;
    let (id, mut show, publisher, mut viewers) = on_air(&cluster).await?;
    cluster.relays.remove(0).dies().await?;
    drop(publisher);
    viewers.drain(..2);
    // One of the two has claimed it, and the other gets it from there.
    let claimed = async |relay: &TestRelay| {
        let upstream = || relay.known(&id).records().map(|records| records.upstream);
        let reached: Vec<_> = cluster
            .relays
            .iter()
            .filter_map(|one| one.cluster().ok())
            .collect();
        let is_told = || {
            upstream().is_ok_and(|upstream| {
                upstream.is_none_or(|at| reached.iter().any(|one| one.to_string() == at))
            })
        };
        relay.until("another home", is_told).await?;
        upstream()
    };
    let at = (
        claimed(&cluster.relays[0]).await?,
        claimed(&cluster.relays[1]).await?,
    );
    ensure!(at.0.is_some() != at.1.is_some(), "{at:?}");
    for viewer in &mut viewers {
        viewer.player.control.ping().await?;
    }
    // Whoever comes now finds the picture, wherever.
    for relay in &cluster.relays {
        let mut late = relay.known(&id).player().await?;
        ensure!(late.frame().await?.payload.len() == viewers[0].seen);
    }
    let mut publisher = cluster.relays[1].known(&id).publisher().await?;
    let sent = show.keyframe(&mut publisher).await?;
    all_see(&mut viewers, &sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_whose_relay_has_died_is_let_in_by_one_that_has_nothing_of_its_broadcast()
-> Result<()> {
    let mut cluster = Cluster::with(3, |_, config| config.cluster.lease = A_MINUTE).await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    let lineage = publisher.welcome.resume;
    let sent = show.keyframe(&mut publisher).await?;
    let mut viewers = vec![Viewer::at("relay 1", &cluster.relays[1], &id).await?];
    all_see(&mut viewers, &sent).await?;
    cluster.relays.remove(0).dies().await?;
    let died = Instant::now();
    let empty = &cluster.relays[1];
    let token = empty.known(&id).token(Role::Publisher);
    let mut publisher = Publisher::join(empty.target(), &token, lineage).await?;
    println!("let in {:?} after its relay has died", died.elapsed());
    ensure!(publisher.welcome.resume == lineage, "it goes on");
    let sent = show.keyframe(&mut publisher).await?;
    all_see(&mut viewers, &sent).await?;
    // Another relay's word is not waited for, and not gone by either.
    let token = cluster.relays[0].known(&id).token(Role::Publisher);
    let other = Publisher::join(
        cluster.relays[0].target(),
        &token,
        Some(ResumeSecret([7; 16])),
    );
    ensure!(
        other
            .await
            .is_err_and(|refused| refused.to_string() == Code::Superseded.name())
    );
    nobody_left(&cluster, &id)
}
