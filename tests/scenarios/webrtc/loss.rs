//! Networks that lose and reorder packets.

use anyhow::{Context, Result, ensure};
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::proxy::{Fate, Proxy, faultless, faulty, is_media};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Publisher};

use super::{Host, watching};

/// How much of a hundred packets is lost.
const LOST: u32 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_loses_packets_gets_every_frame_whole() -> Result<()> {
    for (seed, kind) in [(1, Kind::Vp8), (2, Kind::H264), (3, Kind::Av1)] {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let network = faulty(seed, LOST, 3);
        let proxy = Proxy::with(relay.target(), faultless(), network).await?;
        let mut player = Player::join(&broadcast.whep().via(&proxy)).await?;
        let mut other = Player::join(&broadcast.whep()).await?;
        for player in [&mut player, &mut other] {
            player.connected().await?;
        }
        let mut host = Host::start(&relay, &broadcast, kind).await?;
        for number in 0..60 {
            let sent = match number % 30 {
                0 => host.keyframe(60_000).await?,
                _ => host.delta(9_000).await?,
            };
            ensure!(other.expect(&sent).await?.contiguous);
            let frame = player.expect(&sent).await;
            let frame = frame.with_context(|| format!("seed {seed}: frame {number}"))?;
            ensure!(frame.contiguous, "seed {seed}: frame {number}");
        }
        let again = player.retransmissions.clone();
        let packets = player.packets();
        let repeated = packets
            .iter()
            .filter(|packet| again.contains(&packet.payload_type));
        ensure!(repeated.count() > 0, "nothing was lost");
        // Everybody has an SSRC for that, and it is one.
        player.source()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_packet_that_is_lost_is_missed_although_nothing_follows() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    // A frame's last packet, and the first that are to make up for it.
    let mut lost = 0;
    let network = Box::new(move |packet: &[u8]| {
        let last = is_media(packet) && packet[1] & 0x80 != 0;
        if last && lost < 3 {
            lost += 1;
            return Fate::Lost;
        }
        Fate::Passes
    });
    let proxy = Proxy::with(relay.target(), faultless(), network).await?;
    let mut player = Player::watch(&broadcast.whep().via(&proxy)).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let sent = host.keyframe(20_000).await?;
    player.expect(&sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_a_keyframe_is_answered_from_the_cache_where_that_is_fresh() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut players = watching(&broadcast, 5).await?;
    let keyframe = host.keyframe(5_000).await?;
    let delta = host.delta(500).await?;
    for player in &mut players {
        player.expect(&keyframe).await?;
        let before = player.expect(&delta).await?;
        player.request_keyframe();
        let frame = player.expect(&keyframe).await?;
        ensure!(super::later(frame.time, before.time) > 0);
        player.expect(&delta).await?;
    }
    ensure!(broadcast.records()?.totals.keyframe_requests == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_for_a_keyframe_that_the_cache_cannot_serve_become_one() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut players = watching(&broadcast, 5).await?;
    let mut sent = vec![host.keyframe(5_000).await?];
    // More than anybody would be made to decode again.
    for _ in 0..200 {
        sent.push(host.delta(50).await?);
    }
    for player in &mut players {
        for sent in &sent {
            player.expect(sent).await?;
        }
    }
    for player in &players {
        player.request_keyframe();
    }
    host.publisher.control.keyframe_request().await?;
    let keyframe = host.keyframe(5_000).await?;
    for player in &mut players {
        player.until(&keyframe).await?;
    }
    ensure!(broadcast.records()?.totals.keyframe_requests == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_publisher_loses_on_its_way_is_sent_again() -> Result<()> {
    for (seed, kind) in [(4, Kind::Vp8), (5, Kind::H264), (6, Kind::Vp9)] {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let network = faulty(seed, LOST, 5);
        let proxy = Proxy::with(relay.target(), network, faultless()).await?;
        let mut player = broadcast.player().await?;
        let publisher = Publisher::join(&broadcast.whip().via(&proxy)).await?;
        let mut frames = Vec::new();
        for number in 0..60 {
            let len = if number == 0 { 40_000 } else { 6_000 };
            let sent = coded(kind, number == 0, number, len);
            publisher.send(&sent, u64::from(number) * 3_000).await?;
            frames.push(sent);
        }
        // So that a last packet that is lost is missed.
        for number in 60..63 {
            let sent = coded(kind, false, number, 300);
            publisher.send(&sent, u64::from(number) * 3_000).await?;
        }
        for (number, sent) in frames.iter().enumerate() {
            let frame = player.frame().await?;
            let units = steadycast_tests::coded::units(kind, &frame.payload)?;
            ensure!(units == sent.units()?, "seed {seed}: frame {number}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_whose_packets_are_gone_for_good_is_asked_for_a_keyframe() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    // One number never gets through, however often it is sent.
    let mut count = 0;
    let mut victim = None;
    let network = Box::new(move |packet: &[u8]| {
        if !is_media(packet) {
            return Fate::Passes;
        }
        count += 1;
        if count == 8 {
            victim = packet.get(2..4).map(<[u8]>::to_vec);
        }
        // Sent again it has a number of its own, and another payload type.
        let again = count > 8 && count < 40 && packet.len() > 1_000 && victim.is_some();
        match packet.get(2..4).map(<[u8]>::to_vec) == victim || again && is_resent(packet) {
            true => Fate::Lost,
            false => Fate::Passes,
        }
    });
    let proxy = Proxy::with(relay.target(), network, faultless()).await?;
    let mut player = broadcast.player().await?;
    let mut publisher = Publisher::join(&broadcast.whip().via(&proxy)).await?;
    for number in 0..4 {
        let sent = coded(Kind::Vp8, number == 0, number, 4_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
    }
    publisher.keyframe_request().await?;
    let sent = coded(Kind::Vp8, true, 10, 4_000);
    publisher.send(&sent, 60_000).await?;
    loop {
        let frame = player.frame().await?;
        if frame.payload == sent.payload {
            return Ok(());
        }
    }
}

/// Whether a packet of a `str0m` publisher is one that is sent again: its type is odd.
fn is_resent(packet: &[u8]) -> bool {
    packet[1] & 1 == 1
}
