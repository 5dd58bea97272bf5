//! Links that are lost, and relays that go: players stay, and the picture comes back.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{Code, Phase, Role};
use steadycast_tests::client::{Player, Publisher};
use steadycast_tests::cluster::{Authority, Cable};

use super::tree::watched_by;
use super::{all_see, sees, sees_at_last};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_leaves_players_their_session_and_their_picture() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let cable = Cable::to(origin.cluster()?).await?;
    let edge = authority.edge(cable.address()).await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut sent = publisher.keyframe(20_000).await?;
    let mut player = edge.known(&broadcast.id).player().await?;
    sees(&mut player, &sent).await?;
    for round in 0..3 {
        cable.cut(true);
        player.control.phase(Phase::Held).await?;
        // Whoever comes now has the last picture.
        let mut late = edge.known(&broadcast.id).player().await?;
        ensure!(late.frame().await?.header.keyframe);
        drop(late);
        if round > 0 {
            // Now for so long that the session is given up on both sides.
            watched_by(&mut publisher, 0).await?;
        }
        cable.cut(false);
        publisher.control.ping().await?;
        sent = publisher.keyframe(20_000).await?;
        sees_at_last(&mut player, &sent).await?;
        publisher.control.ping().await?;
        let next = publisher.delta(500).await?;
        sees_at_last(&mut player, &next).await?;
    }
    let records = edge.known(&broadcast.id).records()?;
    ensure!(
        records.totals.players_left.len() <= 1,
        "only those that left"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_restarts_has_its_players_elsewhere_back_by_themselves() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let edge = authority.edge(origin.cluster()?).await?;
    let leaf = authority.edge(edge.cluster()?).await?;
    let broadcast = origin.broadcast().await?;
    let (id, token) = (broadcast.id.clone(), broadcast.token(Role::Publisher));
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(20_000).await?;
    let mut players = vec![
        edge.known(&id).player().await?,
        leaf.known(&id).player().await?,
    ];
    all_see(&mut players, &sent).await?;
    drop(publisher);
    let origin = origin.restart().await?;
    let mut publisher = Publisher::join(origin.target(), &token, None).await?;
    let sent = publisher.keyframe(20_000).await?;
    for player in &mut players {
        sees_at_last(player, &sent).await?;
    }
    for relay in [&edge, &leaf] {
        let records = relay.known(&id).records()?;
        ensure!(records.totals.players_left.is_empty(), "no session closed");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_is_gone_without_a_word_and_comes_back_is_found_again() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let cable = Cable::to(origin.cluster()?).await?;
    let edge = authority.edge(cable.address()).await?;
    let broadcast = origin.broadcast().await?;
    let (id, token) = (broadcast.id.clone(), broadcast.token(Role::Publisher));
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(20_000).await?;
    let mut player = edge.known(&id).player().await?;
    sees(&mut player, &sent).await?;
    // What it says as it stops, and that it has stopped, goes nowhere.
    cable.cut(true);
    drop(publisher);
    let origin = origin.restart().await?;
    cable.cut(false);
    player.control.phase(Phase::Held).await?;
    let mut publisher = Publisher::join(origin.target(), &token, None).await?;
    let sent = publisher.keyframe(20_000).await?;
    sees_at_last(&mut player, &sent).await?;
    let records = edge.known(&id).records()?;
    ensure!(records.totals.players_left.is_empty(), "no session closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_in_the_middle_that_restarts_is_missed_by_its_own_players_alone() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let edge = authority.edge(origin.cluster()?).await?;
    let leaf = authority.edge(edge.cluster()?).await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(20_000).await?;
    let token = edge.known(&broadcast.id).token(Role::Player);
    let mut own = Player::join(edge.target(), &token).await?;
    let mut behind = leaf.known(&broadcast.id).player().await?;
    for player in [&mut own, &mut behind] {
        sees(player, &sent).await?;
    }
    edge.stop();
    assert_eq!(own.control.goodbye().await?, (Code::ShuttingDown, true));
    drop(own);
    let edge = edge.restart().await?;
    // It comes back for the relay behind it, without a player of its own.
    let sent = publisher.keyframe(20_000).await?;
    sees_at_last(&mut behind, &sent).await?;
    let mut own = Player::join(edge.target(), &token).await?;
    let sent = publisher.keyframe(20_000).await?;
    for player in [&mut own, &mut behind] {
        sees_at_last(player, &sent).await?;
    }
    let records = leaf.known(&broadcast.id).records()?;
    ensure!(records.totals.players_left.is_empty(), "no session closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_is_not_reached_is_said_and_found_once_it_is() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let cable = Cable::to(origin.cluster()?).await?;
    cable.cut(true);
    let edge = authority.edge(cable.address()).await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(900).await?;
    let here = edge.known(&broadcast.id);
    let refused = here.player().await;
    assert_eq!(
        refused.err().map(|e| e.to_string()),
        Some("internal".into()),
        "to be tried again"
    );
    cable.cut(false);
    let found = tokio::time::timeout(Duration::from_secs(5), here.player()).await??;
    sees(&mut { found }, &sent).await?;
    publisher.control.ping().await
}
