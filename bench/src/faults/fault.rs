//! What is done to a cluster, in an order that is the same from the same seed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use steadycast_tests::nats::{Gate, Three};

use crate::cluster::Cluster;

/// What happens to something, until it is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// As a crash ends it; healed, it is started again.
    Kill,
    /// Stopped in the middle of whatever it does; healed, it goes on.
    Freeze,
    /// Nothing comes through to it any more from others of its kind, or to others from it.
    Cut,
    /// A relay does not reach the engine any more.
    Apart,
    /// Nothing is done to anything: somebody comes.
    Comes,
}

/// To what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The relay that the first broadcast's publisher is at.
    Origin,
    /// Another relay.
    Edge,
    /// The link between the origin and another relay.
    Link,
    /// The link between two others.
    Cross,
    /// One of the engine's servers.
    Server,
    /// The way between two of them.
    Route,
    /// All of them.
    Engine,
    /// Another publisher, at another relay.
    Rival,
}

/// One of them, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Which edge or server.
    pub(super) which: usize,
    pub(super) lasts: Duration,
    /// TCP connections that nothing comes through stay, as where packets are lost.
    pub(super) silent: bool,
}

/// What is done to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Kind(pub(super) Act, pub(super) Part);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.1 {
            Part::Origin => "origin",
            Part::Edge => "edge",
            Part::Link => "link of the origin",
            Part::Cross => "link between edges",
            Part::Server => "server of the engine",
            Part::Route => "route of the engine",
            Part::Engine => "engine",
            Part::Rival => "another publisher",
        };
        match self.0 {
            Act::Kill => write!(f, "kill {part}"),
            Act::Freeze => write!(f, "freeze {part}"),
            Act::Cut => write!(f, "cut {part}"),
            Act::Apart => write!(f, "{part} without engine"),
            Act::Comes => write!(f, "{part}"),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = KINDS.into_iter().find(|kind| kind.to_string() == text);
        found.ok_or_else(|| {
            let all = KINDS.map(|kind| kind.to_string());
            format!("not one of: {}", all.join(", "))
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.silent {
            true => write!(f, "{}, silently", self.kind),
            false => write!(f, "{}", self.kind),
        }
    }
}

/// How long a fault takes at least.
const SHORTEST: Duration = Duration::from_secs(3);

/// Everything that is done, each kind as often as any other.
const KINDS: [Kind; 17] = [
    Kind(Act::Kill, Part::Origin),
    Kind(Act::Freeze, Part::Origin),
    Kind(Act::Cut, Part::Origin),
    Kind(Act::Apart, Part::Origin),
    Kind(Act::Kill, Part::Edge),
    Kind(Act::Freeze, Part::Edge),
    Kind(Act::Cut, Part::Edge),
    Kind(Act::Apart, Part::Edge),
    Kind(Act::Cut, Part::Link),
    Kind(Act::Cut, Part::Cross),
    Kind(Act::Kill, Part::Server),
    Kind(Act::Freeze, Part::Server),
    Kind(Act::Cut, Part::Server),
    Kind(Act::Cut, Part::Route),
    Kind(Act::Kill, Part::Engine),
    Kind(Act::Freeze, Part::Engine),
    Kind(Act::Comes, Part::Rival),
];

/// So many of these kinds, or of all, in an order by chance: every kind once, and then again in another order. None takes
/// longer than `longest`.
pub(super) fn order(
    (count, only): (usize, &[Kind]),
    longest: Duration,
    relays: usize,
    seed: u64,
) -> Vec<Fault> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let mut faults = Vec::new();
    let mut left: Vec<Kind> = Vec::new();
    while faults.len() < count {
        if left.is_empty() {
            match only.is_empty() {
                true => left.extend(KINDS),
                false => left.extend(only),
            }
        }
        let kind = left.swap_remove(below(left.len()));
        let which = below(relays.max(3) * 3);
        let over_tcp = matches!(
            kind,
            Kind(Act::Apart, _) | Kind(Act::Cut, Part::Server | Part::Route)
        );
        faults.push(Fault {
            kind,
            which,
            lasts: SHORTEST
                + longest
                    .saturating_sub(SHORTEST)
                    .mul_f64(below(1_000) as f64 / 1e3),
            silent: over_tcp && below(2) == 1,
        });
    }
    faults
}

/// The relays that a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    None,
    Relay(usize),
    /// What lies between these.
    Between(usize, usize),
}

/// The relays that a fault is about, where the first broadcast's publisher is at `origin`.
pub(super) fn place(fault: &Fault, origin: usize, relays: usize) -> Place {
    let after = |relay: usize, by: usize| (relay + by) % relays;
    let edge = after(origin, 1 + fault.which % (relays - 1));
    match fault.kind.1 {
        Part::Origin => Place::Relay(origin),
        Part::Edge => Place::Relay(edge),
        Part::Link => Place::Between(origin, edge),
        Part::Cross => {
            let next = after(edge, 1);
            let other = if next == origin { after(next, 1) } else { next };
            // Of two relays there is one edge, which has no link to itself.
            match other == edge {
                true => Place::Between(origin, edge),
                false => Place::Between(edge, other),
            }
        }
        Part::Server | Part::Route | Part::Engine | Part::Rival => Place::None,
    }
}

