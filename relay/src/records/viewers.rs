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
    /// Over WebTransport, and over WebRTC.
    pub transports: [u32; 2],
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
        let mut latencies = Vec::new();
        let mut telling = 0;
        let mut troubled = Vec::new();
        self.each_at(broadcast, |standing, noted| {
            if standing.role != Role::Player || !noted.served {
                return;
            }
            viewers.transports[place(standing.visit.transport)] += 1;
            viewers.fares[noted.fares as usize] += 1;
            let before = latencies.len();
            latencies.extend(noted.reports.latencies(now));
            telling += u32::from(latencies.len() > before);
            if noted.fares != Fares::Live {
                let rank = (noted.fares, standing.visit.number);
                push_least(&mut troubled, most, rank, || told(standing, noted, now));
            }
        });
        viewers.latency = latency(latencies, telling);
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

fn latency(mut said: Vec<Duration>, viewers: u32) -> Option<Latency> {
    let mut within = |percent: usize| {
        let place = (said.len() * percent).div_ceil(100).checked_sub(1)?;
        Some(*said.select_nth_unstable(place).1)
    };
    Some(Latency {
        p50: within(50)?,
        p95: within(95)?,
        viewers,
    })
}

fn place(transport: Transport) -> usize {
    match transport {
        Transport::WebTransport => 0,
        Transport::WebRtc => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_said() {
        let ms = Duration::from_millis;
        assert_eq!(latency(vec![], 0), None);
        let told = latency((1..=100).rev().map(ms).collect(), 10);
        let right = Latency {
            p50: ms(50),
            p95: ms(95),
            viewers: 10,
        };
        assert_eq!(told, Some(right));
        let one = latency(vec![ms(7)], 1).unwrap();
        assert_eq!((one.p50, one.p95), (ms(7), ms(7)));
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
