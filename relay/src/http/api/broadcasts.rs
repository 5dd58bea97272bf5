//! Broadcasts: made, listed, ended.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as Answer};
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{Code, Role};
use utoipa::{IntoParams, ToSchema};

use super::super::body::{Json, Query, object};
use super::super::broadcasts::{CreateError, KeepError, NewBroadcast};
use super::super::caller::{Bearer, Caller};
use super::super::links::Links;
use super::super::listener::Peer;
use super::super::problem::Problem;
use super::super::site::Site;
use super::links::Pair;
use super::{Nothing, PlainText, check_plain, found, permitted};
use crate::auth::{Action, RandomError, Token};
use crate::broadcast::{
    Broadcast, BroadcastId, Description, OwnSettings, Presence, RegistryError, RelayTime, Snapshot,
};

/// The longest title, in characters.
const TITLE: usize = 120;
/// How many broadcasts a list has, where nobody says otherwise, and at most.
const PAGE: (u16, u16) = (100, 1_000);

/// A broadcast that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBroadcast)]
pub(super) struct Wish {
    /// Its name for people.
    #[serde(default)]
    #[schema(max_length = 120, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    title: Option<String>,
    /// An id of your choice; else one is made up.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9-]{1,64}$")]
    id: Option<BroadcastId>,
    /// Only people with its link are to see it: publishers seal what they send, and nobody here can open it. Where it is
    /// not said, as `broadcast.private` has it.
    #[serde(default)]
    private: Option<bool>,
    /// What it has less of than others.
    #[serde(default, deserialize_with = "object")]
    settings: OwnSettings,
}

/// A broadcast, with the first links to it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    #[schema(value_type = String)]
    id: BroadcastId,
    title: String,
    /// When the first of the links ends, in seconds since the Unix epoch.
    expires: u64,
    links: Pair,
    #[schema(value_type = String)]
    publish_token: Token,
    #[schema(value_type = String)]
    play_token: Token,
}

/// A broadcast as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = Broadcast)]
pub(super) struct Shown {
    #[serde(flatten)]
    snapshot: Snapshot,
    #[serde(flatten)]
    origin: OriginOf,
    links: PlayerLink,
    /// What the panels and capture hosts of its publishers know each other by: 32 random bytes, as base64url.
    /// Another one once links for publishers were taken back; in no list.
    #[serde(rename = "panelSecret", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{43}$")]
    panel_secret: Option<Box<str>>,
}

/// What a broadcast is called.
#[derive(Serialize, ToSchema)]
pub(super) struct Title {
    title: String,
}

/// Where a broadcast comes from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Origin)]
struct OriginOf {
    /// When it was created, in seconds since the Unix epoch.
    created: u64,
    /// Whom the token is about that it was created with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    maker: Option<Box<str>>,
    /// When something last happened that made a difference to its pictures, in seconds since the Unix epoch.
    last_activity: u64,
    /// When a publisher was there last, in seconds since the Unix epoch: now, where one is. Missing: none was yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_live: Option<u64>,
    /// What it has less of than others. Where the relay allows less than was asked for, what holds is said.
    settings: OwnSettings,
}

/// The viewers' link: the same each time, until it is taken back or half of its time is over.
#[derive(Serialize, ToSchema)]
struct PlayerLink {
    player: String,
    /// Where `player` begins with a name that means this machine alone, as `localhost` does: the same link at the
    /// addresses by which other machines may reach the relay, the most likely one first. Missing where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    network: Vec<String>,
}

/// Some of all broadcasts.
#[derive(Serialize, ToSchema)]
pub(super) struct Broadcasts {
    /// By id.
    broadcasts: Vec<Shown>,
    /// There are more: `after` of the next request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next: Option<BroadcastId>,
}

/// Which broadcasts to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// At most so many.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u16>,
    /// Those whose ids come after this one.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^[a-z0-9-]{1,64}$")]
    after: Option<BroadcastId>,
    /// Those that were made with a token about this subject.
    #[serde(default)]
    #[param(value_type = Option<PlainText>)]
    maker: Option<String>,
}

/// Whether a keyframe was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Asked {
    /// False where nobody publishes, or one has been asked for just now.
    asked: bool,
}

