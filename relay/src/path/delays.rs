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
    /// When a round trip was last about as short as the base.
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

    /// How long ago a round trip was about as short as the base.
    pub(super) fn off_base(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at_base)
    }
}
