//! Frames, at every relay of a tree and over every carrier.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{ClientMessage, RelayMessage, Role};
use steadycast_tests::client::{Carrier, Player, Publisher};
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::webrtc;

use super::{Tree, all_see, pair, sees};

/// Waits until a publisher is told that so many watch.
pub(super) async fn watched_by(publisher: &mut Publisher, players: u32) -> Result<()> {
    publisher
        .control
        .find("so many players", |message| match message {
            RelayMessage::Status { status } => (status.players == players).then_some(()),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_is_seen_at_each_relay_over_quic_and_tcp() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(60_000).await?;
    let mut players = Vec::new();
    for relay in tree.relays() {
        let token = relay.known(&broadcast.id).token(Role::Player);
        for carrier in [Carrier::WebTransport, Carrier::WebSocket] {
            let mut player = Player::join(&relay.target().over(carrier), &token).await?;
            sees(&mut player, &first).await?;
            players.push(player);
        }
    }
    watched_by(&mut publisher, 6).await?;
    for number in 1..120 {
        let sent = match number % 30 {
            0 => publisher.keyframe(200_000).await?,
            _ => publisher.delta(number * 97 + 1).await?,
        };
        all_see(&mut players, &sent).await?;
    }
    // However many watch behind it, another relay gets one copy, and is no player.
    let records = broadcast.records()?;
    ensure!(records.totals.players_joined == 2, "{:?}", records.totals);
    let edge = tree.edge.known(&broadcast.id).records()?;
    ensure!(edge.totals.frames_received == 120);
    ensure!((edge.players, edge.players_elsewhere, edge.relays) == (4, 2, 1));
    ensure!(edge.upstream == Some(tree.origin.cluster()?.to_string()));
    ensure!((records.relays, records.upstream) == (1, None));
    drop(players);
    watched_by(&mut publisher, 0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webrtc_players_watch_at_a_leaf() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let publisher = &mut broadcast.publisher().await?;
    let mut capture_us = tree.origin.now_us();
    let keyframe = coded(Kind::Vp8, true, 1, 30_000);
    publisher.send_coded(&keyframe, capture_us).await?;
    // Whoever asks is answered once the broadcast is there.
    let mut player = webrtc::Player::watch(&tree.leaf.known(&broadcast.id).whep()).await?;
    player.expect(&keyframe).await?;
    for number in 2..40 {
        capture_us = tree.origin.now_us().max(capture_us + 200);
        let keyframe = number % 15 == 0;
        let sent = coded(Kind::Vp8, keyframe, number, 700 * number as usize);
        publisher.send_coded(&sent, capture_us).await?;
        ensure!(player.expect(&sent).await?.contiguous);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_joins_a_cold_relay_at_once_has_the_broadcast_got_once() -> Result<()> {
    let (origin, edge) = pair().await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(5_000).await?;
    let token = edge.known(&broadcast.id).token(Role::Player);
    let joins = (0..20).map(|_| Player::join(edge.target(), &token));
    let players = futures_util::future::try_join_all(joins).await?;
    for mut player in players {
        sees(&mut player, &sent).await?;
    }
    let edge = edge.known(&broadcast.id).records()?;
    ensure!(edge.totals.publishers_joined == 1 && edge.totals.frames_received == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyframe_that_a_leaf_s_player_needs_is_asked_for_once() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(2_000).await?;
    let leaf = tree.leaf.known(&broadcast.id);
    let mut players = vec![leaf.player().await?, leaf.player().await?];
    all_see(&mut players, &first).await?;
    // Requests that come right behind a keyframe's are left out.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for player in &mut players {
        let request = ClientMessage::KeyframeRequest {
            epoch: player.welcome.status.epoch,
            group: first.group,
        };
        player.control.send(&request).await?;
    }
    publisher.control.keyframe_request().await?;
    let sent = publisher.keyframe(2_000).await?;
    all_see(&mut players, &sent).await?;
    publisher.control.ping().await?;
    ensure!(broadcast.records()?.totals.keyframe_requests == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_comes_slowly_is_passed_on_in_parts() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(1_000).await?;
    let mut players = tree.players(&broadcast.id).await?;
    all_see(&mut players, &first).await?;
    // The frame's end is sent only when its beginning has come to the last relay.
    let sent = publisher.begin_delta(400_000).await?;
    let leaf = tree.leaf.known(&broadcast.id);
    leaf.until("the beginning", |records| records.cache.frames == 2)
        .await?;
    let sent = publisher.end(sent).await?;
    all_see(&mut players, &sent).await?;
    Ok(())
}
