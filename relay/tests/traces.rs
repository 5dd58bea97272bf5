//! What a collector of traces learns, from a real process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rustix::process::{Pid, Signal, kill_process};
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

/// A relay that ends with the test.
struct Relay {
    process: Child,
    url: String,
    state: PathBuf,
}

impl Relay {
    fn start(flags: &[String]) -> Self {
        let state = std::env::temp_dir().join(format!("steadycast-traces-{}", std::process::id()));
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args([
                "serve",
                "--dev",
                "--server-listen",
                "127.0.0.1:0",
                "--server-state-dir",
            ])
            .arg(&state)
            .args(flags)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut links = BufReader::new(process.stdout.take().unwrap()).lines();
        let link = links.find_map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("http://")?;
            Some(rest.split('/').next().unwrap().to_owned())
        });
        // It must not be held up by what nobody reads.
        std::thread::spawn(move || links.for_each(drop));
        Self {
            process,
            url: format!("http://{}", link.unwrap()),
            state,
        }
    }

    async fn get(&self, path: &str) -> u16 {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url));
        status(request).await
    }

    /// Watches the first broadcast over WHEP.
    async fn watch(&self) -> u16 {
        let offer = include_str!("offers/chromium-player.sdp");
        let request = reqwest::Client::new().post(format!("{}/main/whep", self.url));
        status(
            request
                .header("content-type", "application/sdp")
                .body(offer),
        )
        .await
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.state);
    }
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
    let mut relay = Relay::start(&flags);
    assert_eq!(
        relay.get("/api/broadcasts/main?token=another-secret").await,
        200
    );
    assert_eq!(relay.get("/api/nothing").await, 404);
    assert_eq!(relay.watch().await, 201);
    // What has not been brought yet is brought at the end.
    kill_process(Pid::from_child(&relay.process), Signal::TERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || (relay.process.wait().unwrap(), relay));
    assert!(ended.await.unwrap().0.success());

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
    let is_of_request = |span: &&Span| span.parent_span_id == request.span_id;
    let asking = spans.iter().find(is_of_request).unwrap();
    assert_eq!(asking.name, "authority");
    let parent = others.asked.try_recv().unwrap();
    let (trace, span) = (text(&asking.trace_id), text(&asking.span_id));
    assert_eq!(parent, format!("00-{trace}-{span}-01"));
}
