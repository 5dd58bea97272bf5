//! What happens at the relay, heard over the API and by hooks.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_relay::events::Listener;
use steadycast_tests::authority::Authority;
use steadycast_tests::client::{Publisher, soon};
use steadycast_tests::http::Events;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc;

const SECRET: &str = "a-secret-of-both-ends";

/// Everything that happens once, in this order.
const STORY: [&str; 8] = [
    "broadcast.created",
    "publisher.joined",
    "broadcast.live",
    "player.joined",
    "player.left",
    "publisher.left",
    "broadcast.held",
    "broadcast.ended",
];

/// Waits until that is told.
async fn hear(listener: &mut Listener, event: &str) -> Result<()> {
    let search = async {
        while let Some(next) = listener.next().await {
            if next?.event == event {
                return Ok(());
            }
        }
        bail!("{event} was never told")
    };
    soon(event, search).await?
}

async fn happen(relay: &TestRelay) -> Result<String> {
    let mut listener = relay.site().records.events().listen();
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(1_000).await?;
    hear(&mut listener, "broadcast.live").await?;
    let player = webrtc::Player::watch(&broadcast.whep()).await?;
    player.close();
    hear(&mut listener, "player.left").await?;
    publisher.crash();
    hear(&mut listener, "broadcast.held").await?;
    relay
        .site()
        .end(&broadcast.id, Code::BroadcastEnded)
        .await?;
    Ok(broadcast.id.to_string())
}

/// In their order, but for those that may come at the same time.
fn is_the_story(told: &[String]) -> bool {
    let mut told = told.to_vec();
    let late = told.iter().position(|event| event == "publisher.left");
    if let Some(at) = late.filter(|at| {
        told.get(at - 1)
            .is_some_and(|event| event == "broadcast.held")
    }) {
        told.swap(at, at - 1);
    }
    told == STORY
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_hears_everything_in_order() -> Result<()> {
    let relay = TestRelay::start().await?;
    let admin = relay.admin_key()?;
    let mut all = Events::open_as(relay.address(), "/api/events", &admin).await?;
    let id = happen(&relay).await?;
    let mut told = Vec::new();
    while told.len() < STORY.len() {
        let (event, data) = all.next().await?.context("it ended")?;
        ensure!(
            data["broadcast"] == id.as_str() && data["event"] == event.as_str(),
            "{data}"
        );
        ensure!(
            data["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z')),
            "{data}"
        );
        if event == "player.left" {
            ensure!(
                data["why"] == "done" && data["session"]["transport"] == "webrtc",
                "{data}"
            );
        }
        told.push(event);
    }
    ensure!(is_the_story(&told), "{told:?}");
    // Somebody who may not publish.
    let other = relay.broadcast().await?;
    all.find("broadcast.created", |data| {
        data["broadcast"] == other.id.as_str()
    })
    .await?;
    let expired = other.expired_token(Role::Publisher);
    ensure!(
        Publisher::join(relay.target(), &expired, None)
            .await
            .is_err()
    );
    let refused = all
        .find("publisher.refused", |data| data["why"] == "token_expired")
        .await?;
    ensure!(refused["session"]["address"] == "127.0.0.1", "{refused}");
    // A publisher hears of its own broadcast.
    let path = format!("/api/broadcasts/{}/events", other.id);
    let mut own = Events::open_as(relay.address(), &path, &other.token(Role::Publisher)).await?;
    let third = relay.broadcast().await?;
    let _elsewhere = third.player().await?;
    let _here = other.player().await?;
    let (event, data) = own.next().await?.context("it ended")?;
    ensure!(
        event == "player.joined" && data["broadcast"] == other.id.as_str(),
        "{data}"
    );
    let play = other.token(Role::Player);
    ensure!(
        Events::open_as(relay.address(), &path, &play)
            .await
            .is_err()
    );
    relay.stop();
    while own.next().await?.is_some() {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_are_signed_kept_while_nobody_answers_and_in_nobodys_way() -> Result<()> {
    let receiver = Authority::start(|_| Some((503, String::new()))).await?;
    let url = receiver.url();
    let relay = TestRelay::with(move |config| {
        config.hooks.url = url.parse().ok();
        config.hooks.secret = SECRET.parse().ok();
    })
    .await?;
    // Nobody waits for it.
    let id = happen(&relay).await?;
    relay
        .until("it to be tried again", || receiver.asked().len() > 1)
        .await?;
    let refused = receiver.asked().len();
    // An answer that says to go elsewhere is none.
    receiver.judges(|_| Some((302, String::new())));
    relay
        .until("another try", || receiver.asked().len() > refused)
        .await?;
    let refused = receiver.asked().len();
    receiver.judges(|_| Some((204, String::new())));
    relay
        .until("all of it", || {
            receiver.asked().len() >= refused + STORY.len()
        })
        .await?;
    let told: Vec<_> = receiver.asked().split_off(refused);
    let events: Vec<_> = told
        .iter()
        .map(|event| event["event"].as_str().unwrap_or_default().to_owned())
        .collect();
    ensure!(is_the_story(&events), "{events:?}");
    ensure!(told.iter().all(|event| event["broadcast"] == id.as_str()));
    for (headers, body) in receiver.requests().iter().rev().take(STORY.len()) {
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let signed = format!(
            "{}.{}.{body}",
            header("webhook-id"),
            header("webhook-timestamp")
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = STANDARD.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
        ensure!(
            header("webhook-signature") == format!("v1,{tag}"),
            "{headers:?}"
        );
        let _: Value = serde_json::from_str(body)?;
    }
    Ok(())
}

steadycast_tests::over_websocket! {
    whoever_listens_hears_everything_in_order,
}
