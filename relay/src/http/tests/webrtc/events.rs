//! What a player's page hears (PROTOCOL 8.5).

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, StatusCode};
use axum::{Extension, Router};
use futures_util::StreamExt;
use serde_json::{Value, json};
use steadycast_codec_glue::wire::{Code, ResumeSecret, SoundCodec, SoundFormat};
use tower::ServiceExt;

use super::super::super::server::Lasting;
use super::super::broadcast_id;
use super::{Cast, Opened, ask, broadcast};
use crate::broadcast::{Width, Widths, test_frames};
use crate::webrtc::{PathNews, SessionId};

/// A page that listens.
struct Listener {
    body: BodyDataStream,
    text: String,
}

impl Listener {
    async fn at(cast: &Cast, opened: &Opened) -> Self {
        Self::asking(cast, opened, "").await
    }

    async fn asking(cast: &Cast, opened: &Opened, query: &str) -> Self {
        let path = format!("{}/sse{query}", opened.location);
        let router: Router = cast.relay.router.clone();
        let router = router.layer(Extension(Lasting::default()));
        // No token: the URL is the secret.
        let response = router
            .oneshot(ask(Method::GET, &path, "", &[], ""))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event; `None` when the stream has closed.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let name = event.lines().find_map(|line| line.strip_prefix("event: "));
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data = serde_json::from_str(data.unwrap()).unwrap();
                return Some((name.unwrap().to_owned(), data));
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of this name.
    async fn find(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().await.unwrap();
            if name == wanted {
                return data;
            }
        }
    }

    /// The next state of this phase.
    async fn phase(&mut self, phase: &str) -> Value {
        loop {
            let state = self.find("state").await;
            if state["phase"] == phase {
                return state;
            }
        }
    }

    /// The last event.
    async fn end(&mut self) -> Value {
        let data = self.find("ended").await;
        assert_eq!(self.next().await, None, "nothing follows");
        data
    }
}

#[tokio::test]
async fn a_listener_is_told_at_once_how_things_are() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let mut listener = Listener::at(&cast, &opened).await;
    let (name, state) = listener.next().await.unwrap();
    assert_eq!(name, "state");
    assert_eq!(
        (&state["phase"], &state["epoch"]),
        (&"waiting".into(), &0.into())
    );
    assert_eq!(state["players"], 0, "it has not connected");
    assert!(state["relayUs"].as_u64() >= state["sinceUs"].as_u64());
    assert_eq!(
        listener.next().await.unwrap(),
        ("inactive".to_owned(), json!({}))
    );
    let (name, ping) = listener.next().await.unwrap();
    assert_eq!(name, "ping");
    assert!(ping["relayUs"].as_u64() >= state["relayUs"].as_u64());
    let viewers = listener.next().await.unwrap();
    assert_eq!(
        viewers,
        ("viewercount".to_owned(), json!({ "viewercount": 0 }))
    );
}

#[tokio::test]
async fn who_asks_once_is_told_how_things_are_and_no_more() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let mut listener = Listener::asking(&cast, &opened, "?once").await;
    let mut told = Vec::new();
    while let Some((name, _)) = listener.next().await {
        told.push(name);
    }
    assert_eq!(told, ["state", "inactive", "ping", "viewercount"]);
}

#[tokio::test]
async fn a_session_has_a_few_listeners_the_newest_ones() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let mut listeners = Vec::new();
    for _ in 0..6 {
        let mut listener = Listener::at(&cast, &opened).await;
        listener.find("viewercount").await;
        listeners.push(listener);
    }
    for (at, mut listener) in listeners.into_iter().enumerate() {
        let heard = listener.next().await;
        assert_eq!(heard.is_some(), at >= 2, "number {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_never_longer_than_a_second() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    listener.find("ping").await;
    for _ in 0..5 {
        let began = tokio::time::Instant::now();
        listener.find("ping").await;
        assert!(began.elapsed() <= Duration::from_millis(1_100));
    }
}

#[tokio::test]
async fn a_publisher_that_comes_and_goes_is_announced() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    listener.find("inactive").await;
    let broadcast = cast
        .relay
        .site
        .registry
        .find(&broadcast_id(&cast.id))
        .unwrap();
    for epoch in 1..=2 {
        let now = cast.relay.site.clock.now();
        let lineage = ResumeSecret([epoch as u8; 16]);
        let seat = broadcast
            .attach_publisher(None, lineage, Widths::One, now)
            .unwrap();
        let frame = test_frames::frame(epoch, 0, 0, 100);
        seat.publish(frame, cast.relay.site.clock.now()).unwrap();
        let state = listener.phase("live").await;
        assert_eq!(state["epoch"], epoch);
        assert_eq!(listener.find("active").await, json!({}));
        seat.leave(cast.relay.site.clock.now());
        let state = listener.phase("held").await;
        assert_eq!(state["epoch"], epoch);
        assert_eq!(listener.find("inactive").await, json!({}));
    }
}

#[tokio::test]
async fn what_there_is_to_hear_is_told_at_once_and_at_each_change() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    let registry = &cast.relay.site.registry;
    let broadcast = registry.find(&broadcast_id(&cast.id)).unwrap();
    let secret = ResumeSecret([1; 16]);
    let now = cast.relay.site.clock.now();
    let seat = broadcast
        .attach_publisher(None, secret, Widths::One, now)
        .unwrap();
    seat.sounds_as(Some(SoundFormat {
        codec: SoundCodec::Opus,
        channels: 2,
    }));
    let stereo = json!({ "sound": { "codec": "opus", "channels": 2 } });
    assert_eq!(listener.find("sound").await, stereo);
    // Who comes later is told at once.
    let mut late = Listener::at(&cast, &cast.watch().await).await;
    assert_eq!(late.find("sound").await, stereo);
    seat.sounds_as(None);
    assert_eq!(listener.find("sound").await, json!({ "sound": null }));
}

