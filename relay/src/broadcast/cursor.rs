//! A player's place in the cache, and what it gets next.

use std::time::Duration;

use bytes::Bytes;
use steadycast_codec_glue::wire::TrackId;

use super::cache::{Cache, Group, GroupKey};
use super::{Need, RelayTime, Settings};

/// What to do for a player now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write these frames on the stream that is open.
    Continue(Vec<Bytes>),
    /// End the open stream, if there is one, and write these frames on a new one.
    Open {
        /// How the open stream ends.
        before: Before,
        /// A keyframe and what follows it.
        frames: Vec<Bytes>,
    },
    /// Finish the open stream and ask again: newer frames are worth more than the rest of it.
    Abandon,
    /// Reset the open stream and ask again: the rest of the frame on it will never come.
    Cut,
    /// Nothing to send.
    Wait {
        /// Ask again at this moment even if nothing has changed.
        until: Option<RelayTime>,
        /// The publisher is to be asked for a keyframe.
        ask: Option<Need>,
    },
}

/// How the stream before a new one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// There is none, or all its frames were sent.
    Finish,
    /// Frames were left out: the player was skipped.
    Skip,
}

/// How far a player's transport is with what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Pieces that have not been sent.
    pub unsent: usize,
    /// Bytes of the open group's keyframe that may not have arrived; 0 once it surely has.
    pub keyframe_left: usize,
    /// Bytes that have not been sent.
    pub bytes: usize,
}

/// What a cursor must know of the broadcast to decide.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// The newest groups of the cursor's track.
    pub cache: &'a Cache,
    /// Whether a publisher is attached that could send a keyframe.
    pub attached: bool,
    /// Whether a player that is too slow would soon have a keyframe.
    pub keyframe_due: bool,
    /// The operator's rules.
    pub settings: &'a Settings,
    /// What the player's path carries, in bytes per second; `None` while nobody knows.
    pub carries: Option<u64>,
    /// Whether memory is short, and the broadcast has more than its share of it.
    pub short: bool,
    /// The moment of the decision.
    pub now: RelayTime,
}

/// A player's place in the cache.
///
/// Holds no frames: what has not been sent stays in the cache alone, so a slow
/// player costs no memory but its send window.
#[derive(Debug, Clone)]
pub struct Cursor {
    track: Option<TrackId>,
    place: Option<Place>,
    waiting: Option<Waiting>,
    dropped: u64,
    /// Every frame is wanted, of whatever layer.
    whole: bool,
    /// When the first piece of the last step arrived.
    arrived: Option<RelayTime>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: GroupKey,
    /// The index of the piece that is sent next.
    next: usize,
    /// The first piece that has not been sent.
    unsent: usize,
    /// Pieces that were there when the group was opened for the player: they bring it up to date,
    /// and are as old as they are.
    joined: usize,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    need: Need,
    since: RelayTime,
    /// Only a group newer than this helps.
    after: Option<GroupKey>,
}

/// A player whose next frame has waited for this long gets frames of the base layer only.
const THIN_AFTER: Duration = Duration::from_millis(250);
/// A player this many frames behind the start of a new group still gets them all.
const TAIL_FRAMES: usize = 8;
/// A player that has its backlog within this time catches up by itself, however old the backlog is.
const CATCHES_UP: Duration = Duration::from_millis(300);
/// The rest of a group that is through within this time is worth it although the next is there.
const TAIL: Duration = Duration::from_millis(100);
/// How old frames may get on a path of which nothing is known.
const UNKNOWN_PATH: Duration = Duration::from_secs(2);

impl Default for Cursor {
    fn default() -> Self {
        Self::on(TrackId::MAIN)
    }
}

impl Cursor {
    /// The place of a player that joins on `track`.
    pub fn on(track: TrackId) -> Self {
        Self {
            track: Some(track),
            place: None,
            waiting: None,
            dropped: 0,
            whole: false,
            arrived: None,
        }
    }

    /// No frame is to be left out for its layer: whoever is here hands on to others what they get.
    pub fn keep_whole(&mut self) {
        self.whole = true;
    }

    /// The track that the player gets; `None`: nothing that is there.
    pub fn track(&self) -> Option<TrackId> {
        self.track
    }

    /// Goes on with another track, at a keyframe as at a join; with `None` nothing follows.
    pub fn follow(&mut self, track: Option<TrackId>) {
        if track != self.track {
            self.track = track;
            self.place = None;
            self.waiting = None;
        }
    }

