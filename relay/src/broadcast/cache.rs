//! The newest groups of a broadcast: the picture that everybody joins on.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use steadycast_codec_glue::wire::{FrameHeader, HEADER_LEN, limits};

use super::{Frame, RelayTime};

/// The place of a group in a broadcast's life: newer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    pub epoch: u32,
    pub group: u32,
}

impl GroupKey {
    /// The group that a frame belongs to.
    pub fn of(frame: &Frame) -> Self {
        Self {
            epoch: frame.header().epoch,
            group: frame.header().group,
        }
    }
}

/// A keyframe and what depends on it.
///
/// Kept in pieces: a frame is one, or several where a large one is passed on as it comes.
#[derive(Debug)]
pub struct Group {
    pub key: GroupKey,
    pieces: Vec<Piece>,
    frames: usize,
    bytes: usize,
    /// Bytes of the last frame that are still to come.
    missing: usize,
    /// The first pieces, so many of them, were let go of: who has them goes on, nobody else can.
    shed: usize,
    shed_bytes: usize,
}

/// Bytes of one frame.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    /// Of its frame.
    layer: u8,
    /// Whether its frame begins here.
    begins: bool,
    arrived: RelayTime,
}

impl Group {
    fn open(frame: &Frame, now: RelayTime) -> Self {
        let mut group = Self {
            key: GroupKey::of(frame),
            pieces: Vec::with_capacity(32),
            frames: 0,
            bytes: 0,
            missing: 0,
            shed: 0,
            shed_bytes: 0,
        };
        group.push(frame, now);
        group
    }

    fn push(&mut self, frame: &Frame, now: RelayTime) {
        self.frames += 1;
        // A buffer for the whole frame is there already.
        self.bytes += frame.here() + frame.missing();
        self.missing = frame.missing();
        self.pieces.push(Piece {
            bytes: frame.bytes().clone(),
            layer: frame.header().layer,
            begins: true,
            arrived: now,
        });
    }

    fn extend(&mut self, bytes: Bytes, now: RelayTime) {
        let layer = self.pieces.last().map_or(0, |piece| piece.layer);
        self.missing = self.missing.saturating_sub(bytes.len());
        self.pieces.push(Piece {
            bytes,
            layer,
            begins: false,
            arrived: now,
        });
    }

    /// Takes back a last frame of which something is missing.
    fn cut(&mut self) {
        if self.missing == 0 {
            return;
        }
        self.bytes -= self.missing;
        self.missing = 0;
        self.frames -= 1;
        while let Some(piece) = self.pieces.pop() {
            self.bytes = self.bytes.saturating_sub(piece.bytes.len());
            if piece.begins {
                break;
            }
        }
        self.shed = self.shed.min(self.pieces.len());
    }

    /// Lets go of the bytes of all pieces. What comes from now on is kept.
    fn shed(&mut self) {
        for piece in self.pieces.iter_mut().skip(self.shed) {
            self.shed_bytes += piece.bytes.len();
            piece.bytes = Bytes::new();
        }
        self.shed = self.pieces.len();
    }

    /// Whether the piece at `index`, and all after it, are here.
    pub fn has(&self, index: usize) -> bool {
        index >= self.shed
    }

    /// Frames, one that is still arriving included.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of all frames, also those to come of the last, and those that were let go of.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that are kept, or will be.
    fn kept(&self) -> usize {
        self.bytes.saturating_sub(self.shed_bytes)
    }

    /// Bytes of the keyframe, those to come included.
    pub fn keyframe_bytes(&self) -> usize {
        let more = self.pieces.iter().skip(1).take_while(|piece| !piece.begins);
        let here: usize = self
            .pieces
            .iter()
            .take(1)
            .chain(more)
            .map(|piece| piece.bytes.len())
            .sum();
        here + if self.frames == 1 { self.missing } else { 0 }
    }

    /// The keyframe's header; `None`: it was let go of.
    pub fn head(&self) -> Option<FrameHeader> {
        let first = self.pieces.first()?.bytes.first_chunk::<HEADER_LEN>()?;
        FrameHeader::decode(first).ok()
    }

    /// The header of the newest frame that has come to its last byte; `None`: there is none, or it was let go of.
    pub fn newest(&self) -> Option<FrameHeader> {
        let mut frames = self.pieces.iter().rev().filter(|piece| piece.begins);
        let newest = frames.nth(usize::from(self.missing > 0))?;
        FrameHeader::decode(newest.bytes.first_chunk::<HEADER_LEN>()?).ok()
    }

