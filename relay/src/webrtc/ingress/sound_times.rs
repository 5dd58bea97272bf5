//! When a publisher's sound was captured, in time with its pictures.

use crate::broadcast::{Captures, Claim, Clock, RelayTime};
use crate::webrtc::SOUND_CLOCK;

use super::source::RtpClock;

/// By the clock that its sources have in common a frame may be this much older than its arrival, or ahead of it:
/// else that clock is not what it says.
const OLD_US: i128 = 2_000_000;
const AHEAD_US: i128 = 1_000_000;
/// What the relay takes of that (PROTOCOL 4.12); the rest has to wait until the pictures have been held back.
const TAKEN_US: i128 = 45_000;
/// By how much a frame has the pictures held back at most: a tenth of a usual frame, so that they go on evenly.
const HELD_US: i128 = 2_000;
/// A difference between two clocks that is not made good bit by bit.
const JUMP_US: i128 = 100_000;
/// What of it each frame makes good: half a hundredth of a usual frame, which nobody hears.
const STEP_US: i128 = 100;

/// When a frame was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SoundCapture {
    /// On the relay's clock. Where the pictures take longer to come than the sound, and are not known to do so yet,
    /// that is a little ahead.
    pub(super) micros: u64,
    /// By how much the pictures are to be held back: no frame comes before it was captured.
    pub(super) hold: i128,
}

/// The capture times of one source of sound.
#[derive(Debug)]
pub(super) struct SoundTimes {
    pub(super) ssrc: u32,
    clock: RtpClock,
    /// What is known without the pictures: the first frame is taken to have arrived at once.
    alone: Captures,
    /// Relay time of time 0 on the source's clock, in microseconds, and whether the pictures' clock says so.
    offset: Option<(i128, bool)>,
}

impl SoundTimes {
    pub(super) fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            clock: RtpClock::default(),
            alone: Captures::default(),
            offset: None,
        }
    }

    /// When a frame was captured that has arrived now. `shared` is what that is by the clock of the pictures, in
    /// microseconds of the relay's time, where there are any and the publisher says how the two go together.
    pub(super) fn capture(
        &mut self,
        timestamp: u32,
        shared: Option<i128>,
        now: RelayTime,
    ) -> SoundCapture {
        let arrival = i128::from(now.as_micros());
        let own = self.clock.unwrapped(timestamp) * 1_000_000 / i128::from(SOUND_CLOCK);
        let claim = Claim {
            micros: own,
            clock: Clock::Own(self.ssrc),
            group: 0,
            keyframe: false,
        };
        let alone = i128::from(self.alone.capture(claim, now).micros);
        let shared = shared.filter(|at| (-AHEAD_US..=OLD_US).contains(&(arrival - at)));
        let (wanted, is_shared) = (shared.unwrap_or(alone) - own, shared.is_some());
        let offset = match self.offset {
            Some((known, same)) if same == is_shared && (wanted - known).abs() < JUMP_US => {
                known + (wanted - known).clamp(-STEP_US, STEP_US)
            }
            _ => wanted,
        };
        let ahead = if is_shared { TAKEN_US } else { 0 };
        let micros = (own + offset).min(arrival + ahead);
        let hold = shared.map_or(0, |at| (at - arrival).clamp(0, HELD_US));
        // Their clock goes back by as much.
        self.offset = Some((offset - hold, is_shared));
        SoundCapture {
            micros: u64::try_from(micros).unwrap_or(0),
            hold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 1_000_000_000;
    const FRAME: u32 = 960;

    fn at(micros: u64) -> RelayTime {
        RelayTime::from_micros(BEGIN + micros)
    }

    /// Capture times of frames of 20 ms, each this late; and what they are by the pictures' clock.
    fn captured(late: &[u64], shared: impl Fn(u64) -> Option<i128>) -> Vec<i64> {
        let mut times = SoundTimes::new(7);
        let captured = |(frame, late): (u64, &u64)| {
            let timestamp = (frame as u32).wrapping_mul(FRAME).wrapping_sub(FRAME);
            let now = at(frame * 20_000 + late);
            let shared = shared(frame).map(|micros| i128::from(BEGIN) + micros);
            times.capture(timestamp, shared, now).micros as i64 - BEGIN as i64
        };
        (0..).zip(late).map(captured).collect()
    }

    #[test]
    fn alone_the_first_frame_has_arrived_at_once() {
        let times = captured(&[5_000, 9_000, 5_000], |_| None);
        assert_eq!(times, [5_000, 25_000, 45_000]);
    }

    #[test]
    fn with_pictures_it_is_their_clock_that_counts() {
        let shared = |frame| Some(i128::from(frame) * 20_000 - 30_000);
        let times = captured(&[5_000, 9_000, 5_000], shared);
        assert_eq!(times, [-30_000, -10_000, 10_000]);
    }

    #[test]
    fn their_clock_is_followed_at_once_when_it_is_known_and_bit_by_bit_from_then_on() {
        let shared = |frame| match frame {
            0 => None,
            1 => Some(-10_000),
            _ => Some(i128::from(frame) * 20_000 - 29_000),
        };
        let times = captured(&[0; 4], shared);
        assert_eq!(times, [0, -10_000, 10_100, 30_200]);
    }

    #[test]
    fn a_clock_that_cannot_be_true_does_not_count() {
        for wrong in [-10_000_000, 10_000_000] {
            let shared = |frame| Some(i128::from(frame) * 20_000 + wrong);
            assert_eq!(captured(&[0, 0], shared), [0, 20_000], "{wrong}");
        }
    }

    #[test]
    fn where_pictures_take_longer_they_are_held_back_until_no_sound_is_ahead() {
        let mut times = SoundTimes::new(7);
        let (mut held, mut frames) = (0, 0);
        loop {
            let arrival = BEGIN + frames * 20_000;
            let shared = i128::from(arrival) + 80_000 - held;
            let timestamp = frames as u32 * FRAME;
            let capture = times.capture(timestamp, Some(shared), RelayTime::from_micros(arrival));
            let ahead = i128::from(capture.micros) - i128::from(arrival);
            assert!(ahead <= TAKEN_US);
            if capture.hold == 0 {
                break;
            }
            held += capture.hold;
            frames += 1;
        }
        assert!((79_000..=81_000).contains(&held), "{held}");
    }
}
