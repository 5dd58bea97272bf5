//! What another relay on the way costs. The figures are printed (`-- --nocapture`); what is asserted holds in builds that
//! nobody has optimised, on machines that do something else as well.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use steadycast_codec_glue::wire::Role;
use steadycast_tests::client::{Control, Player};
use steadycast_tests::cluster::{Authority, Cable};
use steadycast_tests::relay::TestRelay;

use super::{Tree, sees};

/// The value below which so many of a hundred lie.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_adds_little() -> Result<()> {
    const FRAMES: usize = 300;
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(20_000).await?;
    let mut tasks = Vec::new();
    for mut player in tree.players(&broadcast.id).await? {
        sees(&mut player, &first).await?;
        tasks.push(tokio::spawn(async move {
            let mut arrived = Vec::with_capacity(FRAMES);
            for _ in 0..FRAMES {
                player.frame().await?;
                arrived.push(Instant::now());
            }
            anyhow::Ok(arrived)
        }));
    }
    let mut beats = tokio::time::interval(Duration::from_micros(16_667));
    for _ in 0..FRAMES {
        beats.tick().await;
        publisher.delta(8_000).await?;
    }
    let mut arrived = Vec::new();
    for task in tasks {
        arrived.push(task.await??);
    }
    for (hop, pair) in arrived.windows(2).enumerate() {
        let times = pair[1].iter().zip(&pair[0]);
        let mut added: Vec<_> = times
            .map(|(after, before)| after.saturating_duration_since(*before))
            .collect();
        added.sort();
        let (half, most) = (percentile(&added, 50), percentile(&added, 99));
        println!(
            "hop {}: {half:?} at the median, {most:?} at the 99th percentile",
            hop + 1
        );
        ensure!(half < Duration::from_millis(20), "{half:?}");
    }
    Ok(())
}

/// How long a player waits from its hello to the picture.
async fn join(relay: &TestRelay, token: &str) -> Result<Duration> {
    let control = Control::open(relay.target()).await?;
    let begun = Instant::now();
    Player::greet(control, token).await?.frame().await?;
    Ok(begun.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_at_a_cold_relay_costs_a_round_trip_to_the_origin_more() -> Result<()> {
    const WAY: Duration = Duration::from_millis(100);
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let cable = Cable::long(origin.cluster()?, WAY).await?;
    let edge = authority.edge(cable.address()).await?;
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let broadcast = origin.broadcast().await?;
        let mut publisher = broadcast.publisher().await?;
        publisher.keyframe(10_000).await?;
        near.push(join(&origin, &broadcast.token(Role::Player)).await?);
        let token = edge.known(&broadcast.id).token(Role::Player);
        far.push(join(&edge, &token).await?);
    }
    let least = |all: &[Duration]| all.iter().min().copied().context("no join");
    let (near, far) = (least(&near)?, least(&far)?);
    println!(
        "join: {near:?} at the origin, {far:?} at a cold relay {:?} away",
        2 * WAY
    );
    let more = far.saturating_sub(near);
    ensure!((2 * WAY..3 * WAY).contains(&more), "{more:?}");
    Ok(())
}
