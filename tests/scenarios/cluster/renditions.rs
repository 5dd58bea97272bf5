//! Renditions for players at other relays than the publisher's.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::CodecKind::{Av1, H264, Vp8};
use steadycast_codec_glue::wire::{Role, Service, TrackId};
use steadycast_tests::client::{Player, soon};
use steadycast_tests::proxy::{Proxy, faultless, queued};
use tokio::time::interval;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrow_path_to_a_leaf_s_player_has_a_rendition_made_that_it_carries() -> Result<()> {
    /// A third of what the main track takes.
    const CARRIED_KBPS: u32 = 640;
    const BYTES_PER_SECOND: f64 = CARRIED_KBPS as f64 * 1_000.0 / 8.0;
    let tree = Tree::start().await?;
    let broadcast = tree.origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let leaf = &tree.leaf;
    let path = Proxy::with(leaf.target(), faultless(), queued(BYTES_PER_SECOND)).await?;
    let token = leaf.known(&broadcast.id).token(Role::Player);
    let mut narrow = Player::join(path.target(), &token).await?;
    // What one relay asks the other for is what the path was found to carry, more or less.
    let (wanted, _) = publisher.until_lighter(CARRIED_KBPS).await?;
    let mut beat = interval(Duration::from_millis(33));
    ensure!(wanted.players == 1, "it is for one player: {wanted:?}");
    let lighter = tokio::spawn(async move {
        loop {
            let frame = narrow.frame().await?;
            if frame.header.track != TrackId::MAIN && frame.header.index > 5 {
                return anyhow::Ok(frame);
            }
        }
    });
    let both = async {
        for number in 0.. {
            beat.tick().await;
            match number % 60 {
                0 => publisher.keyframe_on(wanted.track, 3_000).await?,
                _ => publisher.delta_on(wanted.track, 900).await?,
            };
            publisher.delta(8_000).await?;
            if lighter.is_finished() {
                break;
            }
        }
        anyhow::Ok(lighter.await??)
    };
    let frame = soon("the lighter track", both).await??;
    ensure!(frame.payload.len() == 900, "a frame of that track");
    Ok(())
}
