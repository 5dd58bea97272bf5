//! Bytes without meaning: a player that is given less than its path may carry cannot show that it carries
//! more.

use std::time::{Duration, Instant};

/// They are spread over this time, so that they are no burst ...
const SPREAD: Duration = Duration::from_millis(100);
/// ... in slices of this.
const SLICE: Duration = Duration::from_millis(5);

/// A datagram that players do not read (PROTOCOL 2.10).
static FILL: [u8; 1_024] = [0; 1_024];

/// What is left to send of one row of them.
#[derive(Debug, Default)]
pub(crate) struct Filler {
    slice: usize,
    left: usize,
    due: Option<Instant>,
    /// Bytes that went out before they were due.
    ahead: usize,
}

impl Filler {
    /// So many bytes, beginning now, in place of what is left of those before.
    pub(crate) fn begin(&mut self, bytes: usize, now: Instant) {
        let slices = (SPREAD.as_micros() / SLICE.as_micros()) as usize;
        self.left = bytes;
        self.slice = bytes.div_ceil(slices);
        self.due = (bytes > 0).then_some(now);
    }

    /// When the next slice is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a slice is.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// So many bytes more went out than were due, as whole packets are: later slices make up for it.
    pub(crate) fn went_ahead(&mut self, bytes: usize) {
        self.ahead += bytes;
    }

    /// Bytes of the slices that are due.
    pub(crate) fn take(&mut self, now: Instant) -> usize {
        let mut bytes = 0;
        while let Some(due) = self.due.filter(|due| *due <= now) {
            let slice = self.slice.min(self.left);
            bytes += slice;
            self.left -= slice;
            self.due = (self.left > 0).then(|| due + SLICE);
        }
        let early = bytes.min(self.ahead);
        self.ahead -= early;
        bytes - early
    }

    /// Sends what is due as datagrams, unless something `waits`: a path that has not taken what was given to it before is
    /// full, and sound is not to wait behind this.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        waits: bool,
        mut datagram: impl FnMut(&'static [u8]),
    ) {
        let mut left = self.take(now);
        while left > 0 && !waits {
            let len = left.min(FILL.len());
            left -= len;
            datagram(&FILL[..len]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_out_evenly_and_no_more_than_was_said() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut filler = Filler::default();
        assert_eq!((filler.due(), filler.take(at(0))), (None, 0));
        filler.begin(10_000, at(0));
        assert_eq!(filler.take(at(0)), 500);
        assert_eq!(filler.due(), Some(at(5)));
        assert_eq!((filler.take(at(4)), filler.take(at(16))), (0, 1_500));
        assert_eq!(filler.take(at(1_000)), 8_000);
        assert_eq!(filler.due(), None);
    }

    #[test]
    fn whole_packets_are_no_more_bytes_than_was_said() {
        let start = Instant::now();
        let mut filler = Filler::default();
        let mut sent = 0;
        for second in 0..10 {
            filler.begin(5_000, start + Duration::from_secs(second));
            while let Some(due) = filler.due() {
                let due = filler.take(due);
                if due > 0 {
                    sent += 1_200;
                    filler.went_ahead(1_200 - due);
                }
            }
        }
        assert!((50_000..=51_200).contains(&sent), "{sent}");
    }

    #[test]
    fn a_row_takes_the_place_of_the_one_before() {
        let now = Instant::now();
        let mut filler = Filler::default();
        filler.begin(10_000, now);
        filler.begin(30, now);
        assert_eq!(filler.take(now + SPREAD), 30);
        filler.begin(10_000, now);
        filler.begin(0, now);
        assert_eq!(filler.due(), None);
    }
}
