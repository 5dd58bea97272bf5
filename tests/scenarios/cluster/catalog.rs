//! Broadcasts and keys that all relays of a cluster know.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use steadycast_codec_glue::wire::{Code, Phase, Role};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::directory::State;
use steadycast_relay::http::NewBroadcast;
use steadycast_tests::client::{PATIENCE, Player, Publisher};
use steadycast_tests::cluster::Cluster;
use steadycast_tests::http::{Reply, Request};
use steadycast_tests::relay::TestRelay;
use tokio::time::timeout;

use super::{in_phase, sees};

/// What a relay answers to somebody who shows its admin key.
async fn ask(relay: &TestRelay, method: &str, path: &str, body: &str) -> Result<Reply> {
    let key = relay.admin_key()?;
    let request = Request {
        method,
        path,
        bearer: &key,
        headers: &[("content-type", "application/json")],
        body: body.as_bytes(),
    };
    request.send(relay.address()).await
}

/// A broadcast as a relay shows it.
async fn shown(relay: &TestRelay, id: &BroadcastId) -> Result<Value> {
    let reply = ask(relay, "GET", &format!("/api/broadcasts/{id}"), "").await?;
    ensure!(reply.status == 200, "{}", reply.body);
    Ok(serde_json::from_str(&reply.body)?)
}

async fn knows(relay: &TestRelay, id: &BroadcastId) -> Result<()> {
    let known = || relay.site().knows(id);
    relay
        .until("a broadcast that was made elsewhere", known)
        .await
}

async fn forgets(relay: &TestRelay, id: &BroadcastId) -> Result<()> {
    let gone = || !relay.site().knows(id);
    relay.until("the end of a broadcast", gone).await
}

fn is_home(relay: &TestRelay, id: &BroadcastId) -> bool {
    let homes = relay.site().homes.as_ref();
    homes.is_some_and(|homes| homes.holds(id))
}

