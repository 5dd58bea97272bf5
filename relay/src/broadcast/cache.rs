//! The newest groups of a broadcast: the picture that everybody joins on.

use std::collections::VecDeque;
use std::time::Duration;

use steadycast_codec_glue::wire::limits;

use super::{Frame, RelayTime};

/// The place of a group in a broadcast's life: newer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    pub epoch: u32,
    pub group: u32,
}

/// A keyframe and what depends on it.
#[derive(Debug)]
pub struct Group {
    pub key: GroupKey,
    frames: Vec<Cached>,
    bytes: usize,
}

#[derive(Debug)]
struct Cached {
    frame: Frame,
    arrived: RelayTime,
}

impl Group {
    fn open(frame: Frame, now: RelayTime) -> Self {
        let mut group = Self {
            key: key_of(&frame),
            frames: Vec::with_capacity(32),
            bytes: 0,
        };
        group.push(frame, now);
        group
    }

    fn push(&mut self, frame: Frame, now: RelayTime) {
        self.bytes += frame.len();
        self.frames.push(Cached {
            frame,
            arrived: now,
        });
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The frames from `index` on.
    pub fn from(&self, index: usize) -> impl Iterator<Item = &Frame> {
        self.frames.iter().skip(index).map(|cached| &cached.frame)
    }

    /// When the frame at `index` arrived.
    pub fn arrived(&self, index: usize) -> Option<RelayTime> {
        self.frames.get(index).map(|cached| cached.arrived)
    }
}

fn key_of(frame: &Frame) -> GroupKey {
    GroupKey {
        epoch: frame.header().epoch,
        group: frame.header().group,
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
    /// Takes a frame whose epoch has been checked.
    pub fn take(&mut self, frame: Frame, now: RelayTime) -> Result<Taken, CacheError> {
        let (key, index) = (key_of(&frame), frame.header().index);
        let newest = self.groups.back_mut();
        match newest {
            Some(newest) if key < newest.key => Ok(Taken::Late),
            Some(newest) if key == newest.key => {
                let expected = newest.len() as u32;
                if index != expected {
                    return Err(gap(&frame, expected));
                }
                let (frames, bytes) = (newest.len() + 1, newest.bytes + frame.len());
                if frames > limits::GROUP_FRAMES as usize || bytes > limits::GROUP_BYTES {
                    return Err(CacheError::GroupTooLarge { frames, bytes });
                }
                newest.push(frame, now);
                Ok(Taken::Appended)
            }
            _ if index != 0 || !frame.header().keyframe => Err(gap(&frame, 0)),
            _ => {
                while self.groups.len() > 1 {
                    self.groups.pop_front();
                }
                self.groups.push_back(Group::open(frame, now));
                Ok(Taken::Opened)
            }
        }
    }

    /// The newest group.
    pub fn newest(&self) -> Option<&Group> {
        self.groups.back()
    }

    /// The group with this key, while it is kept.
    pub fn group(&self, key: GroupKey) -> Option<&Group> {
        self.groups.iter().find(|group| group.key == key)
    }

    /// Evicts the group before the newest once nobody can be expected to need it.
    pub fn evict(&mut self, now: RelayTime) {
        let stale = self
            .newest()
            .and_then(|newest| newest.arrived(0))
            .is_some_and(|opened| now - opened > PREVIOUS_KEPT);
        if stale {
            self.evict_previous();
        }
    }

    /// Evicts all but the newest group.
    pub fn evict_previous(&mut self) {
        while self.groups.len() > 1 {
            self.groups.pop_front();
        }
    }

    /// Groups kept.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Frames kept.
    pub fn frames(&self) -> usize {
        self.groups.iter().map(Group::len).sum()
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.groups.iter().map(Group::bytes).sum()
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
    use super::super::frame::tests::frame;
    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    #[test]
    fn the_newest_group_is_never_evicted() {
        let mut cache = Cache::default();
        cache.take(frame(1, 0, 0, 10), at(0)).unwrap();
        cache.evict(at(3_600_000));
        assert_eq!(cache.frames(), 1);
    }

    #[test]
    fn the_previous_group_goes_after_a_second() {
        let mut cache = Cache::default();
        cache.take(frame(1, 0, 0, 10), at(0)).unwrap();
        cache.take(frame(1, 1, 0, 10), at(5000)).unwrap();
        cache.evict(at(5900));
        assert_eq!(cache.groups(), 2);
        cache.evict(at(6100));
        assert_eq!(cache.groups(), 1);
        assert_eq!(cache.newest().unwrap().key.group, 1);
    }

    #[test]
    fn frames_of_an_older_group_are_late_and_gaps_are_errors() {
        let mut cache = Cache::default();
        assert!(matches!(
            cache.take(frame(1, 0, 1, 10), at(0)),
            Err(CacheError::Gap { .. })
        ));
        cache.take(frame(1, 4, 0, 10), at(0)).unwrap();
        assert_eq!(cache.take(frame(1, 3, 1, 10), at(0)), Ok(Taken::Late));
        assert!(matches!(
            cache.take(frame(1, 4, 2, 10), at(0)),
            Err(CacheError::Gap { expected: 1, .. })
        ));
        assert_eq!(cache.take(frame(1, 4, 1, 10), at(0)), Ok(Taken::Appended));
    }

    #[test]
    fn a_new_epoch_starts_anywhere() {
        let mut cache = Cache::default();
        cache.take(frame(1, 9, 0, 10), at(0)).unwrap();
        assert_eq!(cache.take(frame(2, 0, 0, 10), at(0)), Ok(Taken::Opened));
        assert_eq!(cache.take(frame(1, 10, 0, 10), at(0)), Ok(Taken::Late));
    }

    #[test]
    fn a_group_without_end_is_refused() {
        let mut cache = Cache::default();
        for index in 0..limits::GROUP_FRAMES {
            cache.take(frame(1, 0, index, 1), at(0)).unwrap();
        }
        assert!(matches!(
            cache.take(frame(1, 0, limits::GROUP_FRAMES, 1), at(0)),
            Err(CacheError::GroupTooLarge { .. })
        ));
    }
}