    /// Whether the keyframe is here to its last byte.
    pub fn has_keyframe(&self) -> bool {
        self.has(0) && self.is_whole()
    }

    /// Whether the keyframe has come to its last byte.
    fn is_whole(&self) -> bool {
        self.frames > 1 || self.missing == 0
    }

    /// The pieces from `index` on.
    pub fn from(&self, index: usize) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter().skip(index).map(|piece| &piece.bytes)
    }

    /// The same without frames of higher layers, except for the rest of one that has begun before.
    pub fn base_from(&self, index: usize) -> impl Iterator<Item = &Bytes> {
        let mut wanted = true;
        let pieces = self.pieces.iter().skip(index).filter(move |piece| {
            if piece.begins {
                wanted = piece.layer == 0;
            }
            wanted
        });
        pieces.map(|piece| &piece.bytes)
    }

    /// When the piece at `index` arrived.
    pub fn arrived(&self, index: usize) -> Option<RelayTime> {
        self.pieces.get(index).map(|piece| piece.arrived)
    }
}

/// How the cache took a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It opened a new group.
    Opened,
    /// It continued the newest group.
    Appended,
    /// Its group is no longer the newest: dropped (PROTOCOL 4.6).
    Late,
}

/// Why the cache cannot take a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The frame does not follow the group's last one, or opens one without a keyframe.
    #[error("frame {group}/{index} does not follow {expected}")]
    Gap {
        /// The frame's group.
        group: u32,
        /// The frame's index.
        index: u32,
        /// The index that would have followed.
        expected: u32,
    },
    /// The group has reached its limit (PROTOCOL 4.7).
    #[error("a group of {frames} frames and {bytes} bytes")]
    GroupTooLarge {
        /// Frames in the group.
        frames: usize,
        /// Bytes in the group.
        bytes: usize,
    },
}

/// At most two groups: the newest, and for a moment the one before it, so that a
/// player that is a frame or two behind gets every frame. The newest is never evicted.
#[derive(Debug, Default)]
pub struct Cache {
    groups: VecDeque<Group>,
}

/// How long the group before the newest is kept.
const PREVIOUS_KEPT: Duration = Duration::from_secs(1);

impl Cache {
    /// Takes a frame, or the beginning of one, whose epoch has been checked.
    pub fn take(&mut self, frame: &Frame, now: RelayTime) -> Result<Taken, CacheError> {
        let (key, index) = (GroupKey::of(frame), frame.header().index);
        let newest = self.groups.back_mut();
        match newest {
            Some(newest) if key < newest.key => Ok(Taken::Late),
            Some(newest) if key == newest.key => {
                let expected = newest.frames as u32;
                if index != expected || newest.missing > 0 {
                    return Err(gap(frame, expected));
                }
                let bytes = newest.bytes + frame.here() + frame.missing();
                let frames = newest.frames + 1;
                if frames > limits::GROUP_FRAMES_V1 as usize || bytes > limits::GROUP_BYTES {
                    return Err(CacheError::GroupTooLarge { frames, bytes });
                }
                newest.push(frame, now);
                Ok(Taken::Appended)
            }
            _ if index != 0 || !frame.header().keyframe => Err(gap(frame, 0)),
            _ => {
                // A picture that nobody will have is no reason to forget one that all can have.
                if newest.is_some_and(|newest| !newest.is_whole()) {
                    self.groups.pop_back();
                }
                self.evict_previous();
                self.groups.push_back(Group::open(frame, now));
                Ok(Taken::Opened)
            }
        }
    }

    /// Takes more of a frame that has begun.
    pub fn extend(&mut self, key: GroupKey, bytes: Bytes, now: RelayTime) -> Taken {
        match self.groups.iter_mut().find(|group| group.key == key) {
            Some(group) => {
                group.extend(bytes, now);
                Taken::Appended
            }
            None => Taken::Late,
        }
    }

    /// Takes back what there is of a frame when the rest will never come: of this group, or of all
    /// groups where there is no `key`.
    pub fn cut(&mut self, key: Option<GroupKey>) {
        for group in &mut self.groups {
            if key.is_none_or(|key| key == group.key) {
                group.cut();
            }
        }
        self.groups.retain(|group| group.frames > 0);
    }

