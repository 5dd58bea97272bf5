//! From the times that publishers claim to capture times that players can rely on: the one place
//! where times enter, for publishers of both kinds.

use std::time::Duration;

use super::RelayTime;

/// A claimed time that lies further ahead of its arrival is wrong; less is an estimate's error.
const AHEAD: Duration = Duration::from_millis(50);
/// A frame that would be older than this is not: a session that says nothing for so long is over.
const TOO_LATE: Duration = Duration::from_secs(20);
/// What is shown before frames that were sent earlier (B-frames) falls back by less than this, and
/// for no longer.
const REORDER: Duration = Duration::from_millis(500);
/// How long the least delay is looked for before two clocks are brought together again.
const WINDOW: Duration = Duration::from_secs(10);
/// A step of a clock that is worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(1);

/// Whose clock a claimed time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The relay's, as the publisher estimates it (PROTOCOL 2.7): taken as it is, while it can be true.
    Relay,
    /// Another that runs as fast, more or less: the first frame is taken to have arrived at once, and
    /// times follow when all frames of a while seem to have been late. The number tells apart the clocks
    /// of one publisher: each source of packets has its own (RFC 3550, 5.1).
    Own(u32),
    /// Another relay's, brought together with this one's: what that has mended is taken as it is.
    Upstream,
}

/// When a frame was captured, as its publisher has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// In microseconds.
    pub micros: i128,
    /// On this clock.
    pub clock: Clock,
    /// The frame's group: what is left of an older one says nothing of time.
    pub group: u32,
    /// Nothing that is sent after a keyframe is shown before it: its time falls by mistake alone.
    pub keyframe: bool,
}

/// When a frame was captured, on the relay's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// In microseconds; never falls on a track, whoever publishes.
    pub micros: u64,
    /// The frame is shown before one that was sent earlier.
    pub reordered: bool,
    /// How far the publisher's clock was from what can be true, where that is worth a word.
    pub wrong_by: Option<Duration>,
}

/// The capture times of one track, or of sound.
#[derive(Debug, Default)]
pub struct Captures {
    /// The newest, of any publisher.
    newest: u64,
    line: Option<Line>,
}

/// The clock of the publisher that is attached, as it runs against the relay's.
#[derive(Debug)]
struct Line {
    clock: Clock,
    /// Relay time of claimed time 0, in microseconds; may be before the beginning of time.
    offset: i128,
    /// The newest time of this publisher, and its group.
    newest: i128,
    group: u32,
    /// Since when times are behind the newest.
    fallen: Option<RelayTime>,
    /// The least delay since the window began.
    least: Option<i128>,
    window: RelayTime,
    /// By how much frames are known to have been captured before what their least delay says.
    held: i128,
}

impl Captures {
    /// Another publisher is in charge, with another clock.
    pub(super) fn hand_over(&mut self) {
        self.line = None;
    }

    /// The relay's time, in microseconds, of a time on the publisher's clock that frames have gone by.
    pub(super) fn time_of(&self, clock: Clock, micros: i128) -> Option<i128> {
        let line = self.line.as_ref().filter(|line| line.clock == clock)?;
        Some(line.offset + micros)
    }

    /// Something else that goes by the publisher's clock has shown that its frames were captured earlier than they
    /// seem: `by` so many microseconds, from the next frame on.
    pub(super) fn hold_back(&mut self, clock: Clock, by: i128) {
        if let Some(line) = self.line.as_mut().filter(|line| line.clock == clock) {
            line.offset -= by;
            line.held += by;
            // What came before was as late as what comes.
            line.least = line.least.map(|least| least + by);
        }
    }

    /// The capture time of a frame that arrived at `now`.
    pub fn capture(&mut self, claim: Claim, now: RelayTime) -> Capture {
        let arrival = i128::from(now.as_micros());
        let floor = i128::from(self.newest);
        if claim.clock == Clock::Upstream {
            return self.upstream(claim, arrival + micros(AHEAD));
        }
        self.line.take_if(|line| line.clock != claim.clock);
        let line = self.line.get_or_insert_with(|| Line::begin(claim, now));
        if claim.group < line.group {
            return Capture::like(self.newest);
        }
        line.group = claim.group;
        let expected = line.offset + claim.micros;
        if !is_near(expected, claim.clock, arrival) || line.falls(expected, floor, claim, now) {
            line.correct(claim, floor, arrival);
        }
        let time = line.offset + claim.micros;
        let wrong_by = (expected - time).unsigned_abs();
        let reordered = time < line.newest;
        line.newest = line.newest.max(time);
        if matches!(claim.clock, Clock::Own(_)) {
            line.follow(arrival - time, now);
        }
        let micros = u64::try_from(time).unwrap_or(0).max(self.newest);
        self.newest = micros;
        // Back at its word, it is right again.
        let at_its_word = claim.clock == Clock::Relay && line.offset == 0;
        let worth_a_word = !at_its_word && wrong_by >= WORTH_A_WORD.as_micros();
        let wrong_by = Duration::from_micros(u64::try_from(wrong_by).unwrap_or(u64::MAX));
        Capture {
            reordered,
            wrong_by: worth_a_word.then_some(wrong_by),
            ..Capture::like(micros)
        }
    }
}

