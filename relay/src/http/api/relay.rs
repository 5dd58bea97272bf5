//! The relay itself: what it speaks, and how it is.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;
use steadycast_codec_glue::wire::{MIN_VERSION, VERSION};
use utoipa::ToSchema;

use super::super::site::Site;

/// `GET /health`
pub(super) async fn health(State(site): State<Arc<Site>>) -> Response {
    if site.draining.is_cancelled() {
        let draining = Answer(json!({ "status": "draining" }));
        return (StatusCode::SERVICE_UNAVAILABLE, draining).into_response();
    }
    Answer(json!({ "status": "ok" })).into_response()
}

/// `GET /ready`
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    let status = match () {
        () if site.draining.is_cancelled() => "draining",
        () if !site.keeps() => "nothing can be kept",
        () if !site.has_good_certificate() => "the certificate is none that browsers take",
        () => return Answer(json!({ "status": "ready" })).into_response(),
    };
    let unready = Answer(json!({ "status": status }));
    (StatusCode::SERVICE_UNAVAILABLE, unready).into_response()
}

/// What a page needs to open a session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relay {
    /// Of the relay.
    version: &'static str,
    /// The newest version of the session protocol.
    protocol: u16,
    protocols: Versions,
    /// The path of WebTransport sessions.
    session: &'static str,
    /// SHA-256 of certificates that browsers are to be told, in Base64; none where they know it anyway.
    certificate_hashes: Vec<String>,
    /// The relay's clock, in microseconds since the Unix epoch.
    relay_us: u64,
}

/// All versions of the session protocol that are spoken.
#[derive(Serialize, ToSchema)]
struct Versions {
    min: u16,
    max: u16,
}

/// What a page needs to open a session.
#[utoipa::path(
    get,
    path = "/api/relay",
    tag = "relay",
    security(()),
    responses((status = 200, body = Relay))
)]
pub(super) async fn relay(State(site): State<Arc<Site>>) -> Answer<Relay> {
    let identity = site.identities.borrow().clone();
    let hash = identity.and_then(|identity| identity.hash());
    Answer(Relay {
        version: env!("CARGO_PKG_VERSION"),
        protocol: VERSION,
        protocols: Versions {
            min: MIN_VERSION,
            max: VERSION,
        },
        session: "/session",
        certificate_hashes: hash.iter().map(|hash| STANDARD.encode(hash)).collect(),
        relay_us: site.clock.now().as_micros(),
    })
}
