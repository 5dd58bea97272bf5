//! Players on narrow ways.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_tests::client::soon;
use steadycast_tests::coded::Kind;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Rogue, rtcp};

use super::Host;

/// How often the slow player is skipped before the host ends: once would not show that it goes on.
const SKIPS: u64 = 3;
/// What a frame of its has, 30 times a second: 4.8 Mbit/s.
const FRAME: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_that_much_is_lost_gets_fewer_frames_and_the_newest_keyframe() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 1).await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut lively = Player::join(&broadcast.whep()).await?;
    let mut slow = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let mut pace = tokio::time::interval(Duration::from_millis(33));
    let (mut sent_bytes, mut number) = (0, 0);
    let skipping = async {
        while broadcast.records()?.totals.skips < SKIPS {
            pace.tick().await;
            let sent = host.send(number % 60 == 0, FRAME).await?;
            ensure!(
                lively.expect(&sent).await?.contiguous,
                "others are unharmed"
            );
            sent_bytes += FRAME;
            number += 1;
            if number % 15 == 0 {
                // Nine of ten packets, whatever the relay does.
                let report = rtcp::loss_report(1, slow.ssrc, 230);
                let protected = slow.protect_rtcp(&report)?;
                slow.send(&protected).await?;
            }
        }
        anyhow::Ok(())
    };
    soon("skips", skipping).await??;
    let last = host.keyframe(FRAME).await?;
    lively.expect(&last).await?;
    let mut got_bytes = 0;
    let mut newest = 0;
    // All that has come, and then what tells that it is up to date.
    let last_time = host.rtp_time();
    while super::later(newest, last_time) != 0 || newest == 0 {
        let packet = slow.receive_rtp().await?;
        newest = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        got_bytes += packet.len();
    }
    ensure!(got_bytes * 2 < sent_bytes, "{got_bytes} of {sent_bytes}");
    let records = broadcast.records()?;
    ensure!(
        records.totals.skips >= SKIPS,
        "it was skipped, not fed the past"
    );
    ensure!(records.players == 2 && records.totals.players_left.is_empty());
    Ok(())
}
