//! Clients that restart ICE, or whose address changes under way.

use anyhow::{Result, ensure};
use steadycast_tests::coded::Kind;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Rogue};

use super::Host;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_restarts_ice_keeps_its_picture() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut player = Player::join(&broadcast.whep()).await?;
    let sent = host.keyframe(5_000).await?;
    player.expect(&sent).await?;
    for _ in 0..4 {
        player.restart_ice().await?;
        let sent = host.delta(500).await?;
        ensure!(player.expect(&sent).await?.contiguous);
    }
    ensure!(player.session.delete().await? == 200);
    player.closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_a_session_that_is_over_are_nobodys() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 1).await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut witness = Player::join(&broadcast.whep()).await?;
    let sent = host.keyframe(5_000).await?;
    witness.expect(&sent).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let mut names = vec![(rogue.ufrag.clone(), rogue.password.clone())];
    for number in 0..4 {
        let name = format!("rogue{number}");
        let restarted = rogue.session.restart(&name, "anotherPasswordOfTheRogue");
        names.push(restarted.await?);
    }
    ensure!(rogue.session.delete().await? == 200);
    for (ufrag, password) in &names {
        rogue.send(&rogue.check_with(ufrag, password)?).await?;
    }
    let sent = host.delta(500).await?;
    witness.expect(&sent).await?;
    Ok(())
}
