//! What a track asks of a path.

use std::time::Duration;

use super::RelayTime;

/// Bytes are counted in stretches of this length.
const STRETCH: Duration = Duration::from_secs(1);
/// What a track asked for so many stretches ago it may ask for again: a slide that stands still for half
/// a minute moves again.
const STRETCHES: usize = 32;

/// What the picture of a track takes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Demand {
    /// Bytes a second, while the picture moves.
    pub rate: u64,
    /// Bytes of a keyframe; 0 while there has been none.
    pub keyframe: u64,
}

/// How many bytes of a track come.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes by stretch, the newest first.
    stretches: [u64; STRETCHES],
    newest: RelayTime,
    keyframe: u64,
}

impl Meter {
    /// Bytes have come.
    pub(super) fn add(&mut self, bytes: u64, now: RelayTime) {
        self.pass(now);
        self.stretches[0] += bytes;
    }

    /// A keyframe of so many bytes has begun.
    pub(super) fn keyframe(&mut self, bytes: u64) {
        self.keyframe = bytes;
    }

    /// What the track asks of a path. Two stretches together count, so that one with a keyframe in it is
    /// not taken for all.
    pub(super) fn demand(&mut self, now: RelayTime) -> Demand {
        self.pass(now);
        let pairs = self.stretches.windows(2).map(|pair| pair[0] + pair[1]);
        Demand {
            rate: pairs.max().unwrap_or_default() / 2,
            keyframe: self.keyframe,
        }
    }

    fn pass(&mut self, now: RelayTime) {
        let passed = now.since(self.newest).as_secs() / STRETCH.as_secs();
        if passed == 0 {
            return;
        }
        let passed = usize::try_from(passed).unwrap_or(STRETCHES).min(STRETCHES);
        self.stretches.rotate_right(passed);
        self.stretches[..passed].fill(0);
        self.newest = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(1_000_000 + ms * 1_000)
    }

    #[test]
    fn a_track_asks_for_what_it_lately_took_while_it_moved() {
        let mut meter = Meter::default();
        for tick in 0..100 {
            meter.add(10_000, at(tick * 100));
        }
        assert_eq!(meter.demand(at(9_900)).rate, 100_000);
        // It stands still.
        assert_eq!(meter.demand(at(30_000)).rate, 100_000);
        assert_eq!(meter.demand(at(60_000)).rate, 0);
    }

    #[test]
    fn a_keyframe_counts_by_itself_and_a_little_for_the_rate() {
        let mut meter = Meter::default();
        assert_eq!(meter.demand(at(0)), Demand::default());
        meter.keyframe(80_000);
        meter.add(80_000, at(0));
        for tick in 1..40 {
            meter.add(1_000, at(tick * 100));
        }
        let demand = meter.demand(at(4_000));
        assert_eq!(demand.keyframe, 80_000);
        assert!((40_000..60_000).contains(&demand.rate), "{}", demand.rate);
    }
}
