//! The API (PROTOCOL 7.1).

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use steadycast_codec_glue::wire::{Code, MIN_VERSION, VERSION};

use super::body::Json;
use super::broadcasts::{CreateError, KeepError};
use super::caller::Caller;
use super::links::Links;
use super::problem::Problem;
use super::site::Site;
use crate::auth::{Action, Power, RandomError};
use crate::broadcast::{Broadcast, BroadcastId, RegistryError, Snapshot};
use crate::store::Entry;

/// The longest title, in characters.
const TITLE: usize = 120;

/// The fields of `POST /api/broadcasts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    id: Option<BroadcastId>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    snapshot: Snapshot,
    #[serde(flatten)]
    origin: Option<OriginOf>,
    links: PlayerLink,
}

/// Where a broadcast comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OriginOf {
    /// When it was created, in seconds since the Unix epoch.
    created: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker: Option<Box<str>>,
}

#[derive(Serialize)]
struct PlayerLink {
    player: String,
}

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
    let status = match (site.draining.is_cancelled(), site.keeps()) {
        (true, _) => "draining",
        (_, false) => "nothing can be kept",
        (false, true) => return Answer(json!({ "status": "ready" })).into_response(),
    };
    let unready = Answer(json!({ "status": status }));
    (StatusCode::SERVICE_UNAVAILABLE, unready).into_response()
}

/// `GET /api/relay`
pub(super) async fn relay(State(site): State<Arc<Site>>) -> Answer<serde_json::Value> {
    let hash = site.identities.borrow().hash();
    let hashes: Vec<_> = hash.iter().map(|hash| STANDARD.encode(hash)).collect();
    Answer(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": VERSION,
        "protocols": { "min": MIN_VERSION, "max": VERSION },
        "session": "/session",
        "certificateHashes": hashes,
        "relayUs": site.clock.now().as_micros(),
    }))
}

/// `POST /api/broadcasts`
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Json(wish): Json<Wish>,
) -> Result<Response, Problem> {
    caller
        .require_creation(&site.gate, wish.id.as_ref())
        .await?;
    if site.draining.is_cancelled() {
        let detail = "the relay is stopping";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Problem::new(status, Code::ShuttingDown, detail));
    }
    let title = title(wish.title)?;
    let broadcast = site.create(wish.id, title, caller.subject()).await?;
    let tokens = site.mint_both(broadcast.id())?;
    let answer = json!({
        "id": broadcast.id(),
        "title": broadcast.title(),
        "expires": tokens.expires,
        "links": { "admin": links.admin(&tokens.publish), "player": links.player(&tokens.play) },
        "publishToken": tokens.publish,
        "playToken": tokens.play,
    });
    Ok((StatusCode::CREATED, Answer(answer)).into_response())
}

/// `GET /api/broadcasts`
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
) -> Result<Answer<serde_json::Value>, Problem> {
    caller.require_admin()?;
    let all = site.registry.list();
    let shown = all.iter().map(|one| show(&site, one, &links));
    let shown = shown.collect::<Result<Vec<_>, Problem>>()?;
    Ok(Answer(json!({ "broadcasts": shown })))
}

/// `GET /api/broadcasts/{id}`
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = permitted(&site, &caller, &id, Action::Publish).await?;
    let broadcast = site
        .registry
        .find(&id)
        .ok_or_else(Problem::unknown_broadcast)?;
    Ok(Answer(show(&site, &broadcast, &links)?).into_response())
}

/// `DELETE /api/broadcasts/{id}`
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = permitted(&site, &caller, &id, Action::End).await?;
    if site.end(&id, Code::BroadcastEnded).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::unknown_broadcast())
    }
}

/// The id if the caller has power over it, for what the request is about. Only an admin learns that an id
/// is none.
pub(super) async fn permitted(
    site: &Site,
    caller: &Caller,
    id: &str,
    action: Action,
) -> Result<BroadcastId, Problem> {
    let Ok(id) = id.parse() else {
        let refused = caller.require_admin().err();
        return Err(refused.unwrap_or_else(Problem::unknown_broadcast));
    };
    caller.require_power_over(&site.gate, &id, action).await?;
    Ok(id)
}

fn show(site: &Site, broadcast: &Broadcast, links: &Links) -> Result<Shown, Problem> {
    let play = site.mint(broadcast.id(), Power::Play)?;
    let entry = site.ledger.get(broadcast.id());
    Ok(Shown {
        origin: entry.map(|Entry { created, maker, .. }| OriginOf { created, maker }),
        snapshot: broadcast.snapshot(),
        links: PlayerLink {
            player: links.player(&play.token),
        },
    })
}

fn title(wish: Option<String>) -> Result<String, Problem> {
    let title = wish.unwrap_or_default();
    let title = title.trim();
    if title.chars().count() > TITLE || title.chars().any(char::is_control) {
        return Err(Problem::malformed(format!(
            "the body's title: at most {TITLE} characters, and no control characters"
        )));
    }
    Ok(if title.is_empty() { "Untitled" } else { title }.to_owned())
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match &error {
            CreateError::Registry(RegistryError::Full) => {
                let detail = error.to_string();
                Self::new(StatusCode::TOO_MANY_REQUESTS, Code::TooMany, detail)
            }
            CreateError::Registry(RegistryError::Exists) => {
                Self::new(StatusCode::CONFLICT, Code::Exists, error.to_string())
            }
            CreateError::Keep(error) => error.into(),
            _ => Self::internal(&error),
        }
    }
}

impl From<RandomError> for Problem {
    fn from(error: RandomError) -> Self {
        Self::internal(&error)
    }
}

impl From<&KeepError> for Problem {
    fn from(error: &KeepError) -> Self {
        tracing::error!(%error, "nothing was changed");
        let detail = "the relay cannot keep broadcasts and links on disk (its log says why): \
                      nothing was changed";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, detail)
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        (&error).into()
    }
}
