//! What viewers say of how late pictures are shown, in a form that those of several relays can be put together in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How late pictures are shown, from the newest reports of viewers. Each viewer has the same weight, however often it
/// says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// The weight of what was said, by milliseconds.
    said: BTreeMap<u32, u64>,
    viewers: u32,
}

/// How late pictures are shown to those who say so, in the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Half of what is said is no more.
    pub p50: Duration,
    /// The same of 95 of 100.
    pub p95: Duration,
    /// How many viewers say so.
    pub viewers: u32,
}

/// Of one viewer: as many as it may say are so many equal parts of it.
const WEIGHT: u64 = 2_520;
/// More than this is this.
const LONGEST: u32 = 60_000;

impl Lateness {
    /// A viewer has said this.
    pub fn hear(&mut self, latencies: impl Iterator<Item = Duration>) {
        let latencies: Vec<_> = latencies.map(milliseconds).collect();
        let part = WEIGHT / (latencies.len() as u64).max(1);
        self.viewers += u32::from(!latencies.is_empty());
        for latency in latencies {
            *self.said.entry(latency).or_default() += part;
        }
    }

    /// What the viewers of another relay have said.
    pub fn add(&mut self, other: &Self) {
        self.viewers = self.viewers.saturating_add(other.viewers);
        for (latency, weight) in &other.said {
            let known = self.said.entry(*latency).or_default();
            *known = known.saturating_add(*weight);
        }
    }

    /// The middle of it, and what is near its end; `None`: nobody has said anything.
    pub fn latency(&self) -> Option<Latency> {
        let all = self.said.values();
        let all = all.fold(0_u64, |all, weight| all.saturating_add(*weight));
        let within = |percent: u64| {
            let wanted = u128::from(all) * u128::from(percent);
            let wanted = wanted.div_ceil(100).max(1);
            let mut weighed = 0;
            let found = self.said.iter().find(|(_, weight)| {
                weighed += u128::from(**weight);
                weighed >= wanted
            });
            found.map(|(latency, _)| Duration::from_millis((*latency).into()))
        };
        Some(Latency {
            p50: within(50)?,
            p95: within(95)?,
            viewers: self.viewers,
        })
    }
}

/// Whole milliseconds, and of what is longer fewer digits, all rounded up: that bounds how much there is to say.
fn milliseconds(latency: Duration) -> u32 {
    let ms = latency.as_micros().div_ceil(1_000);
    let ms = u32::try_from(ms).unwrap_or(LONGEST).min(LONGEST);
    let step = match ms {
        0..=1_000 => 1,
        1_001..=10_000 => 10,
        _ => 100,
    };
    ms.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(viewers: &[&[u64]]) -> Lateness {
        let mut lateness = Lateness::default();
        for latencies in viewers {
            lateness.hear(latencies.iter().copied().map(Duration::from_millis));
        }
        lateness
    }

    fn told(lateness: &Lateness) -> Option<(u128, u128, u32)> {
        let Latency { p50, p95, viewers } = lateness.latency()?;
        Some((p50.as_millis(), p95.as_millis(), viewers))
    }

    #[test]
    fn percentiles_are_of_what_was_said() {
        assert_eq!(told(&of(&[])), None);
        assert_eq!(told(&of(&[&[]])), None);
        assert_eq!(told(&of(&[&[7]])), Some((7, 7, 1)));
        assert_eq!(
            told(&of(&[&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], &[]])),
            Some((5, 10, 1))
        );
        let hundred: Vec<[u64; 1]> = (1..=100).map(|ms| [ms]).collect();
        let hundred: Vec<&[u64]> = hundred.iter().map(<[u64; 1]>::as_slice).collect();
        assert_eq!(told(&of(&hundred)), Some((50, 95, 100)));
        // Those of two relays are those of all, and no average of theirs.
        let (some, others) = hundred.split_at(90);
        let mut both = of(some);
        both.add(&of(others));
        assert_eq!(both, of(&hundred));
    }

    #[test]
    fn who_says_so_more_often_counts_no_more() {
        let often = [40; 10];
        assert_eq!(told(&of(&[&often, &[900], &[900]])), Some((900, 900, 3)));
        assert_eq!(told(&of(&[&often, &often, &[900]])), Some((40, 900, 3)));
    }

    #[test]
    fn there_is_never_much_of_it() {
        let mut lateness = Lateness::default();
        for us in (0..100_000_000).step_by(777) {
            lateness.hear(std::iter::once(Duration::from_micros(us)));
        }
        let text = serde_json::to_string(&lateness).unwrap();
        assert!(text.len() < 50_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Lateness>(&text).unwrap(), lateness);
    }
}
