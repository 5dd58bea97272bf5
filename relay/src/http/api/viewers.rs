//! The viewers of a broadcast as a whole, and those of them that have trouble.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::site::Site;
use super::everywhere::{Part, Partial, Shift, gather, whom};
use super::known;
use crate::auth::{Action, Transport};
use crate::broadcast::BroadcastId;
use crate::delivery::Reception;
use crate::directory::RelayId;
use crate::peers::Question;
use crate::records::{Fares, Latency, Lateness, Troubled, Viewers};

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
    /// Relays that have not said who watches there, and may have some. Missing where all have, as a relay by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    incomplete: Vec<RelayId>,
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

/// How a viewer fares; those with most trouble first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ViewerState {
    Behind,
    Light,
    Waiting,
    Away,
    Live,
}

/// A viewer that does not see the picture as it is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Viewer)]
pub(super) struct One {
    /// Its session's number.
    session: u64,
    /// The relay that it is at, where there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    relay: Option<RelayId>,
    /// What others see of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<Box<str>>,
    /// `webtransport`, `webrtc` or `websocket`.
    #[schema(value_type = String)]
    transport: Box<str>,
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

/// Asks how the viewers of a broadcast fare at a relay.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CountViewers {
    broadcast: BroadcastId,
}

/// How the viewers at a relay fare.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counted {
    /// Over each transport, as [`Transport::ALL`] has it.
    transports: [u32; Transport::ALL.len()],
    /// By how they fare, as [`Fares::ALL`] has it.
    fares: [u32; Fares::ALL.len()],
    lateness: Lateness,
    /// By trouble and number.
    troubled: Vec<One>,
}

impl Question for CountViewers {
    const NAME: &'static str = "viewers";
    type Answer = Option<Part<Counted>>;
}

impl Partial for CountViewers {
    type Of = Counted;

    fn own(&self, site: &Site) -> Option<Counted> {
        site.registry.find(&self.broadcast)?;
        Some(site.records.viewers(&self.broadcast, NAMED).into())
    }

    fn broadcast(&self) -> &BroadcastId {
        &self.broadcast
    }

    fn said_by(of: &mut Counted, relay: &RelayId, shift: Shift) {
        for one in &mut of.troubled {
            one.relay = Some(relay.clone());
            shift.apply(&mut one.state_since_us);
        }
    }
}

impl From<Viewers> for Counted {
    fn from(viewers: Viewers) -> Self {
        Self {
            transports: viewers.transports,
            fares: viewers.fares,
            lateness: viewers.lateness,
            troubled: viewers.troubled.into_iter().map(One::from).collect(),
        }
    }
}

impl Counted {
    /// Together with those at another relay.
    fn and(mut self, other: Self) -> Self {
        let add = |counts: &mut [u32], others: &[u32]| {
            for (count, other) in counts.iter_mut().zip(others) {
                *count = count.saturating_add(*other);
            }
        };
        add(&mut self.transports, &other.transports);
        add(&mut self.fares, &other.fares);
        self.lateness.add(&other.lateness);
        self.troubled.extend(other.troubled);
        self.troubled.sort_by_key(|one| (one.state, one.session));
        self.troubled.truncate(NAMED);
        self
    }

    fn shown(self, incomplete: Vec<RelayId>) -> Shown {
        let [webtransport, webrtc, websocket] = self.transports;
        let [behind, light, waiting, away, live] = self.fares;
        Shown {
            count: self
                .fares
                .iter()
                .fold(0, |all, some| all.saturating_add(*some)),
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
            latency: self.lateness.latency().map(Late::from),
            troubled: self.troubled,
            incomplete,
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
            relay: None,
            name: standing.grant.holder.name.clone(),
            transport: standing.visit.transport.name().into(),
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
    let broadcast = known(&site, &caller, &id, Action::Publish).await?;
    let question = CountViewers { broadcast };
    let gathered = gather(&site, &whom(&caller), &question).await;
    let counted = gathered.answers.into_iter().map(|(_, counted)| counted);
    let all = counted.fold(Counted::default(), Counted::and);
    Ok(Answer(all.shown(gathered.silent)))
}
