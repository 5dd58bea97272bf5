//! What nobody should send there costs nothing.

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_question_gets_a_refusal_and_costs_nothing_else() -> Result<()> {
    let three = Three::start().await?;
    let broadcast = three.broadcast().await?;
    let client = async_nats::connect(three.engine.url()).await?;
    let ask = async |payload: Vec<u8>| {
        let reply = client
            .request("steadycast.relay.r0", payload.into())
            .await?;
        Ok::<Value, anyhow::Error>(serde_json::from_slice(&reply.payload)?)
    };
    let question = |ask: &str, of: Value| {
        let whole =
            json!({"version": 1, "from": "r1", "for": "a stranger\r\n", "ask": ask, "of": of});
        whole.to_string().into_bytes()
    };
    let id = broadcast.id.as_str();
    let mut half = question("viewers", json!({"broadcast": id}));
    half.truncate(half.len() / 2);
    for (payload, why) in [
        (Vec::new(), "malformed"),
        (vec![0xff; 1_000], "malformed"),
        (b"[[[[[[[[[[[[[[[[".to_vec(), "malformed"),
        ("[".repeat(60_000).into_bytes(), "malformed"),
        (vec![b' '; 200_000], "malformed"),
        (half, "malformed"),
        (
            question("viewers", json!({"broadcast": "Not an id"})),
            "malformed",
        ),
        (question("kick", json!({"broadcast": id})), "malformed"),
        (question("everything", json!({})), "unknown"),
        (
            json!({"version": 2, "from": "r1", "for": "", "ask": "viewers", "of": {}})
                .to_string()
                .into_bytes(),
            "unknown",
        ),
    ] {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(99)]).into_owned();
        let reply = ask(payload).await?;
        ensure!(reply == json!({"refused": why}), "{shown}: {reply}");
    }
    // Nobody waits for an answer to what is asked by nobody, and an event of no relay is none.
    for subject in [
        "steadycast.relay.r0",
        "steadycast.events._.r0",
        "steadycast.events.x.y",
    ] {
        client.publish(subject, "{".into()).await?;
    }
    let reply = ask(question("viewers", json!({"broadcast": id}))).await?;
    ensure!(reply["answer"]["of"]["troubled"] == json!([]), "{reply}");
    let elsewhere = ask(question("viewers", json!({"broadcast": "none"}))).await?;
    ensure!(elsewhere == json!({"answer": null}), "{elsewhere}");
    let at = three.relays[0].metrics().context("no metrics")?;
    let request = Request {
        method: "GET",
        path: "/metrics",
        ..Request::default()
    };
    let text = request.send(at).await?.body;
    for figure in [
        "steadycast_peer_answers_total{result=\"refused\"} 11",
        "steadycast_cluster_players 0",
    ] {
        ensure!(text.contains(figure), "{figure} in\n{text}");
    }
    Ok(())
}
