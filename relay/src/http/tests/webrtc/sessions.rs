//! What the owner of a session does with it, and nobody else.

use axum::http::{Method, StatusCode};
use steadycast_codec_glue::wire::Code;

use super::super::{ADMIN, request};
use super::Cast;

#[tokio::test]
async fn a_session_has_nothing_to_show() {
    let cast = Cast::new().await;
    for opened in [cast.watch().await, cast.publish().await] {
        let reply = cast.relay.get(&opened.location, "").await;
        assert_eq!(
            (reply.status, reply.body.len()),
            (StatusCode::NO_CONTENT, 0)
        );
        let reply = cast
            .relay
            .send(request(Method::HEAD, &opened.location, "", ""))
            .await;
        assert_eq!(
            (reply.status, reply.body.len()),
            (StatusCode::NO_CONTENT, 0)
        );
    }
}

#[tokio::test]
async fn a_session_is_ended_once() {
    let cast = Cast::new().await;
    for (opened, token) in [
        (cast.watch().await, &cast.play),
        (cast.publish().await, &cast.publish),
    ] {
        let reply = cast.relay.delete(&opened.location, token).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0));
        let reply = cast.relay.delete(&opened.location, token).await;
        assert_eq!(reply.problem(404), "unknown_broadcast");
        assert_eq!(
            cast.relay.get(&opened.location, "").await.problem(404),
            "unknown_broadcast"
        );
    }
    assert_eq!(cast.relay.site.bridge.sessions(), 0);
    let path = format!("/api/broadcasts/{}", cast.id);
    let one = cast.relay.get(&path, &cast.publish).await.json();
    assert_eq!(one["players"], 0, "its seat is free again");
}

/// Players of others show no token when they leave.
#[tokio::test]
async fn who_knows_a_session_s_url_ends_it() {
    let cast = Cast::new().await;
    for opened in [cast.watch().await, cast.publish().await] {
        let reply = cast.relay.delete(&opened.location, "").await;
        assert_eq!(reply.status, StatusCode::OK);
    }
    assert_eq!(cast.relay.site.bridge.sessions(), 0);
}

#[tokio::test]
async fn nobody_else_ends_a_session() {
    let cast = Cast::new().await;
    let other = cast.relay.create("other").await;
    let other = |key: &str| other[key].as_str().unwrap().to_owned();
    let (watching, publishing) = (cast.watch().await, cast.publish().await);
    for (opened, token, status) in [
        (&watching, "rubbish".to_owned(), 401),
        (&watching, ADMIN.to_owned(), 401),
        (&watching, cast.publish.clone(), 403),
        (&watching, other("playToken"), 403),
        (&watching, other("publishToken"), 403),
        (&publishing, cast.play.clone(), 403),
        (&publishing, other("publishToken"), 403),
    ] {
        let reply = cast.relay.delete(&opened.location, &token).await;
        assert_eq!(reply.problem(status), "unauthorized", "{token}");
    }
    for opened in [&watching, &publishing] {
        assert_eq!(
            cast.relay.get(&opened.location, "").await.status,
            StatusCode::NO_CONTENT
        );
    }
}

#[tokio::test]
async fn a_session_is_found_at_its_own_url_alone() {
    let cast = Cast::new().await;
    let (watching, publishing) = (cast.watch().await, cast.publish().await);
    let elsewhere = |location: &str, from: &str, to: &str| location.replace(from, to);
    for (path, token) in [
        (elsewhere(&watching.location, "whep", "whip"), &cast.publish),
        (elsewhere(&publishing.location, "whip", "whep"), &cast.play),
    ] {
        assert_eq!(
            cast.relay.delete(&path, token).await.problem(404),
            "unknown_broadcast"
        );
    }
    let other = cast.relay.create("other").await;
    let (id, play) = (
        other["id"].as_str().unwrap(),
        other["playToken"].as_str().unwrap(),
    );
    let path = watching.location.replace(&cast.id, id);
    assert_eq!(
        cast.relay.delete(&path, play).await.problem(404),
        "unknown_broadcast"
    );
    assert_eq!(
        cast.relay.get(&path, "").await.problem(404),
        "unknown_broadcast"
    );
    for guess in ["x", "%00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let path = format!("{}/{guess}", cast.endpoint("whep"));
        let reply = cast.relay.delete(&path, &cast.play).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{guess}");
    }
    assert_eq!(cast.relay.site.bridge.sessions(), 2);
}

#[tokio::test]
async fn a_session_goes_with_its_broadcast() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    assert!(
        cast.relay
            .site
            .end(&cast.id.parse().unwrap(), Code::BroadcastEnded)
            .await
            .unwrap()
    );
    cast.relay.site.bridge.tick();
    let reply = cast.relay.delete(&opened.location, &cast.play).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
    assert_eq!(cast.relay.site.bridge.sessions(), 0);
}
