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

/// What a cursor must know of the broadcast to decide.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// The newest groups of the cursor's track.
    pub cache: &'a Cache,
    /// Whether a publisher is attached that could send a keyframe.
    pub attached: bool,
    /// The operator's rules.
    pub settings: &'a Settings,
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
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: GroupKey,
    /// The index of the piece that is sent next.
    next: usize,
    /// Where the write that is under way began.
    writing: usize,
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
        }
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

    /// What the player gets next. The frames of a step count as being written
    /// until [`Cursor::step`] is called again.
    pub fn step(&mut self, outlook: Outlook<'_>) -> Step {
        let Some(newest) = outlook.cache.newest() else {
            return Step::Wait {
                until: None,
                ask: None,
            };
        };
        match self.place {
            None => self.join(newest, outlook),
            Some(place) if place.key == newest.key => self.go_on(place, newest, outlook),
            Some(place) => self.move_on(place, newest, outlook),
        }
    }

    /// While a write is pending: whether the player is so far behind that the rest is not worth sending.
    pub fn is_overtaken(&self, outlook: Outlook<'_>) -> bool {
        let (Some(place), Some(newest)) = (self.place, outlook.cache.newest()) else {
            return false;
        };
        place.key != newest.key || lags(newest, place.writing, outlook)
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
        let stale = waiting.after.is_some_and(|after| newest.key <= after);
        let long = is_long(newest);
        // Nobody could send a keyframe, or nobody did: the long way is better than no picture.
        let patient =
            waiting.need != Need::Join || outlook.now - waiting.since < settings.keyframe_wait;
        if outlook.attached && (stale || long) && patient {
            return Step::Wait {
                until: Some(outlook.now + settings.keyframe_wait),
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
        if lags(newest, place.next, outlook) && outlook.attached {
            self.abandon(Need::Lag, outlook.now);
            return Step::Abandon;
        }
        self.advance(place, newest, outlook.now)
    }

    /// A newer group is there: the rest of the old one if it is next to nothing, else skip.
    fn move_on(&mut self, place: Place, newest: &Group, outlook: Outlook<'_>) -> Step {
        let old = outlook.cache.group(place.key);
        let left = old.map_or(0, |old| old.len() - place.next.min(old.len()));
        match old {
            Some(old) if (1..=TAIL_FRAMES).contains(&left) => self.advance(place, old, outlook.now),
            Some(_) if left == 0 => self.open(newest, Before::Finish),
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
        self.place = Some(Place {
            key: group.key,
            next: group.len(),
            writing: 0,
        });
        Step::Open {
            before,
            frames: group.from(0).cloned().collect(),
        }
    }

    /// The rest of the group; to a player that lags a little, fewer frames of it (PROTOCOL 4.8).
    fn advance(&mut self, place: Place, group: &Group, now: RelayTime) -> Step {
        let late = group
            .arrived(place.next)
            .is_some_and(|arrived| now - arrived > THIN_AFTER);
        let frames: Vec<_> = match late {
            true => group.base_from(place.next).cloned().collect(),
            false => group.from(place.next).cloned().collect(),
        };
        self.dropped += (group.len() - place.next - frames.len()) as u64;
        self.place = Some(Place {
            next: group.len(),
            writing: place.next,
            ..place
        });
        Step::Continue(frames)
    }
}

/// Whether the frames from `index` on are too many or too old to be worth sending.
///
/// The newest frame alone never is: it may be late because nothing has moved since.
fn lags(group: &Group, index: usize, outlook: Outlook<'_>) -> bool {
    if index + 1 >= group.len() || !outlook.attached {
        return false;
    }
    let waited = group
        .arrived(index)
        .map_or(Duration::ZERO, |arrived| outlook.now - arrived);
    let queued: usize = group.from(index).map(Bytes::len).sum();
    waited > outlook.settings.player_lag || queued > outlook.settings.player_queue_bytes
}

#[cfg(test)]
mod tests;