    /// The newest group.
    pub fn newest(&self) -> Option<&Group> {
        self.groups.back()
    }

    /// The newest group that has a whole picture; the newest where none has.
    pub fn pictured(&self) -> Option<&Group> {
        let whole = self.groups.iter().rev().find(|group| group.has_keyframe());
        whole.or(self.newest())
    }

    /// The group with this key, while it is kept.
    pub fn group(&self, key: GroupKey) -> Option<&Group> {
        self.groups.iter().find(|group| group.key == key)
    }

    /// Evicts the group before the newest once nobody can be expected to need it.
    pub fn evict(&mut self, now: RelayTime) {
        let stale = self
            .newest()
            .filter(|newest| newest.is_whole())
            .and_then(|newest| newest.arrived(0))
            .is_some_and(|opened| now - opened > PREVIOUS_KEPT);
        if stale {
            self.evict_previous();
        }
    }

    /// Lets go of all groups before this one, the newest included.
    pub fn forget_before(&mut self, first: GroupKey) {
        self.groups.retain(|group| group.key >= first);
    }

    /// Evicts all but the newest group.
    pub fn evict_previous(&mut self) {
        while self.groups.len() > 1 {
            self.groups.pop_front();
        }
    }

    /// Lets go of all pictures, where memory is short: players that have everything go on, others
    /// wait for the next keyframe.
    pub fn shed(&mut self) {
        self.evict_previous();
        self.groups.iter_mut().for_each(Group::shed);
    }

    /// Groups kept.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Frames kept.
    pub fn frames(&self) -> usize {
        self.groups.iter().map(Group::frames).sum()
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.groups.iter().map(Group::kept).sum()
    }
}

