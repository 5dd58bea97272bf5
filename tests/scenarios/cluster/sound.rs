//! Sound, which travels while somebody listens at any relay.

use anyhow::{Result, ensure};
use steadycast_tests::sound::{STEREO, Speaker};

use super::{Tree, sees};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaf_s_listeners_hear_every_frame_and_only_while_they_listen() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.sounds_as(Some(STEREO)).await?;
    let sent = publisher.keyframe(1_000).await?;
    let mut players = tree.players(&broadcast.id).await?;
    for player in &mut players {
        sees(player, &sent).await?;
        ensure!(player.sound().await? == Some(STEREO));
    }
    publisher.heard_by(0).await?;
    let mut listening = players.split_off(1);
    for player in &mut listening {
        player.listen(true).await?;
    }
    publisher.heard_by(2).await?;
    let speaker = Speaker::new(publisher.epoch(), tree.origin.now_us());
    for sequence in 0..60 {
        let sent = speaker.packet(sequence);
        publisher.send_sound(&sent)?;
        for player in &mut listening {
            let heard = player.hear().await?;
            ensure!((heard.sequence, &heard.frame) == (sent.sequence, &sent.frame));
            ensure!(heard.capture_us.abs_diff(sent.capture_us) < 20_000);
        }
    }
    let edge = tree.edge.known(&broadcast.id).records()?;
    ensure!(edge.totals.sound_lost == 0, "{:?}", edge.totals);
    drop(listening);
    publisher.heard_by(0).await?;
    publisher.sounds_as(None).await?;
    for player in &mut players {
        ensure!(player.sound().await?.is_none());
    }
    Ok(())
}
