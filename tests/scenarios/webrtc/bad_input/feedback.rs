//! Players with keys and no manners.

use anyhow::{Result, ensure};
use steadycast_tests::coded::Random;
use steadycast_tests::webrtc::{Rogue, rtcp};

use super::{Witness, relay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_packets_that_make_no_sense_are_as_good_as_lost() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    let mut random = Random::new(4);
    for round in 0..2_000u32 {
        let len = 8 + random.number() as usize % 200;
        let mut packet: Vec<u8> = (0..len).map(|_| random.number() as u8).collect();
        packet[0] = 0x80 | packet[0] & 0x3f;
        packet[1] = 200 + (round % 8) as u8;
        if packet[1] == 203 {
            // That would be a goodbye.
            packet[1] = 207;
        }
        if round % 2 == 0 {
            let words = (len / 4 - 1) as u16;
            packet[2..4].copy_from_slice(&words.to_be_bytes());
        }
        packet[4..8].copy_from_slice(&(round % 3).to_be_bytes());
        let protected = rogue.protect_rtcp(&packet)?;
        rogue.send(&protected).await?;
        if round % 100 == 0 {
            witness.is_undisturbed().await?;
        }
    }
    ensure!(rogue.session.exists().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compound_packet_is_heard_to_its_end_in_any_order() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    let report = rtcp::receiver_report(1);
    let other = rtcp::pli(1, rogue.ssrc ^ 1);
    // First by itself (reduced size), then with others.
    for compound in 0..4 {
        witness.is_undisturbed().await?;
        let packet = rogue.receive_rtp().await?;
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        let nack = rtcp::nack(1, rogue.ssrc, &[(number, 0)]);
        let compound = match compound {
            0 => nack,
            1 => [&report[..], &nack].concat(),
            2 => [&report[..], &other, &nack].concat(),
            _ => [&nack[..], &report, &other].concat(),
        };
        let protected = rogue.protect_rtcp(&compound)?;
        rogue.send(&protected).await?;
        loop {
            // Sent again under another number, a packet begins with its own (RFC 4588, 4).
            let packet = rogue.receive_rtp().await?;
            let header = 12 + usize::from(packet[0] >> 4 & 1) * 8;
            let again = packet[1] & 0x7f == 100;
            if again && packet[header..header + 2] == number.to_be_bytes() {
                break;
            }
        }
    }
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storms_of_feedback_cost_nobody_else_a_frame() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let first = rogue.receive_rtp().await?;
    let number = u16::from_be_bytes([first[2], first[3]]);
    // Everything, several times over, much of it never sent.
    let all: Vec<_> = (0..30)
        .map(|at| (number.wrapping_add(at * 17), 0xffff))
        .collect();
    let nacks = rtcp::nack(1, rogue.ssrc, &all);
    let pli = rtcp::pli(1, rogue.ssrc);
    for _ in 0..30 {
        for _ in 0..40 {
            for packet in [&nacks, &pli] {
                let protected = rogue.protect_rtcp(packet)?;
                rogue.send(&protected).await?;
            }
        }
        witness.is_undisturbed().await?;
    }
    let asked = broadcast.records()?.totals.keyframe_requests;
    ensure!(
        asked < 20,
        "{asked} keyframe requests reached the publisher"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repetitions_forgeries_and_stumps_are_nothing() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    // A goodbye that is not the rogue's own, and one that somebody has tampered with.
    let good = rogue.protect_rtcp(&rtcp::goodbye(1))?;
    for at in 8..good.len() {
        let mut forged = good.clone();
        forged[at] ^= 1;
        rogue.send(&forged).await?;
        rogue.send(&good[..at]).await?;
    }
    let mut random = Random::new(5);
    for source in 0..3_000u32 {
        let mut noise = vec![0x81, 201, 0, 7];
        noise.extend(source.to_be_bytes());
        noise.extend((0..40).map(|_| random.number() as u8));
        rogue.send(&noise).await?;
        noise[1] = 96;
        rogue.send(&noise).await?;
    }
    witness.is_undisturbed().await?;
    ensure!(rogue.session.exists().await?);
    rogue.send(&good).await?;
    let left = |records: &steadycast_relay::broadcast::Snapshot| records.players == 1;
    broadcast.until("its goodbye", left).await?;
    witness.is_undisturbed().await
}
