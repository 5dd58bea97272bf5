//! Relays that start while the engine is away.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::directory::State;
use steadycast_tests::client::soon;
use steadycast_tests::cluster::Cluster;
use steadycast_tests::http::Request;
use steadycast_tests::relay::TestRelay;

use super::{Show, Viewer};

async fn ask(relay: &TestRelay, path: &str) -> Result<(u16, Value)> {
    let request = Request {
        method: "GET",
        path,
        ..Request::default()
    };
    let reply = request.send(relay.address()).await?;
    let body = serde_json::from_str(&reply.body);
    Ok((reply.status, body.context(reply.body.clone())?))
}

async fn says(relay: &TestRelay, path: &str, wanted: &(u16, Value)) -> Result<()> {
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(20));
    let search = async {
        loop {
            let said = ask(relay, path).await?;
            if said == *wanted {
                return anyhow::Ok(());
            }
            looks.tick().await;
        }
    };
    soon(&wanted.1.to_string(), search).await?
}

fn joining() -> (u16, Value) {
    (503, json!({"status": "joining", "missing": ["engine"]}))
}

fn without_engine() -> (u16, Value) {
    (200, json!({"status": "ready", "missing": ["engine"]}))
}

/// The engine goes, as all relays notice.
async fn engine_goes(cluster: &mut Cluster) -> Result<()> {
    cluster.engine.kill();
    for relay in &cluster.relays {
        let away = || relay.site().directory.state() == State::Away;
        relay.until("the engine to be away", away).await?;
    }
    Ok(())
}

/// A relay keeps in mind that these are at that one.
async fn is_remembered(relay: &TestRelay, at: &str, ids: &[&BroadcastId]) -> Result<()> {
    let path = relay.directory().join("directory.json");
    let remembered = || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let known: Value = serde_json::from_str(&text).unwrap_or_default();
        let at = |id: &&BroadcastId| known["claims"][id.as_str()]["relay"] == at;
        ids.iter().all(at)
    };
    relay.until("claims to be remembered", remembered).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_starts_without_the_engine_has_what_it_had_and_gets_what_others_had()
-> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let own = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&own).publisher().await?;
    show.keyframe(&mut publisher).await?;
    let theirs = cluster.broadcast().await?;
    let mut other = cluster.relays[1].known(&theirs).publisher().await?;
    let mut other_show = Show::default();
    other_show.keyframe(&mut other).await?;
    let mut there = Viewer::at("r1", &cluster.relays[1], &own).await?;
    is_remembered(&cluster.relays[0], "r0", &[&own]).await?;
    is_remembered(&cluster.relays[0], "r1", &[&theirs]).await?;
    engine_goes(&mut cluster).await?;
    let first = cluster.relays.remove(0).restart().await?;
    cluster.relays.insert(0, first);
    let first = &cluster.relays[0];
    ensure!(ask(first, "/ready").await? == joining());
    says(first, "/ready", &without_engine()).await?;
    let (_, told) = ask(first, "/api/relay").await?;
    ensure!(told["missing"] == json!(["engine"]), "{told}");
    // Its publisher comes back, and whoever watched elsewhere goes on watching.
    let mut publisher = first.known(&own).publisher().await?;
    let mut here = Viewer::at("r0", first, &own).await?;
    let sent = show.keyframe(&mut publisher).await?;
    here.sees(&sent).await?;
    there.sees(&sent).await?;
    let mut of_theirs = Viewer::at("r0", first, &theirs).await?;
    let sent = other_show.keyframe(&mut other).await?;
    of_theirs.sees(&sent).await?;
    let refused = first.broadcast().await.err();
    refused.context("a broadcast that the other relay does not know")?;
    // All of it stays as it is when the engine is there again, and nothing is missing.
    cluster.engine.restart().await?;
    cluster.know_one_another().await?;
    let first = &cluster.relays[0];
    says(first, "/ready", &(200, json!({"status": "ready"}))).await?;
    let claimed = |id| first.site().directory.find(id).map(|found| found.relay);
    let own_again = || claimed(&own).as_ref() == Some(first.site().directory.own());
    first.until("its claim", own_again).await?;
    let sent = show.keyframe(&mut publisher).await?;
    here.sees(&sent).await?;
    there.sees(&sent).await?;
    let sent = other_show.keyframe(&mut other).await?;
    of_theirs.sees(&sent).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_relay_has_taken_meanwhile_is_its_when_the_engine_is_back() -> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let id = cluster.broadcast().await?;
    is_remembered(&cluster.relays[0], "r0", &[&id]).await?;
    let dead = cluster.relays.remove(0).died().await?;
    // It is the other's once the lease of the first has ended.
    let second = &cluster.relays[0];
    let taken = || {
        let found = second.site().directory.find(&id);
        found.is_some_and(|found| found.is_own)
    };
    second.until("the other to take it", taken).await?;
    let mut show = Show::default();
    let mut publisher = second.known(&id).publisher().await?;
    show.keyframe(&mut publisher).await?;
    engine_goes(&mut cluster).await?;
    let first = dead.start().await?;
    says(&first, "/ready", &without_engine()).await?;
    let mut here = Viewer::at("r0", &first, &id).await?;
    cluster.engine.restart().await?;
    cluster.relays.push(first);
    cluster.know_one_another().await?;
    let sent = show.keyframe(&mut publisher).await?;
    here.sees(&sent).await?;
    publisher.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_knows_of_nothing_yet_is_not_ready() -> Result<()> {
    let mut cluster = Cluster::of(1).await?;
    engine_goes(&mut cluster).await?;
    let new = cluster.another(7, |_, _| {}).await?;
    // However long it waits: another look is no event.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    ensure!(ask(&new, "/ready").await? == joining());
    ensure!(ask(&new, "/health").await? == (200, json!({"status": "ok"})));
    cluster.engine.restart().await?;
    says(&new, "/ready", &(200, json!({"status": "ready"}))).await
}