/// What faults are done to.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) engine: &'a mut Three,
    /// The ways of each relay to the engine.
    pub(super) ways: &'a [Vec<Gate>],
}

impl Scene<'_> {
    /// Does it.
    pub(super) fn strike(self, fault: &Fault, place: Place) -> Result<()> {
        let Self {
            cluster, engine, ..
        } = self;
        let server = fault.which % 3;
        match (place, fault.kind.0, fault.kind.1) {
            (Place::Relay(relay), Act::Kill, _) => cluster.members[relay].kill(),
            (Place::Relay(relay), Act::Freeze, _) => cluster.members[relay].freeze()?,
            (Place::Relay(relay), Act::Cut, _) => cluster.cut_off(relay)?,
            (Place::Between(one, other), ..) => cluster.cut_between(one, other)?,
            (Place::None, Act::Kill, Part::Server) => engine.servers[server].kill(),
            (Place::None, Act::Freeze, Part::Server) => engine.servers[server].freeze()?,
            (Place::None, Act::Kill, _) => engine.servers.iter_mut().for_each(|one| one.kill()),
            (Place::None, Act::Freeze, _) => {
                engine.servers.iter().try_for_each(|one| one.freeze())?;
            }
            (_, Act::Apart | Act::Cut | Act::Comes, _) => {
                shut(fault, gates(fault, place, engine, self.ways), true);
            }
        }
        Ok(())
    }

    /// Undoes it.
    pub(super) async fn heal(self, fault: &Fault, place: Place) -> Result<()> {
        let Self {
            cluster, engine, ..
        } = self;
        let server = fault.which % 3;
        match (place, fault.kind.0, fault.kind.1) {
            (Place::Relay(relay), Act::Kill, _) => cluster.members[relay].start()?,
            (Place::Relay(relay), Act::Freeze, _) => cluster.members[relay].thaw()?,
            (Place::Relay(_) | Place::Between(..), Act::Cut, _) => cluster.heal()?,
            (Place::None, Act::Kill, Part::Server) => engine.servers[server].restart().await?,
            (Place::None, Act::Freeze, Part::Server) => engine.servers[server].thaw()?,
            (Place::None, Act::Kill, _) => {
                for server in &mut engine.servers {
                    server.restart().await?;
                }
            }
            (Place::None, Act::Freeze, _) => {
                engine.servers.iter().try_for_each(|one| one.thaw())?;
            }
            (_, Act::Apart | Act::Cut | Act::Comes, _) | (Place::Between(..), ..) => {
                shut(fault, gates(fault, place, engine, self.ways), false);
            }
        }
        Ok(())
    }
}

/// The ways of TCP that a fault shuts.
fn gates<'a>(
    fault: &Fault,
    place: Place,
    engine: &'a Three,
    ways: &'a [Vec<Gate>],
) -> Vec<&'a Gate> {
    let server = fault.which % 3;
    match (place, fault.kind.1) {
        (Place::Relay(relay), _) => ways[relay].iter().collect(),
        (_, Part::Server) => engine.ways_of(server).collect(),
        (_, Part::Route) => engine.ways_between(server, (server + 1) % 3).collect(),
        _ => Vec::new(),
    }
}

fn shut(fault: &Fault, gates: Vec<&Gate>, shut: bool) {
    for gate in gates {
        match fault.silent {
            true => gate.silence(shut),
            false => gate.close(shut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(15);

    #[test]
    fn a_kind_is_known_by_its_name() {
        for kind in KINDS {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("kill".parse::<Kind>().is_err());
        let only = [KINDS[3], KINDS[7]];
        let faults = order((4, &only), Duration::ZERO, 4, 1);
        assert!(faults.iter().all(|fault| only.contains(&fault.kind)));
    }

    #[test]
    fn every_kind_comes_before_any_comes_again_and_a_seed_says_in_which_order() {
        let kinds = |seed| {
            let faults = order((2 * KINDS.len(), &[]), LONGEST, 4, seed);
            faults.iter().map(|fault| fault.kind).collect::<Vec<_>>()
        };
        let all = kinds(1);
        for half in all.chunks(KINDS.len()) {
            let mut sorted = half.to_vec();
            sorted.sort_unstable();
            let mut expected = KINDS.to_vec();
            expected.sort_unstable();
            assert_eq!(sorted, expected);
        }
        assert_eq!(all, kinds(1));
        assert_ne!(all, kinds(2));
    }

    #[test]
    fn an_edge_is_never_the_origin() {
        for fault in order((200, &[]), LONGEST, 4, 3) {
            for origin in 0..4 {
                match (place(&fault, origin, 4), fault.kind.1) {
                    (Place::Relay(relay), Part::Origin) => assert_eq!(relay, origin),
                    (Place::Relay(relay), _) => assert!(relay != origin && relay < 4),
                    (Place::Between(one, other), Part::Link) => {
                        assert!(one == origin && other != origin && other < 4);
                    }
                    (Place::Between(one, other), _) => {
                        assert!(one != origin && other != origin && one != other);
                        assert!(one < 4 && other < 4);
                    }
                    (Place::None, _) => {}
                }
            }
        }
    }
}
