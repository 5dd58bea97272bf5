//! What a player's page says of what it shows.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Reply;
use super::{Cast, Opened};

impl Cast {
    async fn report(&self, opened: &Opened, report: &Value) -> Reply {
        let path = format!("{}/report", opened.location);
        self.relay.post(&path, "", &report.to_string()).await
    }

    /// The latency of the only session.
    async fn latency(&self) -> Value {
        let path = format!("/api/broadcasts/{}/sessions", self.id);
        let told = self.relay.get(&path, &self.publish).await.json();
        told["sessions"][0]["latencyP50Ms"].clone()
    }
}

#[tokio::test]
async fn a_page_says_what_it_shows_and_how_late() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    assert_eq!(cast.latency().await, Value::Null);
    let report = json!({ "received": 30, "decoded": 30, "shown": 30, "latencyMs": 64 });
    let reply = cast.report(&opened, &report).await;
    assert_eq!(
        (reply.status, reply.body.len()),
        (StatusCode::NO_CONTENT, 0)
    );
    assert_eq!(cast.latency().await, 64);
    let untold = json!({ "received": 60, "decoded": 60, "shown": 30 });
    let reply = cast.report(&opened, &untold).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_no_report_or_of_no_player_is_refused() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    for wrong in [
        json!({}),
        json!({ "received": -1, "decoded": 0, "shown": 0 }),
        json!({ "received": 1, "decoded": 1, "shown": 1, "latencyMs": 5_000_000_000_u64 }),
        json!({ "received": 1, "decoded": 1, "shown": 1, "more": 1 }),
    ] {
        let reply = cast.report(&opened, &wrong).await;
        assert_eq!(reply.problem(400), "malformed", "{wrong}");
    }
    assert_eq!(cast.latency().await, Value::Null);
    let report = json!({ "received": 1, "decoded": 1, "shown": 1 });
    let publishing = cast.publish().await;
    let reply = cast.report(&publishing, &report).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let posing = Opened {
        location: publishing.location.replace("whip", "whep"),
        ..publishing
    };
    let reply = cast.report(&posing, &report).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
    let unknown = Opened {
        location: format!("{}/x", cast.endpoint("whep")),
        ..opened
    };
    let reply = cast.report(&unknown, &report).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}
