//! A relay with several shards: players on each, and players whose address changes.

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::Role;
use steadycast_tests::client::Player;
use steadycast_tests::client::Publisher;
use steadycast_tests::proxy::Proxy;
use steadycast_tests::relay::TestRelay;

const PLAYERS: usize = 16;
/// Each has an even chance to lead to the other shard.
const REBINDS: usize = 8;

async fn two_shards() -> Result<TestRelay> {
    TestRelay::with(|config| config.relay.shards = 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_of_all_shards_get_every_frame() -> Result<()> {
    let relay = two_shards().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(50_000).await?;
    let mut players = Vec::new();
    for _ in 0..PLAYERS {
        let mut player = broadcast.player().await?;
        ensure!(player.frame().await?.place().2 == 0);
        players.push(player);
    }
    for _ in 0..20 {
        let sent = publisher.delta(5_000).await?;
        for player in &mut players {
            let frame = player.frame().await?;
            ensure!(frame.is_intact());
            ensure!(frame.place() == (sent.epoch, sent.group, sent.index));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_whose_address_changes_keeps_its_session() -> Result<()> {
    let relay = two_shards().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(20_000).await?;
    let proxy = Proxy::start(relay.target()).await?;
    let mut player = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    player.frame().await?;
    for _ in 0..REBINDS {
        proxy.rebind().await?;
        // The relay learns the new address from whatever the client sends next.
        player.control.ping().await?;
        follow(&mut publisher, &mut player).await?;
    }
    ensure!(
        broadcast.records()?.totals.players_joined == 1,
        "it never left"
    );
    Ok(())
}

async fn follow(publisher: &mut Publisher, player: &mut Player) -> Result<()> {
    for _ in 0..3 {
        let sent = publisher.delta(3_000).await?;
        let frame = player.frame().await?;
        ensure!(frame.is_intact());
        ensure!(frame.place() == (sent.epoch, sent.group, sent.index));
    }
    Ok(())
}

steadycast_tests::over_websocket! {
    players_of_all_shards_get_every_frame,
}
