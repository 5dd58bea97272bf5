use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post};
use steadycast_codec_glue::wire::Code;

use super::access_log::AccessLog;
use super::pages::Pages;
use super::problem::Problem;
use super::site::Site;
use super::{access, access_log, api, events, headers, webrtc};
use crate::excerpt::excerpt;

/// The pages and the API of `site`.
pub fn router(site: Arc<Site>) -> Router {
    with_pages(site, Pages::embedded())
}

pub(super) fn with_pages(site: Arc<Site>, pages: Pages) -> Router {
    let log = Arc::new(AccessLog::default());
    let broadcasts = get(api::list).post(api::create);
    let broadcast = get(api::one).delete(api::end);
    let api = Router::new()
        .route("/api/relay", get(api::relay))
        .route("/api/broadcasts", broadcasts)
        .route("/api/broadcasts/{id}", broadcast)
        .route("/api/broadcasts/{id}/links", post(access::links))
        .route("/api/broadcasts/{id}/sessions", get(access::sessions))
        .route(
            "/api/broadcasts/{id}/sessions/{session}",
            delete(access::kick),
        )
        .route("/api/broadcasts/{id}/events", get(events::of_one))
        .route("/api/events", get(events::all))
        .route("/api/tokens", post(access::mint))
        .route("/api/revocations", post(access::revoke))
        .route("/api", any(no_such_thing))
        .route("/api/", any(no_such_thing))
        .route("/api/{*rest}", any(no_such_thing))
        .layer(from_fn(access_log::in_time))
        .layer(from_fn_with_state(log.clone(), access_log::log));
    let api = Router::new()
        .route("/health", get(api::health))
        .route("/ready", get(api::ready))
        .merge(api)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(site.clone(), headers::api));
    let webrtc = webrtc::routes(&site)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(access_log::in_time))
        .layer(from_fn_with_state(log, access_log::log_session));
    api.merge(webrtc)
        .with_state(site.clone())
        .merge(pages.router())
        .layer(from_fn_with_state(site, headers::secure))
}

pub(super) async fn no_such_thing(uri: Uri) -> Problem {
    let detail = format!("there is no {}", excerpt(uri.path()));
    Problem::new(StatusCode::NOT_FOUND, Code::UnknownMessage, detail)
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path = excerpt(uri.path());
    let detail = format!("{} is nothing that {path} knows", excerpt(method.as_str()));
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, Code::UnknownMessage, detail)
}
