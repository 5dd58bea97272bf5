//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): PROTOCOL 8.

mod caller;
mod cors;
mod events;
mod keyframe;
mod report;
mod session;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, ETAG, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use steadycast_codec_glue::wire::{Code, Role};

use super::body::{check_type, read};
use super::caller::Bearer;
use super::listener::Peer;
use super::problem::Problem;
use super::site::Site;
use crate::auth::{Power, Transport};
use crate::broadcast::{Broadcast, BroadcastId};
use crate::events::SessionFacts;
use crate::webrtc::{Offer, OfferError, OpenError, Opened, Origin};

/// The longest offer, in bytes.
const LONGEST: usize = 64 * 1024;
const SDP: &str = "application/sdp";
/// The extension by which a player hears of its broadcast (WHEP, 4.9).
const EVENTS: &str = "urn:ietf:params:whep:ext:core:server-sent-events";

/// The endpoints and their sessions.
pub(super) fn routes(site: &Arc<Site>) -> Router<Arc<Site>> {
    let endpoint = || post(create).get(head).options(cors::options);
    let session = || {
        get(session::show)
            .patch(session::patch)
            .delete(session::end)
            .options(cors::options)
    };
    Router::new()
        .route("/{broadcast}/whep", endpoint())
        .route("/{broadcast}/whep/", endpoint())
        .route("/{broadcast}/whip", endpoint())
        .route("/{broadcast}/whip/", endpoint())
        .route("/{broadcast}/whep/{session}", session())
        .route("/{broadcast}/whip/{session}", session())
        .route(
            "/{broadcast}/whep/{session}/sse",
            get(events::listen)
                .post(events::subscribe)
                .options(cors::options),
        )
        .route(
            "/{broadcast}/whep/{session}/report",
            post(report::report).options(cors::options),
        )
        .route(
            "/{broadcast}/whep/{session}/keyframe",
            post(keyframe::ask).options(cors::options),
        )
        .layer(from_fn_with_state(site.clone(), cors::allow))
        .layer(from_fn_with_state(site.clone(), count_refusals))
}

/// Counts the requests for sessions that are refused.
async fn count_refusals(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let of_session = request.uri().path().split('/').count() > 4;
    let asks = request.method() == Method::POST && !of_session;
    let publishes = role(request.uri()) == Role::Publisher;
    let address = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.address.ip());
    let response = next.run(request).await;
    if let Some(code) = response.extensions().get::<Code>().filter(|_| asks) {
        let facts = address.filter(|_| publishes).map(|address| SessionFacts {
            number: None,
            role: Power::Publish,
            transport: Transport::WebRtc.name(),
            address,
            subject: None,
            name: None,
            token_id: None,
        });
        site.records.refused(*code, facts);
    }
    response
}

/// What an endpoint takes.
async fn head(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, Problem> {
    broadcast(&site, &id)?;
    let kind = [(CONTENT_TYPE, SDP), (ACCEPT, SDP)];
    Ok((StatusCode::OK, kind).into_response())
}

/// Opens a session.
async fn create(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    uri: Uri,
    bearer: Bearer,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if site.placement.is_leaving()
        && let Some(there) = elsewhere(&site, &uri)
    {
        return Ok(there);
    }
    let role = role(&uri);
    let address = peer.address.ip();
    let (broadcast, record) = bearer.enter(&site, &id, role, address).await?;
    if broadcast.is_private() && role == Role::Publisher {
        return Err(private(role));
    }
    let body = read(body, LONGEST).await?;
    // Who brings none that can be answered, or finds no room, has never been there.
    let offer = Offer::parse(sdp(&headers, &body)?, role).map_err(refused)?;
    if broadcast.is_private() && offer.carries().is_none() {
        return Err(private(role));
    }
    let from = Origin {
        address,
        came_to: peer.came_to,
    };
    let opened = match role {
        Role::Player => site.bridge.watch(&broadcast, record, &offer, from),
        Role::Publisher => site.bridge.publish(&broadcast, record, &offer, from),
    };
    match opened {
        Ok(opened) => created(&site, &uri, &opened),
        Err(error) => not_opened(&site, &uri, &error),
    }
}

/// Nothing of a private broadcast is for tools, nor for players that leave it to the browser to decode.
fn private(role: Role) -> Problem {
    let why = match role {
        Role::Publisher => {
            "this broadcast is private: only a browser that has its link can publish, for what it sends is encrypted \
             for the viewers before it leaves"
        }
        Role::Player => {
            "this broadcast is private: it can be watched on the relay's own page, with the whole link"
        }
    };
    Problem::new(StatusCode::FORBIDDEN, Code::Private, why)
}

/// What an endpoint is for, and its sessions: WHIP for publishers, WHEP for players.
fn role(uri: &Uri) -> Role {
    match uri.path().split('/').nth(2) {
        Some("whip") => Role::Publisher,
        _ => Role::Player,
    }
}

/// The broadcast of a path.
fn broadcast(site: &Site, id: &str) -> Result<Arc<Broadcast>, Problem> {
    let id: BroadcastId = id.parse().map_err(|_| Problem::unknown_broadcast())?;
    site.registry
        .find(&id)
        .ok_or_else(Problem::unknown_broadcast)
}

fn sdp<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<&'a str, Problem> {
    check_type(headers, SDP)?;
    std::str::from_utf8(body).map_err(|_| Problem::malformed("SDP is UTF-8"))
}

