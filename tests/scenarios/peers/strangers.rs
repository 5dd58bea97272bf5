//! Who may use the engine is no relay by that.

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde_json::json;
use steadycast_tests::http::Events;

use super::*;

/// A relay's figure.
async fn figure(relay: &TestRelay, name: &str) -> Result<u64> {
    let at = relay.metrics().context("no metrics")?;
    let request = Request {
        method: "GET",
        path: "/metrics",
        ..Request::default()
    };
    let text = request.send(at).await?.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.with_context(|| format!("no {name} in\n{text}"))?;
    Ok(value.trim().parse()?)
}

/// The next that is said on a subject that begins so.
async fn said(heard: &mut Subscriber, subject: &str) -> Result<Message> {
    let search = async {
        loop {
            let message = heard.next().await.context("the engine is gone")?;
            if message.subject.starts_with(subject) {
                return Ok(message);
            }
        }
    };
    soon(subject, search).await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_relay_asks_is_not_answered_and_costs_nothing_else() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let client = async_nats::connect(three.engine.url()).await?;
    let question = json!({
        "version": 1, "from": "r1", "for": "a stranger", "ask": "viewers",
        "of": {"broadcast": broadcast.id.as_str()},
    });
    let refused = "steadycast_peer_answers_total{result=\"foreign\"}";
    let questions = [
        question.to_string().into_bytes(),
        Vec::new(),
        vec![0xff; 1_000],
        vec![1; 1_000],
        "[".repeat(60_000).into_bytes(),
        vec![1; 200_000],
    ];
    let count = questions.len();
    for payload in questions {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(99)]).into_owned();
        let reply = client
            .request("steadycast.relay.r0", payload.into())
            .await?;
        ensure!(reply.payload.is_empty(), "{shown}: {:?}", reply.payload);
    }
    // Nobody waits for an answer to what is asked by nobody, and an event of no relay is none.
    for subject in [
        "steadycast.relay.r0",
        "steadycast.events._.r0",
        "steadycast.events.x.y",
    ] {
        client.publish(subject, "{".into()).await?;
    }
    let path = format!("/api/broadcasts/{}/viewers", broadcast.id);
    let viewers = get(&three.relays[1], &path).await?;
    ensure!(viewers.get("incomplete").is_none(), "{viewers}");
    ensure!(figure(&three.relays[0], refused).await? == count as u64 + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_relays_say_is_neither_read_nor_said_again_by_others() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let client = async_nats::connect(three.engine.url()).await?;
    let mut heard = client.subscribe(">").await?;
    client.flush().await?;
    let mut events = Events::open_as(three.relays[0].address(), "/api/events", ADMIN).await?;
    let mut there = three.player(1, &broadcast.id).await?;
    events.find("player.joined", |_| true).await?;
    let event = said(&mut heard, "steadycast.events.").await?;
    // What a relay is asked that could be done again: of whoever asks twice, the second one has nobody there.
    let path = format!("/api/broadcasts/{}/sessions", broadcast.id);
    let sessions = until(&three.relays[0], &path, "a player", |told| {
        told["sessions"][0]["relay"] == "r1"
    })
    .await?;
    let number = &sessions["sessions"][0]["session"];
    let kick = format!("{path}/{number}");
    let reply = send(&three.relays[0], "DELETE", &kick, "{}").await?;
    ensure!(reply.status == 204, "{reply:?}");
    there.control.goodbye().await?;
    let asked = said(&mut heard, "steadycast.relay.r1").await?;
    let answered = said(&mut heard, "_INBOX.").await?;
    for message in [&event, &asked, &answered] {
        for word in [&b"r1"[..], b"127.0.0.1", b"session", b"player", b"for"] {
            let mut parts = message.payload.windows(word.len());
            ensure!(!parts.any(|part| part == word), "{message:?}");
        }
    }
    let late = "steadycast_peer_answers_total{result=\"refused\"}";
    let again = client
        .request(asked.subject.clone(), asked.payload.clone())
        .await?;
    ensure!(again.payload != answered.payload, "it is answered again");
    ensure!(figure(&three.relays[1], late).await? == 1);
    // As another's question, and on a relay's own subject, it is none.
    let other = client
        .request("steadycast.relay.r2", asked.payload.clone())
        .await?;
    ensure!(other.payload.is_empty(), "{other:?}");
    let left = events.find("player.left", |_| true).await?;
    ensure!(left["relay"] == "r1", "{left}");
    // An event that is sent again is not told again, and is of nothing else.
    for subject in [&*event.subject, "steadycast.events.other.r1"] {
        client
            .publish(subject.to_owned(), event.payload.clone())
            .await?;
    }
    client.flush().await?;
    let _there = three.player(1, &broadcast.id).await?;
    let (name, next) = events.next().await?.context("no events")?;
    let after_it = left["id"].as_u64().map(|id| id + 1);
    ensure!(
        name == "player.joined" && next["id"].as_u64() == after_it,
        "{name}: {next}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_of_another_secret_is_named_at_once_as_missing() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let other = three.another(3, |_, config| {
        let another = "another secret than that of all the others";
        config.cluster.secret = another.parse().ok();
        config.metrics.listen = "127.0.0.1:0".parse().ok();
    });
    let other = other.await?;
    for relay in &three.relays {
        knows(relay, 4).await?;
    }
    // Somebody watches elsewhere, so that all are asked.
    let _there = three.player(1, &broadcast.id).await?;
    let path = format!("/api/broadcasts/{}/viewers", broadcast.id);
    let missing = |told: &Value| told["incomplete"] == json!(["r3"]);
    // It does hear them, and nobody waits for it as for one that is silent.
    let asked = "steadycast_peer_questions_total{result=\"refused\"}";
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let refusal = async {
        loop {
            until(&three.relays[0], &path, "the others", missing).await?;
            match figure(&three.relays[0], asked).await {
                Ok(_) => return Ok::<_, anyhow::Error>(()),
                Err(_) => looks.tick().await,
            };
        }
    };
    soon("a refusal", refusal).await??;
    let foreign = "steadycast_peer_answers_total{result=\"foreign\"}";
    ensure!(figure(&other, foreign).await? > 0);
    Ok(())
}
