//! What happens, as an event stream (PROTOCOL 7.5).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Interval, interval, sleep};

use super::api::known;
use super::caller::{Bearer, Caller};
use super::problem::Problem;
use super::server::{Hold, Lasting};
use super::site::Site;
use crate::auth::Action;
use crate::broadcast::BroadcastId;
use crate::directory::RelayId;
use crate::events::{Happened, Listener, Lost};
use crate::peers::{Elsewhere, Heard};

/// How often it is looked whether what opened a stream is still good.
const LOOK: Duration = Duration::from_millis(500);
/// How often a listener hears that the relay lives, where nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What happens everywhere, from now on (PROTOCOL 7.5).
///
/// Who may: an admin of all broadcasts.
#[utoipa::path(
    get,
    path = "/api/events",
    tag = "events",
    responses((status = 200, description = "As it happens", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn all(
    State(site): State<Arc<Site>>,
    caller: Caller,
    bearer: Bearer,
    Extension(lasting): Extension<Lasting>,
) -> Result<Response, Problem> {
    caller.require_admin()?;
    Ok(stream_of(site, None, bearer, lasting.hold()).await)
}

/// What happens at a broadcast, from now on (PROTOCOL 7.5).
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    get,
    path = "/api/broadcasts/{id}/events",
    tag = "events",
    params(("id" = String, Path, description = "The broadcast's id")),
    responses((status = 200, description = "As it happens", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn of_one(
    State(site): State<Arc<Site>>,
    caller: Caller,
    bearer: Bearer,
    Extension(lasting): Extension<Lasting>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = known(&site, &caller, &id, Action::Publish).await?;
    Ok(stream_of(site, Some(id), bearer, lasting.hold()).await)
}

struct Told {
    site: Arc<Site>,
    bearer: Bearer,
    looks: Interval,
    listener: Listener,
    /// What happens at other relays; `None`: there are none.
    elsewhere: Option<Elsewhere>,
    /// The broadcast that it is about, if only one.
    only: Option<BroadcastId>,
    begun: bool,
    _hold: Hold,
}

async fn stream_of(
    site: Arc<Site>,
    only: Option<BroadcastId>,
    bearer: Bearer,
    hold: Hold,
) -> Response {
    let told = Told {
        elsewhere: site.peers.events(only.as_ref()).await,
        looks: interval(LOOK),
        bearer,
        listener: site.records.events().listen(),
        only,
        site,
        begun: false,
        _hold: hold,
    };
    let events = stream::unfold(told, |mut told| async {
        let text = told.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), told))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // A proxy that collects answers before it passes them on would pass on nothing.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

impl Told {
    /// What is said next; `None`: the relay stops, or what opened the stream is good no more.
    async fn next(&mut self) -> Option<String> {
        // So that a client knows at once that it is heard.
        if !std::mem::replace(&mut self.begun, true) {
            return Some(":\n\n".to_owned());
        }
        let mut heartbeat = std::pin::pin!(sleep(HEARTBEAT));
        loop {
            tokio::select! {
                next = self.listener.next() => match next? {
                    Ok(happened) if self.is_meant(&happened) => return Some(written(&happened)),
                    Ok(_) => {}
                    Err(Lost(count)) => return Some(lost(Some(count))),
                },
                heard = next_of(&mut self.elsewhere) => match heard? {
                    Heard::Happened(told) => {
                        let id = unique(Some(&told.relay), told.id);
                        return Some(event(&id, &told.event, &told.data.to_string()));
                    }
                    Heard::Lost(events) => return Some(lost(events)),
                },
                _ = self.looks.tick() => {
                    let now = self.site.clock.now();
                    let (shown, of) = (&self.bearer.0, self.only.as_ref());
                    if !self.site.gate.may_still_hear(shown, of, now) {
                        return None;
                    }
                }
                () = &mut heartbeat => return Some(":\n\n".to_owned()),
                () = self.site.draining.cancelled() => return None,
            }
        }
    }

    fn is_meant(&self, happened: &Happened) -> bool {
        self.only.is_none() || self.only == happened.broadcast
    }
}

/// What happens at other relays; never, where there are none.
async fn next_of(elsewhere: &mut Option<Elsewhere>) -> Option<Heard> {
    match elsewhere {
        Some(elsewhere) => elsewhere.next().await,
        None => std::future::pending().await,
    }
}

fn written(happened: &Happened) -> String {
    let id = unique(happened.relay.as_ref(), happened.id);
    // Texts and numbers always serialise.
    let data = serde_json::to_string(happened).unwrap_or_default();
    event(&id, happened.event, &data)
}

/// An event's number, of several relays with its relay's name.
fn unique(relay: Option<&RelayId>, id: u64) -> String {
    match relay {
        Some(relay) => format!("{relay}-{id}"),
        None => id.to_string(),
    }
}

fn event(id: &str, event: &str, data: &str) -> String {
    format!("id: {id}\nevent: {event}\ndata: {data}\n\n")
}

/// Events were missed; how many, where that is known.
fn lost(events: Option<u64>) -> String {
    let data = serde_json::json!({ "events": events });
    format!("event: lost\ndata: {data}\n\n")
}
