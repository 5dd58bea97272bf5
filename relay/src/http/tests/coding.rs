//! Texts that come with gzip, and those that never do.

use std::io::Read as _;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use flate2::read::GzDecoder;
use tower::ServiceExt;

use super::super::api::DOCUMENT;
use super::{ADMIN, Relay, Reply, ask};
use crate::metrics::{Sources, router};

const ACCEPTS: (&str, &str) = ("accept-encoding", "gzip, deflate, br");

/// What is in an answer with gzip.
fn unzipped(reply: &Reply) -> String {
    assert_eq!(reply.header("content-encoding"), "gzip");
    let mut text = String::new();
    GzDecoder::new(&reply.body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert!(reply.body.len() * 3 < text.len(), "{}", reply.body.len());
    text
}

fn varies(reply: &Reply) -> bool {
    let mut vary = reply.headers.get_all("vary").iter();
    vary.any(|vary| vary == "accept-encoding")
}

#[tokio::test]
async fn the_document_comes_compressed_to_who_takes_it_so() {
    let relay = Relay::new();
    let path = "/api/openapi.json";
    let zipped = relay
        .unread(ask(Method::GET, path, "", &[ACCEPTS], ""))
        .await;
    assert_eq!(unzipped(&zipped), *DOCUMENT);
    assert_eq!(zipped.header("content-type"), "application/json");
    let refused = [("accept-encoding", "gzip;q=0, br")];
    for headers in [&[][..], &refused] {
        let plain = relay.send(ask(Method::GET, path, "", headers, "")).await;
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.text(), *DOCUMENT);
        assert!(varies(&zipped) && varies(&plain));
    }
}

#[tokio::test]
async fn figures_come_compressed_to_who_takes_them_so() {
    let site = Relay::new().site;
    let router = router(Sources {
        records: site.records.clone(),
        broadcasts: site.registry.clone(),
        gate: site.gate.clone(),
        identities: site.identities.clone(),
        directory: site.directory.clone(),
        ledger: site.ledger.clone(),
        shards: Vec::new(),
    });
    let figures = async |headers: &[(&str, &str)]| {
        let request: Request<Body> = ask(Method::GET, "/metrics", "", headers, "");
        let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body: to_bytes(body, 1 << 20).await.unwrap(),
        }
    };
    let (zipped, plain) = (figures(&[ACCEPTS]).await, figures(&[]).await);
    assert!(unzipped(&zipped).contains("# TYPE steadycast_"));
    assert!(plain.text().contains("# TYPE steadycast_"));
    for reply in [zipped, plain] {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(reply.header("content-type"), kind);
        assert!(varies(&reply));
    }
}

/// Its length would tell of the token.
#[tokio::test]
async fn nothing_with_a_token_in_it_comes_compressed() {
    let relay = Relay::new();
    let wish = r#"{"broadcast": "*", "roles": ["play"]}"#;
    for (method, path, body) in [
        (Method::POST, "/api/broadcasts", "{}"),
        (Method::GET, "/api/broadcasts", ""),
        (Method::POST, "/api/tokens", wish),
    ] {
        let headers = [ACCEPTS, ("content-type", "application/json")];
        let reply = relay.send(ask(method, path, ADMIN, &headers, body)).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
        assert_eq!(reply.header("content-encoding"), "", "{path}");
        assert!(reply.text().contains("ey"), "{path}: {}", reply.text());
    }
}
