//! What happens at one relay is told at all.

use std::collections::{BTreeMap, BTreeSet};

use steadycast_relay::events::HookSecret;
use steadycast_tests::authority::Authority as Receiver;
use steadycast_tests::http::Events;

use super::*;

/// The next events are these, each once, in whatever order those of several relays come.
async fn tells(events: &mut Events, happened: &[(&str, &str)]) -> Result<()> {
    let mut told = BTreeMap::new();
    let reading = async {
        for _ in happened {
            let (event, data) = events.next().await?.context("it ended")?;
            let at = data["relay"].as_str().context("no relay")?.to_owned();
            ensure!(data["event"] == event.as_str(), "{data}");
            *told.entry((event, at)).or_insert(0) += 1;
        }
        Ok(())
    };
    soon("events", reading).await??;
    ensure!(told == once(happened), "{told:?} instead of {happened:?}");
    Ok(())
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
    let made = ("broadcast.created", "r0");
    for events in &mut streams {
        tells(events, &[made]).await?;
    }
    let path = format!("/api/broadcasts/{}/events", broadcast.id);
    let mut of_one = Events::open_as(three.relays[2].address(), &path, ADMIN).await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10_000).await?;
    // It is looked at ten times a second.
    let begun = [("publisher.joined", "r0"), ("broadcast.live", "r0")];
    tells(&mut of_one, &begun).await?;
    let mut there = three.player(1, &broadcast.id).await?;
    there.frame().await?;
    // Somewhere else something happens that is not about it.
    let other = three.relays[2].broadcast().await?;
    drop(there);
    let watched = [("player.joined", "r1"), ("player.left", "r1")];
    tells(&mut of_one, &watched).await?;
    let created = [("broadcast.created", "r2")];
    let since = [&created[..], &begun, &watched].concat();
    for events in &mut streams {
        tells(events, &since).await?;
    }
    let all = [&[made], &since[..]].concat();
    // The edge has followed every turn of it, and has told none.
    publisher.crash();
    let gone = [("publisher.left", "r0"), ("broadcast.held", "r0")];
    tells(&mut of_one, &gone).await?;
    for events in &mut streams {
        tells(events, &gone).await?;
    }
    let posted = || receiver.asked().len() >= all.len() + gone.len();
    three.relays[0].until("all to be posted", posted).await?;
    let posted = receiver.asked();
    let mut count = BTreeMap::new();
    for event in &posted {
        let name = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        *count.entry((name("event"), name("relay"))).or_insert(0) += 1;
    }
    let all = [&all[..], &gone].concat();
    ensure!(count == once(&all), "{count:?}");
    // Whichever relay tells it, it is in the trace of its broadcast.
    let traces: BTreeSet<_> = posted
        .iter()
        .filter(|event| event["broadcast"] == broadcast.id.as_str())
        .map(|event| event["trace"].as_str().unwrap_or_default())
        .collect();
    ensure!(traces.len() == 1, "{traces:?}");
    for (headers, body) in receiver.requests() {
        let event: Value = serde_json::from_str(&body)?;
        let trace = event["trace"].as_str().context("no trace")?;
        let parent = headers.get("traceparent").context("no parent")?;
        ensure!(parent.starts_with(&format!("00-{trace}-")), "{parent}");
    }
    drop(other);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_learns_that_others_were_not_heard_for_a_while() -> Result<()> {
    let mut three = Three::start().await?;
    let id = three.relays[1].broadcast().await?.id;
    let mut events = Events::open_as(three.relays[1].address(), "/api/events", ADMIN).await?;
    three.engine.kill();
    let lost = events.find("lost", |_| true).await?;
    ensure!(lost["events"].is_null(), "{lost}");
    // What happens here is told all the same.
    let player = three.player(1, &id).await?;
    let here = |told: &Value| told["relay"] == "r1";
    events.find("player.joined", here).await?;
    drop(player);
    three.engine.restart().await?;
    three.know_one_another().await?;
    three.relays[0].broadcast().await?;
    let there = |told: &Value| told["relay"] == "r0";
    events.find("broadcast.created", there).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_that_moves_goes_on_for_those_who_listen() -> Result<()> {
    let three = Three::start().await?;
    let id = three.0.broadcast().await?;
    let mut events = Events::open_as(three.relays[2].address(), "/api/events", ADMIN).await?;
    let mut first = three.relays[0].known(&id).publisher().await?;
    first.keyframe(10_000).await?;
    let mut there = three.player(1, &id).await?;
    there.frame().await?;
    let begun = [
        ("publisher.joined", "r0"),
        ("broadcast.live", "r0"),
        ("player.joined", "r1"),
    ];
    tells(&mut events, &begun).await?;
    // Another publisher takes it over where the player is: it is live all the while.
    let mut second = three.relays[1].known(&id).publisher().await?;
    second.keyframe(10_000).await?;
    there.frame().await?;
    let moved = [("publisher.joined", "r1"), ("publisher.left", "r0")];
    tells(&mut events, &moved).await?;
    second.crash();
    let gone = [("publisher.left", "r1"), ("broadcast.held", "r1")];
    tells(&mut events, &gone).await
}
