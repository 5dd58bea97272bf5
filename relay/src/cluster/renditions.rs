//! The renditions that players here need: for each a session of its own at the other relay (PROTOCOL 11.6).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use steadycast_codec_glue::wire::{
    ClientMessage, CodecKind, RelayMessage, Service, TrackId, WantedTrack,
};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::feed::Feed;
use super::talk::{Failure, HEARTBEAT, Talk};
use super::upstream::Upstream;
use super::way::{Asked, Way};

/// How long to wait before a session that has failed is opened again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a session is told what else it is to be at most.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Those that run.
pub(super) struct Renditions {
    way: Arc<Way>,
    /// The relay that the main track comes from.
    upstream: Arc<Upstream>,
    feed: Arc<Feed>,
    running: HashMap<TrackId, Running>,
    tasks: JoinSet<()>,
}

struct Running {
    codec: CodecKind,
    wish: watch::Sender<Wish>,
    task: AbortHandle,
}

/// What may change of a rendition while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    max_kbps: Option<u32>,
    players: u32,
}

impl Renditions {
    pub(super) fn new(way: &Arc<Way>, upstream: &Arc<Upstream>, feed: &Arc<Feed>) -> Self {
        Self {
            way: way.clone(),
            upstream: upstream.clone(),
            feed: feed.clone(),
            running: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// These are wanted, and no others.
    pub(super) fn are(&mut self, wanted: &[WantedTrack]) {
        // Those that have ended are forgotten.
        while self.tasks.try_join_next().is_some() {}
        self.running.retain(|track, running| {
            let stays =
                |wanted: &WantedTrack| (wanted.track, wanted.codec) == (*track, running.codec);
            let stays = wanted.iter().any(stays);
            if !stays {
                running.task.abort();
            }
            stays
        });
        for wanted in wanted {
            let wish = Wish {
                max_kbps: wanted.max_kbps,
                players: wanted.players,
            };
            match self.running.get(&wanted.track) {
                Some(running) => {
                    running
                        .wish
                        .send_if_modified(|known| std::mem::replace(known, wish) != wish);
                }
                None => self.begin(wanted.track, wanted.codec, wish),
            }
        }
    }

    /// All of them begin anew: of what is on its way nothing may be seen.
    pub(super) fn begin_anew(&mut self) {
        let running: Vec<_> = self.running.drain().collect();
        for (track, Running { codec, wish, task }) in running {
            task.abort();
            let wish = *wish.borrow();
            self.begin(track, codec, wish);
        }
    }

    fn begin(&mut self, track: TrackId, codec: CodecKind, wish: Wish) {
        let (wish, wishes) = watch::channel(wish);
        let session = Session {
            way: self.way.clone(),
            upstream: self.upstream.clone(),
            feed: self.feed.clone(),
            track,
            codec,
        };
        let task = self.tasks.spawn(session.keep(wishes));
        self.running.insert(track, Running { codec, wish, task });
    }
}

/// A session for one rendition.
struct Session {
    way: Arc<Way>,
    upstream: Arc<Upstream>,
    feed: Arc<Feed>,
    /// The track here.
    track: TrackId,
    codec: CodecKind,
}

impl Session {
    /// Keeps the session, whatever becomes of it.
    async fn keep(self, mut wishes: watch::Receiver<Wish>) {
        loop {
            let Err(failure) = self.run(&mut wishes).await else {
                return;
            };
            tracing::debug!(track = %self.track, %failure, "a rendition's session has ended");
            sleep(PAUSE).await;
        }
    }

    /// Ends without an error when the rendition is wanted no longer.
    async fn run(&self, wishes: &mut watch::Receiver<Wish>) -> Result<(), Failure> {
        let Asked { mut talk, .. } = self.way.ask_at(&self.upstream, None).await?;
        let connection = talk.connection.clone();
        let mut pulses = self.feed.broadcast().pulses();
        let requests =
            |pulses: &mut watch::Receiver<_>| requests_of(&pulses.borrow_and_update(), self.track);
        let mut asked = requests(&mut pulses);
        let mut wish = *wishes.borrow_and_update();
        self.needs(&mut talk, wish, None).await?;
        let mut beats = interval(HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut groups = FuturesUnordered::new();
        let mut told = Instant::now();
        loop {
            tokio::select! {
                message = talk.next() => self.take(&message?),
                stream = connection.accept_uni() => {
                    let stream = stream.map_err(Failure::unreached)?;
                    groups.push(self.feed.read_group(stream, self.track));
                }
                Some(broken) = groups.next() => if broken {
                    ask(&mut talk, &self.feed).await?;
                },
                changed = pulses.changed() => {
                    changed.map_err(Failure::unreached)?;
                    let requested = requests(&mut pulses);
                    if requested > asked {
                        asked = requested;
                        ask(&mut talk, &self.feed).await?;
                    }
                }
                _ = beats.tick() => {
                    talk.ping().await?;
                    let Ok(changed) = wishes.has_changed() else {
                        return Ok(());
                    };
                    if changed && told.elapsed() >= TOLD_EVERY {
                        let before = wish;
                        wish = *wishes.borrow_and_update();
                        told = Instant::now();
                        self.needs(&mut talk, wish, Some(before)).await?;
                    }
                }
            }
        }
    }

    /// Says what of the wish is new.
    async fn needs(
        &self,
        talk: &mut Talk,
        wish: Wish,
        before: Option<Wish>,
    ) -> Result<(), Failure> {
        if before.is_none_or(|before| before.max_kbps != wish.max_kbps) {
            let (codec, max_kbps) = (self.codec, wish.max_kbps);
            talk.say(&ClientMessage::Needs { codec, max_kbps }).await?;
        }
        if before.is_none_or(|before| before.players != wish.players) {
            let audience = ClientMessage::Audience {
                players: wish.players,
                listeners: 0,
            };
            talk.say(&audience).await?;
        }
        Ok(())
    }

    fn take(&self, message: &RelayMessage) {
        if let RelayMessage::Serving { serving } = message
            && serving.service == Service::Unsupported
        {
            tracing::info!(track = %self.track, codec = self.codec.name(), "rendition refused");
            self.feed.refuse(self.track);
        }
    }
}

fn requests_of(pulse: &crate::broadcast::Pulse, track: TrackId) -> u64 {
    pulse.keyframe_requests[usize::from(track.number())]
}

async fn ask(talk: &mut Talk, feed: &Feed) -> Result<(), Failure> {
    let epoch = feed.epoch().unwrap_or_default();
    let request = ClientMessage::KeyframeRequest { epoch, group: 0 };
    talk.say(&request).await
}
