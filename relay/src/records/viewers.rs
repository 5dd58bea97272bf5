//! Who watches a broadcast and how they fare, as a whole: for a thousand viewers no more than for twenty.

use std::time::Duration;

use steadycast_codec_glue::wire::Role;

use super::lateness::Lateness;
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
    /// What they have said in the last ten seconds of how late pictures are shown.
    pub lateness: Lateness,
    /// Those that do not see it as it is, those with most trouble first, no more than were asked for.
    pub troubled: Vec<Troubled>,
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

impl Records {
    /// The viewers of a broadcast, and `most` of those that have trouble.
    pub fn viewers(&self, broadcast: &BroadcastId, most: usize) -> Viewers {
        let now = self.clock().now();
        let mut viewers = Viewers::default();
        let mut troubled = Vec::new();
        self.each_at(broadcast, |standing, noted| {
            if standing.role != Role::Player || !noted.served {
                return;
            }
            viewers.transports[standing.visit.transport as usize] += 1;
            viewers.fares[noted.fares as usize] += 1;
            viewers.lateness.hear(noted.reports.latencies(now));
            if noted.fares != Fares::Live {
                let rank = (noted.fares, standing.visit.number);
                push_least(&mut troubled, most, rank, || told(standing, noted, now));
            }
        });
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

#[cfg(test)]
mod tests {
    use super::*;

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
