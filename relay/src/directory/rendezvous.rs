//! Which relays come first for a broadcast, by rendezvous hashing: all relays say the same without a word between them, each
//! broadcast has an order of its own, and one relay more or less changes nothing about the order of the others.

use super::RelayId;
use crate::broadcast::BroadcastId;

/// What is made once of a name, so that weighing takes no look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    /// A relay's.
    pub fn of_relay(relay: &RelayId) -> Self {
        Self(hash(relay.as_str()))
    }

    /// A broadcast's.
    pub fn of_broadcast(broadcast: &BroadcastId) -> Self {
        Self(hash(broadcast.as_str()))
    }

    /// How much a relay weighs for a broadcast: the relay with the largest weight comes first.
    pub fn weight(self, other: Self) -> u64 {
        mix(self.0 ^ other.0)
    }
}

/// How many of these relays come before this one.
pub fn rank<'a>(
    broadcast: &BroadcastId,
    own: &RelayId,
    relays: impl Iterator<Item = &'a RelayId>,
) -> u32 {
    let about = Mark::of_broadcast(broadcast);
    let weight = |relay: &RelayId| (about.weight(Mark::of_relay(relay)), relay.clone());
    let own = weight(own);
    let before = relays.filter(|relay| weight(relay) > own).count();
    u32::try_from(before).unwrap_or(u32::MAX)
}

/// FNV-1a, which is the same everywhere and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The end of SplitMix64: neighbours do not stay neighbours.
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(count: usize) -> Vec<RelayId> {
        let name = |number| format!("r{number}").parse().unwrap();
        (0..count).map(name).collect()
    }

    fn id(number: usize) -> BroadcastId {
        format!("b{number}").parse().unwrap()
    }

    #[test]
    fn each_relay_has_a_rank_of_its_own_and_as_many_first_ones_as_the_others() {
        let relays = relays(5);
        let mut first = [0; 5];
        for number in 0..1_000 {
            let places: Vec<_> = relays
                .iter()
                .map(|own| rank(&id(number), own, relays.iter()))
                .collect();
            let mut sorted = places.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
            first[places.iter().position(|place| *place == 0).unwrap()] += 1;
        }
        assert!(
            first.iter().all(|count| (150..250).contains(count)),
            "{first:?}"
        );
    }

    #[test]
    fn a_relay_that_goes_changes_the_home_of_its_own_broadcasts_alone() {
        let all = relays(5);
        let fewer = &all[..4];
        for number in 0..200 {
            let home = |relays: &[RelayId]| {
                let first = |own: &&RelayId| rank(&id(number), own, relays.iter()) == 0;
                relays.iter().find(first).unwrap().clone()
            };
            let before = home(&all);
            assert!(before == all[4] || before == home(fewer));
        }
    }
}
