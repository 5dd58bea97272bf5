//! What happens, as an event stream (PROTOCOL 7.5).

use std::convert::Infallible;
use std::fmt::Write;
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

use super::api::found;
use super::caller::{Bearer, Caller};
use super::problem::Problem;
use super::server::{Hold, Lasting};
use super::site::Site;
use crate::auth::Action;
use crate::broadcast::BroadcastId;
use crate::events::{Happened, Listener, Lost};

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
    Ok(stream_of(site, None, bearer, lasting.hold()))
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
    let broadcast = found(&site, &caller, &id, Action::Publish).await?;
    let only = Some(broadcast.id().clone());
    Ok(stream_of(site, only, bearer, lasting.hold()))
}

struct Told {
    site: Arc<Site>,
    bearer: Bearer,
    looks: Interval,
    listener: Listener,
    /// The broadcast that it is about, if only one.
    only: Option<BroadcastId>,
    begun: bool,
    _hold: Hold,
}

fn stream_of(site: Arc<Site>, only: Option<BroadcastId>, bearer: Bearer, hold: Hold) -> Response {
    let told = Told {
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
                    Err(Lost(count)) => {
                        return Some(format!("event: lost\ndata: {{\"events\":{count}}}\n\n"));
                    }
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

fn written(happened: &Happened) -> String {
    let (id, event) = (happened.id, happened.event);
    // Texts and numbers always serialise.
    let data = serde_json::to_string(happened).unwrap_or_default();
    let mut text = String::new();
    let _ = write!(text, "id: {id}\nevent: {event}\ndata: {data}\n\n");
    text
}