#[tokio::test]
async fn a_picture_that_stands_still_is_called_so_though_it_is_refined() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    let registry = &cast.relay.site.registry;
    let broadcast = registry.find(&broadcast_id(&cast.id)).unwrap();
    let now = || cast.relay.site.clock.now();
    let secret = ResumeSecret([1; 16]);
    let seat = broadcast
        .attach_publisher(None, secret, Widths::One, now())
        .unwrap();
    let publish = |frame| {
        let at = now();
        seat.publish(frame, at).unwrap();
        at.as_micros()
    };
    let moves = json!({ "stillSinceUs": null });
    publish(test_frames::frame(1, 0, 0, 100));
    assert_eq!(listener.find("content").await, moves);
    let changed = publish(test_frames::frame(1, 0, 1, 100));
    assert_eq!(listener.find("content").await["stillSinceUs"], changed);
    publish(test_frames::refinement(1, (0, 2)));
    let mut name = String::new();
    while name != "ping" {
        (name, _) = listener.next().await.unwrap();
        assert_ne!(name, "content", "a refinement brings nothing new");
    }
    publish(test_frames::frame(1, 0, 3, 100));
    assert_eq!(listener.find("content").await, moves);
    // Who comes later is told at once.
    let mut late = Listener::at(&cast, &cast.watch().await).await;
    assert_eq!(late.find("content").await, moves);
}

#[tokio::test(start_paused = true)]
async fn viewers_are_counted() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let mut listener = Listener::at(&cast, &opened).await;
    assert_eq!(listener.find("viewercount").await["viewercount"], 0);
    let player = broadcast(&cast).attach_player().unwrap();
    assert_eq!(listener.find("viewercount").await["viewercount"], 1);
    drop(player);
    assert_eq!(listener.find("viewercount").await["viewercount"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_path_that_changes_is_told_once_a_second_at_most() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let (_, name) = opened.location.rsplit_once('/').unwrap();
    let id = SessionId::from_url(name);
    let session = cast.relay.site.bridge.find(&broadcast_id(&cast.id), &id);
    let session = session.unwrap();
    let mut listener = Listener::at(&cast, &opened).await;
    listener.find("viewercount").await;
    for carries_kbps in [900, 380] {
        let news = PathNews {
            narrow: true,
            carries_kbps: Some(carries_kbps),
        };
        session.report_path(news, Width::Wide);
    }
    let told = listener.find("path").await;
    assert_eq!(told, json!({ "narrow": true, "carriesKbps": 380 }));
    let began = tokio::time::Instant::now();
    session.report_path(PathNews::default(), Width::Wide);
    let told = listener.find("path").await;
    assert_eq!(told, json!({ "narrow": false, "carriesKbps": null }));
    assert!(began.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn the_end_of_a_broadcast_is_final() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    listener.find("ping").await;
    assert!(
        cast.relay
            .site
            .end(&broadcast_id(&cast.id), Code::BroadcastEnded)
            .await
            .unwrap()
    );
    let end = listener.end().await;
    assert_eq!(
        (&end["code"], &end["retryAfterMs"]),
        (&"broadcast_ended".into(), &Value::Null)
    );
    assert!(end["message"].is_string());
}

#[tokio::test]
async fn a_stopping_relay_asks_back() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    listener.find("ping").await;
    cast.relay.site.draining.cancel();
    let end = listener.end().await;
    assert_eq!(end["code"], "shutting_down");
    assert!(end["retryAfterMs"].as_u64() > Some(0));
}

#[tokio::test]
async fn whoever_ends_its_session_is_told() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let mut listener = Listener::at(&cast, &opened).await;
    listener.find("ping").await;
    cast.relay.delete(&opened.location, &cast.play).await;
    let end = listener.end().await;
    assert_eq!(
        (&end["code"], &end["retryAfterMs"]),
        (&"done".into(), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_is_the_last_event_even_where_a_heartbeat_is_due() {
    let cast = Cast::new().await;
    let mut listener = Listener::at(&cast, &cast.watch().await).await;
    listener.find("viewercount").await;
    // Nobody reads meanwhile: the heartbeat is due, and so is the end.
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(
        cast.relay
            .site
            .end(&broadcast_id(&cast.id), Code::BroadcastEnded)
            .await
            .unwrap()
    );
    listener.end().await;
}

#[tokio::test]
async fn events_are_where_a_client_subscribes_and_nowhere_else() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let path = format!("{}/sse", opened.location);
    let headers = [("content-type", "application/json")];
    let request = ask(Method::POST, &path, "", &headers, "[\"viewercount\"]");
    let reply = cast.relay.send(request).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::CREATED, &*path)
    );
    cast.relay.delete(&opened.location, &cast.play).await;
    for method in [Method::GET, Method::POST] {
        let mut request = ask(method, &path, "", &[], Body::empty());
        request.extensions_mut().insert(Lasting::default());
        assert_eq!(
            cast.relay.send(request).await.problem(404),
            "unknown_broadcast"
        );
    }
}