fn refused(error: OfferError) -> Problem {
    let status = match error {
        OfferError::Malformed(_) => StatusCode::BAD_REQUEST,
        OfferError::Unsupported(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, Code::Malformed, error.to_string())
}

fn created(site: &Site, uri: &Uri, opened: &Opened) -> Result<Response, Problem> {
    let session = &opened.session;
    let location = format!(
        "{}{}/{}",
        site.prefix(),
        uri.path().trim_end_matches('/'),
        session.id.as_str()
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(SDP));
    put(&mut headers, ETAG, &session.etag())?;
    put(&mut headers, LOCATION, &location)?;
    for server in &site.ice_servers {
        let mut link = format!("<{}>; rel=\"ice-server\"", server.url);
        if let Some((user, password)) = &server.login {
            let login = format!("username=\"{user}\"; credential=\"{password}\"");
            link = format!("{link}; {login}; credential-type=\"password\"");
        }
        put(&mut headers, LINK, &link)?;
    }
    if session.role == Role::Player {
        let events = "active,inactive,viewercount";
        let link = format!("<{location}/sse>; rel=\"{EVENTS}\"; events=\"{events}\"");
        put(&mut headers, LINK, &link)?;
    }
    Ok((StatusCode::CREATED, headers, opened.answer.clone()).into_response())
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Problem> {
    let value = HeaderValue::from_str(value).map_err(|error| Problem::internal(&error))?;
    headers.append(name, value);
    Ok(())
}

fn not_opened(site: &Site, uri: &Uri, error: &OpenError) -> Result<Response, Problem> {
    let full = match error {
        OpenError::Attach(attach) => attach.code() == Code::TooMany,
        OpenError::Full | OpenError::Crowded => true,
        OpenError::Random(random) => return Err(Problem::internal(random)),
    };
    if !full {
        return Err(Problem::unknown_broadcast());
    }
    let crowded = matches!(error, OpenError::Crowded);
    if let Some(there) = elsewhere(site, uri).filter(|_| !crowded) {
        return Ok(there);
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Err(Problem::new(status, Code::TooMany, error.to_string()))
}

/// Says of whoever comes to where it says so that another relay has sent it there.
const SENT: &str = "sent";

/// Sends a client to another relay, unless one has sent it here.
fn elsewhere(site: &Site, uri: &Uri) -> Option<Response> {
    if uri.query() == Some(SENT) {
        return None;
    }
    let overflow = site.overflow.as_ref().map(ToString::to_string);
    let (relay, query) = match overflow {
        Some(overflow) => (overflow, String::new()),
        None => (for_whom(site, uri).into_iter().next()?, format!("?{SENT}")),
    };
    let location = format!("{}{}{query}", relay.trim_end_matches('/'), uri.path());
    Some((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response())
}

/// Relays for those who come to this path.
fn for_whom(site: &Site, uri: &Uri) -> Vec<String> {
    let id = uri.path().split('/').nth(1);
    match id.and_then(|id| id.parse::<BroadcastId>().ok()) {
        Some(id) => site.placement.draw_for(&id),
        None => site.placement.draw(),
    }
}