fn gap(frame: &Frame, expected: u32) -> CacheError {
    CacheError::Gap {
        group: frame.header().group,
        index: frame.header().index,
        expected,
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
    fn the_newest_group_is_never_evicted() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        cache.evict(at(3_600_000));
        assert_eq!(cache.frames(), 1);
    }

    #[test]
    fn the_previous_group_goes_after_a_second() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        cache.take(&frame(1, 1, 0, 10), at(5000)).unwrap();
        cache.evict(at(6000));
        assert_eq!(cache.groups(), 2);
        cache.evict(at(6001));
        assert_eq!(cache.groups(), 1);
        assert_eq!(cache.newest().unwrap().key.group, 1);
    }

    #[test]
    fn frames_of_an_older_group_are_late_and_gaps_are_errors() {
        let mut cache = Cache::default();
        assert!(matches!(
            cache.take(&frame(1, 0, 1, 10), at(0)),
            Err(CacheError::Gap { .. })
        ));
        cache.take(&frame(1, 4, 0, 10), at(0)).unwrap();
        assert_eq!(cache.take(&frame(1, 3, 1, 10), at(0)), Ok(Taken::Late));
        assert!(matches!(
            cache.take(&frame(1, 4, 2, 10), at(0)),
            Err(CacheError::Gap { expected: 1, .. })
        ));
        assert_eq!(cache.take(&frame(1, 4, 1, 10), at(0)), Ok(Taken::Appended));
    }

    #[test]
    fn a_new_epoch_starts_anywhere() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 9, 0, 10), at(0)).unwrap();
        assert_eq!(cache.take(&frame(2, 0, 0, 10), at(0)), Ok(Taken::Opened));
        assert_eq!(cache.take(&frame(1, 10, 0, 10), at(0)), Ok(Taken::Late));
    }

    #[test]
    fn a_group_without_end_is_refused() {
        let mut cache = Cache::default();
        for index in 0..limits::GROUP_FRAMES_V1 {
            cache.take(&frame(1, 0, index, 1), at(0)).unwrap();
        }
        assert!(matches!(
            cache.take(&frame(1, 0, limits::GROUP_FRAMES_V1, 1), at(0)),
            Err(CacheError::GroupTooLarge { .. })
        ));
    }

    #[test]
    fn a_group_of_too_many_bytes_is_refused_before_they_have_come() {
        let mut cache = Cache::default();
        let payload = limits::PAYLOAD as usize;
        let large = frame(1, 0, 1, payload).here();
        let first = frame(1, 0, 0, 10);
        let rest = limits::GROUP_BYTES - first.here() - 7 * large;
        cache.take(&first, at(0)).unwrap();
        for index in 1..=7 {
            cache.take(&frame(1, 0, index, payload), at(0)).unwrap();
        }
        // All that the group may have and a byte, then exactly all.
        let headed = large - payload;
        let last = |more| begun(1, (0, 8), rest - headed + more, 400).0;
        let (frames, bytes) = (9, limits::GROUP_BYTES + 1);
        let refused = cache.take(&last(1), at(0));
        assert_eq!(refused, Err(CacheError::GroupTooLarge { frames, bytes }));
        assert_eq!(cache.take(&last(0), at(0)), Ok(Taken::Appended));
    }

    #[test]
    fn what_is_let_go_of_is_not_there_and_what_follows_is() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        cache.take(&frame(1, 0, 1, 10), at(1)).unwrap();
        cache.shed();
        assert_eq!((cache.frames(), cache.bytes()), (2, 0));
        cache.take(&frame(1, 0, 2, 10), at(2)).unwrap();
        let newest = cache.newest().unwrap();
        assert!(newest.has(2) && !newest.has(1) && !newest.has_keyframe());
        let (begun, rest) = begun(1, (1, 0), 1_000, 400);
        cache.take(&begun, at(3)).unwrap();
        cache.shed();
        cache.extend(GroupKey { epoch: 1, group: 1 }, rest, at(4));
        assert!(!cache.newest().unwrap().has_keyframe());
        assert!(cache.pictured().is_some());
    }

    #[test]
    fn a_frame_that_comes_in_pieces_is_one_frame() {
        let mut cache = Cache::default();
        let (first, mut rest) = begun(1, (0, 0), 1_000, 400);
        cache.take(&first, at(0)).unwrap();
        let key = cache.newest().unwrap().key;
        assert!(!cache.newest().unwrap().has_keyframe());
        assert!(cache.take(&frame(1, 0, 1, 10), at(1)).is_err(), "not yet");
        cache.extend(key, rest.split_to(100), at(2));
        cache.extend(key, rest, at(3));
        let newest = cache.newest().unwrap();
        assert!(newest.has_keyframe());
        assert_eq!((newest.frames(), newest.len()), (1, 3));
        let bytes: usize = newest.from(0).map(Bytes::len).sum();
        assert_eq!(bytes, newest.bytes());
        cache.take(&frame(1, 0, 1, 10), at(4)).unwrap();
    }

    #[test]
    fn a_keyframe_is_as_large_from_its_first_byte_on_and_no_later_frame_counts() {
        let mut cache = Cache::default();
        let whole = frame(1, 0, 0, 1_000).here();
        let (first, mut rest) = begun(1, (0, 0), 1_000, 400);
        cache.take(&first, at(0)).unwrap();
        let key = cache.newest().unwrap().key;
        assert_eq!(cache.newest().unwrap().keyframe_bytes(), whole);
        cache.extend(key, rest.split_to(100), at(1));
        assert_eq!(cache.newest().unwrap().keyframe_bytes(), whole);
        cache.extend(key, rest, at(2));
        let (next, _) = begun(1, (0, 1), 1_000, 400);
        cache.take(&next, at(3)).unwrap();
        assert_eq!(cache.newest().unwrap().keyframe_bytes(), whole);
        // It came whole, whatever becomes of the frame after it.
        assert!(cache.newest().unwrap().has_keyframe());
    }

    #[test]
    fn what_never_came_whole_is_taken_back() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        let before = cache.bytes();
        let (first, _) = begun(1, (0, 1), 1_000, 400);
        cache.take(&first, at(1)).unwrap();
        cache.cut(None);
        assert_eq!((cache.frames(), cache.bytes()), (1, before));
    }

    #[test]
    fn a_keyframe_that_never_came_whole_leaves_the_picture_before_it() {
        let mut cache = Cache::default();
        cache.take(&frame(1, 0, 0, 10), at(0)).unwrap();
        let (first, _) = begun(1, (1, 0), 1_000, 400);
        cache.take(&first, at(1)).unwrap();
        cache.evict(at(60_000));
        assert_eq!(cache.pictured().unwrap().key.group, 0);
        let (second, _) = begun(1, (2, 0), 1_000, 400);
        cache.take(&second, at(2)).unwrap();
        cache.cut(None);
        assert_eq!(cache.newest().unwrap().key.group, 0);
    }
}