async fn make(relay: &TestRelay, id: &str) -> Result<BroadcastId> {
    let new = NewBroadcast {
        id: Some(id.parse()?),
        description: "Scenario".into(),
        ..NewBroadcast::default()
    };
    Ok(relay.site().create(new).await?.id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_is_known_watched_and_ended_at_every_relay_whichever_has_made_it() -> Result<()>
{
    let cluster = Cluster::of(2).await?;
    let [one, two] = &cluster.relays[..] else {
        unreachable!("there are two");
    };
    let broadcast = one.broadcast().await?;
    let id = &broadcast.id;
    knows(two, id).await?;
    let (here, there) = (shown(one, id).await?, shown(two, id).await?);
    for what in ["id", "title", "created", "settings", "panelSecret"] {
        ensure!(here[what] == there[what], "{what}: {here} {there}");
    }
    ensure!(there["relay"] == "r0", "it is at the other: {there}");
    let listed = ask(two, "GET", "/api/broadcasts", "").await?;
    ensure!(listed.body.contains(id.as_str()), "{}", listed.body);
    // A link of either is good at both.
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(2_000).await?;
    let mut players = [
        Player::join(two.target(), &broadcast.token(Role::Player)).await?,
        Player::join(one.target(), &two.known(id).token(Role::Player)).await?,
    ];
    for player in &mut players {
        sees(player, &sent).await?;
    }
    let path = format!("/api/broadcasts/{id}");
    ensure!(ask(two, "DELETE", &path, "{}").await?.status == 204);
    for player in &mut players {
        ensure!(player.control.goodbye().await?.0 == Code::BroadcastEnded);
    }
    ensure!(publisher.control.goodbye().await?.0 == Code::BroadcastEnded);
    forgets(one, id).await?;
    ensure!(ask(one, "DELETE", &path, "{}").await?.status == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_make_one_id_at_once_one_does_and_it_can_be_made_again_after_its_end()
-> Result<()> {
    let cluster = Cluster::of(2).await?;
    let [one, two] = &cluster.relays[..] else {
        unreachable!("there are two");
    };
    for round in 0..5 {
        let (first, second) = tokio::join!(make(one, "a"), make(two, "a"));
        let refused = match (&first, &second) {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => error.to_string(),
            both => anyhow::bail!("round {round}: {both:?}"),
        };
        ensure!(refused.contains("exists"), "{refused}");
        let id = first.or(second)?;
        let old = one.known(&id).token(Role::Player);
        knows(two, &id).await?;
        let by = if round % 2 == 0 { two } else { one };
        ensure!(by.site().end(&id, Code::BroadcastEnded).await?);
        for relay in [one, two] {
            forgets(relay, &id).await?;
        }
        // Whoever makes another has not given out the links to this one.
        let again = make(one, "a").await?;
        knows(two, &again).await?;
        let refused = Player::join(two.target(), &old).await.err();
        ensure!(refused.is_some(), "round {round}: an old link is good");
        ensure!(two.site().end(&again, Code::BroadcastEnded).await?);
        forgets(one, &again).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_while_a_relay_did_not_reach_the_engine_ends_there_when_it_is_back() -> Result<()>
{
    let mut cluster = Cluster::of(1).await?;
    let way = cluster.engine.way().await?;
    let by_way = format!("nats://{}", way.address()).parse()?;
    let servers = vec![by_way];
    let other = cluster
        .another(1, |_, config| config.cluster.nats.clone_from(&servers))
        .await?;
    cluster.relays.push(other);
    cluster.know_one_another().await?;
    let [one, two] = &cluster.relays[..] else {
        unreachable!("there are two");
    };
    let broadcast = two.broadcast().await?;
    knows(one, &broadcast.id).await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(2_000).await?;
    let mut player = broadcast.player().await?;
    sees(&mut player, &sent).await?;
    way.close(true);
    let away = || two.site().directory.state() == State::Away;
    two.until("the loss of the engine", away).await?;
    // What it has goes on.
    let next = publisher.delta(500).await?;
    sees(&mut player, &next).await?;
    ensure!(one.site().end(&broadcast.id, Code::BroadcastEnded).await?);
    way.close(false);
    ensure!(player.control.goodbye().await?.0 == Code::BroadcastEnded);
    ensure!(publisher.control.goodbye().await?.0 == Code::BroadcastEnded);
    forgets(two, &broadcast.id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_starts_again_knows_what_there_is_and_not_what_has_ended_since() -> Result<()>
{
    let mut cluster = Cluster::of(2).await?;
    let kept = make(&cluster.relays[0], "kept").await?;
    let ended = make(&cluster.relays[0], "ended").await?;
    for id in [&kept, &ended] {
        knows(&cluster.relays[1], id).await?;
    }
    let two = cluster.relays.pop().context("two")?;
    let stopped = two.stopped().await?;
    let one = &cluster.relays[0];
    ensure!(one.site().end(&ended, Code::BroadcastEnded).await?);
    let made = make(one, "made").await?;
    let two = stopped.start().await?;
    knows(&two, &made).await?;
    forgets(&two, &ended).await?;
    ensure!(two.site().knows(&kept));
    // Without the other one it is the home of what there is, and it is no less good.
    let link = one.known(&kept).token(Role::Publisher);
    one.stop();
    two.until("a home", || is_home(&two, &kept) && is_home(&two, &made))
        .await?;
    let mut publisher = Publisher::join(two.target(), &link, None).await?;
    let sent = publisher.keyframe(2_000).await?;
    let mut player = two.known(&kept).player().await?;
    in_phase(&mut player, Phase::Live).await?;
    sees(&mut player, &sent).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_engine_what_is_there_goes_on_and_nothing_is_made_or_ended() -> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let broadcast = cluster.relays[0].broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(2_000).await?;
    knows(&cluster.relays[1], &broadcast.id).await?;
    let mut player = cluster.relays[1].known(&broadcast.id).player().await?;
    sees(&mut player, &sent).await?;
    cluster.engine.kill();
    for relay in &cluster.relays {
        let away = || relay.site().directory.state() == State::Away;
        relay.until("the loss of the engine", away).await?;
        let made = ask(relay, "POST", "/api/broadcasts", "{}").await?;
        ensure!(
            made.status == 503 && made.body.contains("engine"),
            "{made:?}"
        );
        let path = format!("/api/broadcasts/{}", broadcast.id);
        let ended = ask(relay, "DELETE", &path, "{}").await?;
        ensure!(ended.status == 503, "{ended:?}");
        let keys = ask(relay, "POST", "/api/keys", r#"{"key":"tokens"}"#).await?;
        ensure!(keys.status == 503, "{keys:?}");
        ensure!(shown(relay, &broadcast.id).await?["id"] == broadcast.id.as_str());
    }
    let next = publisher.delta(500).await?;
    sees(&mut player, &next).await?;
    // One that has forgotten everything is told again.
    cluster.engine.forget()?;
    cluster.engine.restart().await?;
    cluster.know_one_another().await?;
    let made = cluster.relays[1].broadcast().await?;
    knows(&cluster.relays[0], &made.id).await?;
    let next = publisher.delta(500).await?;
    sees(&mut player, &next).await?;
    let three = cluster.another(2, |_, _| {}).await?;
    for id in [&broadcast.id, &made.id] {
        knows(&three, id).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_made_anew_at_one_relay_are_so_at_all_within_a_second() -> Result<()> {
    let cluster = Cluster::of(2).await?;
    let [one, two] = &cluster.relays[..] else {
        unreachable!("there are two");
    };
    ensure!(one.admin_key()? == two.admin_key()?);
    let broadcast = one.broadcast().await?;
    knows(two, &broadcast.id).await?;
    let old = broadcast.token(Role::Player);
    let good = |relay: &TestRelay, token: &str| {
        let site = relay.site();
        site.gate.recognise(token, site.clock.now()).is_ok()
    };
    // A new key leaves links good; the other relay's are of it as well.
    let renewed = ask(one, "POST", "/api/keys", r#"{"key":"tokens"}"#).await?;
    ensure!(renewed.status == 200, "{renewed:?}");
    let new = broadcast.token(Role::Player);
    two.until("the new key", || good(two, &new)).await?;
    ensure!(good(two, &old));
    let mut player = Player::join(two.target(), &new).await?;
    let begun = Instant::now();
    let ending = r#"{"key":"tokens","endLinks":true}"#;
    ensure!(ask(one, "POST", "/api/keys", ending).await?.status == 200);
    ensure!(player.control.goodbye().await?.0 == Code::Revoked);
    ensure!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    ensure!(!good(two, &old) && !good(two, &new));
    ensure!(good(one, &two.known(&broadcast.id).token(Role::Player)));
    // The admin key as well, from then on and over a restart.
    let renewed = ask(two, "POST", "/api/keys", r#"{"key":"admin"}"#).await?;
    let renewed: Value = serde_json::from_str(&renewed.body)?;
    let key = renewed["adminKey"].as_str().context("no key")?;
    let is_so = || one.admin_key().is_ok_and(|own| own == key);
    one.until("the new admin key", is_so).await?;
    // It is written down before it is what lets people in.
    let lets_in = async {
        while ask(one, "GET", "/api/broadcasts", "").await?.status != 200 {}
        anyhow::Ok(())
    };
    timeout(PATIENCE, lets_in).await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_ends_a_broadcast_once_for_all_relays() -> Result<()> {
    let short = |_: usize, config: &mut steadycast_relay::config::Config| {
        config.broadcast.waiting_timeout = Duration::from_secs(2);
    };
    let cluster = Cluster::with(2, short).await?;
    let [one, two] = &cluster.relays[..] else {
        unreachable!("there are two");
    };
    let mut listeners = [one, two].map(|relay| relay.site().records.events().listen());
    let id = one.broadcast().await?.id;
    knows(two, &id).await?;
    // Its home is the one that has made it, and somebody waits for it at the other.
    let mut player = two.known(&id).player().await?;
    ensure!(player.control.goodbye().await?.0 == Code::HeldTooLong);
    for relay in [one, two] {
        forgets(relay, &id).await?;
    }
    let mut ended = 0;
    for (relay, listener) in [one, two].into_iter().zip(&mut listeners) {
        // What a relay tells after everything else.
        let last = relay.broadcast().await?.id;
        loop {
            let told = listener.next().await.context("no events")??;
            if told.event == "broadcast.ended" {
                ended += 1;
            }
            if told.broadcast.as_ref() == Some(&last) {
                break;
            }
        }
    }
    ensure!(ended == 1, "told {ended} times");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_brings_its_own_broadcasts_and_links_into_the_cluster() -> Result<()> {
    let cluster = Cluster::of(1).await?;
    let alone = cluster
        .another(1, |_, config| config.cluster.nats.clear())
        .await?;
    let own = make(&alone, "own").await?;
    make(&alone, "same").await?;
    let theirs = make(&cluster.relays[0], "same").await?;
    let link = alone.known(&own).token(Role::Player);
    let engine = vec![cluster.engine.url().parse()?];
    let joined = alone
        .restart_with(|config| config.cluster.nats = engine)
        .await?;
    let one = &cluster.relays[0];
    knows(one, &own).await?;
    let player = Player::join(one.target(), &link).await?;
    ensure!(player.welcome.status.phase == Phase::Waiting);
    // Of an id that others have already theirs is the one.
    joined
        .until("what the others have", || !is_home(&joined, &theirs))
        .await?;
    let (here, there) = (shown(one, &theirs).await?, shown(&joined, &theirs).await?);
    ensure!(here["created"] == there["created"] && here["panelSecret"] == there["panelSecret"]);
    Ok(())
}
