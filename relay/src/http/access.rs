//! Who gets in: new links, tokens of every kind, what is taken back, and sessions (PROTOCOL 7.1).

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use steadycast_codec_glue::wire::limits;

use super::api::permitted;
use super::body::Json;
use super::caller::Caller;
use super::links::Links;
use super::problem::Problem;
use super::site::Site;
use crate::auth::is_plain;
use crate::auth::{Action, Allotment, Expiry, Order, Pattern, Power, Powers, Revocation, Token};
use crate::broadcast::BroadcastId;
use crate::records::Seen;

/// The longest text of a field, in characters.
const TEXT: usize = 255;
/// The longest that a token is valid, in seconds: ten years.
const LONGEST: u64 = 87_600 * 3_600;

/// The fields of `POST /api/broadcasts/{id}/links`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Renewal {
    /// Whose links until now end, and their sessions with them.
    #[serde(default)]
    end: Vec<Power>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewLinks<'a> {
    publish_token: &'a Token,
    play_token: &'a Token,
    expires: u64,
    sessions_ended: usize,
    links: Pair,
}

#[derive(Serialize)]
struct Pair {
    admin: String,
    player: String,
}

/// `POST /api/broadcasts/{id}/links`
pub(super) async fn links(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Path(id): Path<String>,
    Json(renewal): Json<Renewal>,
) -> Result<Response, Problem> {
    let id = permitted(&site, &caller, &id, Action::Publish).await?;
    known(&site, &id)?;
    let ended = match renewal.end.is_empty() {
        true => 0,
        false => site.renew(&id, &renewal.end).await?,
    };
    let tokens = site.mint_like(&id, caller.subject(), caller.allotment())?;
    let answer = NewLinks {
        publish_token: &tokens.publish,
        play_token: &tokens.play,
        expires: tokens.expires,
        sessions_ended: ended,
        links: Pair {
            admin: links.admin(&tokens.publish),
            player: links.player(&tokens.play),
        },
    };
    Ok((StatusCode::CREATED, Answer(answer)).into_response())
}

/// The fields of `POST /api/tokens`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Wish {
    broadcast: Pattern,
    roles: Vec<Power>,
    #[serde(default)]
    subject: Option<Box<str>>,
    #[serde(default)]
    name: Option<Box<str>>,
    #[serde(default)]
    ttl_s: Option<u64>,
    #[serde(default)]
    expiry: Expiry,
    #[serde(default)]
    limits: Allotment,
}

/// `POST /api/tokens`
pub(super) async fn mint(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Json(wish): Json<Wish>,
) -> Result<Response, Problem> {
    let order = order(&site, &caller, wish).await?;
    let minted = site.gate.mint(&order, site.clock.now())?;
    if minted.token.as_str().len() > limits::TOKEN {
        let longest = limits::TOKEN;
        let detail = format!("the token would be longer than {longest} bytes");
        return Err(Problem::malformed(detail));
    }
    let mut answer = json!({
        "token": minted.token,
        "tokenId": minted.id,
        "expires": minted.expires,
    });
    // A page knows the broadcast from its token.
    let link = match (order.broadcasts.one(), order.powers) {
        (Some(_), powers) if powers.have(Power::Publish) => Some(links.admin(&minted.token)),
        (Some(_), powers) if powers.have(Power::Play) => Some(links.player(&minted.token)),
        _ => None,
    };
    if let Some(link) = link {
        answer["link"] = link.into();
    }
    Ok((StatusCode::CREATED, Answer(answer)).into_response())
}

