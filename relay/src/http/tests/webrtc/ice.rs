//! PATCH: candidates, and restarts of ICE (RFC 9725, 4.3).

use axum::http::{Method, StatusCode};

use super::super::Reply;
use super::{Cast, Opened, ask};

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// As the client of the fixtures is known.
const CANDIDATE: &str = "a=ice-ufrag:Vk3q\r\na=ice-pwd:kMwGmGgTm5nHnbBsVvtZ3uVb\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n\
    a=candidate:1 1 udp 2122260223 198.51.100.7 50001 typ host\r\n";
const RESTART: &str = "a=ice-ufrag:new1\r\na=ice-pwd:anotherPasswordOfTheClient\r\n";

async fn patch(cast: &Cast, opened: &Opened, headers: &[(&str, &str)], body: &str) -> Reply {
    let request = ask(
        Method::PATCH,
        &opened.location,
        &cast.play,
        headers,
        body.to_owned(),
    );
    cast.relay.send(request).await
}

async fn matching(cast: &Cast, opened: &Opened, tag: &str, body: &str) -> Reply {
    patch(
        cast,
        opened,
        &[("content-type", FRAGMENT), ("if-match", tag)],
        body,
    )
    .await
}

#[tokio::test]
async fn candidates_are_taken_and_change_nothing() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let bare = "a=mid:0\r\na=candidate:1 1 udp 2122260223 198.51.100.7 50001 typ host\r\n";
    let unusable = "a=mid:0\r\na=candidate:1 1 tcp 1 nowhere.local 9 typ host\r\n";
    let last = "a=mid:0\r\na=end-of-candidates\r\n";
    for body in [CANDIDATE, bare, unusable, last, ""] {
        let reply = matching(&cast, &opened, &opened.etag, body).await;
        assert_eq!(
            (reply.status, reply.body.len()),
            (StatusCode::NO_CONTENT, 0),
            "{body}"
        );
        assert_eq!(reply.header("etag"), "");
    }
    // Nothing is restarted by what is known, or by nothing.
    for body in [CANDIDATE, bare, ""] {
        let reply = matching(&cast, &opened, "*", body).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{body}");
    }
}

#[tokio::test]
async fn a_patch_says_which_ice_session_it_is_about() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let reply = patch(&cast, &opened, &[("content-type", FRAGMENT)], CANDIDATE).await;
    assert_eq!(reply.problem(428), "malformed");
    let weak = format!("W/{}", opened.etag);
    for stale in ["\"stale\"", "", &weak, opened.etag.trim_matches('"')] {
        let reply = matching(&cast, &opened, stale, CANDIDATE).await;
        assert_eq!(reply.problem(412), "malformed", "{stale}");
    }
    // One of a list is enough (RFC 9110, 13.1.1).
    let listed = format!("\"stale\", {}", opened.etag);
    let reply = matching(&cast, &opened, &listed, CANDIDATE).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    let reply = matching(&cast, &opened, "\"stale\", \"staler\"", CANDIDATE).await;
    assert_eq!(reply.problem(412), "malformed");
}

#[tokio::test]
async fn a_patch_is_a_fragment_of_sdp() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    for kind in ["application/sdp", "text/plain"] {
        let headers = [("content-type", kind), ("if-match", &*opened.etag)];
        let reply = patch(&cast, &opened, &headers, CANDIDATE).await;
        assert_eq!(reply.problem(415), "malformed");
    }
    let many = "a=x:y\r\n".repeat(1_000);
    let long = format!("a=ice-ufrag:{}\r\na=ice-pwd:x\r\n", "x".repeat(300));
    let half = "a=ice-ufrag:new1\r\n";
    for body in ["rubbish", "=", "ab=c", half, &many, &long] {
        let reply = matching(&cast, &opened, &opened.etag, body).await;
        assert_eq!(reply.problem(400), "malformed", "{body}");
    }
    let reply = matching(&cast, &opened, &opened.etag, &"a=x:y".repeat(20_000)).await;
    assert_eq!(reply.problem(413), "too_large");
    // Whatever was refused, the session goes on.
    let reply = matching(&cast, &opened, &opened.etag, CANDIDATE).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_restart_gives_new_credentials_and_a_new_tag() {
    let cast = Cast::new().await;
    let mut opened = cast.watch().await;
    for (number, tag) in [(1, "*"), (2, "\"*\""), (3, "*")] {
        let body = RESTART.replace("new1", &format!("new{number}"));
        let reply = matching(&cast, &opened, tag, &body).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), FRAGMENT);
        let fresh = reply.header("etag").to_owned();
        assert_ne!(fresh, opened.etag);
        let lines: Vec<_> = reply.text().split_terminator("\r\n").collect();
        for (begin, expected) in [
            ("a=ice-lite", 1),
            ("a=ice-ufrag:", 1),
            ("a=ice-pwd:", 1),
            // Over UDP and over TCP.
            ("a=candidate:", 2),
        ] {
            let count = lines.iter().filter(|line| line.starts_with(begin)).count();
            assert_eq!(count, expected, "{begin} in {lines:?}");
        }
        let stale = matching(&cast, &opened, &opened.etag, CANDIDATE).await;
        assert_eq!(stale.problem(412), "malformed");
        opened.etag = fresh;
        let reply = matching(&cast, &opened, &opened.etag, "a=mid:0\r\n").await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
    }
    let reply = cast.relay.delete(&opened.location, &cast.play).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(cast.relay.site.bridge.sessions(), 0);
}

#[tokio::test]
async fn who_knows_a_session_s_url_patches_and_nobody_with_a_wrong_token() {
    let cast = Cast::new().await;
    let opened = cast.watch().await;
    let headers = [("content-type", FRAGMENT), ("if-match", "*")];
    for (token, status) in [("rubbish", 401), (&*cast.publish, 403)] {
        let request = ask(Method::PATCH, &opened.location, token, &headers, RESTART);
        assert_eq!(
            cast.relay.send(request).await.problem(status),
            "unauthorized"
        );
    }
    let request = ask(Method::PATCH, &opened.location, "", &headers, CANDIDATE);
    assert_eq!(
        cast.relay.send(request).await.status,
        StatusCode::NO_CONTENT
    );
    cast.relay.delete(&opened.location, &cast.play).await;
    let reply = matching(&cast, &opened, &opened.etag, CANDIDATE).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}
