//! The API (PROTOCOL 7.1), each route with what the document says of it.

mod broadcasts;
mod document;
mod keys;
mod links;
mod relay;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::events;
use super::problem::Problem;
use super::site::Site;
use crate::auth::Action;
use crate::broadcast::{Broadcast, BroadcastId};

#[cfg(test)]
pub(super) use document::DOCUMENT;

/// The longest text of a field, in characters.
const TEXT: usize = 255;

/// The routes below `/api`.
pub(super) fn routes() -> Router<Arc<Site>> {
    documented().0
}

/// `/health` and `/ready`.
pub(super) fn probes() -> Router<Arc<Site>> {
    Router::new()
        .route("/health", get(relay::health))
        .route("/ready", get(relay::ready))
}

fn documented() -> (Router<Arc<Site>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(document::beginning())
        .routes(routes!(relay::relay))
        .routes(routes!(document::openapi))
        .routes(routes!(broadcasts::list, broadcasts::create))
        .routes(routes!(broadcasts::one, broadcasts::end))
        .routes(routes!(broadcasts::keyframe))
        .routes(routes!(links::links))
        .routes(routes!(sessions::sessions))
        .routes(routes!(sessions::kick))
        .routes(routes!(events::of_one))
        .routes(routes!(events::all))
        .routes(routes!(links::mint))
        .routes(routes!(links::revoke))
        .routes(routes!(links::inspect))
        .routes(routes!(keys::renew))
        .split_for_parts()
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

/// The broadcast of this id.
pub(super) fn known(site: &Site, id: &BroadcastId) -> Result<Arc<Broadcast>, Problem> {
    site.registry
        .find(id)
        .ok_or_else(Problem::unknown_broadcast)
}
