//! When frames of sound are played, as RTP counts it: without gaps where nothing is missing.

use crate::webrtc::SOUND_CLOCK;

/// Capture times that are further ahead of the frames than this are a jump, and those that are less a clock
/// that runs otherwise: receivers take any other step than a frame's length for a loss.
const JUMP_US: u64 = 100_000;
/// What of a difference each frame adds to what is said of the clocks.
const SHARE: i64 = 64;

/// A frame as it enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Mark {
    pub(in crate::webrtc) epoch: u32,
    pub(in crate::webrtc) sequence: u32,
    /// Nothing before it is missing.
    pub(in crate::webrtc) begins: bool,
    /// On the relay's clock.
    pub(in crate::webrtc) capture_us: u64,
    /// How long it lasts.
    pub(in crate::webrtc) duration_us: u32,
}

/// A frame's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Timed {
    /// Modulo 2^32.
    pub(in crate::webrtc) time: u32,
    /// What RTP times are ahead of the capture times.
    pub(in crate::webrtc) ahead: u32,
}

/// The times of one broadcast's sound, whoever publishes: they never fall.
///
/// The first frame's is its capture time. Each that follows another without a gap is as much later as that
/// one is long, whatever their capture times say, since the clock of a sound card is no relay's. What that
/// adds up to is in `ahead`, and receivers are told it.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Timeline {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    mark: Mark,
    /// Not wrapped.
    time: u64,
    /// The mean of what times are ahead of capture times, in 1/64 of a unit.
    ahead: i64,
}

impl Timeline {
    /// The next frame's time.
    pub(in crate::webrtc) fn next(&mut self, mark: Mark) -> Timed {
        let captured = sound_time(mark.capture_us);
        let (time, ahead) = match &self.last {
            None => (captured, 0),
            Some(last) => last.then(mark),
        };
        self.last = Some(Last { mark, time, ahead });
        Timed {
            time: time as u32,
            ahead: (ahead / SHARE) as u32,
        }
    }
}

impl Last {
    /// The next frame's time, and what times are ahead by then.
    fn then(&self, mark: Mark) -> (u64, i64) {
        let before = &self.mark;
        let captured = mark.capture_us.saturating_sub(before.capture_us);
        let one = u64::from(before.duration_us);
        let missing = mark.sequence.wrapping_sub(before.sequence);
        let follows = mark.epoch == before.epoch && !mark.begins;
        // What is missing is taken to be as long as what came.
        let step = match follows {
            true => one * u64::from(missing.clamp(1, 1 << 16)),
            false => captured.max(one),
        };
        let step = if captured > step + JUMP_US {
            captured
        } else {
            step
        };
        let time = self.time + sound_time(step);
        let now = (time as i64 - sound_time(mark.capture_us) as i64) * SHARE;
        let off = (now - self.ahead).unsigned_abs();
        let near = off <= sound_time(JUMP_US) * SHARE.unsigned_abs();
        let ahead = match near {
            true => self.ahead + (now - self.ahead) / SHARE,
            false => now,
        };
        (time, ahead)
    }
}

/// A time in units of [`SOUND_CLOCK`].
pub(in crate::webrtc) fn sound_time(micros: u64) -> u64 {
    const PER_MS: u64 = SOUND_CLOCK as u64 / 1_000;
    micros / 1_000 * PER_MS + micros % 1_000 * PER_MS / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 1_000_000_000;

    fn mark(sequence: u32, capture_us: u64) -> Mark {
        Mark {
            epoch: 1,
            sequence,
            begins: false,
            capture_us: BEGIN + capture_us,
            duration_us: 20_000,
        }
    }

    /// The times of frames, from the first one's.
    fn times(marks: impl IntoIterator<Item = Mark>) -> Vec<u32> {
        let mut timeline = Timeline::default();
        let times = marks.into_iter().map(|mark| timeline.next(mark).time);
        let first = sound_time(BEGIN) as u32;
        times.map(|time| time.wrapping_sub(first)).collect()
    }

    #[test]
    fn times_are_capture_times_without_an_offset() {
        let timed = Timeline::default().next(mark(0, 0));
        assert_eq!((timed.time, timed.ahead), (48_000_000, 0));
    }

    #[test]
    fn frames_that_follow_one_another_leave_no_gap_whatever_the_clock_says() {
        let marks = [
            mark(0, 0),
            mark(1, 19_400),
            mark(2, 41_000),
            mark(3, 60_100),
        ];
        assert_eq!(times(marks), [0, 960, 1_920, 2_880]);
    }

    #[test]
    fn what_is_missing_leaves_a_gap_of_its_length() {
        assert_eq!(times([mark(0, 0), mark(3, 60_300)]), [0, 2_880]);
    }

    #[test]
    fn a_silence_lasts_as_long_as_its_capture_times_say() {
        let begins = Mark {
            begins: true,
            ..mark(1, 5_000_000)
        };
        assert_eq!(times([mark(0, 0), begins]), [0, 240_000]);
    }

    #[test]
    fn another_publisher_goes_on_later() {
        let other = |capture_us| Mark {
            epoch: 2,
            begins: true,
            ..mark(0, capture_us)
        };
        assert_eq!(times([mark(0, 0), other(1_000_000)]), [0, 48_000]);
        assert_eq!(times([mark(9, 100_000), other(50_000)])[1], 4_800 + 960);
    }

    #[test]
    fn a_clock_that_runs_otherwise_is_told_and_adds_no_gap() {
        // 48,008 samples in a second of the relay's, for an hour.
        let mut timeline = Timeline::default();
        let mut before = None;
        for sequence in 0..180_000u32 {
            let capture = u64::from(sequence) * 960 * 1_000_000 / 48_008;
            let timed = timeline.next(mark(sequence, capture));
            let step = before.replace(timed.time).map(|time| timed.time - time);
            assert!(step.is_none_or(|step| step == 960));
            let truth = i64::from(sequence) * 960 - sound_time(capture) as i64;
            assert!((i64::from(timed.ahead) - truth).abs() < 48, "{sequence}");
        }
    }

    #[test]
    fn a_jump_is_followed_at_once_and_never_back() {
        let timed = |marks: [Mark; 2]| {
            let mut timeline = Timeline::default();
            marks.map(|mark| timeline.next(mark))
        };
        let [_, ahead] = timed([mark(0, 0), mark(1, 500_000)]);
        assert_eq!((ahead.time - 48_000_000, ahead.ahead), (24_000, 0));
        let [_, back] = timed([mark(0, 500_000), mark(1, 0)]);
        assert_eq!((back.time - 48_024_000, back.ahead), (960, 24_960));
    }
}
