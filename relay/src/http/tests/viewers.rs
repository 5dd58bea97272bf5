//! The viewers of a broadcast as a whole, as the panel asks for them.

use std::time::Duration;

use serde_json::{Value, json};
use steadycast_codec_glue::wire::Role;

use super::{ADMIN, Relay};
use crate::auth::Transport::{self, WebRtc, WebSocket, WebTransport};
use crate::broadcast::RelayTime;
use crate::records::{Figures, Given, Reception, Record, Shown, Version};

/// A broadcast with viewers.
struct Audience {
    relay: Relay,
    made: Value,
}

impl Audience {
    async fn new() -> Self {
        let relay = Relay::new();
        let made = relay.create("x").await;
        Self { relay, made }
    }

    fn told(&self, name: &str) -> &str {
        self.made[name].as_str().unwrap()
    }

    fn path(&self) -> String {
        format!("/api/broadcasts/{}/viewers", self.told("id"))
    }

    fn join(&self, transport: Transport, token: &str) -> Record {
        let record = self.relay.enter_over(transport, token, Role::Player);
        record.unwrap()
    }

    /// A viewer that gets this.
    fn viewer(&self, transport: Transport, reception: Reception) -> Record {
        let record = self.join(transport, self.told("playToken"));
        record.note(gets(reception));
        record
    }

    async fn viewers(&self) -> Value {
        let (path, bearer) = (self.path(), self.told("publishToken"));
        self.relay.get(&path, bearer).await.json()
    }
}

fn gets(reception: Reception) -> Figures {
    Figures {
        given: Given {
            frames: 30,
            bytes: 100_000,
            skips: 0,
            first: Some(RelayTime::from_micros(1)),
        },
        reception,
    }
}

fn full() -> Reception {
    Reception {
        version: Version::Full,
        rtt: Some(Duration::from_millis(12)),
        ..Reception::default()
    }
}

/// Its page has shown so many, so late.
fn shows(viewer: &Record, frames: u64, ms: u64) {
    viewer.reported(Shown {
        received: frames,
        decoded: frames,
        shown: frames,
        latency: Some(Duration::from_millis(ms)),
    });
}

#[tokio::test]
async fn a_broadcast_without_viewers_says_so() {
    let audience = Audience::new().await;
    let publish = audience.told("publishToken");
    let publisher = audience
        .relay
        .enter_over(WebTransport, publish, Role::Publisher);
    assert!(publisher.is_ok());
    let none = json!({
        "count": 0, "byTransport": { "webtransport": 0, "webrtc": 0, "websocket": 0 },
        "byState": { "live": 0, "behind": 0, "light": 0, "away": 0, "waiting": 0 },
        "troubled": [],
    });
    assert_eq!(audience.viewers().await, none);
}

#[tokio::test]
async fn only_those_in_power_are_told_who_watches() {
    let audience = Audience::new().await;
    let (path, relay) = (audience.path(), &audience.relay);
    let play = audience.told("playToken");
    assert_eq!(relay.get(&path, play).await.problem(403), "unauthorized");
    assert_eq!(relay.get(&path, "").await.problem(401), "unauthorized");
    assert_eq!(relay.get(&path, ADMIN).await.json()["count"], 0);
    let gone = relay.get("/api/broadcasts/gone/viewers", ADMIN).await;
    assert_eq!(gone.problem(404), "unknown_broadcast");
}

