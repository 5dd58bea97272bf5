//! What becomes of a publisher, as players at other relays see it.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{ClientMessage, Code, Phase};
use steadycast_tests::cluster::Authority;

use super::{Tree, all_see, in_phase, pair, sees, sees_at_last};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_see_publishers_come_and_go_at_every_relay_on_the_same_session() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut players = tree.players(&broadcast.id).await?;
    for _ in 0..5 {
        let mut publisher = broadcast.publisher().await?;
        let keyframe = publisher.keyframe(20_000).await?;
        let delta = publisher.delta(500).await?;
        for player in &mut players {
            player.control.phase(Phase::Live).await?;
            sees(player, &keyframe).await?;
            sees(player, &delta).await?;
        }
        publisher.crash();
        for player in &mut players {
            player.control.phase(Phase::Held).await?;
        }
    }
    for relay in tree.relays() {
        let records = relay.known(&broadcast.id).records()?;
        ensure!(records.totals.players_left.is_empty(), "no session closed");
    }
    // Whoever comes now finds the last picture, wherever.
    for mut player in tree.players(&broadcast.id).await? {
        ensure!(in_phase(&mut player, Phase::Held).await?.since_us > 0);
        ensure!(player.frame().await?.header.keyframe);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_broadcast_is_so_since_the_same_moment_on_a_cold_relay() -> Result<()> {
    let (origin, edge) = pair().await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(3_000).await?;
    let mut near = broadcast.player().await?;
    sees(&mut near, &sent).await?;
    publisher.crash();
    let held = near.control.phase(Phase::Held).await?;
    let mut far = edge.known(&broadcast.id).player().await?;
    sees(&mut far, &sent).await?;
    let known = in_phase(&mut far, Phase::Held).await?;
    let apart = known.since_us.abs_diff(held.since_us);
    ensure!(apart < 50_000, "{apart} us between the clocks");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_falls_silent_is_away_at_every_relay() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(1_000).await?;
    let mut players = tree.players(&broadcast.id).await?;
    for player in &mut players {
        sees(player, &first).await?;
        // The scenario's publisher sends no heartbeat of its own.
        in_phase(player, Phase::Held).await?;
    }
    publisher.control.ping().await?;
    for player in &mut players {
        player.control.phase(Phase::Live).await?;
    }
    let next = publisher.delta(100).await?;
    all_see(&mut players, &next).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_taken_back_is_seen_by_nobody_at_any_relay() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let secret = publisher.keyframe(20_000).await?;
    let mut players = tree.players(&broadcast.id).await?;
    all_see(&mut players, &secret).await?;
    publisher.pause(1).await?;
    for player in &mut players {
        player.control.phase(Phase::Paused).await?;
    }
    for relay in tree.relays() {
        let here = relay.known(&broadcast.id);
        here.until("nothing", |records| records.cache.frames == 0)
            .await?;
    }
    publisher.delta(500).await?;
    let card = publisher.keyframe(300).await?;
    all_see(&mut players, &card).await?;
    for mut late in tree.players(&broadcast.id).await? {
        in_phase(&mut late, Phase::Paused).await?;
        sees(&mut late, &card).await?;
    }
    publisher.control.send(&ClientMessage::Continue).await?;
    let picture = publisher.keyframe(20_000).await?;
    for player in &mut players {
        player.control.phase(Phase::Live).await?;
        sees(player, &picture).await?;
    }
    // Stopped now, it is paused for those who come to a cold relay as well.
    publisher.pause(3).await?;
    let card = publisher.keyframe(300).await?;
    for player in &mut players {
        player.control.phase(Phase::Paused).await?;
        sees(player, &card).await?;
    }
    publisher.crash();
    let mut other = broadcast.publisher().await?;
    let picture = other.keyframe(4_000).await?;
    for player in &mut players {
        player.control.phase(Phase::Live).await?;
        sees(player, &picture).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_whose_publisher_has_gone_is_one_on_a_cold_relay() -> Result<()> {
    let (origin, edge) = pair().await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(20_000).await?;
    publisher.pause(1).await?;
    let card = publisher.keyframe(300).await?;
    broadcast
        .until("the card", |records| records.totals.frames_received == 2)
        .await?;
    publisher.crash();
    let mut late = edge.known(&broadcast.id).player().await?;
    in_phase(&mut late, Phase::Paused).await?;
    sees(&mut late, &card).await?;
    // The same host comes back, still paused, and says so again.
    let mut again = broadcast.publisher().await?;
    again.pause(0).await?;
    let card = again.keyframe(301).await?;
    sees(&mut late, &card).await?;
    again.control.send(&ClientMessage::Continue).await?;
    let picture = again.keyframe(5_000).await?;
    late.control.phase(Phase::Live).await?;
    sees(&mut late, &picture).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_one_everywhere() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(1_000).await?;
    let mut players = tree.players(&broadcast.id).await?;
    all_see(&mut players, &sent).await?;
    let site = tree.origin.site();
    ensure!(site.end(&broadcast.id, Code::BroadcastEnded).await?);
    for player in &mut players {
        assert_eq!(
            player.control.goodbye().await?,
            (Code::BroadcastEnded, false)
        );
    }
    for relay in tree.relays() {
        ensure!(relay.site().registry.find(&broadcast.id).is_none());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_watches_is_let_go_of_and_comes_again() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let change = |config: &mut steadycast_relay::config::Config| {
        config.cluster.linger = Duration::from_millis(200);
    };
    let edge = authority.relay(Some(origin.cluster()?), Duration::ZERO, change);
    let edge = edge.await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let there = || edge.site().registry.find(&broadcast.id).is_some();
    for _ in 0..3 {
        let mut player = edge.known(&broadcast.id).player().await?;
        let sent = publisher.keyframe(1_000).await?;
        sees_at_last(&mut player, &sent).await?;
        ensure!(there());
        drop(player);
        edge.until("it is let go of", || !there()).await?;
    }
    Ok(())
}
