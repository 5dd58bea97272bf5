//! The API, at any relay.

use std::collections::HashSet;

use steadycast_codec_glue::wire::{ClientMessage, Code};
use steadycast_relay::directory::{Engine, Load, Places, Settings};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::nats::Server;
use steadycast_tests::webrtc;
use tokio_util::sync::CancellationToken;

use super::*;

/// The numbers of the sessions in a list, by the relay that they are at.
fn at(sessions: &Value, relay: &str) -> Vec<u64> {
    let all = sessions["sessions"].as_array().into_iter().flatten();
    let there = all.filter(|one| one["relay"] == relay);
    there.filter_map(|one| one["session"].as_u64()).collect()
}

fn count(sessions: &Value) -> usize {
    sessions["sessions"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_at_one_relay_is_seen_and_kicked_at_every_other() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    let mut here = three.player(0, &broadcast.id).await?;
    let mut there = three.player(1, &broadcast.id).await?;
    for player in [&mut here, &mut there] {
        player.frame().await?;
    }
    let whep = three.relays[1].known(&broadcast.id).whep();
    let over_webrtc = webrtc::Player::watch(&whep).await?;
    let path = format!("/api/broadcasts/{}/sessions", broadcast.id);
    for relay in &three.relays {
        let sessions = until(relay, &path, "all sessions", |told| count(told) == 4).await?;
        ensure!(at(&sessions, "r0").len() == 2, "{sessions}");
        ensure!(at(&sessions, "r1").len() == 2, "{sessions}");
        ensure!(sessions.get("incomplete").is_none(), "{sessions}");
        let numbers = [at(&sessions, "r0"), at(&sessions, "r1")].concat();
        let distinct: HashSet<_> = numbers.iter().collect();
        ensure!(distinct.len() == 4, "{sessions}");
        // As exactly as JavaScript knows numbers.
        ensure!(numbers.iter().all(|number| *number < 1 << 53), "{sessions}");
    }
    // A third one, which has nothing to do with it, has somebody leave.
    let watching = three.relays[1].site().records.at(&broadcast.id);
    let watching = watching.iter().map(|seen| &seen.standing.visit);
    let number = watching
        .filter(|visit| visit.transport.name() != "webrtc")
        .map(|visit| visit.number)
        .next()
        .context("nobody watches")?;
    let kick = format!("{path}/{number}");
    let reply = send(&three.relays[2], "DELETE", &kick, "{}").await?;
    ensure!(reply.status == 204, "{reply:?}");
    ensure!(there.control.goodbye().await? == (Code::Kicked, false));
    // It comes again, is ended for good, and comes no more to any of them.
    let token = three.relays[1].known(&broadcast.id).token(Role::Player);
    let mut again = Player::join(three.relays[1].target(), &token).await?;
    let sessions = until(&three.relays[2], &path, "all", |told| count(told) == 4).await?;
    let number = at(&sessions, "r1");
    let number = number.last().context("nobody there")?;
    let kick = format!("{path}/{number}");
    let reply = send(&three.relays[2], "DELETE", &kick, r#"{"revoke": true}"#).await?;
    ensure!(reply.status == 204, "{reply:?}");
    let (code, retries) = again.control.goodbye().await?;
    ensure!(
        matches!(code, Code::Revoked | Code::Kicked) && !retries,
        "{code:?}"
    );
    for relay in &three.relays {
        let refused = async {
            let mut looks = tokio::time::interval(Duration::from_millis(20));
            while Player::join(relay.target(), &token).await.is_ok() {
                looks.tick().await;
            }
        };
        soon("its token to be good nowhere", refused).await?;
    }
    // Nobody has this number.
    let reply = send(&three.relays[2], "DELETE", &format!("{path}/7"), "{}").await?;
    ensure!(reply.status == 404, "{reply:?}");
    ensure!(reply.problem()? == "unknown_broadcast");
    drop(over_webrtc);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_of_all_relays_are_counted_and_their_delays_weighed_together() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    let mut players = Vec::new();
    // Of ten at each, those at the second are late: half of all is no middle of the two.
    for (relay, ms) in [(0, 40), (1, 900)] {
        for _ in 0..if relay == 0 { 12 } else { 8 } {
            let mut player = three.player(relay, &broadcast.id).await?;
            player.frame().await?;
            let report = ClientMessage::Report {
                received: 1,
                decoded: 1,
                shown: 1,
                black: 0,
                decoder_errors: 0,
                latency_us: ms * 1_000,
            };
            player.control.send(&report).await?;
            player.control.ping().await?;
            players.push(player);
        }
    }
    let path = format!("/api/broadcasts/{}/viewers", broadcast.id);
    let all = |told: &Value| told["latency"]["viewers"] == 20 && told["byState"]["behind"] == 8;
    for relay in &three.relays {
        let viewers = until(relay, &path, "all viewers", all).await?;
        ensure!(viewers["count"] == 20, "{viewers}");
        ensure!(viewers["latency"]["p50Ms"] == 40, "{viewers}");
        ensure!(viewers["latency"]["p95Ms"] == 900, "{viewers}");
        let troubled = viewers["troubled"].as_array().context("no list")?;
        ensure!(troubled.len() == 8, "{viewers}");
        ensure!(troubled.iter().all(|one| one["relay"] == "r1"), "{viewers}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_broadcast_is_doing_is_told_at_every_relay_as_its_home_sees_it() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    let mut there = three.player(1, &broadcast.id).await?;
    there.frame().await?;
    let path = format!("/api/broadcasts/{}", broadcast.id);
    for relay in &three.relays {
        let told = until(relay, &path, "its player", |told| told["players"] == 1).await?;
        ensure!(told["phase"] == "live" && told["relay"] == "r0", "{told}");
        ensure!(told["playersElsewhere"] == 1, "{told}");
        ensure!(told["totals"]["framesReceived"] == 1, "{told}");
    }
    // A keyframe is asked for at whichever relay.
    let keyframe = format!("{path}/keyframe");
    let asked = send(&three.relays[2], "POST", &keyframe, "").await?;
    ensure!(asked.status == 202, "{asked:?}");
    ensure!(asked.body.contains("true"), "{asked:?}");
    publisher.control.keyframe_request().await?;
    let missing = send(&three.relays[2], "GET", "/api/broadcasts/none", "").await?;
    ensure!(missing.status == 404, "{missing:?}");
    Ok(())
}

/// A relay that has a lease, and answers nobody.
async fn mute(server: &Server, name: &str) -> Result<(Engine, CancellationToken)> {
    let settings = Settings {
        servers: vec![server.url().parse()?],
        credentials: None,
        authority: None,
        prefix: "steadycast".to_owned(),
        replicas: 1,
        lease: Duration::from_secs(4),
        secret: None,
    };
    let (id, clock) = (name.parse()?, RelayClock::start());
    let load = Box::new(Load::default);
    let (directory, keeper) = Engine::new(settings, id, Places::default(), clock, load)?;
    let shutdown = CancellationToken::new();
    tokio::spawn(keeper.run(shutdown.clone()));
    Ok((directory, shutdown))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_does_not_answer_is_named_and_costs_nothing_else() -> Result<()> {
    let mut three = Three::start().await?;
    let id = three.broadcast().await?.id.clone();
    let broadcast = three.relays[0].known(&id);
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    let mut there = three.player(1, &id).await?;
    there.frame().await?;
    let client = async_nats::connect(three.engine.url()).await?;
    // It hears what it is asked, and says nothing.
    let heard = client.subscribe("steadycast.relay.mute").await?;
    let (directory, shutdown) = mute(&three.engine, "mute").await?;
    for relay in &three.relays {
        knows(relay, 4).await?;
    }
    let sessions = format!("/api/broadcasts/{id}/sessions");
    let told = until(&three.relays[2], &sessions, "both", |told| count(told) == 2).await?;
    ensure!(told["incomplete"] == serde_json::json!(["mute"]), "{told}");
    let viewers = get(&three.relays[2], &format!("/api/broadcasts/{id}/viewers")).await?;
    ensure!(
        viewers["count"] == 1 && viewers["incomplete"][0] == "mute",
        "{viewers}"
    );
    // It may have the one that is not found elsewhere.
    let reply = send(&three.relays[2], "DELETE", &format!("{sessions}/7"), "{}").await?;
    ensure!(
        reply.status == 503 && reply.body.contains("mute"),
        "{reply:?}"
    );
    // What it has nobody knows.
    let lost: BroadcastId = "lost".parse()?;
    directory.claim(&lost, Bid::Home).await?;
    let known = || three.relays[2].site().directory.find(&lost).is_some();
    three.relays[2].until("the claim", known).await?;
    let reply = send(&three.relays[2], "GET", "/api/broadcasts/lost", "").await?;
    ensure!(
        reply.status == 503 && reply.body.contains("mute"),
        "{reply:?}"
    );
    drop(heard);
    shutdown.cancel();
    for relay in &three.relays {
        knows(relay, 3).await?;
    }
    // Without the engine each says what it has, and who else may have some.
    three.engine.kill();
    let alone = |told: &Value| {
        told["incomplete"]
            .as_array()
            .is_some_and(|all| all.len() == 2)
    };
    let told = until(&three.relays[0], &sessions, "others to be missing", alone).await?;
    ensure!(at(&told, "r0").len() == 1, "{told}");
    let reply = send(
        &three.relays[2],
        "GET",
        &format!("/api/broadcasts/{id}"),
        "",
    )
    .await?;
    ensure!(
        reply.status == 503 && reply.body.contains("engine"),
        "{reply:?}"
    );
    // Players see what is shared all the while.
    let sent = publisher.keyframe(5_000).await?;
    let seen = there.frame().await?;
    ensure!(seen.header.group == sent.group, "{:?}", seen.place());
    Ok(())
}
