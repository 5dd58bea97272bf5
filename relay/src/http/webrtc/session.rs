//! What the owner of a session does with it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use steadycast_codec_glue::wire::Code;

use super::super::body::{check_type, read};
use super::super::caller::Bearer;
use super::super::listener::Peer;
use super::super::problem::Problem;
use super::super::site::Site;
use super::{put, role};
use crate::broadcast::BroadcastId;
use crate::webrtc::{Fragment, RestartError, Session, SessionId};

/// The type of a PATCH (RFC 8840).
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The session of a path.
pub(super) fn find(site: &Site, id: &str, session: &str) -> Result<Arc<Session>, Problem> {
    let id: BroadcastId = id.parse().map_err(|_| Problem::unknown_session())?;
    let session = SessionId::from_url(session);
    let found = site.bridge.find(&id, &session);
    found.ok_or_else(Problem::unknown_session)
}

/// The session, for who knows its URL, which proves enough: players of others show no token here.
/// One that is shown all the same has to be good for what the session does.
async fn own(
    site: &Site,
    uri: &Uri,
    (id, session): &(String, String),
    (bearer, peer): (Option<&Bearer>, &Peer),
) -> Result<Arc<Session>, Problem> {
    let role = role(uri);
    if let Some(bearer) = bearer {
        bearer.check(site, id, role, peer.address.ip()).await?;
    }
    let session = find(site, id, session)?;
    if session.role == role {
        Ok(session)
    } else {
        let detail = "there is no such session here";
        Err(Problem::new(
            StatusCode::NOT_FOUND,
            Code::UnknownBroadcast,
            detail,
        ))
    }
}

/// Whether there is such a session; there is nothing to show of it.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path((id, session)): Path<(String, String)>,
) -> Result<Response, Problem> {
    find(&site, &id, &session)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends the session.
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    uri: Uri,
    Path(path): Path<(String, String)>,
    bearer: Option<Bearer>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Problem> {
    let session = own(&site, &uri, &path, (bearer.as_ref(), &peer)).await?;
    site.bridge.close(&session);
    Ok(StatusCode::OK.into_response())
}

/// Candidates, or a restart of ICE (RFC 9725, 4.3).
pub(super) async fn patch(
    State(site): State<Arc<Site>>,
    uri: Uri,
    Path(path): Path<(String, String)>,
    bearer: Option<Bearer>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let session = own(&site, &uri, &path, (bearer.as_ref(), &peer)).await?;
    check_type(&headers, FRAGMENT)?;
    check_match(&headers, &session)?;
    let body = read(body, super::LONGEST).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Problem::malformed("SDP is UTF-8"))?;
    let fragment = Fragment::parse(text).map_err(|error| Problem::malformed(error.to_string()))?;
    let restarted = match (&fragment.ufrag, &fragment.password) {
        (Some(ufrag), Some(password)) => {
            let restarted = site
                .bridge
                .restart(&session, (ufrag, password), peer.came_to);
            restarted.map_err(problem)?
        }
        _ => None,
    };
    match restarted {
        None => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(fragment) => {
            let mut headers = HeaderMap::new();
            put(&mut headers, CONTENT_TYPE, FRAGMENT)?;
            put(&mut headers, ETAG, &session.etag())?;
            Ok((StatusCode::OK, headers, fragment).into_response())
        }
    }
}

/// Passes a PATCH that is about the current ICE session, or about whichever it is.
fn check_match(headers: &HeaderMap, session: &Session) -> Result<(), Problem> {
    let shown = headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    match shown.map(str::trim) {
        None => Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            Code::Malformed,
            "If-Match has to name the ICE session",
        )),
        Some("*" | "\"*\"") => Ok(()),
        // A list (RFC 9110, 13.1.1); the session's own tags have no commas.
        Some(tags) if tags.split(',').any(|tag| tag.trim() == session.etag()) => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            Code::Malformed,
            "ICE has been restarted since",
        )),
    }
}

fn problem(error: RestartError) -> Problem {
    match error {
        RestartError::Unknown => {
            let detail = "the session has ended";
            Problem::new(StatusCode::NOT_FOUND, Code::UnknownBroadcast, detail)
        }
        RestartError::Busy => {
            let detail = "ICE is restarted faster than can be followed";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TooMany, detail)
        }
        RestartError::Random(error) => Problem::internal(&error),
    }
}
