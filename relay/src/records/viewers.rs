//! Who watches a broadcast and how they fare, as a whole: for a thousand viewers no more than for twenty.

use std::time::Duration;

use steadycast_codec_glue::wire::Role;

use super::session::{Noted, Records};
use super::viewer::Fares;
use crate::auth::{Standing, Transport};
use crate::broadcast::{BroadcastId, RelayTime};
use crate::delivery::Reception;

/// The viewers of a broadcast.
#[derive(Debug, Default)]
pub struct Viewers {
    /// Over each transport, as [`Transport::ALL`] has it.
    pub transports: [u32; Transport::ALL.len()],
    /// By how they fare, as [`Fares::ALL`] has it.
    pub fares: [u32; Fares::ALL.len()],
    /// How late pictures are shown; `None`: nobody has said so in the last ten seconds.
    pub latency: Option<Latency>,
    /// Those that do not see it as it is, those with most trouble first, no more than were asked for.
    pub troubled: Vec<Troubled>,
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

/// A viewer that does not see the picture as it is.
#[derive(Debug, Clone)]
pub struct Troubled {
    /// Who it is.
    pub standing: Standing,
    /// How it fares.
    pub fares: Fares,
    /// Since when.
    pub since: RelayTime,
    /// What it gets.
    pub reception: Reception,
    /// How late its newest pictures were shown; `None`: it has not said so of late.
    pub latency: Option<Duration>,
    /// Pictures come to it that its page makes nothing of.
    pub undecoded: bool,
}

impl Viewers {
    /// All of them.
    pub fn count(&self) -> u32 {
        self.fares.iter().sum()
    }
}

impl Records {
    /// The viewers of a broadcast, and `most` of those that have trouble.
    pub fn viewers(&self, broadcast: &BroadcastId, most: usize) -> Viewers {
        let now = self.clock().now();
        let mut viewers = Viewers::default();
        let mut said = Said::default();
        let mut troubled = Vec::new();
        self.each_at(broadcast, |standing, noted| {
            if standing.role != Role::Player || !noted.served {
                return;
            }
            viewers.transports[standing.visit.transport as usize] += 1;
            viewers.fares[noted.fares as usize] += 1;
            said.hear(noted.reports.latencies(now));
            if noted.fares != Fares::Live {
                let rank = (noted.fares, standing.visit.number);
                push_least(&mut troubled, most, rank, || told(standing, noted, now));
            }
        });
        viewers.latency = said.latency();
        viewers.troubled = troubled.into_iter().map(|(_, told)| told).collect();
        viewers
    }
}

/// Keeps `value` if it is among the `most` of the least rank, in order.
fn push_least<K: Ord, V>(kept: &mut Vec<(K, V)>, most: usize, rank: K, value: impl FnOnce() -> V) {
    let place = kept.partition_point(|(other, _)| *other < rank);
    if place < most {
        kept.truncate(most - 1);
        kept.insert(place, (rank, value()));
    }
}

fn told(standing: &Standing, noted: &Noted, now: RelayTime) -> Troubled {
    Troubled {
        standing: standing.clone(),
        fares: noted.fares,
        since: noted.fares_since,
        reception: noted.figures.reception,
        latency: noted.reports.latencies(now).next(),
        undecoded: noted.reports.is_undecoded(now),
    }
}

/// What viewers say of how late pictures are shown. Each has the same weight, however often it says so.
#[derive(Default)]
struct Said {
    latencies: Vec<(Duration, u64)>,
    viewers: u32,
}

/// Of one viewer: as many as it may say are so many equal parts of it.
const WEIGHT: u64 = 2_520;

impl Said {
    fn hear(&mut self, latencies: impl Iterator<Item = Duration>) {
        let before = self.latencies.len();
        self.latencies.extend(latencies.map(|latency| (latency, 0)));
        let said = &mut self.latencies[before..];
        let part = WEIGHT / (said.len() as u64).max(1);
        said.iter_mut().for_each(|(_, weight)| *weight = part);
        self.viewers += u32::from(!said.is_empty());
    }

    fn latency(mut self) -> Option<Latency> {
        self.latencies.sort_unstable();
        let all: u64 = self.latencies.iter().map(|(_, weight)| weight).sum();
        let within = |percent: u64| {
            let wanted = (all * percent).div_ceil(100).max(1);
            let mut weighed = 0;
            let found = self.latencies.iter().find(|(_, weight)| {
                weighed += weight;
                weighed >= wanted
            });
            found.map(|(latency, _)| *latency)
        };
        Some(Latency {
            p50: within(50)?,
            p95: within(95)?,
            viewers: self.viewers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(viewers: &[&[u64]]) -> Option<(u128, u128, u32)> {
        let mut said = Said::default();
        for latencies in viewers {
            said.hear(latencies.iter().copied().map(Duration::from_millis));
        }
        let Latency { p50, p95, viewers } = said.latency()?;
        Some((p50.as_millis(), p95.as_millis(), viewers))
    }

    #[test]
    fn percentiles_are_of_what_was_said() {
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[&[]]), None);
        assert_eq!(told(&[&[7]]), Some((7, 7, 1)));
        assert_eq!(
            told(&[&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], &[]]),
            Some((5, 10, 1))
        );
        let hundred: Vec<[u64; 1]> = (1..=100).map(|ms| [ms]).collect();
        let hundred: Vec<&[u64]> = hundred.iter().map(<[u64; 1]>::as_slice).collect();
        assert_eq!(told(&hundred), Some((50, 95, 100)));
    }

    #[test]
    fn who_says_so_more_often_counts_no_more() {
        let often = [40; 10];
        assert_eq!(told(&[&often, &[900], &[900]]), Some((900, 900, 3)));
        assert_eq!(told(&[&often, &often, &[900]]), Some((40, 900, 3)));
    }

    #[test]
    fn the_least_are_kept_in_order() {
        let mut kept = Vec::new();
        for rank in [5, 3, 9, 1, 7, 3] {
            push_least(&mut kept, 3, rank, || rank);
        }
        assert_eq!(kept, [(1, 1), (3, 3), (3, 3)]);
        push_least(&mut kept, 0, 0, || 0);
        assert_eq!(kept.len(), 3);
    }
}
