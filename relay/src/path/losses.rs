//! How many earlier frames a packet with sound is to repeat, by what its path loses (PROTOCOL 9.4, 9.5).

use std::time::{Duration, Instant};

use steadycast_codec_glue::wire::limits;

/// How often a path is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What is older counts for so much of what it did a look before: looks of about three seconds count.
const FADES: f64 = 0.7;
/// A path that loses more than this has one frame repeated, or two: of a hundred packets of which two are lost,
/// one repeat leaves one frame in 2,500 out.
const LOSES: [f64; limits::SOUND_REPEATS as usize] = [0.008, 0.05];
/// A path that has lost less than half of that for so long has one repeat less.
const HOLDS: Duration = Duration::from_secs(10);

/// What one path has lost of late.
#[derive(Debug, Default)]
pub struct Losses {
    repeat: u8,
    /// Packets sent and lost so far, at the last look.
    seen: (u64, u64),
    looked: Option<Instant>,
    sent: f64,
    lost: f64,
    /// Since when it has lost too little for what is repeated.
    calm: Option<Instant>,
}

impl Losses {
    /// How many frames are to be repeated.
    pub fn repeat(&self) -> u8 {
        self.repeat
    }

    /// Whether it is time to look again.
    pub fn is_due(&self, now: Instant) -> bool {
        self.looked
            .is_none_or(|looked| now.saturating_duration_since(looked) >= LOOK)
    }

    /// Takes how many packets were sent on the path so far, and how many of them it has lost.
    pub fn see(&mut self, sent: u64, lost: u64, now: Instant) {
        let before = std::mem::replace(&mut self.seen, (sent, lost));
        if self.looked.replace(now).is_none() {
            return;
        }
        let (new, gone) = (sent.saturating_sub(before.0), lost.saturating_sub(before.1));
        self.sent = self.sent * FADES + new as f64;
        self.lost = self.lost * FADES + gone as f64;
        if self.sent > 0.0 {
            self.follow(self.lost / self.sent, now);
        }
    }

    fn follow(&mut self, share: f64, now: Instant) {
        let wanted = LOSES.iter().filter(|bound| share >= **bound).count() as u8;
        let enough = LOSES.iter().filter(|bound| share >= **bound / 2.0).count() as u8;
        if wanted > self.repeat {
            self.repeat = wanted;
        }
        if enough >= self.repeat {
            self.calm = None;
            return;
        }
        let calm = *self.calm.get_or_insert(now);
        if now.saturating_duration_since(calm) >= HOLDS {
            self.repeat -= 1;
            self.calm = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Path {
        losses: Losses,
        sent: u64,
        lost: u64,
        now: Instant,
    }

    impl Path {
        fn new() -> Self {
            let mut path = Self {
                losses: Losses::default(),
                sent: 0,
                lost: 0,
                now: Instant::now(),
            };
            path.losses.see(0, 0, path.now);
            path
        }

        /// A second in which a hundred packets are sent and so many of them lost.
        fn loses(&mut self, lost: u64) -> u8 {
            self.sent += 100;
            self.lost += lost;
            self.now += LOOK;
            assert!(self.losses.is_due(self.now));
            self.losses.see(self.sent, self.lost, self.now);
            self.losses.repeat()
        }
    }

    #[test]
    fn a_clean_path_has_nothing_repeated() {
        let mut path = Path::new();
        assert!((0..100).all(|_| path.loses(0) == 0));
    }

    #[test]
    fn a_path_that_loses_has_one_frame_repeated_at_once_and_one_that_loses_much_two() {
        let mut path = Path::new();
        assert_eq!(path.loses(2), 1);
        assert_eq!(path.loses(2), 1);
        assert_eq!(path.loses(20), 2);
    }

    #[test]
    fn repeats_end_once_the_path_has_lost_little_for_a_while() {
        let mut path = Path::new();
        path.loses(20);
        let seconds: Vec<_> = (0..60).map(|_| path.loses(0)).collect();
        let steps: Vec<_> = [2, 1, 0]
            .iter()
            .map(|repeat| seconds.iter().filter(|now| *now == repeat).count())
            .collect();
        assert!(seconds.is_sorted_by(|one, next| one >= next));
        assert!((10..25).contains(&steps[0]), "{steps:?}");
        assert!((10..25).contains(&steps[1]), "{steps:?}");
        assert!(steps[2] > 10, "{steps:?}");
    }

    #[test]
    fn a_path_that_loses_now_and_then_keeps_what_it_has() {
        let mut path = Path::new();
        path.loses(5);
        assert!((0..60).all(|second| path.loses(u64::from(second % 5 == 0) * 5) >= 1));
    }

    #[test]
    fn a_path_on_which_nothing_is_sent_says_nothing() {
        let mut path = Path::new();
        path.loses(3);
        for _ in 0..60 {
            path.now += LOOK;
            path.losses.see(path.sent, path.lost, path.now);
        }
        assert_eq!(path.losses.repeat(), 1);
    }
}