/// Makes a broadcast.
///
/// Who may: an admin of the id, or of all broadcasts where none is given.
#[utoipa::path(
    post,
    path = "/api/broadcasts",
    tag = "broadcasts",
    request_body = Wish,
    responses((status = 201, description = "It is there", body = Created))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Answer<Created>), Problem> {
    caller
        .require_creation(&site.gate, wish.id.as_ref())
        .await?;
    if site.draining.is_cancelled() {
        let detail = "the relay is stopping";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Problem::new(status, Code::ShuttingDown, detail));
    }
    let settings = wish.settings;
    let figures = [
        settings.players,
        settings.held_timeout_s,
        settings.waiting_timeout_s,
    ];
    if figures.contains(&Some(0)) {
        return Err(Problem::malformed(
            "the body's settings: at least 1 of each",
        ));
    }
    let new = NewBroadcast {
        id: wish.id,
        description: Description {
            title: title(wish.title)?,
            private: wish.private.unwrap_or(site.rules().private),
            settings,
        },
        maker: caller.subject(),
    };
    let broadcast = site.create(new).await?;
    let tokens = site.mint_both(broadcast.id())?;
    let answer = Created {
        id: broadcast.id().clone(),
        title: broadcast.title().to_owned(),
        expires: tokens.expires,
        links: Pair::of(&links, &tokens),
        publish_token: tokens.publish,
        play_token: tokens.play,
    };
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// Lists broadcasts.
///
/// Who may: an admin, who sees those that the token is for.
#[utoipa::path(
    get,
    path = "/api/broadcasts",
    tag = "broadcasts",
    params(Which),
    responses((status = 200, body = Broadcasts))
)]
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Query(which): Query<Which>,
) -> Result<Answer<Broadcasts>, Problem> {
    let administered = caller.require_some_admin()?;
    let limit = which.limit.unwrap_or(PAGE.0);
    if !(1..=PAGE.1).contains(&limit) {
        let detail = format!("the query's limit: 1 to {}", PAGE.1);
        return Err(Problem::malformed(detail));
    }
    if let Some(maker) = &which.maker {
        check_plain("the query's maker", maker)?;
    }
    let is_meant = |broadcast: &&Arc<Broadcast>| {
        let id = broadcast.id();
        let made = |maker: &str| {
            let entry = site.ledger.get(id);
            entry.is_some_and(|entry| entry.maker.as_deref() == Some(maker))
        };
        which.after.as_ref().is_none_or(|after| id > after)
            && administered.matches(id)
            && which.maker.as_deref().is_none_or(made)
    };
    let all = site.registry.list();
    let mut meant = all.iter().filter(is_meant);
    let page = meant.by_ref().take(limit.into());
    let broadcasts = page.filter_map(|one| show(&site, one, &links).transpose());
    let broadcasts: Vec<_> = broadcasts.collect::<Result<_, Problem>>()?;
    let last = broadcasts.last().map(|shown| shown.snapshot.id.clone());
    let next = last.filter(|_| meant.next().is_some());
    Ok(Answer(Broadcasts { broadcasts, next }))
}

/// One broadcast.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    get,
    path = "/api/broadcasts/{id}",
    tag = "broadcasts",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = Shown))
)]
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Path(id): Path<String>,
) -> Result<Answer<Shown>, Problem> {
    let broadcast = found(&site, &caller, &id, Action::Publish).await?;
    let mut shown = show(&site, &broadcast, &links)?.ok_or_else(Problem::unknown_broadcast)?;
    let secret = site.panel_secret(broadcast.id())?;
    shown.panel_secret = secret.map(|secret| secret.text);
    Ok(Answer(shown))
}

/// What a broadcast is called.
///
/// Who may: whoever may watch it.
#[utoipa::path(
    get,
    path = "/api/broadcasts/{id}/title",
    tag = "broadcasts",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = Title))
)]
pub(super) async fn title_of(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Answer<Title>, Problem> {
    let from = peer.address.ip();
    bearer.check(&site, &id, Role::Player, from).await?;
    let id = id.parse().map_err(|_| Problem::unknown_broadcast())?;
    let broadcast = site.registry.find(&id);
    let broadcast = broadcast.ok_or_else(Problem::unknown_broadcast)?;
    let title = broadcast.title().to_owned();
    Ok(Answer(Title { title }))
}

/// Ends a broadcast for everybody and for good, and its links with it.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    delete,
    path = "/api/broadcasts/{id}",
    tag = "broadcasts",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<StatusCode, Problem> {
    let id = permitted(&site, &caller, &id, Action::End).await?;
    if site.end(&id, Code::BroadcastEnded).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::unknown_broadcast())
    }
}

/// Asks the publisher for a keyframe of every track, as a player does that has lost its footing.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    post,
    path = "/api/broadcasts/{id}/keyframe",
    tag = "broadcasts",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 202, description = "The publisher is asked, where that is due", body = Asked))
)]
pub(super) async fn keyframe(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<(StatusCode, Answer<Asked>), Problem> {
    let broadcast = found(&site, &caller, &id, Action::Publish).await?;
    let asked = broadcast.ask_for_keyframes(site.clock.now());
    Ok((StatusCode::ACCEPTED, Answer(Asked { asked })))
}

/// `None`: it is just being made, or has just ended.
fn show(site: &Site, broadcast: &Broadcast, links: &Links) -> Result<Option<Shown>, Problem> {
    let Some(entry) = site.ledger.get(broadcast.id()) else {
        return Ok(None);
    };
    let play = site.viewers_token(broadcast.id())?;
    let snapshot = broadcast.snapshot();
    let last = snapshot.since_us.max(snapshot.totals.newest_keyframe_us);
    let last_activity = last / 1_000_000;
    Ok(Some(Shown {
        origin: OriginOf {
            last_activity: last_activity.max(entry.created),
            created: entry.created,
            last_live: last_live(broadcast.presence(), site.clock.now()),
            maker: entry.maker,
            settings: broadcast.holding(entry.settings),
        },
        snapshot,
        links: PlayerLink {
            player: links.player(&play.token),
            network: links.player_in_network(&play.token),
        },
        panel_secret: None,
    }))
}

fn last_live(presence: Presence, now: RelayTime) -> Option<u64> {
    match presence {
        Presence::Never => None,
        Presence::Here => Some(now.as_seconds()),
        Presence::AwaySince(since) => Some(since.as_seconds()),
    }
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
            CreateError::Registry(RegistryError::Full) | CreateError::TooManyOfOne => {
                let detail = error.to_string();
                Self::new(StatusCode::TOO_MANY_REQUESTS, Code::TooMany, detail)
            }
            CreateError::Registry(RegistryError::Exists) => {
                Self::new(StatusCode::CONFLICT, Code::Exists, error.to_string())
            }
            CreateError::Keep(error) => error.into(),
            CreateError::Random(_) => Self::internal(&error),
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
