//! One track of a broadcast: its newest groups, and the keyframes asked for it.

use std::time::Duration;

use bytes::Bytes;

use super::cache::{Cache, CacheError, GroupKey, Taken};
use super::captures::Captures;
use super::demand::{Demand, Meter};
use super::keyframes::KeyframeRequests;
use super::{Frame, Need, RelayTime};

/// A group of at most so many frames and bytes arrives sooner than a new keyframe would.
const FRESH_FRAMES: usize = 60;
const FRESH_BYTES: usize = 512 << 10;

/// A track, wanted or not.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) cache: Cache,
    pub(super) captures: Captures,
    keyframes: KeyframeRequests,
    /// Groups up to this one are not taken: some of their frames were dropped.
    closed: Option<GroupKey>,
    /// What the publisher has been asked for.
    pub(super) requests: u64,
    meter: Meter,
    /// What was taken.
    pub(super) frames_received: u64,
    pub(super) bytes_received: u64,
}

impl Track {
    /// Takes a frame, or the beginning of one, whose epoch has been checked.
    pub(super) fn take(&mut self, frame: &Frame, now: RelayTime) -> Result<Taken, CacheError> {
        if Some(GroupKey::of(frame)) <= self.closed {
            return Ok(Taken::Late);
        }
        let taken = self.cache.take(frame, now)?;
        let whole = (frame.here() + frame.missing()) as u64;
        if taken == Taken::Opened {
            self.keyframes.answered(now);
            self.meter.keyframe(whole);
        }
        self.meter.add(whole, now);
        self.frames_received += 1;
        self.bytes_received += frame.here() as u64;
        Ok(taken)
    }

    /// Whether a player that cannot keep up would soon have a keyframe.
    pub(super) fn is_keyframe_due(&self, now: RelayTime) -> bool {
        self.keyframes.is_due_for_slow(now)
    }

    /// What the picture takes of a path.
    pub(super) fn demand(&mut self, now: RelayTime) -> Demand {
        self.meter.demand(now)
    }

    /// Takes more of a frame that has begun.
    pub(super) fn extend(&mut self, key: GroupKey, bytes: Bytes, now: RelayTime) {
        self.bytes_received += bytes.len() as u64;
        self.cache.extend(key, bytes, now);
    }

    /// The rest of the frame that has begun in this group will not come.
    ///
    /// Where nothing is left of the group its number is spent: who has been sent the beginning of
    /// one group of that number must not go on inside of another.
    pub(super) fn cut(&mut self, key: GroupKey) {
        self.cache.cut(Some(key));
        if self.cache.group(key).is_none() {
            self.closed = self.closed.max(Some(key));
        }
    }

    /// Leaves out a frame that nobody wants, and with it the rest of its group.
    pub(super) fn drop_frame(&mut self, frame: &Frame) {
        self.closed = self.closed.max(Some(GroupKey::of(frame)));
    }

    /// The rest of a group is not taken. False when that is so already.
    pub(super) fn pass_over(&mut self, key: GroupKey) -> bool {
        let first = self.closed < Some(key);
        self.closed = self.closed.max(Some(key));
        self.cache.cut(Some(key));
        first
    }

    /// Nobody wants the track any more: its pictures go.
    pub(super) fn let_go(&mut self) {
        let newest = self.cache.newest().map(|group| group.key);
        self.closed = self.closed.max(newest);
        self.cache = Cache::default();
        self.keyframes.reset();
    }

    /// All groups before this one go, and what comes of them still is not taken; the next one begins anew.
    pub(super) fn take_back(&mut self, first: GroupKey) {
        let last = match first.group.checked_sub(1) {
            Some(group) => Some(GroupKey { group, ..first }),
            None => first.epoch.checked_sub(1).map(|epoch| GroupKey {
                epoch,
                group: u32::MAX,
            }),
        };
        self.closed = self.closed.max(last);
        self.cache.forget_before(first);
        self.keyframes.reset();
    }

