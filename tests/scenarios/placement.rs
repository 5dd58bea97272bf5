//! What clients are told of other relays, and how a relay hands them over before it stops.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use steadycast_codec_glue::wire::{Code, RelayMessage, Role};
use steadycast_relay::directory::State;
use steadycast_tests::client::{Control, connect, soon};
use steadycast_tests::http::Request;
use steadycast_tests::nats::Server;
use steadycast_tests::relay::{TestBroadcast, TestRelay};

/// A relay of a cluster whose pages are at that place; the engine answers it.
async fn relay(engine: &Server, name: &str) -> Result<TestRelay> {
    let engine = vec![engine.url().parse()?];
    let (id, pages) = (name.parse()?, pages(name).parse()?);
    let relay = TestRelay::with(|config| {
        config.cluster.nats = engine;
        config.cluster.id = Some(id);
        config.cluster.lease = Duration::from_secs(4);
        config.server.public_url = Some(pages);
    })
    .await?;
    let directory = &relay.site().directory;
    let mut listener = directory.listen();
    let joined = async {
        while directory.state() != State::Joined {
            listener.next().await;
        }
    };
    soon("the engine", joined).await?;
    Ok(relay)
}

fn pages(name: &str) -> String {
    format!("https://{name}.example")
}

/// What a relay's next words on others are, in order.
async fn told(control: &mut Control) -> Result<Vec<String>> {
    let relays = control.find("other relays", |message| match message {
        RelayMessage::Relays { relays } => {
            let mut relays = relays.clone();
            relays.sort();
            Some(relays)
        }
        _ => None,
    });
    relays.await
}

async fn leaves(control: &mut Control) -> Result<u32> {
    let within = control.find("to be told to go", |message| match message {
        RelayMessage::Move { within_ms } => Some(*within_ms),
        _ => None,
    });
    within.await
}

async fn read(relay: &TestRelay, path: &str) -> Result<(u16, Value)> {
    let request = Request {
        method: "GET",
        path,
        ..Request::default()
    };
    let reply = request.send(relay.address()).await?;
    Ok((reply.status, serde_json::from_str(&reply.body)?))
}

/// A player's session, and what it is told at first.
async fn watch(broadcast: &TestBroadcast<'_>) -> Result<Control> {
    Ok(broadcast.player().await?.control)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_hear_of_others_and_of_those_that_come_and_go() -> Result<()> {
    let engine = Server::start().await?;
    let one = relay(&engine, "r1").await?;
    let broadcast = one.broadcast().await?;
    let mut player = watch(&broadcast).await?;
    let mut publisher = broadcast.publisher().await?.control;
    let two = relay(&engine, "r2").await?;
    assert_eq!(told(&mut player).await?, [pages("r2")]);
    assert_eq!(told(&mut publisher).await?, [pages("r2")]);
    let three = relay(&engine, "r3").await?;
    assert_eq!(told(&mut player).await?, [pages("r2"), pages("r3")]);
    // Who comes now hears of both at once.
    let mut late = watch(&broadcast).await?;
    assert_eq!(told(&mut late).await?, [pages("r2"), pages("r3")]);
    let (_, answer) = read(&one, "/api/relay").await?;
    let relays = answer["relays"].as_array().context("no relays")?;
    assert_eq!(relays.len(), 2, "{answer}");
    two.stop();
    assert_eq!(told(&mut player).await?, [pages("r3")]);
    three.stop();
    assert!(told(&mut player).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_relays_of_one_cluster_may_use_one_another() -> Result<()> {
    let engine = Server::start().await?;
    let one = relay(&engine, "r1").await?;
    let _two = relay(&engine, "r2").await?;
    let broadcast = one.broadcast().await?;
    told(&mut watch(&broadcast).await?).await?;
    for (page, may) in [
        (pages("r2"), true),
        ("https://r9.example".to_owned(), false),
    ] {
        let session = connect(one.target(), "/session", Some(&page)).await;
        assert_eq!(session.is_ok(), may, "{page}");
        let headers = [("origin", page.as_str())];
        let request = Request {
            method: "GET",
            path: "/api/relay",
            headers: &headers,
            ..Request::default()
        };
        let reply = request.send(one.address()).await?;
        let read = reply.header("access-control-allow-origin");
        assert_eq!(read, may.then_some(page.as_str()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_leaves_takes_nobody_and_has_everybody_go() -> Result<()> {
    let engine = Server::start().await?;
    let one = relay(&engine, "r1").await?;
    let two = relay(&engine, "r2").await?;
    let broadcast = one.broadcast().await?;
    let mut player = watch(&broadcast).await?;
    told(&mut player).await?;
    let elsewhere = two.broadcast().await?;
    let mut other = watch(&elsewhere).await?;
    assert_eq!(told(&mut other).await?, [pages("r1")]);
    let drain = Duration::from_secs(16);
    let site = one.site();
    let handed_over = async {
        site.leave(drain).await;
        anyhow::Ok(())
    };
    let goes = async {
        // Its turn comes in the first half of the time; newcomers are refused meanwhile.
        assert!(told(&mut other).await?.is_empty(), "nobody is sent there");
        let mut late = Control::open(one.target()).await?;
        let token = broadcast.token(Role::Player);
        let refused = late.hello(Role::Player, &token, None).await;
        let why = refused.err().context("it was let in")?.to_string();
        assert_eq!(why, Code::ShuttingDown.to_string());
        assert_eq!(read(&one, "/health").await?.0, 503);
        let within = leaves(&mut player).await?;
        ensure!(within >= 8_000, "{within} ms are left");
        player.connection.close();
        anyhow::Ok(())
    };
    let (left, gone) = tokio::join!(soon("an empty relay", handed_over), goes);
    gone?;
    left?
}