    /// What the player gets next. The frames of a step count as not sent until
    /// [`Cursor::sent_all_but`] says otherwise.
    pub fn step(&mut self, outlook: Outlook<'_>) -> Step {
        let Some(newest) = outlook.cache.newest() else {
            return Step::Wait {
                until: None,
                ask: None,
            };
        };
        // Nobody asks before all of the last step has been sent.
        self.sent_all_but(0);
        match self.place {
            None => self.join(newest, outlook),
            Some(place) if place.key == newest.key => self.go_on(place, newest, outlook),
            Some(place) => self.move_on(place, newest, outlook),
        }
    }

    /// Of what the player was given, all but the last `unsent` pieces have been sent.
    pub fn sent_all_but(&mut self, unsent: usize) {
        if let Some(place) = &mut self.place {
            place.unsent = place.next.saturating_sub(unsent);
        }
    }

    /// While something waits to be sent: whether newer frames are worth more than the rest of it.
    ///
    /// A keyframe on its way is given up only for one that is complete sooner.
    pub fn is_overtaken(&self, backlog: Backlog, outlook: Outlook<'_>) -> bool {
        let (Some(place), Some(newest)) = (self.place, outlook.cache.newest()) else {
            return false;
        };
        let replaced = place.key != newest.key;
        if holds_too_much(place, backlog, outlook) {
            return true;
        }
        if backlog.keyframe_left > 0 {
            return replaced
                && newest.has_keyframe()
                && newest.keyframe_bytes() < backlog.keyframe_left;
        }
        if !replaced {
            return lags(newest, place, outlook);
        }
        let rest = outlook.cache.group(place.key).map_or(usize::MAX, |old| {
            old.from(place.unsent).map(Bytes::len).sum()
        });
        !outlook.carries_within(rest, TAIL)
    }

    /// When the first piece arrived of those that the last step gave.
    pub fn arrived(&self) -> Option<RelayTime> {
        self.arrived
    }

    /// Whether the player has been sent something of its track.
    pub fn is_placed(&self) -> bool {
        self.place.is_some()
    }

    /// Whether both stand at the same place of a group, and so get the same next.
    pub fn is_beside(&self, other: &Self) -> bool {
        let at = |cursor: &Self| {
            let place = cursor.place?;
            Some((cursor.track, place.key, place.next))
        };
        at(self).is_some() && at(self) == at(other)
    }

    /// Frames of higher layers that were dropped since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Gives up the group being sent; the next step opens a newer one.
    ///
    /// Without `need` any newer group that is there will do.
    pub fn abandon(&mut self, need: Need, now: RelayTime) {
        let after = self.place.take().map(|place| place.key);
        self.waiting = Some(Waiting {
            need,
            since: now,
            after,
        });
    }

    fn join(&mut self, newest: &Group, outlook: Outlook<'_>) -> Step {
        let waiting = *self.waiting.get_or_insert(Waiting {
            need: Need::Join,
            since: outlook.now,
            after: None,
        });
        let settings = outlook.settings;
        let is_long = |group: &Group| {
            group.frames() > settings.join_frames || group.bytes() > settings.join_bytes
        };
        // What is let go of is let go of with all that was before it.
        if !newest.has(0) {
            return Step::Wait {
                until: Some(outlook.now + settings.keyframe_wait),
                ask: outlook.attached.then_some(waiting.need),
            };
        }
        let stale = waiting.after.is_some_and(|after| newest.key <= after);
        let long = is_long(newest);
        // Nobody could send a keyframe, or nobody did: the long way is better than no picture.
        let patient =
            waiting.need != Need::Join || outlook.now - waiting.since < settings.keyframe_wait;
        if outlook.attached && (stale || long) && patient {
            // However often it is asked meanwhile, a join waits once.
            let since = match waiting.need {
                Need::Join => waiting.since,
                Need::Broken | Need::Lag => outlook.now,
            };
            return Step::Wait {
                until: Some(since + settings.keyframe_wait),
                ask: Some(waiting.need),
            };
        }
        let before = match waiting.need {
            Need::Join => Before::Finish,
            Need::Broken | Need::Lag => Before::Skip,
        };
        // A whole picture now is better than half of a newer one.
        let group = match (waiting.need, outlook.cache.pictured()) {
            (Need::Join, Some(pictured)) if !is_long(pictured) => pictured,
            _ => newest,
        };
        self.open(group, before)
    }