    /// Whether the newest group is whole, short and small.
    pub(super) fn is_fresh(&self) -> bool {
        self.cache.newest().is_some_and(|newest| {
            newest.has_keyframe()
                && newest.frames() <= FRESH_FRAMES
                && newest.bytes() <= FRESH_BYTES
        })
    }

    /// Whether to ask the publisher for a keyframe now.
    pub(super) fn ask(&mut self, need: Need, interval: Duration, now: RelayTime) -> bool {
        let ask = self.keyframes.ask(need, interval, now);
        self.requests += u64::from(ask);
        ask
    }

    /// Another publisher is in charge: what the last one left unfinished stays so.
    pub(super) fn hand_over(&mut self) {
        self.cache.cut(None);
        self.captures.hand_over();
        self.keyframes.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::{begun, frame};
    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    #[test]
    fn the_number_of_a_group_that_was_cut_is_spent() {
        let mut track = Track::default();
        track.take(&frame(1, 3, 0, 10), at(0)).unwrap();
        let (first, _) = begun(1, (4, 0), 1_000, 400);
        track.take(&first, at(1)).unwrap();
        track.cut(GroupKey { epoch: 1, group: 4 });
        assert_eq!(track.cache.newest().unwrap().key.group, 3);
        // A player may have been sent the beginning of the other.
        assert_eq!(track.take(&frame(1, 4, 0, 10), at(2)), Ok(Taken::Late));
        assert_eq!(track.take(&frame(1, 5, 0, 10), at(3)), Ok(Taken::Opened));
        // What is left of a group stays open to nobody, and its place is its own.
        let (next, _) = begun(1, (5, 1), 1_000, 400);
        track.take(&next, at(4)).unwrap();
        track.cut(GroupKey { epoch: 1, group: 5 });
        assert_eq!(track.cache.newest().unwrap().frames(), 1);
        assert_eq!(track.take(&frame(1, 5, 1, 10), at(5)), Ok(Taken::Appended));
    }

    #[test]
    fn a_track_is_fresh_while_its_group_is_whole_short_and_small() {
        let mut track = Track::default();
        assert!(!track.is_fresh());
        let (first, rest) = begun(1, (0, 0), 1_000, 400);
        track.take(&first, at(0)).unwrap();
        assert!(!track.is_fresh(), "its keyframe is still coming");
        let key = GroupKey { epoch: 1, group: 0 };
        track.extend(key, rest, at(1));
        assert!(track.is_fresh());
        for index in 1..FRESH_FRAMES as u32 {
            track.take(&frame(1, 0, index, 10), at(2)).unwrap();
        }
        assert!(track.is_fresh());
        track
            .take(&frame(1, 0, FRESH_FRAMES as u32, 10), at(3))
            .unwrap();
        assert!(!track.is_fresh());
        track.take(&frame(1, 1, 0, FRESH_BYTES), at(4)).unwrap();
        assert!(!track.is_fresh(), "too large");
    }

    #[test]
    fn a_slow_player_has_a_keyframe_before_long_unless_one_has_just_been_there() {
        let mut track = Track::default();
        assert!(track.is_keyframe_due(at(0)));
        track.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        assert!(!track.is_keyframe_due(at(1_000)));
        assert!(track.is_keyframe_due(at(60_000)));
    }

    #[test]
    fn a_group_of_which_a_frame_was_dropped_is_not_taken_up_again() {
        let mut track = Track::default();
        track.take(&frame(1, 4, 0, 10), at(0)).unwrap();
        track.let_go();
        assert_eq!(track.take(&frame(1, 4, 1, 10), at(1)), Ok(Taken::Late));
        track.drop_frame(&frame(1, 5, 0, 10));
        assert_eq!(track.take(&frame(1, 5, 1, 10), at(2)), Ok(Taken::Late));
        assert_eq!(track.take(&frame(1, 6, 0, 10), at(3)), Ok(Taken::Opened));
        assert_eq!(track.take(&frame(2, 0, 0, 10), at(4)), Ok(Taken::Opened));
    }
}
