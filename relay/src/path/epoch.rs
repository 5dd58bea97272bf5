//! A stretch of time that is judged as a whole: at least a round trip.

use std::time::{Duration, Instant};

/// The shortest epoch: on a path in a building a round trip says next to nothing.
const SHORTEST: Duration = Duration::from_millis(25);
/// An epoch takes at least so many times the spread of the round trips.
const SPREADS: f64 = 6.0;
/// The longest, however few samples there are.
const LONGEST: Duration = Duration::from_millis(400);

/// What is known of the epoch so far.
#[derive(Debug, Clone)]
pub(super) struct Epoch {
    began: Instant,
    acked_before: u64,
    samples: usize,
    /// Of the round trips, in seconds.
    sum: f64,
    /// The shortest round trip, in seconds.
    shortest: f64,
    /// Whether only packets that were sent within the epoch tell of the queue: what was in flight
    /// before a cut of the window met the queue as it was then.
    fresh: bool,
    /// Whether the window has held packets back.
    pub(super) limited: bool,
    /// Whether everything sent had been acknowledged at some time.
    pub(super) idle: bool,
    /// Whether a packet of the epoch has been acknowledged.
    whole: bool,
}

impl Epoch {
    pub(super) fn new(now: Instant, acked: u64, fresh: bool) -> Self {
        Self {
            began: now,
            acked_before: acked,
            samples: 0,
            sum: 0.0,
            shortest: f64::INFINITY,
            fresh,
            limited: false,
            idle: false,
            whole: false,
        }
    }

    pub(super) fn take(&mut self, sent: Instant, sample: f64) {
        let within = sent >= self.began;
        self.whole |= within;
        if within || !self.fresh {
            self.samples += 1;
            self.sum += sample;
            self.shortest = self.shortest.min(sample);
        }
    }

    /// Whether it is long enough, and has enough samples, to be judged.
    pub(super) fn is_over(&self, now: Instant, telling: usize, spread: f64) -> bool {
        let passed = now.saturating_duration_since(self.began);
        let shortest = SHORTEST.max(Duration::from_secs_f64(spread * SPREADS));
        self.whole && passed >= shortest && (self.samples >= telling || passed >= LONGEST)
    }

    /// The shortest round trip, in seconds.
    pub(super) fn shortest(&self) -> f64 {
        self.shortest
    }

    /// The mean round trip, in seconds.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.samples.max(1) as f64
    }

    /// Bytes acknowledged a second so far.
    pub(super) fn delivered(&self, now: Instant, acked: u64) -> f64 {
        let passed = now.saturating_duration_since(self.began).as_secs_f64();
        (acked - self.acked_before) as f64 / passed.max(1e-6)
    }
}
