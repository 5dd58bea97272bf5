//! Where sessions come over WebSocket: the address is that of WebTransport's (PROTOCOL 1.1, 10).

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN, UPGRADE};
use axum::http::{HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{RequestExt, Router};
use steadycast_codec_glue::wire::Code;

use super::listener::Peer;
use super::problem::Problem;
use super::server::{Hold, Lasting, MakesWay};
use super::site::Site;
use crate::broadcast::BroadcastId;
use crate::shard::Moving;
use crate::websocket::{Admission, Arrival, Refused, SUBPROTOCOL, bounded};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/session", any(unnamed))
        .route("/session/{broadcast}", any(named))
}

async fn unnamed(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    open(site, None, request).await
}

async fn named(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    // As over WebTransport: such a path is no session's.
    let id = id.parse().map_err(|_| Problem::unknown_broadcast())?;
    open(site, Some(id), request).await
}

async fn open(
    site: Arc<Site>,
    named: Option<BroadcastId>,
    mut request: Request,
) -> Result<Response, Problem> {
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        request.extract_parts().await;
    let upgrade = match upgrade {
        Ok(upgrade) => bounded(upgrade),
        Err(_) => return Ok(no_websocket(&request)),
    };
    let admission = admit(&site, &request)?;
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::malformed(format!(
            "the subprotocol is {SUBPROTOCOL}"
        )));
    }
    // Over HTTP/2 the connection is the client's for other things as well, and lives on while this lasts.
    let hold: Option<Hold> = request.extensions().get().map(Lasting::hold);
    let makes_way: Option<MakesWay> = request.extensions().get().cloned();
    let moving: Option<Moving> = request.extensions().get().cloned();
    let arrival = Arrival { named, moving };
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _hold = hold;
        let asked = async {
            match makes_way {
                Some(makes_way) => makes_way.asked().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = site.entrance.serve(socket, admission, arrival) => {}
            () = asked => tracing::debug!("a session has made way for another connection"),
        }
    }))
}

/// A client's place among the sessions.
fn admit(site: &Site, request: &Request) -> Result<Admission, Problem> {
    let header = |name: HeaderName| request.headers().get(name).map(text);
    let origin = header(ORIGIN);
    let authority = match request.version() {
        Version::HTTP_2 => request
            .uri()
            .authority()
            .map(|authority| authority.as_str()),
        _ => header(HOST),
    };
    let peer = request.extensions().get::<Peer>();
    let address: IpAddr = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.address.ip());
    let admitted = site
        .entrance
        .admit(address, origin, authority.unwrap_or_default());
    admitted.map_err(Problem::from)
}

/// What is no text is no origin and no host that anybody may have.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// The request is none for a WebSocket (RFC 9110, 15.5.22).
fn no_websocket(request: &Request) -> Response {
    let detail = "sessions are opened over WebTransport, or WebSocket";
    let status = StatusCode::UPGRADE_REQUIRED;
    let problem = Problem::new(status, Code::UnknownMessage, detail);
    let upgrade = (request.version() != Version::HTTP_2).then_some([(UPGRADE, "websocket")]);
    (upgrade, problem).into_response()
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (status, code) = match refused {
            Refused::Origin => (StatusCode::FORBIDDEN, Code::Unauthorized),
            Refused::Full | Refused::Crowded => (StatusCode::TOO_MANY_REQUESTS, Code::TooMany),
            Refused::Stopping => (StatusCode::SERVICE_UNAVAILABLE, Code::ShuttingDown),
        };
        Self::new(status, code, refused.to_string())
    }
}
