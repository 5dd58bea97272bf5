//! Who joins over WebRTC sees the current picture at once.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, ProtectionProfile, Publisher, Rogue};

use super::{Host, later};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_codec_arrives_frame_by_frame_as_it_was_sent() -> Result<()> {
    let relay = TestRelay::start().await?;
    for kind in Kind::ALL {
        let broadcast = relay.broadcast().await?;
        let mut host = Host::start(&relay, &broadcast, kind).await?;
        let mut player = Player::watch(&broadcast.whep()).await?;
        let mut last = None;
        for number in 0..20 {
            // A keyframe of many packets, then frames of all sizes.
            let sent = match number % 10 {
                0 => host.keyframe(60_000).await?,
                n => host.delta(n * 777 + 1).await?,
            };
            let frame = player.expect(&sent).await?;
            ensure!(frame.contiguous, "{kind:?} {number}");
            ensure!(frame.time == host.rtp_time(), "its time is the capture's");
            if let Some(last) = last {
                ensure!(frame.sequence.0 == last + 1, "no number is left out");
            }
            last = Some(frame.sequence.1);
        }
        let packets = player.packets();
        player.source()?;
        ensure!(packets.iter().all(|packet| packet.len <= 1_200));
        ensure!(
            packets[0].at_once,
            "keyframes say that pictures may be shown at once"
        );
    }
    Ok(())
}

/// The frames of a group as somebody gets them who comes late: at once, and on short times.
async fn join_late(kind: Kind, held: bool) -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, kind).await?;
    host.behind_us = 500_000;
    let mut sent = vec![host.keyframe(20_000).await?];
    let first = host.rtp_time();
    for _ in 0..10 {
        // Captured at 30 frames per second: times and not waits are what counts here.
        host.capture_us += 33_000;
        sent.push(host.delta(800).await?);
    }
    let last = host.rtp_time();
    broadcast
        .until("the group", |r| r.totals.frames_received == 11)
        .await?;
    if held {
        host.publisher.crash();
        broadcast.until("held", |r| r.phase == "held").await?;
    }
    let mut player = Player::join(&broadcast.whep()).await?;
    let mut before: Option<u32> = None;
    for sent in &sent {
        let frame = player.expect(sent).await?;
        ensure!(frame.contiguous);
        if let Some(before) = before.replace(frame.time) {
            let step = later(frame.time, before);
            ensure!((1..=90).contains(&step), "a millisecond or less: {step}");
        }
        ensure!(later(frame.time, first) > 0, "not fast forward");
    }
    ensure!(before == Some(last), "the last has its own time");
    ensure!(broadcast.records()?.totals.keyframe_requests == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_the_cached_group_at_once_on_compressed_times() -> Result<()> {
    for kind in Kind::ALL {
        join_late(kind, false).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_the_picture_of_a_held_broadcast() -> Result<()> {
    join_late(Kind::H264, true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_before_the_publisher_gets_its_first_keyframe() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::watch(&broadcast.whep()).await?;
    ensure!(player.packets().is_empty());
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let sent = host.keyframe(5_000).await?;
    let frame = player.expect(&sent).await?;
    ensure!(frame.keyframe && frame.time == host.rtp_time());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_joins_on_a_long_group_ask_for_one_keyframe_together() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.join_frames = 3;
        // Long enough that the players wait for the publisher here, not for the clock.
        config.broadcast.keyframe_wait = Duration::from_secs(10);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    host.keyframe(5_000).await?;
    for _ in 0..5 {
        host.delta(100).await?;
    }
    broadcast
        .until("six frames", |r| r.totals.frames_received == 6)
        .await?;
    let mut players = Vec::new();
    for _ in 0..20 {
        players.push(Player::join(&broadcast.whep()).await?);
    }
    for player in &mut players {
        player.connected().await?;
    }
    host.publisher.control.keyframe_request().await?;
    let sent = host.keyframe(5_000).await?;
    for player in &mut players {
        player.expect(&sent).await?;
    }
    ensure!(broadcast.records()?.totals.keyframe_requests == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_on_ipv6_is_joined_there() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.server.listen = (std::net::Ipv6Addr::LOCALHOST, 0).into();
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let mut player = Player::watch(&broadcast.whep()).await?;
    for number in 0..5 {
        let sent = coded(Kind::Vp9, number == 0, number, 5_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
        player.expect(&sent).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_open_dtls_are_met_half_way() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let publisher = Publisher::join(&broadcast.whip().passive()).await?;
    let mut player = Player::watch(&broadcast.whep().passive()).await?;
    for number in 0..5 {
        let sent = coded(Kind::H264, number == 0, number, 5_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
        player.expect(&sent).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protection_of_media_that_browsers_know_is_opened_by_its_keys() -> Result<()> {
    for profile in [
        ProtectionProfile::AeadAes128Gcm,
        ProtectionProfile::AeadAes256Gcm,
        ProtectionProfile::Aes128CmHmacSha1_80,
    ] {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
        let endpoint = broadcast.whep();
        let mut player = Rogue::open_with(&endpoint, "recvonly", profile).await?;
        player.check().await?;
        player.handshake().await?;
        let mut before = vec![0xff; 4];
        for number in 0..20 {
            let sent = host.send(number == 0, 500).await?;
            // A descriptor stands before the frame (RFC 7741, 4.2).
            let mut packet = player.receive_rtp().await?;
            // A picture that seems to rest, since the host is late, is sent once more.
            while packet.ends_with(&before) {
                packet = player.receive_rtp().await?;
            }
            ensure!(
                packet.ends_with(&sent.payload),
                "{profile:?}: frame {number}"
            );
            ensure!(packet.len() < sent.payload.len() + 40);
            before = sent.payload;
        }
    }
    Ok(())
}
