//! Broadcasts: made, listed, ended.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json as Answer};
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{Code, Role};
use utoipa::{IntoParams, ToSchema};

use super::super::body::{Json, Query, object};
use super::super::broadcasts::{CreateError, KeepError, Made, NewBroadcast};
use super::super::caller::{Bearer, Caller};
use super::super::links::Links;
use super::super::listener::Peer;
use super::super::problem::Problem;
use super::super::site::Site;
use super::described::{self, Shown};
use super::everywhere::whom;
use super::links::Pair;
use super::{Nothing, PlainText, check_plain, known, permitted};
use crate::auth::{Action, RandomError, Token};
use crate::broadcast::{BroadcastId, Description, OwnSettings, RegistryError};
use crate::directory::RelayId;
use crate::peers::Question;
use crate::store::{CatalogError, Entry};

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

/// What a broadcast is called.
#[derive(Serialize, ToSchema)]
pub(super) struct Title {
    title: String,
}

/// Some of all broadcasts.
#[derive(Serialize, ToSchema)]
pub(super) struct Broadcasts {
    /// By id.
    broadcasts: Vec<Shown>,
    /// Relays that have not said how broadcasts there are doing, which are left out. Missing where all have, as a relay
    /// by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    incomplete: Vec<RelayId>,
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
    let Made { id, title } = site.create(new).await?;
    let tokens = site.mint_both(&id)?;
    let answer = Created {
        id,
        title,
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
    let is_meant = |entry: &Entry| {
        administered.matches(&entry.id)
            && (which.maker.is_none() || which.maker.as_deref() == entry.maker.as_deref())
    };
    let after = which.after.as_ref();
    let (page, more) = site.ledger.page(after, limit.into(), is_meant);
    let last = page.last().map(|entry| entry.id.clone());
    let next = last.filter(|_| more);
    let described = described::all(&site, &whom(&caller), page).await;
    let broadcasts = described.answers.into_iter();
    let broadcasts = broadcasts.map(|(id, facts)| Shown::new(&site, &links, &id, facts));
    Ok(Answer(Broadcasts {
        broadcasts: broadcasts.collect::<Result<_, Problem>>()?,
        incomplete: described.silent,
        next,
    }))
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
    let id = known(&site, &caller, &id, Action::Publish).await?;
    let facts = described::one(&site, &whom(&caller), &id).await?;
    let mut shown = Shown::new(&site, &links, &id, facts)?;
    let secret = site.panel_secret(&id)?;
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
    // One that comes from another relay is known by its id alone, unless the relays know all broadcasts.
    let known = site.homes.as_ref().and_then(|homes| homes.entry(&id));
    let here = || site.registry.find(&id).map(|one| one.title().to_owned());
    let title = known.map(|entry| entry.title).or_else(here);
    let title = title.ok_or_else(Problem::unknown_broadcast)?;
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
    let broadcast = known(&site, &caller, &id, Action::Publish).await?;
    let question = AskForKeyframes { broadcast };
    let asked = match described::elsewhere(&site, &question.broadcast) {
        None => question.answer(&site),
        Some(home) => site.peers.ask(&home, &whom(&caller), &question).await?,
    };
    let asked = asked.unwrap_or(false);
    Ok((StatusCode::ACCEPTED, Answer(Asked { asked })))
}

/// Has the publisher at a relay asked for keyframes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AskForKeyframes {
    broadcast: BroadcastId,
}

impl Question for AskForKeyframes {
    const NAME: &'static str = "keyframe";
    /// Whether it was asked; `None`: the broadcast is not there.
    type Answer = Option<bool>;
}

impl AskForKeyframes {
    pub(super) fn answer(&self, site: &Site) -> Option<bool> {
        let broadcast = site.registry.find(&self.broadcast)?;
        Some(broadcast.ask_for_keyframes(site.clock.now()))
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
            CreateError::Catalog(error) => error.into(),
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
        if let KeepError::Catalog(error) = error {
            return error.into();
        }
        tracing::error!(%error, "nothing was changed");
        Self::not_kept()
    }
}

impl From<&CatalogError> for Problem {
    fn from(error: &CatalogError) -> Self {
        tracing::warn!(%error, "nothing was changed");
        let detail = format!("{error}: nothing was changed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, detail)
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        (&error).into()
    }
}
