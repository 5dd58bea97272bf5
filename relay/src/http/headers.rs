//! Headers that every answer has, and those that let other origins read the API's answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    HeaderName, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::listener::Peer;
use super::policy;
use super::site::Site;

/// HTML, 7.1.3.
pub(super) const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

const ON_EVERYTHING: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, policy::STRICTEST),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (OPENER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "display-capture=(self)",
    ),
];

/// For a year; on this host alone.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Adds what every answer has that has no value of its own for it.
pub(super) async fn secure(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let tls = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| peer.tls);
    let mut response = next.run(request).await;
    // A development relay serves plain HTTP on the same port, and its certificate is made anew.
    let trusted = || {
        let identity = site.identities.borrow();
        identity
            .as_ref()
            .is_some_and(|identity| identity.hash().is_none())
    };
    if tls && trusted() {
        let value = HeaderValue::from_static(STRICT_TRANSPORT);
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, value);
    }
    for (name, value) in ON_EVERYTHING {
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if site.origins.trusts_this_machine() {
        allow_local(response.headers_mut());
    }
    response
}

fn allow_local(headers: &mut HeaderMap) {
    let policy = headers.get(CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy::in_development(policy.to_str().ok()?));
    if let Some(policy) = policy {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// The API's answers are for the moment, and for the configured origins to read.
pub(super) async fn api(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let trusted = trusted(&site, &request);
    let mut response = match &trusted {
        Some(_) if is_preflight(&request) => preflight(),
        _ => next.run(request).await,
    };
    share(response.headers_mut(), trusted);
    response
}

/// The request's origin, if its pages may read the answer.
pub(super) fn trusted(site: &Site, request: &Request) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    let reads = |origin: &str| site.origins.allow_reading(origin);
    origin.to_str().is_ok_and(reads).then(|| origin.clone())
}

/// Lets pages of this origin read an answer, which is for the moment.
pub(super) fn share(headers: &mut HeaderMap, trusted: Option<HeaderValue>) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = trusted {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let headers: HeaderMap = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ]
    .into_iter()
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .collect();
    (StatusCode::NO_CONTENT, headers, Body::empty()).into_response()
}
