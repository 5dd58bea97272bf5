//! Sound, and a picture that is taken back, of publishers that move.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::Phase;
use steadycast_relay::broadcast::Snapshot;
use steadycast_tests::cluster::Cluster;
use steadycast_tests::sound::{STEREO, Speaker};

use super::{Show, all_see, nobody_left, on_air, viewers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_is_heard_of_the_newest_publisher_wherever_it_is() -> Result<()> {
    let cluster = Cluster::of(3).await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    publisher.sounds_as(Some(STEREO)).await?;
    let sent = show.keyframe(&mut publisher).await?;
    let mut viewers = viewers(&cluster, &id).await?;
    all_see(&mut viewers, &sent).await?;
    let listeners = viewers.len() as u32;
    for viewer in &mut viewers {
        ensure!(viewer.player.sound().await? == Some(STEREO));
        viewer.player.listen(true).await?;
    }
    publisher.heard_by(listeners).await?;
    for at in [1, 0, 2] {
        let relay = &cluster.relays[at];
        publisher = relay.known(&id).publisher().await?;
        publisher.sounds_as(Some(STEREO)).await?;
        let sent = show.keyframe(&mut publisher).await?;
        all_see(&mut viewers, &sent).await?;
        // While a relay changes over to another a packet of sound may be lost.
        let publishes = relay.cluster()?.to_string();
        for other in &cluster.relays {
            let there = |records: &Snapshot| {
                let upstream = records.upstream.as_ref();
                upstream.is_none_or(|upstream| *upstream == publishes)
            };
            other.known(&id).until("its link", there).await?;
        }
        publisher.heard_by(listeners).await?;
        let speaker = Speaker::new(publisher.epoch(), relay.now_us());
        for sequence in 0..20 {
            let sent = speaker.packet(sequence);
            publisher.send_sound(&sent)?;
            for viewer in &mut viewers {
                let heard = viewer.player.hear().await?;
                ensure!((heard.sequence, &heard.frame) == (sent.sequence, &sent.frame));
            }
        }
    }
    nobody_left(&cluster, &id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_was_taken_back_is_seen_nowhere_until_another_publisher_shows_its_own()
-> Result<()> {
    let cluster = Cluster::of(3).await?;
    let (id, mut show, mut publisher, mut viewers) = on_air(&cluster).await?;
    for at in [1, 2, 0] {
        publisher.pause(1).await?;
        for viewer in &mut viewers {
            viewer.player.control.phase(Phase::Paused).await?;
        }
        publisher = cluster.relays[at].known(&id).publisher().await?;
        let late = cluster.relays[at].known(&id).player().await?;
        ensure!(late.welcome.status.phase == Phase::Paused);
        drop(late);
        let sent = show.keyframe(&mut publisher).await?;
        all_see(&mut viewers, &sent).await?;
        for viewer in &mut viewers {
            viewer.player.control.phase(Phase::Live).await?;
        }
    }
    Ok(())
}
