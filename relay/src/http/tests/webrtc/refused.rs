//! Offers that open no session.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use steadycast_codec_glue::wire::Role;

use super::super::Relay;
use super::{Cast, SDP, ask};
use crate::webrtc::offers::of;

/// No session was opened, and no player counted.
async fn nobody_is_there(cast: &Cast) {
    assert_eq!(cast.relay.site.bridge.sessions(), 0);
    let path = format!("/api/broadcasts/{}", cast.id);
    let one = cast.relay.get(&path, &cast.publish).await.json();
    assert_eq!(one["players"], 0);
}

#[tokio::test]
async fn whoever_opens_no_session_has_never_joined() {
    let cast = Cast::new().await;
    let mut told = cast.relay.site.records.events().listen();
    for (endpoint, token) in [("whep", &cast.play), ("whip", &cast.publish)] {
        let reply = cast.offer(endpoint, token, "v=0").await;
        assert_eq!(reply.problem(400), "malformed");
    }
    cast.relay
        .delete(&format!("/api/broadcasts/{}", cast.id), super::super::ADMIN)
        .await;
    let mut names = Vec::new();
    while names.last() != Some(&"broadcast.ended") {
        names.push(told.next().await.unwrap().unwrap().event);
    }
    assert_eq!(names, ["publisher.refused", "broadcast.ended"]);
}

/// The offer of a page that opens frames itself.
fn carrying(offer: &str) -> String {
    let (head, media) = offer.split_once("m=").unwrap();
    format!("{head}a=steadycast-frames:6 av1 vp8\nm={media}")
}

#[tokio::test]
async fn at_a_private_broadcast() {
    let relay = Relay::new();
    let made = relay
        .post(
            "/api/broadcasts",
            super::super::ADMIN,
            r#"{"private": true}"#,
        )
        .await
        .json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let cast = Cast {
        id: text("id"),
        publish: text("publishToken"),
        play: text("playToken"),
        relay,
    };
    let path = format!("/api/broadcasts/{}", cast.id);
    let shown = cast.relay.get(&path, &cast.publish).await.json();
    assert_eq!(shown["private"], true);
    for (endpoint, token, offer) in [
        ("whep", &cast.play, "chromium-player"),
        ("whip", &cast.publish, "obs-publisher"),
    ] {
        let reply = cast.offer(endpoint, token, of(offer)).await;
        assert_eq!(reply.problem(403), "private");
    }
    // Nor does a publisher get in by the words of a page that watches.
    let offer = carrying(of("obs-publisher"));
    let reply = cast.offer("whip", &cast.publish, &offer).await;
    assert_eq!(reply.problem(403), "private");
    nobody_is_there(&cast).await;
    let offer = carrying(of("chromium-player"));
    let reply = cast.offer("whep", &cast.play, &offer).await;
    assert_eq!(reply.status, 201);
    assert!(reply.text().contains("\r\na=steadycast-frames:6\r\n"));
}

