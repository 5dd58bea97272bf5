//! Standard tools publish what everybody watches.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::Code;
use steadycast_tests::client;
use steadycast_tests::coded::{Coded, Kind, coded, units, vp8_keyframe};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Publisher};

use super::Host;

/// A frame as a WebTransport player gets it is what was sent.
fn ensure_same(frame: &client::Received, sent: &Coded) -> Result<()> {
    ensure!(frame.header.keyframe == sent.keyframe);
    ensure!(units(sent.kind, &frame.payload)? == sent.units()?);
    if let Some(config) = &frame.config {
        ensure!(
            Kind::of(&config.codec) == Some(sent.kind),
            "{}",
            config.codec
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_of_both_kinds_get_the_same_frames() -> Result<()> {
    for kind in Kind::ALL {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let mut direct = broadcast.player().await?;
        let mut bridged = Player::watch(&broadcast.whep()).await?;
        let publisher = Publisher::join(&broadcast.whip()).await?;
        for number in 0..20 {
            let keyframe = number % 10 == 0;
            let len = if keyframe {
                30_000
            } else {
                50 + number as usize * 300
            };
            let sent = coded(kind, keyframe, number, len);
            publisher.send(&sent, u64::from(number) * 3_000).await?;
            let frame = direct.frame().await?;
            ensure_same(&frame, &sent)?;
            ensure!(frame.place() == (1, number / 10, number % 10));
            ensure!(bridged.expect(&sent).await?.contiguous);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_on_webtransport_is_the_same_to_players_of_both_kinds() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Av1).await?;
    for number in 0..30 {
        let sent = host.send(number % 15 == 0, 100 + number * 500).await?;
        ensure_same(&direct.frame().await?, &sent)?;
        bridged.expect(&sent).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capture_times_follow_the_publishers_and_never_fall() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let before = relay.now_us();
    // Wraps within the first ten frames (RFC 3550, 5.1).
    let start = u64::from(u32::MAX) - 10 * 3_000;
    let mut last = 0;
    for number in 0..20 {
        let sent = coded(Kind::Vp8, number == 0, number, 1_000);
        publisher
            .send(&sent, start + u64::from(number) * 3_000)
            .await?;
        let capture = player.frame().await?.header.capture_us;
        ensure!(capture >= before && capture <= relay.now_us(), "{capture}");
        ensure!(capture >= last, "time goes back");
        last = capture;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_of_both_kinds_take_over_from_one_another() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;

    let mut whip = Publisher::join(&broadcast.whip()).await?;
    let sent = coded(Kind::Vp8, true, 1, 2_000);
    whip.send(&sent, 3_000).await?;
    ensure!(direct.frame().await?.header.epoch == 1);
    bridged.expect(&sent).await?;

    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    host.number = 100;
    whip.closed().await?;
    let sent = host.keyframe(2_000).await?;
    ensure!(direct.frame().await?.header.epoch == 2);
    bridged.expect(&sent).await?;

    // Whoever offers takes nothing over before it has connected.
    let mut third = Publisher::begin(&broadcast.whip()).await?;
    third.connected().await?;
    ensure!(host.publisher.control.goodbye().await? == (Code::Superseded, false));
    let sent = coded(Kind::Vp8, true, 200, 2_000);
    third.send(&sent, 3_000).await?;
    ensure!(direct.frame().await?.header.epoch == 3);
    bridged.expect(&sent).await?;

    let fourth = Publisher::join(&broadcast.whip()).await?;
    third.closed().await?;
    let sent = coded(Kind::Vp8, true, 300, 2_000);
    fourth.send(&sent, 3_000).await?;
    ensure!(direct.frame().await?.header.epoch == 4);
    ensure!(bridged.expect(&sent).await?.contiguous);
    ensure!(broadcast.records()?.totals.publishers_joined == 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_changes_codec_and_size_at_a_keyframe() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let mut number = 0;
    for kind in [Kind::Vp8, Kind::H264, Kind::Vp9, Kind::Av1, Kind::Vp8] {
        for keyframe in [true, false, false] {
            number += 1;
            let sent = coded(kind, keyframe, number, 3_000);
            publisher.send(&sent, u64::from(number) * 3_000).await?;
            ensure_same(&direct.frame().await?, &sent)?;
            bridged.expect(&sent).await?;
        }
    }
    for size in [(320, 240), (1_920, 1_080)] {
        number += 1;
        let sent = vp8_keyframe(size, number, 3_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
        let config = direct.frame().await?.config;
        let told = config.map(|config| (config.width, config.height));
        ensure!(told == Some(size), "{told:?}");
        bridged.expect(&sent).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_is_asked_for_a_keyframe_when_somebody_needs_one() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.join_frames = 3;
        // Long enough that the players wait for the publisher here, not for the clock.
        config.broadcast.keyframe_wait = std::time::Duration::from_secs(10);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = Publisher::join(&broadcast.whip()).await?;
    for number in 0..6 {
        let sent = coded(Kind::Vp8, number == 0, number, 500);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
    }
    broadcast
        .until("six frames", |r| r.totals.frames_received == 6)
        .await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    publisher.keyframe_request().await?;
    let sent = coded(Kind::Vp8, true, 10, 500);
    publisher.send(&sent, 30_000).await?;
    ensure_same(&direct.frame().await?, &sent)?;
    bridged.expect(&sent).await?;
    Ok(())
}
