//! Renditions for players at other relays than the publisher's.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::CodecKind::{Av1, H264, Vp8};
use steadycast_codec_glue::wire::{Service, TrackId};
use steadycast_tests::client::Player;

use super::{Tree, is, sees};

/// Waits until a player is served so.
async fn served(player: &mut Player, service: Service) -> Result<()> {
    while player.control.serving().await?.service != service {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaf_s_player_that_decodes_another_codec_gets_a_rendition() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.codec = Av1;
    let main = publisher.keyframe(2_000).await?;
    let leaf = tree.leaf.known(&broadcast.id);
    let mut usual = leaf.player().await?;
    sees(&mut usual, &main).await?;
    let mut players = vec![
        leaf.player().await?,
        tree.edge.known(&broadcast.id).player().await?,
    ];
    for player in &mut players {
        player.decodes(&[H264]).await?;
    }
    // Of both relays, the players are one rendition's.
    while publisher.control.renditions().await? != [(H264, 2)] {}
    let on = TrackId::of(H264);
    publisher.keyframe_on(on, 3_000).await?;
    for player in &mut players {
        served(player, Service::Ready).await?;
    }
    let sent = publisher.keyframe_on(on, 3_000).await?;
    for player in &mut players {
        while !is(&player.frame().await?, &sent) {}
    }
    for _ in 0..20 {
        let sent = publisher.delta_on(on, 700).await?;
        for player in &mut players {
            let frame = sees(player, &sent).await?;
            ensure!(frame.header.track == on);
        }
    }
    // The other player has the main track, and nothing else.
    let main = publisher.delta(400).await?;
    sees(&mut usual, &main).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_a_leaf_s_player() -> Result<()> {
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.codec = Av1;
    let main = publisher.keyframe(2_000).await?;
    let mut player = tree.leaf.known(&broadcast.id).player().await?;
    sees(&mut player, &main).await?;
    player.decodes(&[H264, Vp8]).await?;
    while publisher.control.renditions().await? != [(H264, 1)] {}
    publisher.refuse(H264).await?;
    // The next codec is asked for, and that is refused as well.
    while publisher.control.renditions().await? != [(Vp8, 1)] {}
    publisher.refuse(Vp8).await?;
    served(&mut player, Service::Unsupported).await?;
    Ok(())
}
