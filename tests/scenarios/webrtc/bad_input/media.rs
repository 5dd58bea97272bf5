//! Publishers with keys and no manners.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use steadycast_tests::client::Player;
use steadycast_tests::coded::{Kind, Random, coded};
use steadycast_tests::proxy::is_media;
use steadycast_tests::webrtc::{Publisher, Rogue, rtp};

use super::{Witness, relay};

/// The payload types of a rogue's offer.
const TYPES: [u8; 5] = [96, 97, 98, 99, RTX];
/// What is sent again.
const RTX: u8 = 100;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A VP8 keyframe in one packet, as RFC 7741 has it.
fn good_keyframe(number: u32) -> Vec<u8> {
    let frame = coded(Kind::Vp8, true, number, 500);
    [&[0x10], &frame.payload[..]].concat()
}

/// Sends keyframes from a sequence number on, until one gets through: what is missing before it is
/// waited for, for a while.
async fn recovers(rogue: &mut Rogue, player: &mut Player, sequence: u16) -> Result<()> {
    let payload = good_keyframe(0);
    let sent = coded(Kind::Vp8, true, 0, 500);
    for again in 0..100 {
        let time = 1_000_000 + u32::from(again) * 3_000;
        let packet = rtp::packet(96, sequence + again, time, true, 7, &payload);
        let protected = rogue.protect_rtp(&packet)?;
        rogue.send(&protected).await?;
        while let Ok(frame) = tokio::time::timeout(PAUSE, player.frame()).await {
            if frame?.payload == sent.payload {
                return Ok(());
            }
        }
    }
    bail!("the keyframe does not get through")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_payloads_of_every_codec_are_passed_over() -> Result<()> {
    let relay = relay().await?;
    let (witnessed, broadcast) = (relay.broadcast().await?, relay.broadcast().await?);
    let mut witness = Witness::new(&relay, &witnessed).await?;
    let mut player = broadcast.player().await?;
    let mut rogue = Rogue::join(&broadcast.whip(), "sendonly").await?;
    let mut random = Random::new(6);
    for round in 0..3_000u32 {
        let len = random.number() as usize % 60;
        let mut payload: Vec<u8> = (0..len).map(|_| random.number() as u8).collect();
        let kind = TYPES[random.number() as usize % TYPES.len()];
        if let (RTX, [high, low, ..]) = (kind, &mut payload[..]) {
            // A packet before this one, so that the count goes on.
            [*high, *low] = (round as u16).saturating_sub(3).to_be_bytes();
        }
        let marker = random.percent(30);
        let packet = rtp::packet(kind, round as u16, round / 3, marker, 7, &payload);
        let protected = rogue.protect_rtp(&packet)?;
        rogue.send(&protected).await?;
        if round % 300 == 0 {
            witness.is_undisturbed().await?;
        }
    }
    recovers(&mut rogue, &mut player, 3_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_without_an_end_is_given_up() -> Result<()> {
    let relay = relay().await?;
    let (witnessed, broadcast) = (relay.broadcast().await?, relay.broadcast().await?);
    let mut witness = Witness::new(&relay, &witnessed).await?;
    let mut player = broadcast.player().await?;
    let mut rogue = Rogue::join(&broadcast.whip(), "sendonly").await?;
    let first = good_keyframe(1);
    // Twice as much as a frame may have (PROTOCOL 4.2).
    for number in 0..8_000u16 {
        let payload = match number {
            0 => first.clone(),
            _ => [&[0x00][..], &[7; 1_100]].concat(),
        };
        let packet = rtp::packet(96, number, 1, false, 7, &payload);
        let protected = rogue.protect_rtp(&packet)?;
        rogue.send(&protected).await?;
        if number % 500 == 0 {
            witness.is_undisturbed().await?;
        }
        if number == 1_000 {
            // What is no frame yet is within the budget as well.
            broadcast
                .until("it is counted", |r| r.memory_bytes > 500 * 1_100)
                .await?;
        }
    }
    let cached = broadcast.records()?.cache.bytes;
    ensure!(cached < 5 << 20, "{cached} bytes are cached");
    recovers(&mut rogue, &mut player, 8_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sources_the_first_is_taken() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut rogue = Rogue::join(&broadcast.whip(), "sendonly").await?;
    for number in 0..1_000u32 {
        // Its own source first, then a thousand others.
        let source = if number % 10 == 0 { 7 } else { 1_000 + number };
        let payload = good_keyframe(number);
        let sequence = if source == 7 { number / 10 } else { number };
        let packet = rtp::packet(96, sequence as u16, number * 90, true, source, &payload);
        let protected = rogue.protect_rtp(&packet)?;
        rogue.send(&protected).await?;
        if source == 7 {
            let sent = coded(Kind::Vp8, true, number, 500);
            let frame = player.frame().await?;
            ensure!(frame.payload == sent.payload, "a frame of another source");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_of_others_and_packets_again_are_nothing() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let mut random = Random::new(7);
    for number in 0..50 {
        let sent = coded(Kind::Vp8, number == 0, number, 3_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
        let frame = player.frame().await?;
        ensure!(frame.payload == sent.payload, "frame {number}");
        // All of it once more, cut off, tampered with, and from sources that are made up.
        let media = publisher
            .sent()
            .into_iter()
            .filter(|packet| is_media(packet));
        for packet in media.collect::<Vec<_>>().into_iter().rev().take(10) {
            let mut forged = packet.clone();
            let at = random.number() as usize % forged.len();
            forged[at] ^= 1 << (random.number() % 8);
            forged[0] = packet[0];
            let mut other = packet.clone();
            other[8..12].copy_from_slice(&random.number().to_be_bytes());
            for raw in [packet[..packet.len() / 2].to_vec(), forged, other, packet] {
                publisher.send_raw(raw);
            }
        }
    }
    let records = broadcast.records()?;
    ensure!(records.totals.frames_received == 50, "each of them once");
    Ok(())
}
