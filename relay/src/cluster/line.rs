//! From one epoch of another relay's broadcast to one of this relay's.

use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{FrameHeader, TrackGroup, TrackId};

use super::clock::{here, steady};
use crate::broadcast::{Claim, Clock, PublisherSeat, RelayTime};

/// One epoch of the other relay's, and the seat by which it is one of this relay's.
pub(super) struct Line {
    /// As the other relay numbers it.
    pub(super) epoch: u32,
    pub(super) seat: PublisherSeat,
    /// How far the other's clock is ahead, in microseconds.
    offset: AtomicI64,
    /// Of each track here.
    numbers: Mutex<[Option<Numbers>; TrackId::COUNT]>,
}

/// Where a track here is in one of the other relay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    /// The other's track.
    track: TrackId,
    /// The newest group there, and its number here.
    newest: u32,
    here: u32,
}

/// The number here of a group there: numbers rise here even where the other relay sends a group again, or goes on with
/// another track.
fn number(known: Option<Numbers>, track: TrackId, group: u32) -> Option<Numbers> {
    let Some(known) = known else {
        return Some(Numbers {
            track,
            newest: group,
            here: group,
        });
    };
    let rises_by = match group.checked_sub(known.newest) {
        _ if known.track != track => 1,
        Some(0) => 1,
        Some(rises_by) => rises_by,
        None => return None,
    };
    Some(Numbers {
        track,
        newest: group,
        here: known.here.checked_add(rises_by)?,
    })
}

impl Line {
    pub(super) fn new(epoch: u32, seat: PublisherSeat, offset: i64) -> Self {
        Self {
            epoch,
            seat,
            offset: AtomicI64::new(offset),
            numbers: Mutex::default(),
        }
    }

    /// The other's clock is found to be ahead by so much.
    pub(super) fn clock_is(&self, best: i64) {
        let used = self.offset.load(Ordering::Relaxed);
        self.offset.store(steady(used, best), Ordering::Relaxed);
    }

    /// This relay's time of one of the other's.
    pub(super) fn time(&self, theirs: u64) -> u64 {
        here(theirs, self.offset.load(Ordering::Relaxed))
    }

    /// The number that a group of the other's, whose first frame has come, has on `track` here; `None` for one that
    /// newer ones have overtaken.
    pub(super) fn open(&self, track: TrackId, head: &FrameHeader) -> Option<u32> {
        let known = &mut self.numbers.lock()[usize::from(track.number())];
        let numbers = number(*known, head.track, head.group)?;
        *known = Some(numbers);
        Some(numbers.here)
    }

    /// Makes of a frame's header what it is here.
    pub(super) fn mend(
        &self,
        header: &mut FrameHeader,
        track: TrackId,
        group: u32,
        now: RelayTime,
    ) {
        let claim = Claim {
            micros: self.time(header.capture_us).into(),
            clock: Clock::Upstream,
            group,
            keyframe: header.keyframe,
        };
        header.capture_us = self.seat.capture(track, claim, now).micros;
        (header.track, header.group, header.epoch) = (track, group, self.seat.epoch());
    }

    /// The publisher has taken its picture back up to these groups. Of the renditions nothing is kept: their sessions
    /// begin anew.
    pub(super) fn pause(&self, from: &[TrackGroup], now: RelayTime) {
        let known = self.numbers.lock()[usize::from(TrackId::MAIN.number())];
        let main = from.iter().find(|first| first.track == TrackId::MAIN);
        let group = main.map(|first| match known {
            Some(known) => match first.group.checked_sub(known.newest) {
                Some(beyond) => known.here.saturating_add(beyond),
                None => known.here.saturating_sub(known.newest - first.group),
            },
            None => first.group,
        });
        let from = group.map(|group| TrackGroup {
            track: TrackId::MAIN,
            group,
        });
        self.seat.pause(from.as_slice(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_other_relay_s_until_it_sends_a_group_again() {
        let other = TrackId::from_number(5).unwrap();
        let mut known = None;
        let mut open = |track, group| {
            let opened = number(known, track, group);
            known = opened.or(known);
            opened.map(|numbers| numbers.here)
        };
        assert_eq!(open(TrackId::MAIN, 7), Some(7));
        assert_eq!(open(TrackId::MAIN, 9), Some(9));
        assert_eq!(open(TrackId::MAIN, 8), None, "overtaken");
        assert_eq!(open(TrackId::MAIN, 9), Some(10), "sent again");
        assert_eq!(open(TrackId::MAIN, 10), Some(11));
        assert_eq!(open(other, 0), Some(12), "another track");
        assert_eq!(open(other, 3), Some(15));
        assert_eq!(open(other, u32::MAX), None, "there are no more numbers");
    }
}
