//! Pages of other origins, which may use the endpoints where the operator allows it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, ALLOW,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::headers::{share, trusted};
use super::super::site::Site;

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
const HEADERS: &str = "authorization, content-type, if-match";
/// What a script has to read to steer its session (RFC 9725, 4.2).
const EXPOSED: &str = "location, etag, link, retry-after, accept-post, accept-patch";

/// Lets pages of allowed origins read the answers.
pub(super) async fn allow(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let trusted = trusted(&site, &request);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if trusted.is_some() {
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
    share(headers, trusted);
    response
}

/// What may be asked here (RFC 9725, 4.2; it needs no token).
pub(super) async fn options() -> Response {
    let headers = [
        (ALLOW, METHODS),
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        (HeaderName::from_static("accept-post"), super::SDP),
        (
            HeaderName::from_static("accept-patch"),
            super::session::FRAGMENT,
        ),
    ];
    (StatusCode::OK, headers).into_response()
}
