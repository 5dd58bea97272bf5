//! What is done to a cluster, in an order that is the same from the same seed.

use std::fmt;
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
    /// Nothing comes through to it any more from others of its kind.
    Cut,
    /// A relay does not reach the engine any more.
    Apart,
}

/// To what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The relay that the publisher is at.
    Origin,
    /// Another relay.
    Edge,
    /// One of the engine's servers.
    Server,
    /// All of them.
    Engine,
    /// Nothing: another publisher comes to another relay.
    Rival,
}

/// One of them, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) act: Act,
    pub(super) part: Part,
    /// Which edge or server.
    pub(super) which: usize,
    pub(super) lasts: Duration,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(self.act, self.part))
    }
}

/// As reports have it.
pub(super) fn name(act: Act, part: Part) -> String {
    let act = match act {
        _ if part == Part::Rival => return "another publisher".to_owned(),
        Act::Kill => "kill",
        Act::Freeze => "freeze",
        Act::Cut => "cut off",
        Act::Apart => return format!("{} without the engine", part_name(part)),
    };
    format!("{act} {}", part_name(part))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Origin => "origin",
        Part::Edge => "edge",
        Part::Server => "engine's server",
        Part::Engine => "engine",
        Part::Rival => "",
    }
}

/// Everything that is done, each kind as often as any other.
const KINDS: [(Act, Part); 13] = [
    (Act::Kill, Part::Origin),
    (Act::Freeze, Part::Origin),
    (Act::Cut, Part::Origin),
    (Act::Kill, Part::Edge),
    (Act::Freeze, Part::Edge),
    (Act::Apart, Part::Origin),
    (Act::Apart, Part::Edge),
    (Act::Kill, Part::Server),
    (Act::Freeze, Part::Server),
    (Act::Cut, Part::Server),
    (Act::Kill, Part::Engine),
    (Act::Freeze, Part::Engine),
    (Act::Kill, Part::Rival),
];

/// So many, in an order by chance: every kind once, and then again in another order.
pub(super) fn order(count: usize, relays: usize, seed: u64) -> Vec<Fault> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let mut faults = Vec::new();
    let mut left: Vec<(Act, Part)> = Vec::new();
    while faults.len() < count {
        if left.is_empty() {
            left.extend(KINDS);
        }
        let (act, part) = left.swap_remove(below(left.len()));
        faults.push(Fault {
            act,
            part,
            which: below(relays.max(3) * 3),
            lasts: Duration::from_millis(3_000 + below(12_000) as u64),
        });
    }
    faults
}

/// The relay that a fault is about, where the publisher is at `origin`.
pub(super) fn relay(fault: &Fault, origin: usize, relays: usize) -> Option<usize> {
    match fault.part {
        Part::Origin => Some(origin),
        Part::Edge => Some((origin + 1 + fault.which % (relays - 1)) % relays),
        Part::Server | Part::Engine | Part::Rival => None,
    }
}

/// Does it.
pub(super) fn strike(
    fault: &Fault,
    relay: Option<usize>,
    (cluster, engine, ways): (&mut Cluster, &mut Three, &[Vec<Gate>]),
) -> Result<()> {
    let server = fault.which % 3;
    match (relay, fault.act, fault.part) {
        (Some(relay), Act::Kill, _) => cluster.members[relay].kill(),
        (Some(relay), Act::Freeze, _) => cluster.members[relay].freeze()?,
        (Some(relay), Act::Cut, _) => cluster.members[relay].cut(true)?,
        (Some(relay), Act::Apart, _) => ways[relay].iter().for_each(|way| way.close(true)),
        (None, Act::Kill, Part::Server) => engine.servers[server].kill(),
        (None, Act::Freeze, Part::Server) => engine.servers[server].freeze()?,
        (None, Act::Cut, _) => engine.cut_off(server, true),
        (None, Act::Kill, Part::Engine) => engine.servers.iter_mut().for_each(|one| one.kill()),
        (None, Act::Freeze, Part::Engine) => {
            engine.servers.iter().try_for_each(|one| one.freeze())?;
        }
        (None, ..) => {}
    }
    Ok(())
}

/// Undoes it.
pub(super) async fn heal(
    fault: &Fault,
    relay: Option<usize>,
    (cluster, engine, ways): (&mut Cluster, &mut Three, &[Vec<Gate>]),
) -> Result<()> {
    let server = fault.which % 3;
    match (relay, fault.act, fault.part) {
        (Some(relay), Act::Kill, _) => cluster.members[relay].start()?,
        (Some(relay), Act::Freeze, _) => cluster.members[relay].thaw()?,
        (Some(relay), Act::Cut, _) => cluster.members[relay].cut(false)?,
        (Some(relay), Act::Apart, _) => ways[relay].iter().for_each(|way| way.close(false)),
        (None, Act::Kill, Part::Server) => engine.servers[server].restart().await?,
        (None, Act::Freeze, Part::Server) => engine.servers[server].thaw()?,
        (None, Act::Cut, _) => engine.cut_off(server, false),
        (None, Act::Kill, Part::Engine) => {
            for server in &mut engine.servers {
                server.restart().await?;
            }
        }
        (None, Act::Freeze, Part::Engine) => {
            engine.servers.iter().try_for_each(|one| one.thaw())?;
        }
        (None, ..) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_before_any_comes_again_and_a_seed_says_in_which_order() {
        let kinds = |seed| {
            let faults = order(2 * KINDS.len(), 4, seed);
            let kinds = faults.iter().map(|fault| (fault.act, fault.part));
            kinds.collect::<Vec<_>>()
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
        for fault in order(200, 4, 3) {
            for origin in 0..4 {
                match relay(&fault, origin, 4) {
                    Some(relay) if fault.part == Part::Origin => assert_eq!(relay, origin),
                    Some(relay) => assert!(relay != origin && relay < 4),
                    None => {}
                }
            }
        }
    }
}
