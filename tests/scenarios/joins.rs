//! A late joiner sees the current picture at once.

use anyhow::Result;
use steadycast_codec_glue::wire::Phase;
use steadycast_tests::relay::TestRelay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_gets_every_frame_intact_and_in_order() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    assert_eq!(player.welcome.status.phase, Phase::Waiting);
    let mut publisher = broadcast.publisher().await?;
    for group in 0..3 {
        for index in 0..10 {
            // A keyframe of many packets, then frames of all sizes.
            let sent = match index {
                0 => publisher.keyframe(150_000).await?,
                n => publisher.delta(n * 777 + 1).await?,
            };
            assert_eq!((sent.group, sent.index as usize), (group, index));
            let frame = player.frame().await?;
            assert_eq!(frame.place(), (1, group, index as u32));
            assert!(frame.is_intact());
            assert_eq!(frame.config.is_some(), index == 0);
        }
    }
    assert_eq!(player.cut, 0);
    assert_eq!(broadcast.records()?.totals.skips, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_the_keyframe_and_what_follows_on_a_static_screen() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(5000).await?;
    publisher.delta(100).await?;
    publisher.delta(100).await?;
    broadcast
        .until("three frames", |r| r.totals.frames_received == 3)
        .await?;
    let mut player = broadcast.player().await?;
    for index in 0..3 {
        assert_eq!(player.frame().await?.place(), (1, 0, index));
    }
    assert_eq!(broadcast.records()?.totals.keyframe_requests, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_the_picture_of_a_held_broadcast() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(5000).await?;
    broadcast
        .until("a frame", |r| r.totals.frames_received == 1)
        .await?;
    publisher.crash();
    broadcast.until("held", |r| r.phase == "held").await?;
    let mut player = broadcast.player().await?;
    assert_eq!(player.welcome.status.phase, Phase::Held);
    assert_eq!(player.frame().await?.place(), (1, 0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_on_a_long_group_ask_for_one_keyframe_together() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.join_frames = 3;
        // Long enough that the players wait for the publisher here, not for the clock.
        config.broadcast.keyframe_wait = std::time::Duration::from_secs(10);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(5000).await?;
    for _ in 0..5 {
        publisher.delta(100).await?;
    }
    broadcast
        .until("six frames", |r| r.totals.frames_received == 6)
        .await?;
    let mut players = Vec::new();
    for _ in 0..5 {
        players.push(broadcast.player().await?);
    }
    publisher.control.keyframe_request().await?;
    publisher.keyframe(5000).await?;
    for player in &mut players {
        assert_eq!(player.frame().await?.place(), (1, 1, 0));
    }
    assert_eq!(broadcast.records()?.totals.keyframe_requests, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_ignores_requests_leaves_nobody_without_a_picture() -> Result<()> {
    let relay = TestRelay::with(|config| config.broadcast.join_frames = 3).await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(5000).await?;
    for _ in 0..5 {
        publisher.delta(100).await?;
    }
    broadcast
        .until("six frames", |r| r.totals.frames_received == 6)
        .await?;
    let mut player = broadcast.player().await?;
    assert_eq!(player.frame().await?.place(), (1, 0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_whose_decoder_broke_gets_a_new_keyframe() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut player = broadcast.player().await?;
    publisher.keyframe(5000).await?;
    player.frame().await?;
    let request =
        steadycast_codec_glue::wire::ClientMessage::KeyframeRequest { epoch: 1, group: 0 };
    player.control.send(&request).await?;
    publisher.control.keyframe_request().await?;
    publisher.keyframe(5000).await?;
    assert_eq!(player.frame().await?.place(), (1, 1, 0));
    Ok(())
}

/// Clients hold QUIC to what HTTP/3's SETTINGS offer (RFC 9297, 2.1.1), and refuse a relay that does
/// not keep it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_that_settings_offer_are_taken_by_quic_too() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let most = player.control.connection.max_datagram_size();
    assert!(most.is_some_and(|most| most > 1_000), "{most:?}");
    // They are for nobody, and are in nobody's way.
    for _ in 0..1_000 {
        player.control.connection.send_datagram([7; 1_000])?;
    }
    player.control.ping().await
}

steadycast_tests::over_websocket! {
    a_player_gets_every_frame_intact_and_in_order,
    a_late_joiner_gets_the_keyframe_and_what_follows_on_a_static_screen,
    a_late_joiner_gets_the_picture_of_a_held_broadcast,
    joins_on_a_long_group_ask_for_one_keyframe_together,
    a_publisher_that_ignores_requests_leaves_nobody_without_a_picture,
    a_player_whose_decoder_broke_gets_a_new_keyframe,
    datagrams_that_settings_offer_are_taken_by_quic_too,
}
