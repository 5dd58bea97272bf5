//! Publishers and players over WebRTC, whose claims are decided while their sessions run.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::Code;
use steadycast_relay::broadcast::Snapshot;
use steadycast_tests::cluster::Cluster;
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::webrtc;

use super::nobody_left;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webrtc_players_at_every_relay_follow_publishers_of_both_kinds() -> Result<()> {
    let cluster = Cluster::of(3).await?;
    let id = cluster.broadcast().await?;
    let mut tool: Option<webrtc::Publisher> = None;
    let mut players = Vec::new();
    let mut number = 0;
    for at in [0, 1, 2, 0] {
        let relay = &cluster.relays[at];
        let mut next = relay.known(&id).publisher().await?;
        if let Some(mut tool) = tool.take() {
            tool.closed().await?;
        }
        number += 1;
        let sent = coded(Kind::Vp8, true, number, 20_000 + number as usize);
        next.send_coded(&sent, relay.now_us()).await?;
        if players.is_empty() {
            for relay in &cluster.relays {
                players.push(webrtc::Player::watch(&relay.known(&id).whep()).await?);
            }
        }
        for player in &mut players {
            player.until(&sent).await?;
        }
        let mut publisher = next;
        // A tool takes over at the next relay.
        let relay = &cluster.relays[(at + 1) % 3];
        let next = webrtc::Publisher::join(&relay.known(&id).whip()).await?;
        ensure!(publisher.control.goodbye().await? == (Code::Superseded, false));
        let there = |records: &Snapshot| records.upstream.is_none();
        relay.known(&id).until("the tool", there).await?;
        number += 1;
        let sent = coded(Kind::Vp8, true, number, 20_000 + number as usize);
        next.send(&sent, u64::from(number) * 90_000).await?;
        for player in &mut players {
            player.until(&sent).await?;
        }
        tool = Some(next);
    }
    nobody_left(&cluster, &id)
}
