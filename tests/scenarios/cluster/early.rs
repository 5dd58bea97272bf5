//! Who comes before a relay has heard what it is about to be told is not refused for that.

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use steadycast_codec_glue::wire::Role;
use steadycast_tests::client::{Player, Publisher};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::http::Request;
use steadycast_tests::relay::TestRelay;

use super::sees;

/// With figures.
async fn cluster(relays: usize) -> Result<Cluster> {
    Cluster::with(relays, |_, config| {
        config.metrics.listen = "127.0.0.1:0".parse().ok();
    })
    .await
}

/// The figures of what a relay has refused.
async fn refusals(relay: &TestRelay) -> Result<Vec<String>> {
    let request = Request {
        method: "GET",
        path: "/metrics",
        ..Request::default()
    };
    let reply = request.send(relay.metrics().context("no metrics")?).await?;
    let lines = reply.body.lines();
    let refusals = lines.filter(|line| line.starts_with("steadycast_refusals_total{"));
    Ok(refusals.map(str::to_owned).collect())
}

async fn nobody_was_refused(cluster: &Cluster) -> Result<()> {
    for relay in &cluster.relays {
        let refusals = refusals(relay).await?;
        ensure!(refusals.is_empty(), "{refusals:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_good_everywhere_as_soon_as_it_is_made() -> Result<()> {
    let cluster = cluster(3).await?;
    for _ in 0..10 {
        let id = cluster.relays[0].broadcast().await?.id;
        let [play, publish] =
            [Role::Player, Role::Publisher].map(|role| cluster.relays[0].known(&id).token(role));
        let mut player = Player::join(cluster.relays[1].target(), &play).await?;
        let mut publisher = Publisher::join(cluster.relays[2].target(), &publish, None).await?;
        let sent = publisher.keyframe(1_000).await?;
        sees(&mut player, &sent).await?;
    }
    nobody_was_refused(&cluster).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_has_just_started_lets_everybody_in() -> Result<()> {
    let mut cluster = cluster(2).await?;
    let id = cluster.broadcast().await?;
    let first = cluster.relays[0].known(&id);
    let mut publisher = first.publisher().await?;
    publisher.keyframe(1_000).await?;
    let [play, publish] = [Role::Player, Role::Publisher].map(|role| first.token(role));
    // Its first start, when it has never heard of the others, and one later.
    let mut new = cluster
        .another(2, |_, config| {
            config.metrics.listen = "127.0.0.1:0".parse().ok()
        })
        .await?;
    for _ in 0..2 {
        let players = (0..5).map(|_| Player::join(new.target(), &play));
        let takes_over = Publisher::join(new.target(), &publish, None);
        let (players, taken_over) = tokio::join!(try_join_all(players), takes_over);
        publisher = taken_over?;
        let sent = publisher.keyframe(1_001).await?;
        for mut player in players? {
            while player.frame().await?.payload.len() != sent.len {}
        }
        new = new.restart().await?;
    }
    cluster.relays.push(new);
    nobody_was_refused(&cluster).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_relay_that_follows_a_publisher_is_refused() -> Result<()> {
    let cluster = cluster(3).await?;
    let id = cluster.broadcast().await?;
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    let mut size = 1_000;
    publisher.keyframe(size).await?;
    let mut players = Vec::new();
    for relay in &cluster.relays {
        players.push(relay.known(&id).player().await?);
    }
    for moves in 1..=12 {
        let next = cluster.relays[moves % 3].known(&id).publisher().await?;
        publisher = next;
        size += 1;
        let sent = publisher.keyframe(size).await?;
        for player in &mut players {
            while player.frame().await?.payload.len() != sent.len {}
        }
    }
    nobody_was_refused(&cluster).await
}
