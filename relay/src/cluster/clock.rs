//! How far another relay's clock is from this one's (PROTOCOL 2.7, 11.7).

use std::collections::VecDeque;

use crate::broadcast::RelayTime;

/// So many of the newest samples count.
const SAMPLES: usize = 16;
/// An offset that is in use is off by more than this before it is given up: a smaller step would be seen, for frames that
/// are less than a millisecond apart mean something (PROTOCOL 4.11).
const TOLERANCE: i64 = 5_000;

/// What has been seen of another relay's clock.
#[derive(Debug, Default)]
pub(super) struct Offsets(VecDeque<Sample>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// In microseconds.
    round_trip: u64,
    offset: i64,
}

impl Offsets {
    /// Its clock showed `theirs` between these two moments.
    pub(super) fn see(&mut self, sent: RelayTime, received: RelayTime, theirs: u64) {
        let round_trip = received.as_micros().saturating_sub(sent.as_micros());
        let here = received.as_micros().saturating_sub(round_trip / 2);
        self.0.truncate(SAMPLES - 1);
        self.0.push_front(Sample {
            round_trip,
            offset: theirs.wrapping_sub(here).cast_signed(),
        });
    }

    /// How many microseconds its clock is ahead, as the sample with the least round trip has it.
    pub(super) fn best(&self) -> i64 {
        let best = self.0.iter().min_by_key(|sample| sample.round_trip);
        best.map_or(0, |sample| sample.offset)
    }
}

/// The offset to go on with where `used` is in use and `best` is known.
pub(super) fn steady(used: i64, best: i64) -> i64 {
    match used.abs_diff(best) > TOLERANCE.unsigned_abs() {
        true => best,
        false => used,
    }
}

/// This relay's time of a time on another's clock, which is `offset` ahead.
pub(super) fn here(theirs: u64, offset: i64) -> u64 {
    theirs.saturating_add_signed(offset.saturating_neg())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> RelayTime {
        RelayTime::from_micros(micros)
    }

    #[test]
    fn the_sample_with_the_least_round_trip_counts() {
        let mut offsets = Offsets::default();
        assert_eq!(offsets.best(), 0);
        // A minute ahead; the first answer took 40 ms on its way back, the second one a millisecond each way.
        offsets.see(at(1_000_000), at(1_040_000), 61_000_000);
        assert_eq!(offsets.best(), 59_980_000);
        offsets.see(at(2_000_000), at(2_002_000), 62_001_000);
        assert_eq!(offsets.best(), 60_000_000);
        assert_eq!(here(62_001_000, offsets.best()), 2_001_000);
        // One that is behind.
        let mut offsets = Offsets::default();
        offsets.see(at(60_000_000), at(60_002_000), 1_000);
        assert_eq!(here(1_000, offsets.best()), 60_001_000);
    }

    #[test]
    fn old_samples_are_forgotten() {
        let mut offsets = Offsets::default();
        offsets.see(at(0), at(10), 1_000);
        for _ in 0..SAMPLES {
            offsets.see(at(0), at(1_000), 2_000);
        }
        assert_eq!(offsets.best(), 1_500);
    }

    #[test]
    fn an_offset_stays_unless_it_is_plainly_wrong() {
        assert_eq!(steady(1_000, 5_900), 1_000);
        assert_eq!(steady(1_000, -4_000), 1_000);
        assert_eq!(steady(1_000, 6_001), 6_001);
    }
}
