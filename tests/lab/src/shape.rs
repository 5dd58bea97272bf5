//! What one direction of a path does to packets.

use std::time::Duration;

use crate::loss::Loss;

/// Bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

impl Rate {
    /// So many kbit/s; at least one.
    pub const fn kbit(kbit: u64) -> Self {
        Self(if kbit == 0 { 1_000 } else { kbit * 1_000 })
    }

    /// In bits per second.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// How long so many bytes are on the wire.
    pub fn takes(self, bytes: usize) -> Duration {
        let nanos = bytes as u128 * 8 * 1_000_000_000 / u128::from(self.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Bytes that it carries in this time.
    pub fn carries(self, time: Duration) -> usize {
        let bytes = time.as_nanos() * u128::from(self.0) / 8 / 1_000_000_000;
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}

/// Packets that are overtaken by those behind them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reorder {
    /// Of all packets, from 0 to 1.
    pub share: f64,
    /// How long they are held back.
    pub by: Duration,
}

/// What one direction does to packets. Every packet passes, in this order, a queue of which the
/// end is dropped when it is full, a wire of some rate, on which packets may be lost, and a way
/// that takes time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shape {
    /// What the wire carries; anything at once where there is none.
    pub rate: Option<Rate>,
    /// What waits for the wire is dropped beyond what the wire carries in this time.
    pub queue: Duration,
    /// How long the way takes at least.
    pub delay: Duration,
    /// It takes up to so much longer, evenly spread and anew for each packet.
    pub jitter: Duration,
    /// Whether jitter lets packets overtake one another. Without, those behind a late one wait,
    /// and then come at once: this is what a wireless link looks like.
    pub jitter_reorders: bool,
    /// Packets that are overtaken, whatever the jitter.
    pub reorder: Option<Reorder>,
    /// Of all packets, from 0 to 1, so many come twice.
    pub duplicate: f64,
    /// How packets are lost on the wire. They have taken their time on it.
    pub loss: Loss,
}

impl Shape {
    /// A way that takes so many milliseconds and does nothing else.
    pub const fn delay_ms(ms: u64) -> Self {
        Self {
            rate: None,
            queue: Duration::ZERO,
            delay: Duration::from_millis(ms),
            jitter: Duration::ZERO,
            jitter_reorders: false,
            reorder: None,
            duplicate: 0.0,
            loss: Loss::Never,
        }
    }

    /// With a wire of this rate behind a queue of so many milliseconds at that rate.
    #[must_use]
    pub const fn narrow(mut self, rate: Rate, queue_ms: u64) -> Self {
        self.rate = Some(rate);
        self.queue = Duration::from_millis(queue_ms);
        self
    }

    /// With packets lost in this way.
    #[must_use]
    pub const fn lossy(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// With up to so many milliseconds more for each packet.
    #[must_use]
    pub const fn jitter_ms(mut self, ms: u64, reorders: bool) -> Self {
        self.jitter = Duration::from_millis(ms);
        self.jitter_reorders = reorders;
        self
    }

    /// With this share of all packets held back by so many milliseconds.
    #[must_use]
    pub const fn reordered(mut self, share: f64, ms: u64) -> Self {
        let by = Duration::from_millis(ms);
        self.reorder = Some(Reorder { share, by });
        self
    }

    /// With this share of all packets coming twice.
    #[must_use]
    pub const fn duplicated(mut self, share: f64) -> Self {
        self.duplicate = share;
        self
    }
}

/// From some time on, another shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Since the link's start.
    pub at: Duration,
    /// What it is from then on.
    pub shape: Shape,
}

/// One direction over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// What it is at first.
    pub start: Shape,
    /// What it becomes, in order of time.
    pub changes: Vec<Change>,
}

impl Course {
    /// Becomes `shape` so many seconds after the start, later than any change before.
    #[must_use]
    pub fn then(mut self, at_s: u64, shape: Shape) -> Self {
        let at = Duration::from_secs(at_s);
        self.changes.push(Change { at, shape });
        self
    }
}

impl From<Shape> for Course {
    fn from(start: Shape) -> Self {
        Self {
            start,
            changes: Vec::new(),
        }
    }
}
