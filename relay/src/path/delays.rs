//! What the samples of the round trip say: the path's own delay, the queue's, and the jitter.

use std::time::{Duration, Instant};

/// The base is the shortest round trip of the last one to two of these.
const BASE_SPAN: Duration = Duration::from_secs(5);
/// Beside a rival the queue hardly ever empties: the base is remembered for longer.
const BASE_SPAN_BESIDE: Duration = Duration::from_secs(60);
/// Samples that are kept: no judgement wants more.
const KEPT: usize = 16;
/// Jitter up to this is what acknowledgements in groups look like, in seconds.
const CALM: f64 = 0.005;
/// The most that is put down to jitter, in seconds.
const SPREAD: f64 = 0.1;
/// The share of a round trip's sample in forgetting how late packets were that others overtook, and
/// the most that is put down to that, in seconds.
const LATE_FADES: f64 = 1.0 / 1024.0;
const LATEST: f64 = 0.2;
/// The base varies by so much, in seconds, for other reasons than a queue.
const FALLEN: f64 = 0.015;
/// The share of a sample in the smoothed jitter.
const JITTER_GAIN: f64 = 1.0 / 16.0;

/// Round trips, in seconds.
#[derive(Debug, Clone)]
pub(super) struct Delays {
    /// The shortest of this span and of the one before.
    shortest: [f64; 2],
    span_began: Instant,
    /// The shortest of the first.
    first: f64,
    recent: [f64; KEPT],
    count: usize,
    jitter: f64,
    /// For how long the peer holds acknowledgements back, smoothed.
    held: f64,
    /// How far the mean lies above the shortest where nothing of this flow's queues.
    spread: f64,
    /// How much later than others packets come that these have overtaken: the latest, lately.
    late: f64,
    /// When a round trip was last about as short as the base, or it was seen whether one could be.
    at_base: Instant,
}