/// What a caller may have made for somebody.
async fn order(site: &Site, caller: &Caller, wish: Wish) -> Result<Order, Problem> {
    if wish.roles.is_empty() {
        return Err(Problem::malformed("the body's roles: at least one"));
    }
    let powers: Powers = wish.roles.into_iter().collect();
    caller
        .require_gift(&site.gate, &wish.broadcast, powers)
        .await?;
    let [subject, name] = [("subject", wish.subject), ("name", wish.name)]
        .map(|(field, text)| text.map_or(Ok(None), |text| plain(field, text).map(Some)));
    let usual = match powers.have(Power::Publish) || powers.have(Power::Admin) {
        true => site.publish_token_ttl,
        false => site.play_token_ttl,
    };
    let ttl = match wish.ttl_s {
        None => usual,
        // Only an admin makes anything that lasts longer than a link.
        Some(seconds @ 1..=LONGEST) if caller.is_admin() => Duration::from_secs(seconds),
        Some(seconds @ 1..=LONGEST) => Duration::from_secs(seconds).min(usual),
        Some(_) => {
            let detail = format!("the body's ttlS: 1 to {LONGEST} seconds");
            return Err(Problem::malformed(detail));
        }
    };
    let one = wish.broadcast.one();
    Ok(Order {
        generation: one.map(|id| site.gate.generation(id).current),
        broadcasts: wish.broadcast,
        powers,
        subject: subject?.or_else(|| caller.subject()),
        name: name?,
        ttl,
        expiry: wish.expiry,
        allotment: wish.limits.within(caller.allotment()),
    })
}

fn plain(field: &str, text: Box<str>) -> Result<Box<str>, Problem> {
    if !is_plain(&text) {
        let detail =
            format!("the body's {field}: 1 to {TEXT} characters, and no control characters");
        return Err(Problem::malformed(detail));
    }
    Ok(text)
}

/// The fields of `POST /api/revocations`: one of the first two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Taken {
    #[serde(default)]
    token_id: Option<Box<str>>,
    #[serde(default)]
    subject: Option<Box<str>>,
    #[serde(default)]
    expires: Option<u64>,
}

/// `POST /api/revocations`
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Json(taken): Json<Taken>,
) -> Result<Answer<serde_json::Value>, Problem> {
    caller.require_admin()?;
    let now = site.clock.now().as_micros() / 1_000_000;
    let revocation = match (taken.token_id, taken.subject) {
        (Some(id), None) => Revocation::Token {
            id: plain("tokenId", id)?,
            until: taken.expires.unwrap_or(now + LONGEST),
        },
        (None, Some(subject)) if taken.expires.is_none() => Revocation::Subject {
            subject: plain("subject", subject)?,
            made_by: now,
        },
        _ => {
            let detail = "the body: a tokenId, perhaps with when it expires, or a subject";
            return Err(Problem::malformed(detail));
        }
    };
    let ended = site.revoke(revocation).await?;
    Ok(Answer(json!({ "sessionsEnded": ended })))
}

/// A session, for people.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    session: u64,
    broadcast: BroadcastId,
    role: Power,
    transport: &'static str,
    since_us: u64,
    address: std::net::IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<Box<str>>,
    frames: u64,
    bytes: u64,
    skips: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carries_kbps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p50_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p95_ms: Option<u64>,
}

impl From<Seen> for Shown {
    fn from(seen: Seen) -> Self {
        let Seen {
            standing,
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
            since_us: standing.visit.since.as_micros(),
            address: standing.visit.from,
            subject: holder.subject,
            name: holder.name,
            token_id: holder.token,
            frames: figures.given.frames,
            bytes: figures.given.bytes,
            skips: figures.given.skips,
            rtt_ms: figures.rtt.map(tenths),
            carries_kbps: figures.carries_kbps,
            latency_p50_ms: latencies.percentile(50),
            latency_p95_ms: latencies.percentile(95),
        }
    }
}

/// `GET /api/broadcasts/{id}/sessions`
pub(super) async fn sessions(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<serde_json::Value>, Problem> {
    let id = permitted(&site, &caller, &id, Action::Publish).await?;
    known(&site, &id)?;
    let sessions = site.records.at(&id).into_iter().map(Shown::from);
    Ok(Answer(json!({ "sessions": sessions.collect::<Vec<_>>() })))
}

/// The fields of `DELETE /api/broadcasts/{id}/sessions/{session}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kick {
    /// Whether its token is good for nothing from now on.
    #[serde(default)]
    revoke: bool,
}

/// `DELETE /api/broadcasts/{id}/sessions/{session}`
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

fn known(site: &Site, id: &BroadcastId) -> Result<(), Problem> {
    site.registry
        .find(id)
        .map(drop)
        .ok_or_else(Problem::unknown_broadcast)
}
