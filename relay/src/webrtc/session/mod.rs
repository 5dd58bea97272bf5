//! Sessions: as HTTP opens and knows them, and as the shards serve them.

pub(in crate::webrtc) mod bridge;
pub(in crate::webrtc) mod door;
pub(in crate::webrtc) mod link;
mod meter;
mod paths;
pub(in crate::webrtc) mod peer;
pub(in crate::webrtc) mod routes;
pub(in crate::webrtc) mod table;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, CodecSet, Role};
use tokio::sync::watch;

use self::meter::Meter;
use crate::auth::{RandomError, Withdrawal};
use crate::broadcast::{AttachError, Broadcast, Means, Width};
use crate::delivery::PathNews;
use crate::records::{Record, Shown};
use crate::webrtc::ice::{Credentials, Ufrag};

/// The name of a session in its URL: 256 random bits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(pub(in crate::webrtc) Box<str>);

impl SessionId {
    /// What a URL says is one; whether there is such a session is another matter.
    pub fn from_url(text: &str) -> Self {
        Self(text.into())
    }

    /// For the URL, which is the session's secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// A session, as HTTP knows it.
#[derive(Debug)]
pub struct Session {
    /// The name in its URL.
    pub id: SessionId,
    /// Its broadcast.
    pub broadcast: Arc<Broadcast>,
    /// What let it in, and what it has had.
    pub(in crate::webrtc) record: Record,
    /// What its client is there.
    pub role: Role,
    /// What no other session of this relay has.
    pub number: u64,
    pub(in crate::webrtc) ice: Mutex<Ice>,
    pub(in crate::webrtc) over: watch::Sender<Option<Code>>,
    pub(in crate::webrtc) frames_sent: AtomicU64,
    /// How many listeners there have been.
    pub(in crate::webrtc) listeners: watch::Sender<u64>,
    pub(in crate::webrtc) codecs: CodecSet,
    pub(in crate::webrtc) path: Mutex<(PathNews, Width)>,
    /// What it has brought, where there is a limit to that.
    pub(in crate::webrtc) meter: Mutex<Meter>,
}

/// The ICE session of the moment (RFC 8445, 9).
#[derive(Debug)]
pub(in crate::webrtc) struct Ice {
    pub(in crate::webrtc) current: Credentials,
    /// The client's.
    pub(in crate::webrtc) remote: Credentials,
    pub(in crate::webrtc) generation: u32,
    /// Names that the session is known by, the current one included: its shard may not have heard of
    /// the newest yet.
    pub(in crate::webrtc) names: Vec<Ufrag>,
}

impl Session {
    /// The strong tag of its ICE session (RFC 9725, 4.3.1).
    pub fn etag(&self) -> String {
        let ice = self.ice.lock();
        format!("\"{}-{}\"", ice.generation, ice.current.ufrag.as_str())
    }

    /// Why it cannot go on: its broadcast is over, or it may no longer be there.
    pub(in crate::webrtc) fn has_to_end(&self) -> Option<Code> {
        let withdrawn = self.record.pass().withdrawn().map(Withdrawal::code);
        withdrawn.or_else(|| self.broadcast.ended())
    }

    /// How many players it may have where it publishes; `None`: as many as any.
    pub(in crate::webrtc) fn most_players(&self) -> Option<u32> {
        self.record.pass().grant().allotment.players
    }

    /// It has brought so many bytes in all: whether that is too much for too long.
    pub(in crate::webrtc) fn brings_too_much(&self, bytes: u64, now: Instant) -> bool {
        let most = self.record.pass().grant().allotment.kbps;
        most.is_some_and(|kbps| self.meter.lock().is_above(kbps, bytes, now))
    }

    /// Where to listen for its end.
    pub fn over(&self) -> watch::Receiver<Option<Code>> {
        self.over.subscribe()
    }

    /// Takes in a listener.
    pub fn listen(&self) -> Ear {
        let listeners = self.listeners.subscribe();
        let mut number = 0;
        self.listeners.send_modify(|count| {
            *count += 1;
            number = *count;
        });
        Ear { listeners, number }
    }

    /// Frames that its client has been sent so far.
    pub fn frames_sent(&self) -> u64 {
        self.frames_sent.load(Ordering::Relaxed)
    }

    pub(in crate::webrtc) fn count_sent(&self, frames: u64) {
        self.frames_sent.store(frames, Ordering::Relaxed);
    }

    /// The newest word on the path to its client.
    pub fn path(&self) -> PathNews {
        self.path.lock().0
    }

    /// The path to its client has changed; it is told at its next heartbeat.
    pub fn report_path(&self, news: PathNews, width: Width) {
        *self.path.lock() = (news, width);
    }

    /// Its page has said what it shows.
    pub fn report(&self, shown: Shown) {
        if let Some(latency) = shown.latency {
            self.record.shown_after(latency);
        }
        self.record.reported(shown);
    }

    /// What its client can be served by.
    pub fn means(&self) -> Means {
        Means {
            codecs: Some(self.codecs),
            width: self.path.lock().1,
            exact: false,
        }
    }

    pub(in crate::webrtc) fn end(&self, code: Code) {
        self.record.end(code);
        self.over.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert(code);
            first
        });
    }
}

/// Listeners of a session: a page has one, and some that it has given up may be around.
const LISTENERS: u64 = 4;

/// A listener's place, which it has until four others have come after it.
#[derive(Debug)]
pub struct Ear {
    listeners: watch::Receiver<u64>,
    number: u64,
}

impl Ear {
    /// Resolves when the listener has to make way. Cancel-safe.
    pub async fn displaced(&mut self) {
        let last = self.number + LISTENERS;
        // The session outlives its listeners.
        let _ = self.listeners.wait_for(|count| *count >= last).await;
    }
}

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The broadcast takes nobody more.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The client's network has as many sessions as one may have.
    #[error("too many sessions from this address")]
    Crowded,
    /// The relay takes nobody more for now.
    #[error("the relay is full")]
    Full,
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why a session's ICE was not restarted.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    /// There is no such session.
    #[error("there is no such session")]
    Unknown,
    /// It is restarted faster than can be followed.
    #[error("too many restarts")]
    Busy,
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A session that has just been opened.
#[derive(Debug)]
pub struct Opened {
    /// The session.
    pub session: Arc<Session>,
    /// The SDP answer.
    pub answer: String,
}
