//! What a player's page hears of its broadcast (PROTOCOL 8.5): the states that WebTransport
//! sessions are told in band.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use serde_json::{Value, json};
use steadycast_codec_glue::wire::{Code, CodecKind, Phase, Serving, SoundFormat};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::super::problem::Problem;
use super::super::server::Lasting;
use super::super::site::Site;
use super::session::find;
use crate::broadcast::{Content, News, RelayTime, STILL_AFTER};
use crate::placement::{Handover, Hint};
use crate::shard::RelayClock;
use crate::webrtc::{Ear, PathNews, Session};

/// How often a listener hears that the relay lives (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// When somebody whose relay stops should come again.
const RETRY_AFTER_MS: u64 = 500;

/// Where the events of a session are (WHEP, 4.9.1): those of this relay come all or not at all.
pub(super) async fn subscribe(
    State(site): State<Arc<Site>>,
    uri: Uri,
    Path((id, session)): Path<(String, String)>,
) -> Result<Response, Problem> {
    find(&site, &id, &session)?;
    let there = [(LOCATION, uri.path().to_owned())];
    Ok((StatusCode::CREATED, there).into_response())
}

/// Tells what happens, until the session is over or nobody listens; with `?once` what stands, and
/// no more.
pub(super) async fn listen(
    State(site): State<Arc<Site>>,
    Extension(lasting): Extension<Lasting>,
    Path((id, session)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let session = find(&site, &id, &session)?;
    let handover = Handover::new(&site.placement, &session.broadcast, session.number);
    let listener = Listener {
        news: session.broadcast.news(),
        content: session.broadcast.content(),
        ended: session.over(),
        ear: session.listen(),
        session,
        told: None,
        serving: Serving::DEFAULT,
        sound: None,
        viewers: None,
        path: PathNews::default(),
        handover,
        still: None,
        next: Instant::now(),
        once: query.as_deref() == Some("once"),
        site,
        over: false,
        _lasting: lasting.hold(),
    };
    let events = stream::unfold(listener, |mut listener| async {
        let text = listener.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), listener))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // A proxy that collects answers before it passes them on would pass on nothing.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Whether the picture stands still.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Still {
    No,
    Since(RelayTime),
}

struct Listener {
    session: Arc<Session>,
    site: Arc<Site>,
    news: watch::Receiver<News>,
    content: Content,
    ended: watch::Receiver<Option<Code>>,
    ear: Ear,
    told: Option<News>,
    serving: Serving,
    /// What there is to hear, as it was told; at first that there is nothing.
    sound: Option<SoundFormat>,
    viewers: Option<u32>,
    /// What it was told of its path; at first that it is wide enough.
    path: PathNews,
    handover: Handover,
    /// Whether the picture moves, as it was told.
    still: Option<Still>,
    /// When the next heartbeat is due.
    next: Instant,
    /// It asked for what stands now.
    once: bool,
    over: bool,
    _lasting: super::super::server::Hold,
}

