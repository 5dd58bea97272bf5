use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use steadycast_codec_glue::wire::Code;

use super::access_log::AccessLog;
use super::pages::Pages;
use super::problem::Problem;
use super::site::Site;
use super::{access_log, api, forwarded, headers, session, unread, webrtc};
use crate::excerpt::excerpt;

/// The pages and the API of `site`.
pub fn router(site: Arc<Site>) -> Router {
    with_pages(site, Pages::embedded())
}

pub(super) fn with_pages(site: Arc<Site>, pages: Pages) -> Router {
    let log = Arc::new(AccessLog::default());
    let api = api::routes()
        .route("/api", any(no_such_thing))
        .route("/api/", any(no_such_thing))
        .route("/api/{*rest}", any(no_such_thing))
        .layer(from_fn(access_log::in_time))
        .layer(from_fn_with_state(log.clone(), access_log::log));
    let api = api::probes()
        .merge(api)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(site.clone(), headers::api));
    let webrtc = webrtc::routes(&site)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(access_log::in_time))
        .layer(from_fn_with_state(log, access_log::log_session));
    let sessions = session::routes().with_state(site.clone());
    api.merge(webrtc)
        .with_state(site.clone())
        .layer(from_fn(unread::read_on))
        .merge(sessions)
        .merge(pages.router(site.clone()))
        .layer(from_fn_with_state(site.clone(), headers::secure))
        .layer(from_fn_with_state(site, forwarded::clients))
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
