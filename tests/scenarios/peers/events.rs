//! What happens at one relay is told at all.

use std::collections::BTreeMap;

use steadycast_relay::events::HookSecret;
use steadycast_tests::authority::Authority as Receiver;
use steadycast_tests::http::Events;

use super::*;

/// What is told until something is, by event and the relay that it was at; how often each.
async fn told_until(
    events: &mut Events,
    last: &str,
    relay: &str,
) -> Result<BTreeMap<(String, String), u32>> {
    let mut told = BTreeMap::new();
    let reading = async {
        loop {
            let (event, data) = events.next().await?.context("it ended")?;
            let at = data["relay"].as_str().context("no relay")?.to_owned();
            ensure!(data["event"] == event.as_str(), "{data}");
            let is_last = event == last && at == relay;
            *told.entry((event, at)).or_insert(0) += 1;
            if is_last {
                return Ok(told);
            }
        }
    };
    soon(last, reading).await?
}

fn once(happened: &[(&str, &str)]) -> BTreeMap<(String, String), u32> {
    let named = happened.iter();
    named
        .map(|(event, relay)| (((*event).to_owned(), (*relay).to_owned()), 1))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_at_any_relay_is_told_once_at_each_and_posted_once() -> Result<()> {
    let receiver = Receiver::start(|_| Some((204, String::new()))).await?;
    let three = Three::with(|config| {
        config.hooks.url = receiver.url().parse().ok();
        config.hooks.secret = "a-secret-of-both-ends".parse::<HookSecret>().ok();
    })
    .await?;
    let mut streams = Vec::new();
    for relay in &three.relays {
        streams.push(Events::open_as(relay.address(), "/api/events", ADMIN).await?);
    }
    let broadcast = three.broadcast().await?;
    let path = format!("/api/broadcasts/{}/events", broadcast.id);
    let mut of_one = Events::open_as(three.relays[2].address(), &path, ADMIN).await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    // It is looked at ten times a second.
    let live = told_until(&mut of_one, "broadcast.live", "r0").await?;
    let begun = [("publisher.joined", "r0"), ("broadcast.live", "r0")];
    ensure!(live == once(&begun), "{live:?}");
    let mut there = three.player(1, &broadcast.id).await?;
    there.frame().await?;
    // Somewhere else something happens that is not about it.
    let other = three.relays[2].broadcast().await?;
    drop(there);
    let left = told_until(&mut of_one, "player.left", "r1").await?;
    let watched = [("player.joined", "r1"), ("player.left", "r1")];
    ensure!(left == once(&watched), "{left:?}");
    let all = [
        [("broadcast.created", "r0"), ("broadcast.created", "r2")],
        begun,
        watched,
    ]
    .concat();
    for events in &mut streams {
        let told = told_until(events, "player.left", "r1").await?;
        ensure!(told == once(&all), "{told:?}");
    }
    // The edge has followed every turn of it, and has posted none.
    publisher.crash();
    for events in &mut streams {
        let told = told_until(events, "broadcast.held", "r0").await?;
        ensure!(told.keys().all(|(_, relay)| relay == "r0"), "{told:?}");
    }
    let posted = || receiver.asked().len() >= all.len() + 2;
    three.relays[0].until("all to be posted", posted).await?;
    let posted = receiver.asked();
    let mut count = BTreeMap::new();
    for event in &posted {
        let name = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        *count.entry((name("event"), name("relay"))).or_insert(0) += 1;
    }
    let all = [
        &all[..],
        &[("publisher.left", "r0"), ("broadcast.held", "r0")],
    ]
    .concat();
    ensure!(count == once(&all), "{count:?}");
    drop(other);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_learns_that_others_were_not_heard_for_a_while() -> Result<()> {
    let mut three = Three::start().await?;
    let mut events = Events::open_as(three.relays[1].address(), "/api/events", ADMIN).await?;
    three.engine.kill();
    let lost = events.find("lost", |_| true).await?;
    ensure!(lost["events"].is_null(), "{lost}");
    // What happens here is told all the same.
    three.relays[1].broadcast().await?;
    let here = |told: &Value| told["relay"] == "r1";
    events.find("broadcast.created", here).await?;
    three.engine.restart().await?;
    for relay in &three.relays {
        knows(relay, 3).await?;
    }
    three.relays[0].broadcast().await?;
    let there = |told: &Value| told["relay"] == "r0";
    events.find("broadcast.created", there).await?;
    Ok(())
}