impl Captures {
    /// A time that another relay has mended: it is off by no more than the estimate of that relay's clock.
    fn upstream(&mut self, claim: Claim, latest: i128) -> Capture {
        let micros = u64::try_from(claim.micros.min(latest)).unwrap_or(0);
        self.newest = self.newest.max(micros);
        Capture::like(self.newest)
    }
}

impl Capture {
    /// A time that nothing is wrong with.
    pub(super) fn like(micros: u64) -> Self {
        Self {
            micros,
            reordered: false,
            wrong_by: None,
        }
    }
}

impl Line {
    fn begin(claim: Claim, now: RelayTime) -> Self {
        let offset = match claim.clock {
            Clock::Relay | Clock::Upstream => 0,
            Clock::Own(_) => i128::from(now.as_micros()) - claim.micros,
        };
        Self {
            clock: claim.clock,
            offset,
            newest: i128::MIN,
            group: claim.group,
            fallen: None,
            least: None,
            window: now,
            held: 0,
        }
    }

    /// Whether a time is further back than frames that are shown in another order can be. `floor` is
    /// the newest time of any publisher.
    fn falls(&mut self, time: i128, floor: i128, claim: Claim, now: RelayTime) -> bool {
        let newest = self.newest.max(floor);
        if time >= newest {
            self.fallen = None;
            return false;
        }
        let since = *self.fallen.get_or_insert(now);
        let by_mistake = claim.keyframe && time < self.newest;
        by_mistake || newest - time > micros(REORDER) || now - since > REORDER
    }

    /// Takes this frame as one that has arrived at once, or at its word where that can be true again.
    fn correct(&mut self, claim: Claim, floor: i128, arrival: i128) {
        let at_its_word = claim.clock == Clock::Relay
            && claim.micros >= self.newest.max(floor)
            && is_near(claim.micros, claim.clock, arrival);
        self.offset = match at_its_word {
            true => 0,
            false => arrival - claim.micros,
        };
        self.fallen = None;
        self.least = None;
        self.held = 0;
    }

    fn follow(&mut self, delay: i128, now: RelayTime) {
        let least = self.least.map_or(delay, |least| least.min(delay));
        if now - self.window < WINDOW {
            self.least = Some(least);
            return;
        }
        self.offset += least - self.held;
        self.least = None;
        self.window = now;
    }
}

/// Whether a frame that arrives now can have been captured then.
fn is_near(time: i128, clock: Clock, arrival: i128) -> bool {
    let ahead = match clock {
        Clock::Relay | Clock::Upstream => micros(AHEAD),
        // It was brought together with the relay's so that nothing lies ahead.
        Clock::Own(_) => 0,
    };
    time <= arrival + ahead && arrival - time <= micros(TOO_LATE)
}