#[tokio::test]
async fn viewers_are_counted_by_how_they_fare_and_those_in_trouble_are_named() {
    let audience = Audience::new().await;
    let id = audience.told("id");
    let wish = json!({ "broadcast": id, "roles": ["play"], "name": "Ada" });
    let token = audience.relay.wish(ADMIN, wish).await.json();
    let ada = audience.join(WebTransport, token["token"].as_str().unwrap());
    let light = Reception {
        version: Version::Light,
        carries_kbps: Some(600),
        ..full()
    };
    ada.note(gets(light));
    shows(&ada, 30, 120);
    let well = audience.viewer(WebTransport, full());
    shows(&well, 30, 40);
    let late = audience.viewer(WebTransport, full());
    shows(&late, 30, 900);
    let untold = audience.viewer(WebRtc, full());
    let over_tcp = audience.viewer(WebSocket, full());
    let newcomer = audience.join(WebRtc, audience.told("playToken"));
    newcomer.note(Figures::default());
    // Its client has not connected yet.
    let _expected = audience.join(WebRtc, audience.told("playToken"));
    let told = audience.viewers().await;
    assert_eq!(told["count"], 6);
    let by_transport = json!({ "webtransport": 3, "webrtc": 2, "websocket": 1 });
    assert_eq!(told["byTransport"], by_transport);
    let by_state = json!({ "live": 3, "behind": 1, "light": 1, "away": 0, "waiting": 1 });
    assert_eq!(told["byState"], by_state);
    let latency = json!({ "p50Ms": 120, "p95Ms": 900, "viewers": 3 });
    assert_eq!(told["latency"], latency);
    let mut troubled = told["troubled"].clone();
    for one in troubled.as_array_mut().unwrap() {
        let since = one.as_object_mut().unwrap().remove("stateSinceUs").unwrap();
        assert!(since.as_u64().unwrap() > 1_700_000_000_000_000);
    }
    let number = |record: &Record| record.pass().number();
    let expected = json!([
        { "session": number(&late), "transport": "webtransport", "state": "behind", "skips": false,
          "undecoded": false, "latencyMs": 900, "rttMs": 12 },
        { "session": number(&ada), "name": "Ada", "transport": "webtransport", "state": "light", "skips": false,
          "undecoded": false, "latencyMs": 120, "rttMs": 12, "carriesKbps": 600 },
        { "session": number(&newcomer), "transport": "webrtc", "state": "waiting", "skips": false, "undecoded": false },
    ]);
    assert_eq!(troubled, expected);
    drop((well, untold, over_tcp, late));
    let told = audience.viewers().await;
    assert_eq!(
        (&told["count"], &told["byState"]["behind"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn a_page_that_is_hidden_is_away_and_says_nothing_of_latency() {
    let audience = Audience::new().await;
    let viewer = audience.viewer(WebTransport, full());
    tokio::time::pause();
    shows(&viewer, 30, 40);
    for second in 1..=12 {
        tokio::time::advance(Duration::from_secs(1)).await;
        viewer.reported(Shown {
            received: 30 + 30 * second,
            decoded: 30 + 30 * second,
            shown: 30,
            latency: Some(Duration::from_secs(1)),
        });
    }
    let told = audience.viewers().await;
    assert_eq!(told["byState"]["away"], 1);
    assert_eq!(told.get("latency"), None);
    shows(&viewer, 400, 50);
    let told = audience.viewers().await;
    assert_eq!(
        (&told["byState"]["live"], &told["troubled"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(told["latency"]["p95Ms"], 50);
}

/// A panel asks once a second.
#[tokio::test]
async fn of_a_thousand_viewers_an_answer_says_no_more_than_of_twenty() {
    let audience = Audience::new().await;
    let viewers: Vec<_> = (0..1_000)
        .map(|_| {
            let skips = Reception {
                skips: true,
                carries_kbps: Some(1_234),
                ..full()
            };
            let viewer = audience.viewer(WebTransport, skips);
            for second in 1..=10 {
                shows(&viewer, 30 * second, 1_500);
            }
            viewer
        })
        .collect();
    let id = audience.told("id").parse().unwrap();
    let began = std::time::Instant::now();
    let whole = audience.relay.site.records.viewers(&id, 20);
    let took = began.elapsed();
    assert_eq!(whole.fares.iter().sum::<u32>(), 1_000);
    assert_eq!(whole.troubled.len(), 20);
    let path = audience.path();
    let reply = audience.relay.get(&path, audience.told("publishToken"));
    let bytes = reply.await.body.len();
    println!("1,000 viewers: {bytes} bytes, {took:?} to count");
    assert!(bytes < 5_000, "{bytes} bytes");
    drop(viewers);
}
