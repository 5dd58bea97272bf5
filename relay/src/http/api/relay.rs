//! The relay itself: what it speaks, and how it is.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{MIN_VERSION, VERSION};
use utoipa::{IntoParams, ToSchema};

use super::super::body::Query;
use super::super::site::{Missing, Site};
use crate::broadcast::BroadcastId;

/// How the relay is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    status: Word,
    /// What it lacks of what it should have: it serves what it knows all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

/// How it is, in a word or some.
#[derive(Clone, Copy, Serialize, ToSchema)]
enum Word {
    /// It serves.
    #[serde(rename = "ok")]
    Ok,
    /// It takes things on.
    #[serde(rename = "ready")]
    Ready,
    /// It stops.
    #[serde(rename = "draining")]
    Draining,
    /// Broadcasts and links cannot be written to disk.
    #[serde(rename = "nothing can be kept")]
    CannotKeep,
    /// It has not heard yet from other relays which broadcasts there are.
    #[serde(rename = "joining")]
    Joining,
    /// There is no certificate, or none whose time is now.
    #[serde(rename = "no good certificate")]
    NoCertificate,
}

impl Health {
    fn good(status: Word) -> (StatusCode, Answer<Self>) {
        let missing = Vec::new();
        (StatusCode::OK, Answer(Self { status, missing }))
    }

    fn bad(status: Word) -> (StatusCode, Answer<Self>) {
        let missing = Vec::new();
        let health = Self { status, missing };
        (StatusCode::SERVICE_UNAVAILABLE, Answer(health))
    }
}

/// Whether the relay runs.
#[utoipa::path(
    get,
    path = "/health",
    tag = "relay",
    security(()),
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It is stopping", body = Health)
    )
)]
pub(super) async fn health(State(site): State<Arc<Site>>) -> (StatusCode, Answer<Health>) {
    match site.stops() {
        true => Health::bad(Word::Draining),
        false => Health::good(Word::Ok),
    }
}

/// Whether the relay takes things on, and can keep them.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "relay",
    security(()),
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It is stopping, cannot write its state, has no certificate whose time is now, or has not heard from other relays yet which broadcasts there are", body = Health)
    )
)]
pub(super) async fn ready(State(site): State<Arc<Site>>) -> (StatusCode, Answer<Health>) {
    let (status, Answer(mut health)) = match () {
        () if site.stops() => Health::bad(Word::Draining),
        () if !site.keeps() => Health::bad(Word::CannotKeep),
        () if !site.has_good_certificate() => Health::bad(Word::NoCertificate),
        () if !site.has_begun() => Health::bad(Word::Joining),
        () => Health::good(Word::Ready),
    };
    health.missing = site.missing();
    (status, Answer(health))
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
    /// When it started, by that clock.
    started_us: u64,
    /// Others that take sessions for the same broadcasts, a handful, in the order in which they are to be tried. Where it was
    /// said for which broadcast, they are those at which all are to be that watch it; else those that have least to do
    /// are told most often, and first.
    relays: Vec<OtherRelay>,
    /// What it lacks of what it should have: it serves what it knows all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

/// Another relay.
#[derive(Serialize, ToSchema)]
struct OtherRelay {
    /// Where its pages are.
    url: String,
}

/// All versions of the session protocol that are spoken.
#[derive(Serialize, ToSchema)]
struct Versions {
    min: u16,
    max: u16,
}

/// For which broadcast somebody asks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct For {
    /// The broadcast that `relays` are to be for.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^[a-z0-9-]{1,64}$")]
    broadcast: Option<BroadcastId>,
}

/// What a page needs to open a session.
#[utoipa::path(
    get,
    path = "/api/relay",
    tag = "relay",
    security(()),
    params(For),
    responses((status = 200, body = Relay))
)]
pub(super) async fn relay(
    State(site): State<Arc<Site>>,
    Query(asked): Query<For>,
) -> Answer<Relay> {
    let relays = match &asked.broadcast {
        Some(broadcast) => site.placement.draw_for(broadcast),
        None => site.placement.draw(),
    };
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
        started_us: site.clock.started().as_micros(),
        relays: relays.into_iter().map(|url| OtherRelay { url }).collect(),
        missing: site.missing(),
    })
}
