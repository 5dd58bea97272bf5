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

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_epoch_is_over_once_it_is_long_enough_and_has_samples_enough() {
        let began = Instant::now();
        let mut epoch = Epoch::new(began, 0, false);
        let is_over = |epoch: &Epoch, ms, spread| epoch.is_over(began + MS * ms, 2, spread);
        // Of what was sent before it began alone, nothing is told.
        epoch.take(began - MS, 0.05);
        epoch.take(began - MS, 0.05);
        assert!(!is_over(&epoch, 1_000, 0.0));
        epoch.take(began, 0.05);
        assert!(!is_over(&epoch, 24, 0.0) && is_over(&epoch, 25, 0.0));
        assert!(!is_over(&epoch, 59, 0.010) && is_over(&epoch, 60, 0.010));
        let mut few = Epoch::new(began, 0, false);
        few.take(began, 0.05);
        assert!(!is_over(&few, 399, 0.0) && is_over(&few, 400, 0.0));
    }

    #[test]
    fn samples_from_before_a_cut_of_the_window_say_nothing_after_it() {
        let began = Instant::now();
        let figures = |fresh| {
            let mut epoch = Epoch::new(began, 0, fresh);
            for (sent, sample) in [(began - MS, 0.030), (began, 0.060), (began + MS, 0.090)] {
                epoch.take(sent, sample);
            }
            (epoch.shortest(), (epoch.mean() * 1e3).round())
        };
        assert_eq!(figures(false), (0.030, 60.0));
        assert_eq!(figures(true), (0.060, 75.0));
        assert_eq!(Epoch::new(began, 0, true).mean(), 0.0);
    }

    #[test]
    fn what_was_delivered_is_counted_from_the_beginning() {
        let began = Instant::now();
        let epoch = Epoch::new(began, 5_000, false);
        assert_eq!(epoch.delivered(began + 500 * MS, 6_000), 2_000.0);
        assert!(epoch.delivered(began, 6_000).is_finite());
    }

    #[test]
    fn arrivals_go_on_over_the_end_of_an_epoch() {
        let began = Instant::now();
        let mut before = Epoch::new(began, 0, false);
        before.arrive(began, 1_200);
        let mut epoch = Epoch::new(began, 1_200, false);
        epoch.follow(&before, 13_200, 0.050);
        // 12,000 bytes, 10 ms after the last ones.
        epoch.arrive(began + 10 * MS, 13_200);
        assert!((epoch.burst - 1_200_000.0).abs() < 1.0);
        assert_eq!(epoch.flight, 13_200);
        assert!(
            (epoch.own() - 0.001).abs() < 1e-9,
            "one packet behind the others"
        );
        // What comes at the same moment came within a millisecond.
        let mut at_once = Epoch::new(began, 0, false);
        at_once.arrive(began, 1_200);
        at_once.arrive(began, 2_400);
        assert!((at_once.burst - 1_200_000.0).abs() < 1.0);
    }

    #[test]
    fn a_queue_that_others_drain_shows_in_the_base() {
        let mut epoch = Epoch::new(Instant::now(), 0, false);
        epoch.follow(&epoch.clone(), 0, 0.160);
        assert!(epoch.fell(0.110) > 0.049);
    }
}