fn micros(duration: Duration) -> i128 {
    duration.as_micros() as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: u64 = 33_333;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(1_000_000_000 + ms * 1_000)
    }

    fn claim(micros: i128, clock: Clock) -> Claim {
        Claim {
            micros,
            clock,
            group: 0,
            keyframe: false,
        }
    }

    fn own(ms: i128) -> Claim {
        claim(ms * 1_000, Clock::Own(1))
    }

    #[test]
    fn what_is_held_back_stays_so_and_drift_is_followed_all_the_same() {
        let mut captures = Captures::default();
        let mut ages = Vec::new();
        for frame in 0..1_200u64 {
            // Its clock is slow: 1 ms in ten seconds.
            let (sent, now) = (frame * 33, frame * 33 + frame / 300);
            if frame == 100 {
                captures.hold_back(Clock::Own(1), 40_000);
                captures.hold_back(Clock::Own(2), 70_000);
            }
            let capture = captures.capture(own(sent.into()), at(now));
            assert!(!capture.reordered || frame < 102, "{frame}");
            ages.push(at(now).as_micros() - capture.micros);
        }
        assert_eq!((ages[99], ages[300]), (0, 41_000));
        assert!((40_000..=42_000).contains(&ages[1_199]), "{}", ages[1_199]);
    }

    #[test]
    fn honest_times_are_taken_as_they_are() {
        let mut captures = Captures::default();
        for ms in [0, 33, 66, 5_000] {
            let claimed = at(ms).as_micros();
            // 200 ms on their way; and a clock that is a little ahead.
            for arrival in [at(ms + 200), RelayTime::from_micros(claimed - 40_000)] {
                let claim = claim(claimed.into(), Clock::Relay);
                let capture = captures.capture(claim, arrival);
                assert_eq!(capture.micros, claimed);
                assert!(!capture.reordered && capture.wrong_by.is_none());
            }
        }
    }

    #[test]
    fn who_claims_times_ahead_leaves_an_honest_publisher_after_it_alone() {
        let mut captures = Captures::default();
        for frame in 0..30 {
            let now = at(frame * 33);
            let ahead = claim(i128::from(now.as_micros()) + 3_600_000_000, Clock::Relay);
            let capture = captures.capture(ahead, now);
            assert_eq!(capture.micros, now.as_micros());
            let told = capture.wrong_by.map(|wrong_by| wrong_by.as_secs());
            assert_eq!(told, (frame == 0).then_some(3_600), "one word is enough");
        }
        captures.hand_over();
        let honest = (31..60).map(|frame| {
            let captured = at(frame * 33).as_micros();
            let claim = claim(captured.into(), Clock::Relay);
            captures.capture(claim, at(frame * 33 + 5)).micros
        });
        let honest: Vec<_> = honest.collect();
        assert!(honest.windows(2).all(|pair| pair[1] - pair[0] == 33_000));
    }

    #[test]
    fn another_source_of_a_publisher_has_another_clock_which_is_no_fault() {
        let mut captures = Captures::default();
        let far = 1_000_000_000_000;
        let mut last = 0;
        for (frame, source, from) in [(0, 1, 0), (1, 1, 0), (2, 2, far), (3, 2, far), (4, 1, -far)]
        {
            let claimed = claim(from + i128::from(frame) * 33_000, Clock::Own(source));
            let capture = captures.capture(claimed, at(frame * 33));
            assert!(!capture.reordered && capture.wrong_by.is_none(), "{frame}");
            assert_eq!(capture.micros, at(frame * 33).as_micros());
            assert!(capture.micros > last);
            last = capture.micros;
        }
    }

    #[test]
    fn a_clock_that_falls_back_leaves_the_delay_as_it_was() {
        for back in [700, 60_000, 3_600_000] {
            let mut captures = Captures::default();
            captures.capture(own(0), at(0));
            captures.capture(own(33), at(33));
            for frame in 2..100u64 {
                let ms = frame * 33;
                let capture = captures.capture(own(i128::from(ms) - back), at(ms));
                assert_eq!(capture.micros, at(ms).as_micros(), "{back} ms back");
                assert!(!capture.reordered);
            }
        }
    }

    #[test]
    fn a_clock_that_stands_a_little_behind_is_followed_once_no_other_order_explains_it() {
        let mut captures = Captures::default();
        captures.capture(own(1_000), at(0));
        let mut stands = |ms| captures.capture(own(900), at(ms)).micros;
        let other_order = [10, 260, 510].map(&mut stands);
        assert_eq!(other_order, [at(0).as_micros(); 3]);
        assert_eq!(stands(511), at(511).as_micros());
    }

    #[test]
    fn the_next_publisher_begins_anew_whatever_was_before() {
        let mut captures = Captures::default();
        let sent = |group, ms| Claim { group, ..own(ms) };
        captures.capture(sent(7, 1_000), at(0));
        captures.hand_over();
        let next = [(0, 700), (33, 733)].map(|(ms, own)| captures.capture(sent(0, own), at(ms)));
        assert_eq!(next, [0, 33].map(|ms| Capture::like(at(ms).as_micros())));
    }

    #[test]
    fn a_keyframe_is_never_shown_before_what_was_sent_earlier() {
        let mut captures = Captures::default();
        captures.capture(own(1_000), at(0));
        let keyframe = Claim {
            keyframe: true,
            ..own(990)
        };
        let capture = captures.capture(keyframe, at(33));
        assert_eq!(
            (capture.micros, capture.reordered),
            (at(33).as_micros(), false)
        );
    }

    #[test]
    fn frames_that_are_shown_in_another_order_than_they_are_sent_are_seen() {
        let mut captures = Captures::default();
        let mut sent = |ms| captures.capture(own(ms), at(1_000)).reordered;
        assert_eq!([0, 100, 33, 66].map(&mut sent), [false, false, true, true]);
        assert!(!sent(200));
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let mut captures = Captures::default();
        let mut delay = 0;
        for ms in (0..120_000u64).step_by(100) {
            // 0.1 % slow: after two minutes it would be 120 ms behind.
            let slow = claim(i128::from(ms * 1_000 - ms), Clock::Own(1));
            let capture = captures.capture(slow, at(ms));
            assert_eq!(capture.wrong_by, None);
            delay = at(ms).as_micros() - capture.micros;
        }
        assert!(delay < 25_000, "{delay}");
    }

    #[test]
    fn a_time_that_was_wrong_once_is_taken_at_its_word_again() {
        let mut captures = Captures::default();
        let day = 86_400_000_000;
        for (frame, wrong) in [(0, 0), (1, day), (2, 0), (3, -day), (4, 0), (5, 0)] {
            let now = at(frame * 100);
            let captured = i128::from(now.as_micros()) - 50_000;
            let claim = Claim {
                keyframe: true,
                ..claim(captured + wrong, Clock::Relay)
            };
            let capture = captures.capture(claim, now);
            assert_eq!(capture.wrong_by.is_some(), wrong != 0, "{frame}");
            if wrong == 0 {
                assert_eq!(i128::from(capture.micros), captured);
            }
        }
    }

    #[test]
    fn what_is_left_of_an_older_group_says_nothing_of_time() {
        let mut captures = Captures::default();
        let sent = |group, ms: u64| Claim {
            group,
            ..claim(at(ms).as_micros().into(), Clock::Relay)
        };
        captures.capture(sent(1, 0), at(0));
        captures.capture(sent(2, 2_000), at(2_000));
        // Lost on its way, and sent again.
        let late = captures.capture(sent(1, 500), at(2_010));
        assert_eq!(late, Capture::like(at(2_000).as_micros()));
        let next = captures.capture(sent(2, 2_033), at(2_050));
        assert_eq!(next, Capture::like(at(2_033).as_micros()));
    }

    fn jump() -> impl Strategy<Value = i64> {
        prop_oneof![
            -1_000_000i64..1_000_000,
            -100_000_000i64..100_000_000,
            any::<i64>()
        ]
    }

    #[test]
    fn times_of_another_relay_stay_as_they_are_however_old_and_never_fall() {
        let mut captures = Captures::default();
        let mut capture = |micros: u64, now: RelayTime| {
            let claim = Claim {
                micros: micros.into(),
                clock: Clock::Upstream,
                group: 0,
                keyframe: true,
            };
            captures.capture(claim, now)
        };
        let hours_ago = at(0).as_micros() - 900_000_000;
        assert_eq!(capture(hours_ago, at(0)), Capture::like(hours_ago));
        assert_eq!(capture(hours_ago + 12, at(0)).micros, hours_ago + 12);
        assert_eq!(capture(hours_ago, at(1)).micros, hours_ago + 12, "it falls");
        let ahead = at(2).as_micros() + 3_000_000;
        let capture = capture(ahead, at(2));
        assert_eq!(capture.micros, at(2).as_micros() + 50_000);
        assert_eq!(capture.wrong_by, None);
    }

    proptest! {
        /// Clocks that jump anywhere, publishers that follow one another, frames in any order: what
        /// comes out never falls and never lies ahead, and a second after a jump pictures come at
        /// the pace that they were captured in, as late as they are.
        #[test]
        fn times_that_jump_are_mended(
            jumps in prop::collection::vec((jump(), any::<bool>(), any::<bool>(), 0u64..2_000), 1..40)
        ) {
            let mut captures = Captures::default();
            let (mut now, mut last) = (at(0), 0);
            for (jump, relay, hands_over, pause_ms) in jumps {
                let clock = if relay { Clock::Relay } else { Clock::Own(1) };
                if hands_over {
                    captures.hand_over();
                }
                now = now + Duration::from_millis(pause_ms);
                let mut steps = Vec::new();
                for frame in 0..60u64 {
                    now = now + Duration::from_micros(FRAME);
                    let micros = i128::from(jump) + i128::from(now.as_micros());
                    let claim = Claim { micros, clock, group: 0, keyframe: frame % 30 == 7 };
                    let capture = captures.capture(claim, now).micros;
                    prop_assert!(capture >= last, "it falls");
                    prop_assert!(capture <= now.as_micros() + 50_000, "it lies ahead");
                    prop_assert!(now.as_micros() - capture.min(now.as_micros()) <= 20_500_000);
                    steps.push(capture - last);
                    last = capture;
                }
                // Times follow once in ten seconds.
                let uneven = steps[35..].iter().filter(|step| **step != FRAME).count();
                prop_assert!(uneven <= 1, "{steps:?}");
            }
        }
    }
}
