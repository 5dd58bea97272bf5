//! How sessions and broadcasts end: with a reason, in band.

use std::time::{Duration, Instant};

use anyhow::Result;
use steadycast_codec_glue::wire::{ClientMessage, Code, Phase, Role};
use steadycast_relay::broadcast::Snapshot;
use steadycast_tests::client::Player;
use steadycast_tests::relay::TestRelay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_a_broadcast_tells_everybody_and_invites_nobody_back() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut publisher = broadcast.publisher().await?;
    assert!(
        relay
            .site()
            .end(&broadcast.id, Code::BroadcastEnded)
            .await?
    );
    assert_eq!(
        player.control.goodbye().await?,
        (Code::BroadcastEnded, false)
    );
    assert_eq!(
        publisher.control.goodbye().await?,
        (Code::BroadcastEnded, false)
    );
    player.control.closed().await?;
    let again = broadcast.player().await;
    assert_eq!(
        again.err().map(|e| e.to_string()),
        Some("unknown_broadcast".into())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_held_for_too_long_ends_with_that_reason() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.held_timeout = Duration::from_millis(300);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(1000).await?;
    player.frame().await?;
    publisher.crash();
    assert_eq!(player.control.goodbye().await?, (Code::HeldTooLong, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_gives_a_held_broadcast_no_more_time() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.held_timeout = Duration::from_secs(12);
    })
    .await?;
    let (id, token) = {
        let broadcast = relay.broadcast().await?;
        let mut publisher = broadcast.publisher().await?;
        publisher.keyframe(1000).await?;
        let live = |records: &Snapshot| records.phase == "live";
        broadcast.until("the picture", live).await?;
        publisher.crash();
        let held = |records: &Snapshot| records.phase == "held";
        broadcast.until("the end of it", held).await?;
        (broadcast.id.clone(), broadcast.token(Role::Player))
    };
    let held = Instant::now();
    let relay = relay.restart().await?;
    let mut player = Player::join(relay.target(), &token).await?;
    assert_eq!(
        relay.site().registry.find(&id).map(|it| it.status().phase),
        Some(Phase::Waiting)
    );
    assert_eq!(player.control.goodbye().await?, (Code::HeldTooLong, false));
    assert!(
        held.elapsed() >= Duration::from_secs(10),
        "{:?}",
        held.elapsed()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_relay_says_goodbye_to_all_and_asks_them_back() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut players = Vec::new();
    for _ in 0..10 {
        players.push(broadcast.player().await?);
    }
    let mut publisher = broadcast.publisher().await?;
    relay.stop();
    for player in &mut players {
        assert_eq!(player.control.goodbye().await?, (Code::ShuttingDown, true));
    }
    assert_eq!(
        publisher.control.goodbye().await?,
        (Code::ShuttingDown, true)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_records_why_players_left() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut polite = broadcast.player().await?;
    let rude = broadcast.player().await?;
    polite
        .control
        .send(&ClientMessage::Goodbye {
            code: Code::Done.number(),
            message: String::new(),
        })
        .await?;
    rude.control.connection.close();
    broadcast.until("nobody", |r| r.players == 0).await?;
    assert_eq!(broadcast.left(Code::Done)?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_black_frames_and_decoder_errors_are_added_up() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut one = broadcast.player().await?;
    let mut two = broadcast.player().await?;
    let report = |black, decoder_errors| ClientMessage::Report {
        received: 10,
        decoded: 10,
        shown: 10,
        black,
        decoder_errors,
        latency_us: 0,
    };
    one.control.send(&report(1, 0)).await?;
    one.control.send(&report(3, 1)).await?;
    two.control.send(&report(2, 0)).await?;
    one.control.ping().await?;
    two.control.ping().await?;
    let totals = broadcast.records()?.totals;
    assert_eq!((totals.black_frames, totals.decoder_errors), (5, 1));
    Ok(())
}

steadycast_tests::over_websocket! {
    ending_a_broadcast_tells_everybody_and_invites_nobody_back,
    a_broadcast_held_for_too_long_ends_with_that_reason,
    a_restart_gives_a_held_broadcast_no_more_time,
    a_stopping_relay_says_goodbye_to_all_and_asks_them_back,
    the_relay_records_why_players_left,
    reports_of_black_frames_and_decoder_errors_are_added_up,
}
