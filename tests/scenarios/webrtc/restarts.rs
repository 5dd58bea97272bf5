//! Clients that restart ICE, or whose address changes under way.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_tests::client::soon;
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::proxy::Proxy;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Publisher, Rogue};

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
    let mut names = vec![(
        rogue.own_ufrag.clone(),
        (rogue.ufrag.clone(), rogue.password.clone()),
    )];
    for number in 0..4 {
        let name = format!("rogue{number}");
        let restarted = rogue.session.restart(&name, "anotherPasswordOfTheRogue");
        names.push((name.clone(), restarted.await?));
    }
    ensure!(rogue.session.delete().await? == 200);
    for (own, (ufrag, password)) in &names {
        rogue.own_ufrag.clone_from(own);
        rogue.send(&rogue.check_with(ufrag, password)?).await?;
    }
    let sent = host.delta(500).await?;
    witness.expect(&sent).await?;
    Ok(())
}

/// Each has an even chance to lead to the other shard.
const REBINDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_whose_address_changes_keeps_its_picture() -> Result<()> {
    for shards in [1, 2] {
        let relay = TestRelay::with(|config| config.relay.shards = shards).await?;
        let broadcast = relay.broadcast().await?;
        let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
        let proxy = Proxy::start(relay.target()).await?;
        let mut player = Player::join(&broadcast.whep().via(&proxy)).await?;
        let sent = host.keyframe(5_000).await?;
        player.expect(&sent).await?;
        for _ in 0..REBINDS {
            proxy.rebind().await?;
            // What is on its way to the old address is lost; the client's next check tells of the
            // new one.
            follow(&mut host, &mut player).await?;
        }
        ensure!(
            broadcast.records()?.totals.players_joined == 1,
            "it never left"
        );
    }
    Ok(())
}

/// Frames get through, sooner or later, and go on.
async fn follow(host: &mut Host<'_>, player: &mut Player) -> Result<()> {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let there = async {
        while player
            .frames_within(Duration::from_millis(50))
            .await?
            .is_empty()
        {
            pace.tick().await;
            host.keyframe(3_000).await?;
        }
        anyhow::Ok(())
    };
    soon("frames at the new address", there).await??;
    let sent = host.keyframe(3_000).await?;
    player.until(&sent).await?;
    let sent = host.delta(3_000).await?;
    player.expect(&sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_whose_address_changes_goes_on() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 2).await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let proxy = Proxy::start(relay.target()).await?;
    let publisher = Publisher::join(&broadcast.whip().via(&proxy)).await?;
    for number in 0..REBINDS as u32 {
        let sent = coded(Kind::Vp8, true, number, 3_000);
        publisher.send(&sent, u64::from(number) * 90_000).await?;
        while player.frame().await?.payload != sent.payload {}
        proxy.rebind().await?;
        // Its media is nobody's until the relay has heard a check from there.
        let next = coded(Kind::Vp8, true, 100 + number, 3_000);
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let got = async {
            while player.frame().await?.payload != next.payload {}
            // The other half has ended only where this one has.
            let _ = stop.send(());
            anyhow::Ok(())
        };
        let send = async {
            let mut pace = tokio::time::interval(Duration::from_millis(100));
            for again in 1.. {
                tokio::select! {
                    _ = &mut stopped => break,
                    _ = pace.tick() => {
                        let time = u64::from(number) * 90_000 + again * 300;
                        publisher.send(&next, time).await?;
                    }
                }
            }
            Ok(())
        };
        tokio::try_join!(got, send)?;
    }
    ensure!(
        broadcast.records()?.totals.publishers_joined == 1,
        "it never left"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_of_all_shards_get_every_frame() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 2).await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let sent = host.keyframe(30_000).await?;
    let mut players = Vec::new();
    for _ in 0..16 {
        let mut player = Player::join(&broadcast.whep()).await?;
        player.expect(&sent).await?;
        players.push(player);
    }
    for _ in 0..20 {
        let sent = host.delta(5_000).await?;
        for player in &mut players {
            ensure!(player.expect(&sent).await?.contiguous);
        }
    }
    Ok(())
}
