//! The viewers of a broadcast as a whole, and those of them that have trouble.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::site::Site;
use super::found;
use crate::auth::Action;
use crate::delivery::Reception;
use crate::records::{Fares, Latency, Troubled, Viewers};

/// How many of those that have trouble are named.
const NAMED: usize = 20;

/// The viewers of a broadcast.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Viewers)]
pub(super) struct Shown {
    /// All of them.
    count: u32,
    by_transport: ByTransport,
    by_state: ByState,
    /// How late pictures are shown; missing where nobody has said so in the last ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Late>,
    /// Those that do not see the picture as it is, those with most trouble first; 20 at most.
    troubled: Vec<One>,
}

/// How many viewers there are over each.
#[derive(Serialize, ToSchema)]
#[schema(as = ViewersByTransport)]
struct ByTransport {
    /// Over WebTransport.
    webtransport: u32,
    /// Over WebRTC.
    webrtc: u32,
    /// Over WebSocket.
    websocket: u32,
}

/// How many viewers there are in each state.
#[derive(Serialize, ToSchema)]
#[schema(as = ViewersByState)]
struct ByState {
    /// They see what is shared as it is.
    live: u32,
    /// Their pictures come late, or some were left out, or nothing becomes of them.
    behind: u32,
    /// They have a lighter version, which their paths carry.
    light: u32,
    /// Their pages are hidden.
    away: u32,
    /// They have no picture yet, or none that they can show.
    waiting: u32,
}

/// How late pictures are shown, from their capture on, to those who say so.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ViewersLatency)]
struct Late {
    /// Half of the viewers' last ten seconds were no later.
    p50_ms: u64,
    /// The same of 95 of 100 of these seconds.
    p95_ms: u64,
    /// How many viewers say so.
    viewers: u32,
}

/// How a viewer fares.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ViewerState {
    Behind,
    Light,
    Waiting,
    Away,
    Live,
}

/// A viewer that does not see the picture as it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Viewer)]
struct One {
    /// Its session's number.
    session: u64,
    /// What others see of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<Box<str>>,
    /// `webtransport`, `webrtc` or `websocket`.
    transport: &'static str,
    /// How it fares.
    state: ViewerState,
    /// Since when it does, in microseconds on the relay's clock.
    state_since_us: u64,
    /// Frames were left out of late because it could not keep up.
    skips: bool,
    /// Pictures come to it that its page makes nothing of.
    undecoded: bool,
    /// How late its newest pictures were shown, where it has said so in the last ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    /// Its path's round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<u64>,
    /// What its path carries, where that is known and less than enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    carries_kbps: Option<u32>,
}

impl From<Viewers> for Shown {
    fn from(viewers: Viewers) -> Self {
        let [webtransport, webrtc, websocket] = viewers.transports;
        let [behind, light, waiting, away, live] = viewers.fares;
        Self {
            count: viewers.count(),
            by_transport: ByTransport {
                webtransport,
                webrtc,
                websocket,
            },
            by_state: ByState {
                live,
                behind,
                light,
                away,
                waiting,
            },
            latency: viewers.latency.map(Late::from),
            troubled: viewers.troubled.into_iter().map(One::from).collect(),
        }
    }
}

impl From<Latency> for Late {
    fn from(Latency { p50, p95, viewers }: Latency) -> Self {
        Self {
            p50_ms: whole(p50),
            p95_ms: whole(p95),
            viewers,
        }
    }
}

impl From<Troubled> for One {
    fn from(troubled: Troubled) -> Self {
        let Troubled {
            standing,
            fares,
            since,
            reception,
            latency,
            undecoded,
        } = troubled;
        let Reception {
            skips,
            carries_kbps,
            rtt,
            ..
        } = reception;
        Self {
            session: standing.visit.number,
            name: standing.grant.holder.name.clone(),
            transport: standing.visit.transport.name(),
            state: fares.into(),
            state_since_us: since.as_micros(),
            skips,
            undecoded,
            latency_ms: latency.map(whole),
            rtt_ms: rtt.map(whole),
            carries_kbps,
        }
    }
}

impl From<Fares> for ViewerState {
    fn from(fares: Fares) -> Self {
        match fares {
            Fares::Behind => Self::Behind,
            Fares::Light => Self::Light,
            Fares::Waiting => Self::Waiting,
            Fares::Away => Self::Away,
            Fares::Live => Self::Live,
        }
    }
}

/// In whole milliseconds, rounded up.
fn whole(time: Duration) -> u64 {
    (time.as_secs_f64() * 1_000.0).ceil() as u64
}

/// Says how the viewers of a broadcast fare, as a whole.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    get,
    path = "/api/broadcasts/{id}/viewers",
    tag = "sessions",
    params(("id" = String, Path, description = "The broadcast's id")),
    responses((status = 200, body = Shown))
)]
pub(super) async fn viewers(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Shown>, Problem> {
    let broadcast = found(&site, &caller, &id, Action::Publish).await?;
    let viewers = site.records.viewers(broadcast.id(), NAMED);
    Ok(Answer(viewers.into()))
}
