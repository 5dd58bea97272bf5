//! Opening a session.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};

use serde_json::json;

use super::super::{APP, Relay, Reply};
use super::{Cast, Opened, SDP, ask, broadcast};
use crate::config::IceServer;
use crate::placement::Placement;
use crate::webrtc::offers::{PLAYERS, PUBLISHERS, of};
use crate::webrtc::{Bridge, Settings};

fn ice_server(url: &str, login: Option<(&str, &str)>) -> IceServer {
    IceServer {
        url: url.to_owned(),
        login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
    }
}

#[tokio::test]
async fn every_clients_offer_is_answered_with_a_session() {
    let cast = Cast::new().await;
    for (kind, token, offers) in [
        ("whep", &cast.play, &PLAYERS[..]),
        ("whip", &cast.publish, &PUBLISHERS),
    ] {
        for (name, offer) in offers {
            let reply = cast.offer(kind, token, offer).await;
            assert_eq!(
                reply.status,
                StatusCode::CREATED,
                "{name}: {}",
                reply.text()
            );
            assert_eq!(reply.header("content-type"), SDP);
            assert_eq!(reply.header("cache-control"), "no-store");
            let opened = Opened::from(&reply);
            let secret = opened
                .location
                .strip_prefix(&format!("{}/", cast.endpoint(kind)));
            assert_eq!(secret.unwrap().len(), 43, "256 bits in base64");
            let etag = opened
                .etag
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'));
            assert!(
                etag.is_some_and(|tag| !tag.contains('"')),
                "strong: {}",
                opened.etag
            );
            assert!(reply.text().contains("\r\na=ice-lite\r\n"));
            assert!(reply.text().contains(" 192.0.2.1 4433 typ host\r\n"));
        }
    }
}

#[tokio::test]
async fn an_endpoint_may_end_in_a_slash() {
    let cast = Cast::new().await;
    for (kind, token, offer) in [
        ("whep", &cast.play, of("chromium-player")),
        ("whip", &cast.publish, of("obs-publisher")),
    ] {
        let reply = cast.offer(&format!("{kind}/"), token, offer).await;
        let opened = Opened::from(&reply);
        let session = opened.location.strip_prefix(&cast.endpoint(kind));
        assert_eq!(session.unwrap().len(), 1 + 43, "{}", opened.location);
    }
}

#[tokio::test]
async fn no_two_sessions_have_anything_in_common() {
    let cast = Cast::new().await;
    let mut seen = HashSet::new();
    for _ in 0..4 {
        let offer = of("firefox-player");
        let reply = cast.offer("whep", &cast.play, offer).await;
        let opened = Opened::from(&reply);
        let own = reply.text().lines().filter(|line| {
            let own = ["a=ice-ufrag:", "a=ice-pwd:", "a=ssrc-group:"];
            own.iter().any(|begin| line.starts_with(begin))
        });
        let own: Vec<_> = own.map(str::to_owned).collect();
        assert_eq!(own.len(), 3);
        for secret in own.into_iter().chain([opened.location, opened.etag]) {
            assert!(seen.insert(secret.clone()), "{secret}");
        }
    }
}