impl Listener {
    /// The next events; `None` once it is over.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        loop {
            let mut text = String::new();
            self.tell_news(&mut text);
            let still = self.tell_content(&mut text);
            while let Some(hint) = self.handover.next().now_or_never() {
                tell_hint(&hint, &mut text);
            }
            self.tell_end(&mut text);
            if self.next <= Instant::now() && !self.over {
                self.next = Instant::now() + HEARTBEAT;
                let now = self.clock().now().as_micros();
                let sent = self.session.frames_sent();
                write(
                    &mut text,
                    "ping",
                    &json!({ "relayUs": now, "framesSent": sent }),
                );
                self.tell_viewers(&mut text);
                self.tell_path(&mut text);
            }
            if !text.is_empty() {
                self.over |= self.once;
                return Some(text);
            }
            tokio::select! {
                changed = self.news.changed() => if changed.is_err() { return None },
                changed = self.ended.changed() => if changed.is_err() { return None },
                () = self.content.moved() => {}
                hint = self.handover.next() => {
                    tell_hint(&hint, &mut text);
                    return Some(text);
                }
                () = self.ear.displaced() => return None,
                () = sleep_until(still.unwrap_or(self.next)) => {}
                () = sleep_until(self.next) => {}
                () = self.site.draining.cancelled() => return Some(self.end(Code::ShuttingDown)),
            }
        }
    }

    fn clock(&self) -> RelayClock {
        self.site.clock
    }

    fn tell_news(&mut self, text: &mut String) {
        let news = *self.news.borrow_and_update();
        if let Some(code) = news.ended {
            text.push_str(&self.end(code));
            return;
        }
        if self.told == Some(news) {
            return;
        }
        self.tell_serving(&news, text);
        self.tell_sound(&news, text);
        let status = news.status;
        let was_live = self.told.map(|told| told.status.phase == Phase::Live);
        self.told = Some(news);
        let state = json!({
            "phase": status.phase.name(),
            "sinceUs": status.since_us,
            "epoch": status.epoch,
            "players": self.session.broadcast.status().players,
            "relayUs": self.clock().now().as_micros(),
        });
        write(text, "state", &state);
        let live = status.phase == Phase::Live;
        if was_live != Some(live) {
            write(text, if live { "active" } else { "inactive" }, &json!({}));
        }
    }

    /// Gives the time when a picture that moves will stand still, unless it goes on.
    fn tell_content(&mut self, text: &mut String) -> Option<Instant> {
        let changed = self.content.changed()?;
        let rest = STILL_AFTER.saturating_sub(self.clock().now().since(changed));
        let still = match rest {
            Duration::ZERO => Still::Since(changed),
            _ => Still::No,
        };
        if !self.over && self.still.replace(still) != Some(still) {
            let since = match still {
                Still::Since(changed) => Some(changed.as_micros()),
                Still::No => None,
            };
            write(text, "content", &json!({ "stillSinceUs": since }));
        }
        (still == Still::No).then(|| Instant::now() + rest)
    }

    fn tell_viewers(&mut self, text: &mut String) {
        let viewers = self.session.broadcast.status().players;
        if self.viewers.replace(viewers) != Some(viewers) {
            write(text, "viewercount", &json!({ "viewercount": viewers }));
        }
    }

    /// With the heartbeat, and so at most once a second (PROTOCOL 2.13).
    fn tell_path(&mut self, text: &mut String) {
        let path = self.session.path();
        if std::mem::replace(&mut self.path, path) != path {
            let data = json!({ "narrow": path.narrow, "carriesKbps": path.carries_kbps });
            write(text, "path", &data);
        }
    }

    /// What the player is served, where that is not simply the broadcast (PROTOCOL 2.10).
    fn tell_serving(&mut self, news: &News, text: &mut String) {
        let serving = news.serving(self.session.means());
        if std::mem::replace(&mut self.serving, serving) != serving {
            let data = json!({
                "service": serving.service.name(),
                "track": serving.track.number(),
                "codec": serving.codec.map(CodecKind::name),
            });
            write(text, "serving", &data);
        }
    }

    /// What there is to hear (PROTOCOL 9.2).
    fn tell_sound(&mut self, news: &News, text: &mut String) {
        if std::mem::replace(&mut self.sound, news.sound) != news.sound {
            let sound = news
                .sound
                .map(|format| json!({ "codec": format.codec.name(), "channels": format.channels }));
            write(text, "sound", &json!({ "sound": sound }));
        }
    }

    fn tell_end(&mut self, text: &mut String) {
        let ended = *self.ended.borrow_and_update();
        if let Some(code) = ended.filter(|_| !self.over) {
            text.push_str(&self.end(code));
        }
    }

    /// The last event.
    fn end(&mut self, code: Code) -> String {
        self.over = true;
        let retry = code.retries().then_some(RETRY_AFTER_MS);
        let mut text = String::new();
        let data = json!({
            "code": code.name(),
            "message": code.to_string(),
            "retryAfterMs": retry,
        });
        write(&mut text, "ended", &data);
        text
    }
}

fn write(text: &mut String, name: &str, data: &Value) {
    text.push_str(&format!("event: {name}\ndata: {data}\n\n"));
}

/// Other relays, and that the player is to go there (PROTOCOL 2.15).
fn tell_hint(hint: &Hint, text: &mut String) {
    match hint {
        Hint::Relays(relays) => write(text, "relays", &json!({ "relays": relays })),
        Hint::Move(within) => {
            let ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            write(text, "move", &json!({ "withinMs": ms }));
        }
    }
}
