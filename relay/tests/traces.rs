//! What a collector of traces learns, from a real process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use process::Relay;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What others of the relay's are asked: an authority that lets everybody in, and the collector.
struct Others {
    url: String,
    spans: UnboundedReceiver<Span>,
    /// Which trace the authority was told of.
    asked: UnboundedReceiver<String>,
}

#[derive(Clone)]
struct Told {
    spans: UnboundedSender<Span>,
    asked: UnboundedSender<String>,
}

async fn collect(State(told): State<Told>, body: Bytes) {
    let batch = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = batch.resource_spans.into_iter().flat_map(|r| r.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        told.spans.send(span).unwrap();
    }
}

async fn allow(State(told): State<Told>, headers: HeaderMap) {
    let parent = headers["traceparent"].to_str().unwrap();
    told.asked.send(parent.to_owned()).unwrap();
}

impl Others {
    async fn start() -> Self {
        let ((spans, collected), (asked, parents)) = (unbounded_channel(), unbounded_channel());
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .route("/auth", post(allow))
            .with_state(Told { spans, asked });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            spans: collected,
            asked: parents,
        }
    }
}

async fn get(relay: &Relay, path: &str) -> u16 {
    let url = format!("http://{}{path}", relay.address);
    status(reqwest::Client::new().get(url)).await
}

/// Watches the first broadcast over WHEP.
async fn watch(relay: &Relay) -> u16 {
    let offer = include_str!("offers/chromium-player.sdp");
    let url = format!("http://{}/main/whep", relay.address);
    let request = reqwest::Client::new().post(url).body(offer);
    status(request.header("content-type", "application/sdp")).await
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    let answer = request.bearer_auth("a-secret-of-the-caller").send();
    answer.await.unwrap().status().as_u16()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> String {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key == key);
    format!("{:?}", found.unwrap().value)
}

#[tokio::test]
async fn a_collector_learns_of_requests_and_of_what_they_ask_others_and_of_no_secret() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut others = Others::start().await;
    let flags = [
        format!("--log-traces={}", others.url),
        format!("--auth-hook={}/auth", others.url),
    ];
    let relay = Relay::start_with(&flags.each_ref().map(String::as_str));
    assert_eq!(
        get(&relay, "/api/broadcasts/main?token=another-secret").await,
        200
    );
    assert_eq!(get(&relay, "/api/nothing").await, 404);
    assert_eq!(watch(&relay).await, 201);
    // What has not been brought yet is brought at the end.
    let ended = tokio::task::spawn_blocking(move || relay.stop());
    assert!(ended.await.unwrap().success());

    let mut spans = Vec::new();
    while let Ok(span) = others.spans.try_recv() {
        assert!(!format!("{span:?}").contains("secret"), "{span:?}");
        spans.push(span);
    }
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let status = "http.response.status_code";
    let request = find("GET /api/broadcasts/main");
    assert!(attribute(request, status).contains("200"));
    assert!(attribute(find("GET /api/nothing"), status).contains("404"));
    let session = find("play over webrtc");
    assert!(attribute(session, "steadycast.broadcast").contains("main"));
    assert!(attribute(session, "steadycast.end").contains("shutting_down"));
    // Everything at a broadcast is in one trace, which follows from its id:
    // printf 'steadycast broadcast main' | sha256sum
    assert_eq!(text(&session.trace_id), "adb0716cf3afaeb8964e98ef7d495c27");
    let is_of_request = |span: &&Span| span.parent_span_id == request.span_id;
    let asking = spans.iter().find(is_of_request).unwrap();
    assert_eq!(asking.name, "authority");
    let parent = others.asked.try_recv().unwrap();
    let (trace, span) = (text(&asking.trace_id), text(&asking.span_id));
    assert_eq!(parent, format!("00-{trace}-{span}-01"));
}