    fn go_on(&mut self, place: Place, newest: &Group, outlook: Outlook<'_>) -> Step {
        if place.next > newest.len() {
            self.place = Some(Place {
                next: newest.len(),
                unsent: newest.len(),
                ..place
            });
            return Step::Cut;
        }
        if place.next == newest.len() {
            return Step::Wait {
                until: None,
                ask: None,
            };
        }
        if !newest.has(place.next) || lags(newest, place, outlook) {
            self.abandon(Need::Lag, outlook.now);
            return Step::Abandon;
        }
        self.advance(place, newest, outlook.now)
    }

    /// A newer group is there: the rest of the old one if it is next to nothing, else skip.
    fn move_on(&mut self, place: Place, newest: &Group, outlook: Outlook<'_>) -> Step {
        let old = outlook.cache.group(place.key);
        let old = old.filter(|old| old.has(place.next));
        let left = old.map_or(0, |old| old.len() - place.next.min(old.len()));
        match old {
            Some(old) if (1..=TAIL_FRAMES).contains(&left) => self.advance(place, old, outlook.now),
            Some(_) if left == 0 && newest.has(0) => self.open(newest, Before::Finish),
            _ => {
                self.place = None;
                self.waiting = Some(Waiting {
                    need: Need::Lag,
                    since: outlook.now,
                    after: None,
                });
                self.join(newest, outlook)
            }
        }
    }

    fn open(&mut self, group: &Group, before: Before) -> Step {
        self.waiting = None;
        self.arrived = group.arrived(0);
        self.place = Some(Place {
            key: group.key,
            next: group.len(),
            unsent: 0,
            joined: group.len(),
        });
        Step::Open {
            before,
            frames: group.from(0).cloned().collect(),
        }
    }

    /// The rest of the group; to a player that lags a little, fewer frames of it (PROTOCOL 4.8).
    fn advance(&mut self, place: Place, group: &Group, now: RelayTime) -> Step {
        self.arrived = group.arrived(place.next);
        let late = self
            .arrived
            .is_some_and(|arrived| !self.whole && now - arrived > THIN_AFTER);
        let frames: Vec<_> = match late {
            true => group.base_from(place.next).cloned().collect(),
            false => group.from(place.next).cloned().collect(),
        };
        self.dropped += (group.len() - place.next - frames.len()) as u64;
        // All before has been sent, so that its first is the first that has not.
        self.place = Some(Place {
            next: group.len(),
            ..place
        });
        Step::Continue(frames)
    }
}

impl Outlook<'_> {
    /// Whether the path surely carries so many bytes within `time`.
    fn carries_within(&self, bytes: usize, time: Duration) -> bool {
        self.carries
            .is_some_and(|carries| bytes as f64 <= carries as f64 * time.as_secs_f64())
    }

    /// How old a frame may get before it is sent: on a narrow path as old as it becomes behind a
    /// keyframe, and a little more, so that something is seen of each group.
    fn patience(&self, group: &Group) -> Duration {
        let lag = self.settings.player_lag;
        let Some(carries) = self.carries.filter(|carries| *carries > 0) else {
            return lag.max(UNKNOWN_PATH);
        };
        let keyframe = group.keyframe_bytes() as f64 / carries as f64;
        lag.max(Duration::from_secs_f64((keyframe * 1.35).min(60.0)))
    }
}

/// Whether a player holds more of a group that the cache has no more than it may: nothing but the
/// player needs it, and where memory is short that is no reason to keep it.
fn holds_too_much(place: Place, backlog: Backlog, outlook: Outlook<'_>) -> bool {
    let gone = outlook
        .cache
        .group(place.key)
        .is_none_or(|group| !group.has(place.next.saturating_sub(1)));
    gone && (outlook.short || backlog.bytes > outlook.settings.player_queue_bytes)
}

/// Whether the frames that were not sent are too many or too old to be worth sending.
///
/// The newest frame alone never is: it may be late because nothing has moved since.
fn lags(group: &Group, place: Place, outlook: Outlook<'_>) -> bool {
    let index = place.unsent;
    if index + 1 >= group.len() || !outlook.attached {
        return false;
    }
    let queued: usize = group.from(index).map(Bytes::len).sum();
    if queued > outlook.settings.player_queue_bytes {
        return true;
    }
    let waited = group
        .arrived(index.max(place.joined))
        .map_or(Duration::ZERO, |arrived| outlook.now - arrived);
    // Old pictures are better than none until there is a keyframe.
    outlook.keyframe_due
        && waited > outlook.patience(group)
        && !outlook.carries_within(queued, CATCHES_UP)
}

#[cfg(test)]
mod tests;
