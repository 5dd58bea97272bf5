//! A stretch of time that is judged as a whole: at least a round trip.

use std::time::{Duration, Instant};

/// The shortest epoch: on a path in a building a round trip says next to nothing.
const SHORTEST: Duration = Duration::from_millis(25);
/// An epoch takes at least so many times the spread of the round trips.
const SPREADS: f64 = 6.0;
/// The longest, however few samples there are.
const LONGEST: Duration = Duration::from_millis(400);

/// Arrivals that are no further apart came at once.
const AT_ONCE: Duration = Duration::from_millis(1);

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
    /// The most that was in flight.
    pub(super) flight: u64,
    /// The base when it began, in seconds.
    base: f64,
    /// When packets arrived last, and all that had by then.
    arrived: Option<Instant>,
    acked: u64,
    /// How many bytes a second arrived in the shortest time.
    burst: f64,
    /// The most that arrived together.
    together: u64,
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
            flight: 0,
            base: f64::INFINITY,
            arrived: None,
            acked,
            burst: 0.0,
            together: 0,
            whole: false,
        }
    }

    /// What was so when it began, after the epoch `before`.
    pub(super) fn follow(&mut self, before: &Self, flight: u64, base: f64) {
        (self.arrived, self.acked) = (before.arrived, before.acked);
        self.flight = flight;
        self.base = base;
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

    /// A batch has arrived, with which so many bytes have in all.
    pub(super) fn arrive(&mut self, now: Instant, acked: u64) {
        let bytes = acked - std::mem::replace(&mut self.acked, acked);
        self.together = self.together.max(bytes);
        if let Some(before) = self.arrived.replace(now) {
            let passed = now.saturating_duration_since(before).max(AT_ONCE);
            self.burst = self.burst.max(bytes as f64 / passed.as_secs_f64());
        }
    }

    /// By how much the base has fallen meanwhile, in seconds.
    pub(super) fn fell(&self, base: f64) -> f64 {
        self.base - base
    }

    /// For how long the packets that were in flight may have waited for one another, in seconds: a
    /// path that carries them in a burst makes none wait.
    pub(super) fn own(&self) -> f64 {
        self.flight.saturating_sub(self.together) as f64 / self.burst.max(1.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u64 = 1_200;

    /// An epoch in which seven packets arrive, so long after one another.
    fn epoch(apart: Duration, together: u64) -> Epoch {
        let mut now = Instant::now();
        let mut epoch = Epoch::new(now, 0, false);
        epoch.flight = 7 * PACKET;
        for batch in 1..=7 / together {
            epoch.arrive(now, batch * together * PACKET);
            now += apart;
        }
        epoch
    }

    #[test]
    fn packets_that_arrive_one_by_one_have_waited_for_one_another() {
        let own = epoch(Duration::from_millis(24), 1).own();
        assert!((0.14..0.15).contains(&own), "{own}");
    }

    #[test]
    fn packets_that_arrive_together_have_not() {
        assert!(epoch(Duration::from_millis(24), 7).own() < 0.001);
    }

    #[test]
    fn a_queue_that_others_drain_shows_in_the_base() {
        let mut epoch = Epoch::new(Instant::now(), 0, false);
        epoch.follow(&epoch.clone(), 0, 0.160);
        assert!(epoch.fell(0.110) > 0.049);
    }
}
