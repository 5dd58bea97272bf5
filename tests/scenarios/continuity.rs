//! Whatever happens to publishers, players keep their sessions.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{ClientMessage, Code, Phase, Role};
use steadycast_tests::client::{Carrier, Player, Publisher};
use steadycast_tests::relay::TestRelay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_see_the_publisher_go_and_the_picture_resume_on_the_same_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    for epoch in 1..=5 {
        let mut publisher = broadcast.publisher().await?;
        assert_eq!(publisher.epoch(), epoch);
        publisher.keyframe(20_000).await?;
        publisher.delta(500).await?;
        player.control.phase(Phase::Live).await?;
        assert_eq!(player.frame().await?.place(), (epoch, 0, 0));
        assert_eq!(player.frame().await?.place(), (epoch, 0, 1));
        publisher.crash();
        player.control.phase(Phase::Held).await?;
    }
    let records = broadcast.records()?;
    assert_eq!(records.players, 1);
    assert!(records.totals.players_left.is_empty(), "no session closed");
    assert_eq!(records.totals.publishers_joined, 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_publisher_wins_and_the_older_ones_close_is_a_no_op() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut old = broadcast.publisher().await?;
    old.keyframe(1000).await?;
    player.frame().await?;
    let mut new = broadcast.publisher().await?;
    assert_eq!(old.control.goodbye().await?, (Code::Superseded, false));
    new.keyframe(1000).await?;
    assert_eq!(player.frame().await?.place(), (2, 0, 0));
    old.control.closed().await?;
    player.control.ping().await?;
    new.control.ping().await?;
    assert_eq!(broadcast.records()?.phase, "live");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_resumes_its_lineage_but_not_after_another_took_over() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let token = broadcast.token(Role::Publisher);
    let first = broadcast.publisher().await?;
    let mine = first.welcome.resume;
    first.crash();
    let resumed = Publisher::join(relay.target(), &token, mine).await?;
    assert_eq!(resumed.welcome.resume, mine);
    let other = broadcast.publisher().await?;
    assert_ne!(other.welcome.resume, mine);
    let refused = Publisher::join(relay.target(), &token, mine).await;
    assert_eq!(
        refused.err().map(|e| e.to_string()),
        Some("superseded".into())
    );
    assert_eq!(broadcast.records()?.epoch, other.epoch());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_falls_silent_is_away_and_back_without_a_new_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(1000).await?;
    player.control.phase(Phase::Live).await?;
    // The scenario's publisher sends no heartbeat of its own.
    let held = player.control.phase(Phase::Held).await?;
    assert!(held.since_us > 0);
    publisher.control.ping().await?;
    player.control.phase(Phase::Live).await?;
    publisher.delta(100).await?;
    assert_eq!(player.frame().await?.place(), (1, 0, 0));
    assert_eq!(player.frame().await?.place(), (1, 0, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_is_told_how_many_players_watch() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let _one = broadcast.player().await?;
    let _two = broadcast.player().await?;
    publisher
        .control
        .find("two players", |message| match message {
            steadycast_codec_glue::wire::RelayMessage::Status { status } => {
                (status.players == 2).then_some(())
            }
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_broadcasts_survive_a_restart_of_the_relay() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let id = broadcast.id.clone();
    let (publish, play) = (
        broadcast.token(Role::Publisher),
        broadcast.token(Role::Player),
    );
    let mut player = broadcast.player().await?;
    let publisher = broadcast.publisher().await?;
    let lineage = publisher.welcome.resume;
    relay.stop();
    assert_eq!(player.control.goodbye().await?, (Code::ShuttingDown, true));
    drop((player, publisher));
    let relay = relay.restart().await?;
    let mut publisher = Publisher::join(relay.target(), &publish, lineage).await?;
    assert_eq!(publisher.welcome.resume, lineage);
    assert_eq!(publisher.welcome.broadcast, id.as_str());
    let mut player = steadycast_tests::client::Player::join(relay.target(), &play).await?;
    publisher.keyframe(1000).await?;
    assert!(player.frame().await?.header.keyframe);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_taken_back_is_seen_by_nobody_who_comes_later() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(20_000).await?;
    publisher.delta(500).await?;
    assert_eq!(player.frame().await?.place(), (1, 0, 0));
    assert_eq!(player.frame().await?.place(), (1, 0, 1));
    publisher.pause(1).await?;
    player.control.phase(Phase::Paused).await?;
    assert_eq!(broadcast.records()?.cache.frames, 0);
    // What was on its way comes to nobody, and the card comes to everybody.
    publisher.delta(500).await?;
    publisher.keyframe(300).await?;
    assert_eq!(player.frame().await?.place(), (1, 1, 0));
    let mut later = broadcast.player().await?;
    assert_eq!(later.welcome.status.phase, Phase::Paused);
    assert_eq!(later.frame().await?.place(), (1, 1, 0));
    // Stopped now, it is paused for those who come as well.
    publisher.control.send(&ClientMessage::Continue).await?;
    publisher.keyframe(20_000).await?;
    player.control.phase(Phase::Live).await?;
    assert_eq!(player.frame().await?.place(), (1, 2, 0));
    publisher.pause(3).await?;
    publisher.keyframe(300).await?;
    player.control.phase(Phase::Paused).await?;
    assert_eq!(player.frame().await?.place(), (1, 3, 0));
    publisher.crash();
    let last = broadcast.player().await?;
    assert_eq!(last.welcome.status.phase, Phase::Paused);
    Ok(())
}

/// Publishers come and go on either carrier.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_on_both_carriers_stay_through_fifty_publishers() -> Result<()> {
    const BOTH: [Carrier; 2] = [Carrier::WebTransport, Carrier::WebSocket];
    let relay = TestRelay::with(|config| {
        // Nobody says a word here, however busy the machine is.
        config.limits.idle_timeout = Duration::from_secs(120);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let targets = BOTH.map(|carrier| relay.target().over(carrier));
    let mut players = Vec::new();
    for target in targets.iter().chain(&targets) {
        players.push(Player::join(target, &broadcast.token(Role::Player)).await?);
    }
    let token = broadcast.token(Role::Publisher);
    for round in 0..50 {
        let mut publisher = Publisher::join(&targets[round % 2], &token, None).await?;
        let keyframe = publisher.keyframe(20_000).await?;
        let delta = publisher.delta(2_000).await?;
        for player in &mut players {
            for sent in [&keyframe, &delta] {
                let frame = player.frame().await?;
                ensure!(
                    frame.place() == (sent.epoch, sent.group, sent.index),
                    "round {round}"
                );
                ensure!(frame.is_intact());
            }
        }
        publisher.crash();
    }
    let totals = broadcast.records()?.totals;
    ensure!(totals.players_joined == 4 && totals.players_left.is_empty());
    Ok(())
}

steadycast_tests::over_websocket! {
    players_see_the_publisher_go_and_the_picture_resume_on_the_same_session,
    the_newest_publisher_wins_and_the_older_ones_close_is_a_no_op,
    a_publisher_resumes_its_lineage_but_not_after_another_took_over,
    a_publisher_that_falls_silent_is_away_and_back_without_a_new_session,
    a_publisher_is_told_how_many_players_watch,
    links_and_broadcasts_survive_a_restart_of_the_relay,
    a_picture_that_is_taken_back_is_seen_by_nobody_who_comes_later,
}
