//! How WebRTC sessions end: everybody is told.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::Code;
use steadycast_relay::http::NewBroadcast;
use steadycast_tests::coded::Kind;
use steadycast_tests::http::Events;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Publisher, Rogue, rtcp};

use super::Host;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_a_broadcast_tells_everybody_and_invites_nobody_back() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = Publisher::join(&broadcast.whip()).await?;
    let mut watching = Player::watch(&broadcast.whep()).await?;
    // Its client has not come yet.
    let waiting = Rogue::open(&broadcast.whep(), "recvonly").await?;
    // These have come, and have no keys yet.
    let coming = Rogue::open(&broadcast.whep(), "recvonly").await?;
    coming.check().await?;
    let publishing = Rogue::open(&broadcast.whip(), "sendonly").await?;
    publishing.check().await?;
    let mut events = Vec::new();
    for session in [&watching.session, &waiting.session, &coming.session] {
        events.push(session.events().await?);
    }
    ensure!(
        relay
            .site()
            .end(&broadcast.id, Code::BroadcastEnded)
            .await?
    );
    for events in &mut events {
        ensure!(events.ended().await? == ("broadcast_ended".to_owned(), false));
    }
    watching.closed().await?;
    publisher.closed().await?;
    let nobody = || relay.site().bridge.sessions() == 0;
    relay.until("nobody", nobody).await?;
    let again = Player::join(&broadcast.whep()).await.err();
    ensure!(again.is_some_and(|error| error.to_string() == "unknown_broadcast"));
    Ok(())
}

/// More than the relay says farewell to in one turn.
const CROWD: usize = 150;
/// What a DTLS record with an alert begins with (RFC 6347, 4.1).
const ALERT: u8 = 21;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_told_to_the_last_and_the_id_is_free_at_once() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 1).await?;
    let broadcast = relay.broadcast().await?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(Rogue::join(&broadcast.whep(), "recvonly").await?);
    }
    let site = relay.site();
    ensure!(site.end(&broadcast.id, Code::BroadcastEnded).await?);
    site.create(NewBroadcast {
        id: Some(broadcast.id.clone()),
        ..NewBroadcast::default()
    })
    .await?;
    let mut player = Player::watch(&broadcast.whep()).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    player.expect(&host.keyframe(1_000).await?).await?;
    for rogue in &crowd {
        let farewell = |packet: &[u8]| packet.first() == Some(&ALERT);
        rogue.receive("a farewell", farewell).await?;
    }
    let left = || relay.site().bridge.sessions() == 1;
    relay.until("all but one to have left", left).await?;
    player.expect(&host.send(false, 500).await?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_held_for_too_long_ends_with_that_reason() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.held_timeout = Duration::from_millis(300);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::join(&broadcast.whep()).await?;
    let mut events = player.session.events().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let sent = host.keyframe(1_000).await?;
    player.expect(&sent).await?;
    host.publisher.crash();
    ensure!(events.ended().await? == ("held_too_long".to_owned(), false));
    player.closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_relay_closes_all_connections_and_asks_their_pages_back() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = Publisher::join(&broadcast.whip()).await?;
    let mut players = Vec::new();
    for _ in 0..5 {
        let player = Player::watch(&broadcast.whep()).await?;
        let events = player.session.events().await?;
        players.push((player, events));
    }
    relay.stop();
    for (player, events) in &mut players {
        ensure!(events.ended().await? == ("shutting_down".to_owned(), true));
        player.closed().await?;
    }
    publisher.closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_ends_its_session_over_http_by_dtls_or_by_rtcp() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut deleted = Player::watch(&broadcast.whep()).await?;
    ensure!(deleted.session.delete().await? == 200);
    deleted.closed().await?;
    ensure!(deleted.session.delete().await? == 404);
    let closed = Player::watch(&broadcast.whep()).await?;
    closed.close();
    broadcast
        .until("two have left", |r| {
            r.totals.players_left.get("done") == Some(&2)
        })
        .await?;
    let mut leaving = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let goodbye = leaving.protect_rtcp(&rtcp::goodbye(1))?;
    leaving.send(&goodbye).await?;
    broadcast
        .until("three have left", |r| {
            r.totals.players_left.get("done") == Some(&3)
        })
        .await?;
    // A broadcast is left a moment before its session is forgotten.
    let nobody = || relay.site().bridge.sessions() == 0;
    relay.until("its sessions to be forgotten", nobody).await
}

/// A relay on which nobody is waited for.
async fn impatient() -> Result<TestRelay> {
    TestRelay::with(|config| {
        config.relay.shards = 1;
        // A WebRTC client has twice as long to connect.
        config.limits.connect_timeout = Duration::from_millis(300);
        config.limits.idle_timeout = Duration::from_secs(1);
    })
    .await
}

async fn silent(events: &mut Events) -> Result<()> {
    ensure!(events.ended().await? == ("silent".to_owned(), true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_connect_is_not_waited_for() -> Result<()> {
    let relay = impatient().await?;
    let broadcast = relay.broadcast().await?;
    let absent = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let mut events = absent.session.events().await?;
    ensure!(relay.site().bridge.sessions() == 1);
    ensure!(broadcast.records()?.players == 0, "it has not come");
    silent(&mut events).await?;
    ensure!(!absent.session.exists().await?);
    // Too late.
    absent
        .send(&absent.check_with(&absent.ufrag, &absent.password)?)
        .await?;
    let nobody = || relay.site().bridge.sessions() == 0;
    relay.until("its session to be forgotten", nobody).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_only_ever_makes_checks_is_not_waited_for() -> Result<()> {
    let relay = impatient().await?;
    let broadcast = relay.broadcast().await?;
    let checking = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let mut events = checking.session.events().await?;
    let check = checking.check_with(&checking.ufrag, &checking.password)?;
    let keep_checking = async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            checking.send(&check).await?;
        }
    };
    tokio::select! {
        ended = silent(&mut events) => ended,
        failed = keep_checking => failed,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_whom_nothing_is_heard_are_closed() -> Result<()> {
    let relay = impatient().await?;
    let broadcast = relay.broadcast().await?;
    let rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let mut events = rogue.session.events().await?;
    let lively = Player::watch(&broadcast.whep()).await?;
    silent(&mut events).await?;
    ensure!(!rogue.session.exists().await?);
    ensure!(lively.session.exists().await?, "who makes checks is there");
    ensure!(broadcast.left(Code::Silent)? == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_vanishes_leaves_its_broadcast_held() -> Result<()> {
    let relay = impatient().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let sent = steadycast_tests::coded::coded(Kind::Vp8, true, 1, 1_000);
    publisher.send(&sent, 0).await?;
    player.frame().await?;
    drop(publisher);
    broadcast.until("held", |r| r.phase == "held").await?;
    Ok(())
}
