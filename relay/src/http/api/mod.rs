//! The API (PROTOCOL 7.1), each route with what the document says of it.

mod broadcasts;
mod described;
mod document;
mod everywhere;
mod keys;
mod links;
mod relay;
mod sessions;
mod viewers;

use std::sync::Arc;

use axum::Router;
use serde::Deserialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::events;
use super::problem::Problem;
use super::site::Site;
use crate::auth::{Action, TEXT, is_plain};
use crate::broadcast::BroadcastId;

#[cfg(test)]
pub(super) use document::DOCUMENT;

/// The routes below `/api`.
pub(super) fn routes() -> Router<Arc<Site>> {
    api().split_for_parts().0
}

/// `/health` and `/ready`.
pub(super) fn probes() -> Router<Arc<Site>> {
    probing().split_for_parts().0
}

/// What the document says of all routes.
fn documented() -> utoipa::openapi::OpenApi {
    api().merge(probing()).into_openapi()
}

fn probing() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(relay::health))
        .routes(routes!(relay::ready))
}

fn api() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::with_openapi(document::beginning())
        .routes(routes!(relay::relay))
        .routes(routes!(document::openapi))
        .routes(routes!(broadcasts::list, broadcasts::create))
        .routes(routes!(broadcasts::one, broadcasts::end))
        .routes(routes!(broadcasts::title_of))
        .routes(routes!(broadcasts::keyframe))
        .routes(routes!(links::links))
        .routes(routes!(sessions::sessions))
        .routes(routes!(sessions::kick))
        .routes(routes!(viewers::viewers))
        .routes(routes!(events::of_one))
        .routes(routes!(events::all))
        .routes(routes!(links::mint))
        .routes(routes!(links::revoke))
        .routes(routes!(links::inspect))
        .routes(routes!(keys::renew))
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

/// The id of a broadcast that there is, here or at another relay, for those who have power over it.
pub(super) async fn known(
    site: &Site,
    caller: &Caller,
    id: &str,
    action: Action,
) -> Result<BroadcastId, Problem> {
    let id = permitted(site, caller, id, action).await?;
    // That it is claimed may be heard before what it is.
    match site.knows(&id) || site.directory.find(&id).is_some() {
        true => Ok(id),
        false => Err(Problem::unknown_broadcast()),
    }
}

/// Passes a text that tokens may hold; `what` it is.
fn check_plain(what: &str, text: &str) -> Result<(), Problem> {
    match is_plain(text) {
        true => Ok(()),
        false => Err(Problem::malformed(format!(
            "{what}: 1 to {TEXT} characters, and no control characters"
        ))),
    }
}

/// A body with nothing in it, for requests that say everything by where they go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A text that tokens may hold, for the document alone: fields of it are checked by [`check_plain`].
struct PlainText;

impl PartialSchema for PlainText {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(TEXT))
            .pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]+$"));
        Schema::from(text).into()
    }
}

impl ToSchema for PlainText {}
