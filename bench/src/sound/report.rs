//! What sound was like.

use serde::Serialize;

use super::heard::Heard;
use super::voice::LASTS;

/// What sound was like and what it took. Times in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SoundReport {
    /// What each publisher sent.
    pub kbit: u64,
    /// Frames of the window that healthy players have heard.
    pub frames: u64,
    /// Frames of the window that they should have.
    pub expected: u64,
    /// Times that frames were missing in a row.
    pub gaps: u64,
    /// From a frame's capture to its arrival: median.
    pub p50_us: u64,
    /// 95 of 100.
    pub p95_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// What of the relay's CPU a frame to one player takes, in microseconds: the median of pairs of seconds, one with
    /// sound and one without.
    pub cpu_us: f64,
    /// The least and the most of them.
    pub cpu_us_spread: [f64; 2],
}

/// What a viewer has of sound on a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SoundFigures {
    /// How much there was to hear, in milliseconds.
    pub there_ms: f64,
    /// The share of it that never came, or in whose place something else was heard, from 0 to 1.
    pub missing: f64,
    /// How many times some was missing.
    pub gaps: u64,
    /// From the capture to the arrival, and in a browser to the ear, in milliseconds: median. None: that is not known.
    pub p50_ms: Option<f64>,
    /// 95 of 100.
    pub p95_ms: Option<f64>,
}

impl SoundFigures {
    /// Of what was heard; none where there was nothing.
    pub fn of(heard: &Heard) -> Option<Self> {
        let frames = heard.frames + heard.missed;
        let at = |share| {
            let us = heard.latency.value_at_quantile(share);
            (!heard.latency.is_empty()).then_some(us as f64 / 1e3)
        };
        (frames > 0).then(|| Self {
            there_ms: frames as f64 * LASTS.as_secs_f64() * 1e3,
            missing: heard.missed as f64 / frames as f64,
            gaps: heard.gaps,
            p50_ms: at(0.5),
            p95_ms: at(0.95),
        })
    }

    /// Figure by figure the worst of two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let later = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        Self {
            there_ms: self.there_ms.min(other.there_ms),
            missing: self.missing.max(other.missing),
            gaps: self.gaps.max(other.gaps),
            p50_ms: later(self.p50_ms, other.p50_ms),
            p95_ms: later(self.p95_ms, other.p95_ms),
        }
    }
}