#[tokio::test]
async fn the_type_may_have_parameters_and_any_case() {
    let cast = Cast::new().await;
    for kind in [
        "application/sdp; charset=utf-8",
        "Application/SDP",
        "application/sdp ;x",
    ] {
        let headers = [("content-type", kind)];
        let path = cast.endpoint("whep");
        let request = ask(
            Method::POST,
            &path,
            &cast.play,
            &headers,
            of("chromium-player"),
        );
        assert_eq!(
            cast.relay.send(request).await.status,
            StatusCode::CREATED,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_broadcast_without_a_publisher_is_joined_all_the_same() {
    let cast = Cast::new().await;
    cast.watch().await;
    let one = cast
        .relay
        .get(&format!("/api/broadcasts/{}", cast.id), &cast.publish)
        .await
        .json();
    // Who has not connected is no player.
    assert_eq!(
        (&one["phase"], &one["players"]),
        (&"waiting".into(), &0.into())
    );
}

#[tokio::test]
async fn players_learn_where_events_are_and_all_learn_of_ice_servers() {
    let relay = Relay::with(|site| {
        site.ice_servers = vec![
            ice_server("stun:stun.example:3478", None),
            ice_server("turn:turn.example:3478?transport=udp", Some(("me", "pass"))),
        ];
    });
    let cast = Cast::at(relay).await;
    let ice = [
        "<stun:stun.example:3478>; rel=\"ice-server\"",
        "<turn:turn.example:3478?transport=udp>; rel=\"ice-server\"; username=\"me\"; \
         credential=\"pass\"; credential-type=\"password\"",
    ];
    let reply = cast.offer("whip", &cast.publish, of("obs-publisher")).await;
    let links: Vec<_> = reply.headers.get_all("link").iter().collect();
    assert_eq!(links, ice);
    let reply = cast.offer("whep", &cast.play, of("chromium-player")).await;
    let links: Vec<_> = reply.headers.get_all("link").iter().collect();
    let events = format!(
        "<{}/sse>; rel=\"urn:ietf:params:whep:ext:core:server-sent-events\"; \
         events=\"active,inactive,viewercount\"",
        reply.header("location")
    );
    assert_eq!(links, [ice[0], ice[1], &events]);
}

#[tokio::test]
async fn without_ice_servers_there_are_no_links_to_them() {
    let cast = Cast::new().await;
    let reply = cast.offer("whip", &cast.publish, of("obs-publisher")).await;
    assert_eq!(reply.header("link"), "");
}

#[tokio::test]
async fn what_may_be_asked_needs_no_token_and_tells_no_servers() {
    let relay = Relay::with(|site| {
        site.ice_servers = vec![ice_server("turn:turn.example", Some(("me", "secret")))];
    });
    let cast = Cast::at(relay).await;
    let session = cast.watch().await.location;
    let events = format!("{session}/sse");
    for path in [
        cast.endpoint("whep"),
        cast.endpoint("whip"),
        session,
        events,
    ] {
        let headers = [("origin", APP), ("access-control-request-method", "PATCH")];
        let reply = cast
            .relay
            .send(ask(Method::OPTIONS, &path, "", &headers, ""))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.header("accept-post"), SDP);
        assert_eq!(
            reply.header("accept-patch"),
            "application/trickle-ice-sdpfrag"
        );
        assert_eq!(reply.header("access-control-allow-origin"), APP);
        for method in ["POST", "PATCH", "DELETE"] {
            assert!(
                reply
                    .header("access-control-allow-methods")
                    .contains(method)
            );
        }
        for header in ["authorization", "content-type", "if-match"] {
            assert!(
                reply
                    .header("access-control-allow-headers")
                    .contains(header)
            );
        }
        assert_eq!(reply.header("link"), "");
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn scripts_of_allowed_origins_read_what_steers_their_session() {
    let cast = Cast::new().await;
    let post = |origin| {
        let headers = [("content-type", SDP), ("origin", origin)];
        let path = cast.endpoint("whep");
        cast.relay.send(ask(
            Method::POST,
            &path,
            &cast.play,
            &headers,
            of("chromium-player"),
        ))
    };
    let reply = post(APP).await;
    assert_eq!(reply.header("access-control-allow-origin"), APP);
    for header in ["location", "etag", "link"] {
        assert!(
            reply
                .header("access-control-expose-headers")
                .contains(header)
        );
    }
    let reply = post("https://evil.example").await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
    assert_eq!(reply.header("access-control-expose-headers"), "");
}

#[tokio::test]
async fn a_look_at_an_endpoint_says_what_it_takes() {
    let cast = Cast::new().await;
    for kind in ["whep", "whip"] {
        let path = cast.endpoint(kind);
        let reply = cast.relay.send(ask(Method::HEAD, &path, "", &[], "")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), SDP);
        assert!(reply.body.is_empty());
        let reply = cast.relay.get(&path, "").await;
        assert!(reply.status.is_success() && reply.body.is_empty());
        let reply = cast
            .relay
            .send(ask(Method::PUT, &path, &cast.publish, &[], ""))
            .await;
        assert_eq!(reply.problem(405), "unknown_message");
    }
    let reply = cast.relay.get("/nothing/whep", "").await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}

fn bridge(change: impl FnOnce(&mut Settings)) -> Arc<Bridge> {
    let mut settings = super::super::bridge_settings();
    change(&mut settings);
    Arc::new(Bridge::new(settings).unwrap())
}

/// Players and publishers are asked to come again, for this reason.
async fn nobody_is_taken(cast: &Cast, code: &str) {
    for (kind, token, offer) in [
        ("whep", &cast.play, of("chromium-player")),
        ("whip", &cast.publish, of("obs-publisher")),
    ] {
        let reply = cast.offer(kind, token, offer).await;
        assert_eq!(reply.problem(503), code);
        assert_eq!(reply.header("retry-after"), "5");
    }
}

#[tokio::test]
async fn a_full_relay_asks_to_come_again() {
    let change = |settings: &mut Settings| settings.sessions = 2;
    let cast = Cast::at(Relay::with(|site| site.bridge = bridge(change))).await;
    let first = cast.watch().await;
    cast.publish().await;
    nobody_is_taken(&cast, "too_many").await;
    cast.relay.delete(&first.location, &cast.play).await;
    cast.watch().await;
}

/// Opens a session for a player at this address.
async fn opened(cast: &Cast, address: &str) -> Opened {
    Opened::from(&cast.watch_from(address).await)
}

#[tokio::test]
async fn one_address_has_its_share_and_the_rest_is_for_others() {
    let cast = Cast::at(Relay::with(|site| {
        site.bridge = bridge(|settings| settings.per_address = 2);
        site.overflow = Some("https://second.example:444".parse().unwrap());
    }))
    .await;
    let first = opened(&cast, "198.51.100.1").await;
    opened(&cast, "::ffff:198.51.100.1").await;
    // Another relay is for when this one is full.
    let reply = cast.watch_from("198.51.100.1").await;
    assert_eq!(reply.problem(503), "too_many");
    opened(&cast, "198.51.100.2").await;
    cast.relay.delete(&first.location, &cast.play).await;
    opened(&cast, "198.51.100.1").await;
}

#[tokio::test]
async fn who_opens_sessions_and_never_connects_makes_way_for_others() {
    let settings = |settings: &mut Settings| settings.handshakes = 4;
    let cast = Cast::at(Relay::with(|site| site.bridge = bridge(settings))).await;
    let mut flood = Vec::new();
    for _ in 0..4 {
        flood.push(opened(&cast, "2001:db8::1").await);
    }
    // The same network's newcomers are not kept out either.
    flood.push(opened(&cast, "2001:db8::2").await);
    let guests = ["198.51.100.1", "203.0.113.2", "2001:db8:1::1"];
    let mut came = Vec::new();
    for guest in guests {
        came.push(opened(&cast, guest).await);
    }
    for (at, session) in flood.iter().enumerate() {
        let known = cast.relay.delete(&session.location, &cast.play).await;
        assert_eq!(known.status.is_success(), at == 4, "the oldest made way");
    }
    for session in came {
        let known = cast.relay.delete(&session.location, &cast.play).await;
        assert!(known.status.is_success(), "a guest stays");
    }
}

#[tokio::test]
async fn behind_a_path_of_a_proxy_sessions_are_named_with_it() {
    let public = |path: &str| Some(format!("https://relay.example{path}").parse().unwrap());
    let cast = Cast::at(Relay::with(|site| {
        site.public_url = public("/cast/");
        site.bridge = bridge(|settings| settings.sessions = 1);
        site.overflow = public("/second");
    }))
    .await;
    let reply = cast.offer("whep", &cast.play, of("chromium-player")).await;
    let location = reply.header("location").to_owned();
    let session = location.strip_prefix("/cast").unwrap();
    assert!(session.starts_with(&cast.endpoint("whep")), "{location}");
    let events = format!("<{location}/sse>;");
    let links: Vec<_> = reply.headers.get_all("link").iter().collect();
    let named = links
        .iter()
        .filter(|link| link.to_str().unwrap().starts_with(&events));
    assert_eq!(named.count(), 1, "{links:?}");
    // What it is without the path is what the relay is asked for.
    let full = cast.offer("whep", &cast.play, of("chromium-player")).await;
    let elsewhere = format!("https://relay.example/second{}", cast.endpoint("whep"));
    assert_eq!(full.header("location"), elsewhere);
    assert_eq!(cast.relay.delete(session, "").await.status, 200);
    let made = cast.relay.create("linked").await;
    for (page, link) in [("admin", "admin"), ("play", "player")] {
        let link = made["links"][link].as_str().unwrap();
        let wanted = format!("https://relay.example/cast/{page}#");
        assert!(link.starts_with(&wanted), "{link}");
    }
}

#[tokio::test]
async fn a_full_relay_sends_clients_to_another_where_there_is_one() {
    let cast = Cast::at(Relay::with(|site| {
        site.bridge = bridge(|settings| settings.sessions = 1);
        site.overflow = Some("https://second.example:444".parse().unwrap());
    }))
    .await;
    cast.watch().await;
    for (kind, token, offer) in [
        ("whep", &cast.play, of("chromium-player")),
        ("whip", &cast.publish, of("obs-publisher")),
    ] {
        let reply = cast.offer(kind, token, offer).await;
        assert_eq!(reply.status, StatusCode::TEMPORARY_REDIRECT);
        let there = format!("https://second.example:444/{}/{kind}", cast.id);
        assert_eq!(reply.header("location"), there);
    }
}

/// Where a client is sent.
fn sent_to(reply: &Reply) -> &str {
    assert_eq!(reply.status, StatusCode::TEMPORARY_REDIRECT);
    reply.header("location")
}

#[tokio::test]
async fn a_full_relay_sends_clients_to_one_of_its_cluster_once() {
    let cast = Cast::at(Relay::with(|site| {
        site.bridge = bridge(|settings| settings.sessions = 1);
        site.placement = Arc::new(Placement::at(&["https://b.example/cast"]));
    }))
    .await;
    cast.watch().await;
    let mut request = cast.request("whep", &cast.play, of("chromium-player"));
    let reply = cast.relay.send(request).await;
    let there = format!("https://b.example/cast{}?sent", cast.endpoint("whep"));
    assert_eq!(sent_to(&reply), there);
    // Two that are full do not send anybody back and forth.
    request = cast.request("whep", &cast.play, of("chromium-player"));
    *request.uri_mut() = format!("{}?sent", cast.endpoint("whep")).parse().unwrap();
    assert_eq!(cast.relay.send(request).await.problem(503), "too_many");
}

#[tokio::test]
async fn a_relay_that_leaves_takes_nobody_and_says_who_does() {
    let placement = Arc::new(Placement::at(&["https://b.example"]));
    let cast = Cast::at(Relay::with(|site| site.placement = placement.clone())).await;
    assert_eq!(cast.relay.get("/health", "").await.status, 200);
    let told = cast.relay.get("/api/relay", "").await.json();
    assert_eq!(told["relays"], json!([{ "url": "https://b.example" }]));
    placement.takes_nobody();
    for (kind, token, offer) in [
        ("whep", &cast.play, of("chromium-player")),
        ("whip", &cast.publish, of("obs-publisher")),
    ] {
        let reply = cast.offer(kind, token, offer).await;
        let there = format!("https://b.example{}?sent", cast.endpoint(kind));
        assert_eq!(sent_to(&reply), there);
    }
    for path in ["/health", "/ready"] {
        assert_eq!(cast.relay.get(path, "").await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn a_broadcast_has_room_for_so_many() {
    let settings = crate::broadcast::Settings {
        players_per_broadcast: 1,
        ..crate::broadcast::Settings::default()
    };
    let registry = Arc::new(crate::broadcast::Registry::new(settings));
    let cast = Cast::at(Relay::with(|site| site.registry = registry)).await;
    // Those who have not connected keep nobody out.
    cast.watch().await;
    cast.watch().await;
    let first = broadcast(&cast).attach_player().unwrap();
    let reply = cast.offer("whep", &cast.play, of("chromium-player")).await;
    assert_eq!(reply.problem(503), "too_many");
    assert_eq!(reply.header("retry-after"), "5");
    cast.publish().await;
    drop(first);
    cast.watch().await;
}

#[tokio::test]
async fn a_stopping_relay_takes_nobody() {
    let cast = Cast::new().await;
    cast.relay.site.draining.cancel();
    nobody_is_taken(&cast, "shutting_down").await;
}
