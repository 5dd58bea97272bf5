//! Sessions that go on: listed, ended.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::Json;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::site::Site;
use super::{found, permitted};
use crate::auth::{Action, Power, Revocation};
use crate::broadcast::BroadcastId;
use crate::records::{Over, Seen};

/// A session that goes on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct Shown {
    /// Its number.
    session: u64,
    /// Where it is.
    #[schema(value_type = String)]
    broadcast: BroadcastId,
    /// What it is there.
    role: Power,
    /// `webtransport`, `webrtc` or `websocket`.
    transport: &'static str,
    /// What carries it, of a `webrtc` session whose client has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<Over>,
    /// Since when, in microseconds on the relay's clock.
    since_us: u64,
    /// Where it comes from.
    #[schema(value_type = String)]
    address: std::net::IpAddr,
    /// Whom its token is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    subject: Option<Box<str>>,
    /// What others see of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<Box<str>>,
    /// The id of its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token_id: Option<Box<str>>,
    /// Frames that it was given, or has brought.
    frames: u64,
    /// Bytes of them.
    bytes: u64,
    /// How often it was skipped to a newer keyframe.
    skips: u64,
    /// Its path's round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    /// What its path carries, where that is known and less than enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    carries_kbps: Option<u32>,
    /// How old its pictures were when they were shown: half of them were no older.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p50_ms: Option<u64>,
    /// The same of 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p95_ms: Option<u64>,
}

impl From<Seen> for Shown {
    fn from(seen: Seen) -> Self {
        let Seen {
            standing,
            over,
            figures,
            latencies,
        } = seen;
        let holder = standing.grant.holder.clone();
        let tenths = |rtt: Duration| (rtt.as_secs_f64() * 10_000.0).round() / 10.0;
        Self {
            session: standing.visit.number,
            broadcast: standing.broadcast,
            role: standing.role.into(),
            transport: standing.visit.transport.name(),
            over,
            since_us: standing.visit.since.as_micros(),
            address: standing.visit.from,
            subject: holder.subject,
            name: holder.name,
            token_id: holder.token,
            frames: figures.given.frames,
            bytes: figures.given.bytes,
            skips: figures.given.skips,
            rtt_ms: figures.reception.rtt.map(tenths),
            carries_kbps: figures.reception.carries_kbps,
            latency_p50_ms: latencies.percentile(50),
            latency_p95_ms: latencies.percentile(95),
        }
    }
}

/// The sessions at a broadcast.
#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    /// By number.
    sessions: Vec<Shown>,
}

/// Lists the sessions at a broadcast.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    get,
    path = "/api/broadcasts/{id}/sessions",
    tag = "sessions",
    params(("id" = String, Path, description = "The broadcast's id")),
    responses((status = 200, body = Sessions))
)]
pub(super) async fn sessions(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Sessions>, Problem> {
    let broadcast = found(&site, &caller, &id, Action::Publish).await?;
    let sessions = site.records.at(broadcast.id()).into_iter().map(Shown::from);
    Ok(Answer(Sessions {
        sessions: sessions.collect(),
    }))
}

/// How a session ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Kick {
    /// Whether its token is good for nothing from now on.
    #[serde(default)]
    revoke: bool,
}

/// Ends a session.
///
/// Who may: an admin, and the broadcast's publisher.
#[utoipa::path(
    delete,
    path = "/api/broadcasts/{id}/sessions/{session}",
    tag = "sessions",
    params(
        ("id" = String, Path, description = "The broadcast's id"),
        ("session" = u64, Path, description = "The session's number")
    ),
    request_body = Kick,
    responses((status = 204, description = "It ends"))
)]
pub(super) async fn kick(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path((id, session)): Path<(String, String)>,
    Json(kick): Json<Kick>,
) -> Result<StatusCode, Problem> {
    let id = permitted(&site, &caller, &id, Action::Publish).await?;
    let standing = session
        .parse()
        .ok()
        .and_then(|number| site.records.get(number))
        .map(|seen| seen.standing)
        .filter(|standing| standing.broadcast == id)
        .ok_or_else(Problem::unknown_session)?;
    if kick.revoke {
        // Who has power over a broadcast has none over what others may do elsewhere.
        let elsewhere = standing.grant.broadcasts.one() != Some(&id)
            || standing.grant.powers.have(Power::Admin);
        if elsewhere && !caller.is_admin() {
            let detail = "its token is for more than this broadcast: this takes the admin key";
            return Err(Problem::forbidden(detail));
        }
        let holder = &standing.grant.holder;
        let (Some(token), Some(until)) = (holder.token.clone(), standing.grant.expires) else {
            let detail = "its token has no id: end all links of its kind instead";
            return Err(Problem::malformed(detail));
        };
        site.revoke(Revocation::Token { id: token, until }).await?;
    }
    site.gate.kick(standing.visit.number);
    Ok(StatusCode::NO_CONTENT)
}