#[tokio::test]
async fn a_body_of_another_type() {
    let cast = Cast::new().await;
    for kind in [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("application/sdpfrag"),
    ] {
        for (endpoint, token) in [("whep", &cast.play), ("whip", &cast.publish)] {
            let headers: Vec<_> = kind
                .into_iter()
                .map(|kind| ("content-type", kind))
                .collect();
            let offer = of("chromium-player");
            let request = ask(
                Method::POST,
                &cast.endpoint(endpoint),
                token,
                &headers,
                offer,
            );
            assert_eq!(
                cast.relay.send(request).await.problem(415),
                "malformed",
                "{kind:?}"
            );
        }
    }
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn what_is_no_sdp() {
    let cast = Cast::new().await;
    let deep = format!("{}{}", "[".repeat(20_000), "v=0\r\n");
    let long = format!("v=0\r\ns={}\r\n", "x".repeat(60_000));
    let lines = "v=0\r\n".repeat(10_000);
    for offer in [
        "",
        "\0",
        "v=0",
        "{\"type\":\"offer\"}",
        "m=video",
        &deep,
        &long,
        &lines,
    ] {
        let reply = cast.offer("whep", &cast.play, offer).await;
        assert_eq!(reply.problem(400), "malformed");
        let told = reply.json()["detail"].as_str().unwrap().len();
        assert!(told < 1_000, "{told} characters of detail");
    }
    let headers = [("content-type", SDP)];
    let mut odd = of("chromium-player").as_bytes().to_vec();
    odd[200] = 0xff;
    let request = ask(
        Method::POST,
        &cast.endpoint("whep"),
        &cast.play,
        &headers,
        odd,
    );
    assert_eq!(cast.relay.send(request).await.problem(400), "malformed");
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn what_the_relay_has_not() {
    let cast = Cast::new().await;
    let only_hevc = of("obs-publisher").replace("H264", "H265");
    for (kind, token, offer) in [
        ("whep", &cast.play, of("chromium-publisher")),
        ("whip", &cast.publish, of("chromium-player")),
        ("whip", &cast.publish, &only_hevc),
    ] {
        let reply = cast.offer(kind, token, offer).await;
        assert_eq!(reply.problem(422), "malformed");
        assert!(!reply.text().contains("v=0"), "no partial answer");
        assert_eq!(reply.header("location"), "");
    }
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn a_body_is_no_longer_than_64_kib() {
    let cast = Cast::new().await;
    let long = format!("{}a=x:{}\r\n", of("chromium-player"), "x".repeat(64 << 10));
    let reply = cast.offer("whep", &cast.play, &long).await;
    assert_eq!(reply.problem(413), "too_large");
    // Its length is not said beforehand.
    let parts: Vec<_> = long
        .as_bytes()
        .chunks(1_000)
        .map(Bytes::copy_from_slice)
        .collect();
    let body = Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)));
    let headers = [("content-type", SDP)];
    let request = ask(
        Method::POST,
        &cast.endpoint("whep"),
        &cast.play,
        &headers,
        body,
    );
    assert_eq!(cast.relay.send(request).await.problem(413), "too_large");
    // Strangers are not heard out.
    let reply = cast.offer("whep", "", &long).await;
    assert_eq!(reply.problem(401), "unauthorized");
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn somebody_without_a_good_token() {
    let cast = Cast::new().await;
    let offer = of("chromium-player");
    for token in ["", "x", "a.b.c", super::super::ADMIN] {
        for kind in ["whep", "whip"] {
            let reply = cast.offer(kind, token, offer).await;
            assert_eq!(reply.problem(401), "unauthorized");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn a_token_that_is_over() {
    let relay = Relay::with(|site| site.rules.get_mut().play_token_ttl = std::time::Duration::ZERO);
    let cast = Cast::at(relay).await;
    let reply = cast.offer("whep", &cast.play, of("chromium-player")).await;
    assert_eq!(reply.problem(401), "token_expired");
}

#[tokio::test]
async fn a_token_for_another_role_or_another_broadcast() {
    let cast = Cast::new().await;
    let other = cast.relay.create("other").await;
    let text = |key: &str| other[key].as_str().unwrap().to_owned();
    for (kind, token) in [
        ("whep", cast.publish.clone()),
        ("whip", cast.play.clone()),
        ("whep", text("playToken")),
        ("whip", text("publishToken")),
    ] {
        let reply = cast.offer(kind, &token, of("chromium-player")).await;
        assert_eq!(reply.problem(403), "unauthorized");
    }
    nobody_is_there(&cast).await;
}

#[tokio::test]
async fn a_broadcast_that_is_none() {
    let cast = Cast::new().await;
    let token = cast.relay.token("gone", Role::Player);
    let headers = [("content-type", SDP)];
    let ask = |path| ask(Method::POST, path, &token, &headers, of("chromium-player"));
    let reply = cast.relay.send(ask("/gone/whep")).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
    // Not a name that a broadcast can have, so that no token is for it.
    let reply = cast.relay.send(ask("/No..Id/whep")).await;
    assert_eq!(reply.problem(403), "unauthorized");
    let reply = cast.relay.send(ask("/gone/whatever")).await;
    assert_ne!(reply.status, StatusCode::CREATED);
}
