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
use super::everywhere::{Part, Partial, Shift, ask, gather, part, whom};
use super::{known, permitted};
use crate::auth::{Action, Power, Revocation};
use crate::broadcast::BroadcastId;
use crate::directory::RelayId;
use crate::peers::Question;
use crate::records::{Over, Seen};

/// A session that goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(super) struct Shown {
    /// Its number, which no other session has, at whichever relay.
    session: u64,
    /// The relay that it is at, where there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    relay: Option<RelayId>,
    /// Where it is.
    #[schema(value_type = String)]
    broadcast: BroadcastId,
    /// What it is there.
    role: Power,
    /// `webtransport`, `webrtc` or `websocket`.
    #[schema(value_type = String)]
    transport: Box<str>,
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
            relay: None,
            broadcast: standing.broadcast,
            role: standing.role.into(),
            transport: standing.visit.transport.name().into(),
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
    /// Relays that have not said who is there, and may have some. Missing where all have, as a relay by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    incomplete: Vec<RelayId>,
}

/// Sessions that a relay tells another at once: as many as fit into an answer.
const PAGE: usize = 1_000;

/// Asks for the sessions at a broadcast that are at a relay.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ListSessions {
    broadcast: BroadcastId,
    /// Those behind this number.
    after: Option<u64>,
}

/// Some of the sessions at a relay, by number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Page {
    sessions: Vec<Shown>,
    /// There are more behind them.
    more: bool,
}

impl Question for ListSessions {
    const NAME: &'static str = "sessions";
    type Answer = Option<Part<Page>>;
}

impl Partial for ListSessions {
    type Of = Page;

    fn own(&self, site: &Site) -> Option<Page> {
        site.registry.find(&self.broadcast)?;
        let mut seen = site.records.at(&self.broadcast);
        seen.retain(|seen| Some(seen.standing.visit.number) > self.after);
        Some(Page {
            sessions: seen.into_iter().map(Shown::from).collect(),
            more: false,
        })
    }

    fn broadcast(&self) -> &BroadcastId {
        &self.broadcast
    }

    fn said_by(of: &mut Page, relay: &RelayId, shift: Shift) {
        for session in &mut of.sessions {
            session.relay = Some(relay.clone());
            shift.apply(&mut session.since_us);
        }
    }
}

impl ListSessions {
    /// As much of what this relay has to say as fits.
    pub(super) fn answer(&self, site: &Site) -> Option<Part<Page>> {
        let mut part = part(site, self)?;
        part.of.more = part.of.sessions.len() > PAGE;
        part.of.sessions.truncate(PAGE);
        Some(part)
    }
}

/// Lists the sessions at a broadcast, at all relays.
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
    let broadcast = known(&site, &caller, &id, Action::Publish).await?;
    let whom = whom(&caller);
    let mut question = ListSessions {
        broadcast,
        after: None,
    };
    let gathered = gather(&site, &whom, &question).await;
    let mut incomplete = gathered.silent;
    let mut sessions = Vec::new();
    for (relay, page) in gathered.answers {
        let mut more = page.more;
        sessions.extend(page.sessions);
        while more {
            question.after = sessions.last().map(|last: &Shown| last.session);
            let next = ask(&site, &whom, &relay, &question).await;
            more = matches!(&next, Ok(Some(page)) if page.more);
            match next {
                Ok(page) => sessions.extend(page.into_iter().flat_map(|page| page.sessions)),
                Err(_) => incomplete.push(relay.clone()),
            }
        }
    }
    sessions.sort_by_key(|shown| shown.session);
    Ok(Answer(Sessions {
        sessions,
        incomplete,
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

/// Ends a session, at whichever relay it is.
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
    let broadcast = permitted(&site, &caller, &id, Action::Publish).await?;
    let session = session.parse().map_err(|_| Problem::unknown_session())?;
    let kick = KickSession {
        broadcast,
        session,
        revoke: kick.revoke.then_some(Reach {
            all: caller.is_admin(),
        }),
    };
    let whom = whom(&caller);
    let mut done = kick.answer(&site).await;
    if done == Kicked::NotHere {
        // A relay whose link is lost at the moment has sessions as well.
        let found = |done: &Kicked| *done != Kicked::NotHere;
        let gathered = site.peers.ask_all(&[], &whom, &kick, found).await;
        let answers = gathered.answers.into_iter().map(|(_, done)| done);
        done = answers
            .reduce(|one, other| if found(&one) { one } else { other })
            .unwrap_or(Kicked::NotHere);
        if done == Kicked::NotHere && !gathered.silent.is_empty() {
            let silent: Vec<_> = gathered.silent.iter().map(RelayId::as_str).collect();
            let silent = silent.join(", ");
            let detail = format!(
                "the session is at no relay that answers; these do not, and it may be there: {silent}"
            );
            return Err(Problem::unavailable(detail));
        }
    }
    done.told()
}

/// Has a relay end a session, if it is there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KickSession {
    broadcast: BroadcastId,
    pub(super) session: u64,
    /// Its token is to be good for nothing from now on.
    revoke: Option<Reach>,
}

/// How far somebody's word reaches who takes a token back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Reach {
    /// To tokens for more than the broadcast that it is about.
    all: bool,
}

/// What has become of a session that was to be kicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kicked {
    /// It ends.
    Done,
    /// It is not at this relay, or not at this broadcast.
    NotHere,
    /// It goes on: whoever wants its token taken back may not.
    TokenForMore,
    /// It goes on: its token cannot be taken back.
    TokenWithoutId,
    /// It goes on: that its token is taken back cannot be kept.
    NotKept,
}

impl Question for KickSession {
    const NAME: &'static str = "kick";
    type Answer = Kicked;
}

impl KickSession {
    /// Ends it if it is at this relay.
    pub(super) async fn answer(&self, site: &Site) -> Kicked {
        let seen = site.records.get(self.session);
        let standing = seen.map(|seen| seen.standing);
        let Some(standing) = standing.filter(|standing| standing.broadcast == self.broadcast)
        else {
            return Kicked::NotHere;
        };
        if let Some(reach) = self.revoke {
            let grant = &standing.grant;
            // Who has power over a broadcast has none over what others may do elsewhere.
            let elsewhere =
                grant.broadcasts.one() != Some(&self.broadcast) || grant.powers.have(Power::Admin);
            if elsewhere && !reach.all {
                return Kicked::TokenForMore;
            }
            let (Some(id), Some(until)) = (grant.holder.token.clone(), grant.expires) else {
                return Kicked::TokenWithoutId;
            };
            if let Err(error) = site.revoke(Revocation::Token { id, until }).await {
                tracing::error!(%error, "a token is not taken back");
                return Kicked::NotKept;
            }
        }
        site.gate.kick(standing.visit.number);
        Kicked::Done
    }
}

impl Kicked {
    fn told(self) -> Result<StatusCode, Problem> {
        Err(match self {
            Self::Done => return Ok(StatusCode::NO_CONTENT),
            Self::NotHere => Problem::unknown_session(),
            Self::TokenForMore => Problem::forbidden(
                "its token is for more than this broadcast: this takes the admin key",
            ),
            Self::TokenWithoutId => {
                Problem::malformed("its token has no id: end all links of its kind instead")
            }
            Self::NotKept => Problem::not_kept(),
        })
    }
}