impl Delays {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            shortest: [f64::INFINITY; 2],
            span_began: now,
            first: f64::INFINITY,
            recent: [0.0; KEPT],
            count: 0,
            jitter: 0.0,
            held: 0.0,
            spread: 0.0,
            late: 0.0,
            at_base: now,
        }
    }

    /// Takes a sample; `beside` says that others are thought to fill the queue.
    pub(super) fn take(&mut self, now: Instant, sample: f64, held: f64, beside: bool) {
        self.held += (held - self.held) * JITTER_GAIN;
        if self.count > 0 {
            let difference = (sample - self.recent[(self.count - 1) % KEPT]).abs();
            self.jitter += (difference - self.jitter) * JITTER_GAIN;
        }
        self.late -= self.late * LATE_FADES;
        if self.count < KEPT {
            self.first = self.first.min(sample);
        }
        self.recent[self.count % KEPT] = sample;
        self.count += 1;
        let span = if beside { BASE_SPAN_BESIDE } else { BASE_SPAN };
        if now.saturating_duration_since(self.span_began) > span {
            self.shortest = [f64::INFINITY, self.shortest[0]];
            self.span_began = now;
        }
        self.shortest[0] = self.shortest[0].min(sample);
        let base = self.base();
        if sample <= base + 0.004 {
            self.at_base = now;
        }
    }

    /// The path's own round trip; infinite before the first sample.
    pub(super) fn base(&self) -> f64 {
        self.shortest[0].min(self.shortest[1])
    }

    /// Whether the base is much shorter than it was at first, which a path's own round trip is
    /// never: others had filled the queue, and may have left a part of it.
    pub(super) fn has_fallen(&self) -> bool {
        self.base() + FALLEN + 2.0 * self.jitter < self.first
    }

    pub(super) fn held(&self) -> f64 {
        self.held
    }

    pub(super) fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Takes the round trips of an epoch in which everything was acknowledged at times: what lies
    /// between the mean and the shortest then is the path's own doing.
    pub(super) fn calm(&mut self, spread: f64) {
        let spread = spread.min(SPREAD);
        let gain = if spread > self.spread { 0.5 } else { 0.0625 };
        self.spread += (spread - self.spread) * gain;
    }

    /// Takes how long a packet took that others had overtaken: no queue does that. Those that are
    /// overtaken are late ones.
    pub(super) fn overtaken(&mut self, took: f64) {
        let late = (took - self.base()).max(0.0);
        self.late = self.late.max(late.min(LATEST));
        let spread = (late / 2.0).min(SPREAD);
        if spread > self.spread {
            self.spread += (spread - self.spread) * 0.25;
        }
    }

    /// How late packets are that others overtake, in seconds; next to nothing where none does.
    pub(super) fn late(&self) -> f64 {
        self.late
    }

    /// What jitter adds to the round trip in the mean, in seconds. For jitter that is spread
    /// evenly, the mean lies half of it above the base, and neighbours are a third of it apart.
    pub(super) fn spread(&self) -> f64 {
        let apart = ((self.jitter - CALM) * 1.5).clamp(0.0, SPREAD);
        apart.max(self.spread)
    }

    /// How many samples it takes to tell a queue from jitter: the shortest of so many is hardly
    /// ever far above the base when nothing queues.
    pub(super) fn telling(&self) -> usize {
        2 + ((self.spread() * 500.0) as usize).min(10)
    }

    /// The queue's delay as the latest samples have it; none while they are too few.
    pub(super) fn queue(&self) -> Option<f64> {
        let telling = self.telling();
        if self.count < telling {
            return None;
        }
        let latest = (self.count - telling..self.count).map(|at| self.recent[at % KEPT]);
        Some(latest.fold(f64::INFINITY, f64::min) - self.base())
    }

    /// The queue was emptied as far as this flow can: on a path that has narrowed, where every packet takes longer, no
    /// round trip is as short as the base was, as long as that is remembered.
    pub(super) fn looked(&mut self, now: Instant) {
        self.at_base = now;
    }

    /// How long ago a round trip was about as short as the base.
    pub(super) fn off_base(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at_base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays on a clock of their own, of which each sample takes a moment.
    struct Scene {
        delays: Delays,
        began: Instant,
    }

    impl Scene {
        fn new() -> Self {
            let began = Instant::now();
            let delays = Delays::new(began);
            Self { delays, began }
        }

        fn at(&self, ms: u64) -> Instant {
            self.began + Duration::from_millis(ms)
        }

        /// A round trip of so many milliseconds, at a time.
        fn take(&mut self, at_ms: u64, sample_ms: f64) {
            let now = self.at(at_ms);
            self.delays.take(now, sample_ms / 1e3, 0.0, false);
        }

        fn take_many(&mut self, samples: impl IntoIterator<Item = f64>) {
            for sample in samples {
                self.take(0, sample);
            }
        }
    }

    /// Whether two figures are the same but for a thousandth.
    fn same(one: f64, other: f64) -> bool {
        (one - other).abs() <= other.abs() / 1e3
    }

    #[test]
    fn the_base_is_the_shortest_round_trip_of_this_span_and_the_one_before() {
        let mut scene = Scene::new();
        assert_eq!(scene.delays.base(), f64::INFINITY);
        scene.take(0, 50.0);
        for (at, base) in [(5_000, 50.0), (5_001, 50.0), (10_001, 50.0), (10_002, 80.0)] {
            scene.take(at, 80.0);
            assert!(same(scene.delays.base(), base / 1e3), "{at} ms");
        }
    }

    #[test]
    fn beside_a_rival_the_base_is_remembered_for_a_minute() {
        let mut scene = Scene::new();
        for (at, sample) in [(0, 0.05), (20_000, 0.2), (59_000, 0.2), (61_000, 0.2)] {
            let now = scene.at(at);
            scene.delays.take(now, sample, 0.0, true);
        }
        assert!(same(scene.delays.base(), 0.05));
        scene.delays.take(scene.at(122_000), 0.2, 0.0, true);
        assert!(same(scene.delays.base(), 0.2));
    }

    #[test]
    fn jitter_is_how_far_neighbours_are_apart_smoothed() {
        let mut scene = Scene::new();
        scene.take_many([50.0; 5]);
        assert_eq!(scene.delays.jitter(), 0.0);
        scene.take(0, 70.0);
        assert!(same(scene.delays.jitter(), 0.020 / 16.0));
        scene.take_many([50.0, 70.0].repeat(100));
        assert!(same(scene.delays.jitter(), 0.020));
        // What jitter adds: half of its range, as far as it is more than groups of acknowledgements.
        assert!(same(scene.delays.spread(), 0.015 * 1.5));
        scene.take_many([50.0, 400.0].repeat(100));
        assert!(same(scene.delays.spread(), SPREAD));
    }

    #[test]
    fn how_long_acknowledgements_are_held_back_is_smoothed() {
        let mut scene = Scene::new();
        scene.delays.take(scene.began, 0.05, 0.016, false);
        assert!(same(scene.delays.held(), 0.001));
        for _ in 0..200 {
            scene.delays.take(scene.began, 0.05, 0.016, false);
        }
        assert!(same(scene.delays.held(), 0.016));
    }

    #[test]
    fn a_base_far_below_the_first_round_trips_has_fallen() {
        let mut scene = Scene::new();
        scene.take_many([160.0; KEPT]);
        assert!(!scene.delays.has_fallen());
        scene.take(0, 146.0);
        assert!(!scene.delays.has_fallen(), "no more than it varies by");
        scene.take(0, 110.0);
        assert!(scene.delays.has_fallen());
        // One that was as short at first has not.
        let mut scene = Scene::new();
        scene.take_many([160.0; KEPT - 1]);
        scene.take_many([110.0; 200]);
        assert!(!scene.delays.has_fallen());
        // Nor is jitter a fall.
        let mut scene = Scene::new();
        scene.take_many([160.0, 200.0].repeat(100));
        scene.take(0, 110.0);
        assert!(!scene.delays.has_fallen());
    }

    #[test]
    fn what_overtaken_packets_were_late_by_is_remembered_for_a_thousand_samples() {
        let mut scene = Scene::new();
        scene.take(0, 50.0);
        scene.delays.overtaken(0.040);
        assert_eq!(scene.delays.late(), 0.0);
        scene.delays.overtaken(0.150);
        scene.delays.overtaken(0.100);
        assert!(same(scene.delays.late(), 0.100));
        scene.take(0, 50.0);
        assert!(same(scene.delays.late(), 0.100 - 0.100 / 1024.0));
        scene.take_many([50.0; 1024]);
        assert!((0.036..0.038).contains(&scene.delays.late()));
        scene.delays.overtaken(60.0);
        assert!(same(scene.delays.late(), LATEST));
    }

    #[test]
    fn what_overtaken_packets_were_late_by_is_spread_half_of_it() {
        let mut scene = Scene::new();
        scene.take(0, 50.0);
        scene.delays.overtaken(0.130);
        assert!(same(scene.delays.spread(), 0.040 * 0.25));
        for _ in 0..100 {
            scene.delays.overtaken(0.130);
        }
        assert!(same(scene.delays.spread(), 0.040));
        scene.delays.overtaken(0.060);
        assert!(
            same(scene.delays.spread(), 0.040),
            "it does not fall by less"
        );
        for _ in 0..100 {
            scene.delays.overtaken(60.0);
        }
        assert!(same(scene.delays.spread(), SPREAD));
    }

    #[test]
    fn the_spread_of_calm_times_rises_fast_and_falls_slowly() {
        let mut scene = Scene::new();
        scene.delays.calm(0.040);
        assert!(same(scene.delays.spread(), 0.020));
        scene.delays.calm(0.004);
        assert!(same(scene.delays.spread(), 0.019));
        for _ in 0..100 {
            scene.delays.calm(60.0);
        }
        assert!(same(scene.delays.spread(), SPREAD));
    }

    #[test]
    fn it_takes_more_samples_to_tell_a_queue_where_round_trips_spread() {
        let mut scene = Scene::new();
        assert_eq!(scene.delays.telling(), 2);
        scene.delays.calm(0.008);
        assert_eq!(scene.delays.telling(), 4);
        for _ in 0..100 {
            scene.delays.calm(60.0);
        }
        assert_eq!(scene.delays.telling(), 12);
    }

    #[test]
    fn the_queue_is_the_shortest_of_the_latest_round_trips_above_the_base() {
        let mut scene = Scene::new();
        scene.take(0, 50.0);
        assert_eq!(scene.delays.queue(), None, "too few");
        // Calm enough that two samples tell.
        for (sample, queue) in [
            (50.0, 0.0),
            (54.0, 0.0),
            (56.0, 0.004),
            (58.0, 0.006),
            (55.0, 0.005),
        ] {
            scene.take(0, sample);
            let told = scene.delays.queue().unwrap();
            assert!((told - queue).abs() < 1e-9, "{told} after {sample} ms");
        }
    }

    #[test]
    fn a_round_trip_that_is_about_as_short_as_the_base_is_at_it() {
        let mut scene = Scene::new();
        scene.take(0, 50.0);
        scene.take(1_000, 53.9);
        let off = |scene: &Scene| scene.delays.off_base(scene.at(3_000));
        assert_eq!(off(&scene), Duration::from_secs(2));
        scene.take(2_000, 54.1);
        assert_eq!(off(&scene), Duration::from_secs(2));
    }
}
