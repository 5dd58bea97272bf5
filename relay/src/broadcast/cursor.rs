//! A player's place in the cache, and what it gets next.

use std::time::Duration;

use bytes::Bytes;

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
    /// The newest groups.
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
#[derive(Debug, Clone, Default)]
pub struct Cursor {
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

impl Cursor {
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
            Some(place) if place.key == newest.key => self.follow(place, newest, outlook),
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

    /// Whether both stand at the same place of a group, and so get the same next.
    pub fn is_beside(&self, other: &Self) -> bool {
        let at = |cursor: &Self| cursor.place.map(|place| (place.key, place.next));
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

    fn follow(&mut self, place: Place, newest: &Group, outlook: Outlook<'_>) -> Step {
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
mod tests {
    use super::super::frame::tests::{frame, layered_frame};
    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    struct Scene {
        cache: Cache,
        settings: Settings,
        attached: bool,
        now: RelayTime,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                cache: Cache::default(),
                settings: Settings::default(),
                attached: true,
                now: at(0),
            }
        }

        fn frames(&mut self, group: u32, indices: std::ops::Range<u32>) {
            for index in indices {
                self.cache
                    .take(&frame(1, group, index, 100), self.now)
                    .unwrap();
            }
        }

        fn outlook(&self) -> Outlook<'_> {
            Outlook {
                cache: &self.cache,
                attached: self.attached,
                settings: &self.settings,
                now: self.now,
            }
        }
    }

    fn opened(step: Step) -> usize {
        match step {
            Step::Open { frames, .. } => frames.len(),
            other => panic!("expected a new stream, got {other:?}"),
        }
    }

    #[test]
    fn a_join_gets_the_whole_group_at_once_and_then_each_frame() {
        let mut scene = Scene::new();
        scene.frames(0, 0..5);
        let mut cursor = Cursor::default();
        assert_eq!(opened(cursor.step(scene.outlook())), 5);
        assert!(matches!(cursor.step(scene.outlook()), Step::Wait { .. }));
        scene.frames(0, 5..6);
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 1));
    }

    #[test]
    fn a_join_on_a_long_group_waits_for_a_keyframe_but_not_for_ever() {
        let mut scene = Scene::new();
        scene.frames(0, 0..200);
        let mut cursor = Cursor::default();
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Wait { ask: Some(Need::Join), until: Some(until) } if until == at(500)
        ));
        scene.now = at(500);
        assert_eq!(opened(cursor.step(scene.outlook())), 200);
    }

    #[test]
    fn a_join_on_a_held_broadcast_never_waits() {
        let mut scene = Scene::new();
        scene.frames(0, 0..200);
        scene.attached = false;
        assert_eq!(opened(Cursor::default().step(scene.outlook())), 200);
    }

    #[test]
    fn a_player_at_the_end_of_a_group_moves_to_the_next_without_a_skip() {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        scene.frames(0, 3..5);
        scene.frames(1, 0..1);
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 2));
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Open { before: Before::Finish, frames } if frames.len() == 1
        ));
    }

    #[test]
    fn a_player_far_behind_skips_to_the_newest_keyframe() {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        scene.frames(0, 3..40);
        scene.frames(1, 0..2);
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Open { before: Before::Skip, frames } if frames.len() == 2
        ));
    }

    #[test]
    fn a_delay_never_grows_past_the_bound() {
        let mut scene = Scene::new();
        scene.frames(0, 0..1);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        scene.frames(0, 1..10);
        scene.now = at(2500);
        assert_eq!(cursor.step(scene.outlook()), Step::Abandon);
        // It waits for something newer than what it gave up ...
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Wait {
                ask: Some(Need::Lag),
                ..
            }
        ));
        // ... or for the publisher to go, when nothing newer can come.
        scene.attached = false;
        assert_eq!(opened(cursor.step(scene.outlook())), 10);
    }

    #[test]
    fn a_single_late_frame_is_no_lag() {
        let mut scene = Scene::new();
        scene.frames(0, 0..1);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        scene.frames(0, 1..2);
        scene.now = at(60_000);
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(_)));
    }

    #[test]
    fn a_player_that_lags_a_little_gets_fewer_frames() {
        let mut scene = Scene::new();
        scene.frames(0, 0..1);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        for index in 1..9 {
            let layered = layered_frame(0, index, (index % 2) as u8);
            scene.cache.take(&layered, scene.now).unwrap();
        }
        scene.now = at(300);
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 4));
        assert_eq!(cursor.take_dropped(), 4);
        // In time again, it gets them all.
        scene
            .cache
            .take(&layered_frame(0, 9, 1), scene.now)
            .unwrap();
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 1));
        assert_eq!(cursor.take_dropped(), 0);
    }

    #[test]
    fn a_pending_write_is_overtaken_by_a_newer_group() {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        assert!(!cursor.is_overtaken(scene.outlook()));
        scene.frames(1, 0..1);
        assert!(cursor.is_overtaken(scene.outlook()));
        cursor.abandon(Need::Lag, scene.now);
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Open {
                before: Before::Skip,
                ..
            }
        ));
    }

    #[test]
    fn a_broken_decoder_gets_the_next_keyframe_only() {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = Cursor::default();
        cursor.step(scene.outlook());
        cursor.abandon(Need::Broken, scene.now);
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Wait {
                ask: Some(Need::Broken),
                ..
            }
        ));
        scene.frames(1, 0..1);
        assert_eq!(opened(cursor.step(scene.outlook())), 1);
    }
}
