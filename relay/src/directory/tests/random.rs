//! Relays that do anything in any order, the same from the same seed, and then come to rest.

use std::collections::HashMap;

use super::super::{Bid, ClaimEpoch, Event};
use super::world::World;
use super::*;

const SEEDS: u64 = 400;
const STEPS: usize = 120;
const RELAYS: usize = 4;
const BROADCASTS: usize = 3;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

fn ids() -> Vec<BroadcastId> {
    (0..BROADCASTS)
        .map(|number| broadcast(&format!("b{number}")))
        .collect()
}

/// What each broadcast's newest claim was that somebody was told to hold.
type Newest = HashMap<BroadcastId, ClaimEpoch>;

fn step(world: &mut World, random: &mut Random, newest: &mut Newest) {
    let (number, id) = (random.below(RELAYS), &ids()[random.below(BROADCASTS)]);
    let bid = match random.below(3) {
        0 => newcomer(random.below(50) as u8),
        1 => returning(random.below(4) as u8),
        _ => Bid::Home,
    };
    // Fewer bids than milliseconds, as there are.
    world.now = world.now + Duration::from_millis(1);
    match random.below(12) {
        0..=2 if world.nodes[number].reached => {
            if let Ok(claim) = world.bid(number, id, &bid) {
                let before = newest.insert(id.clone(), claim.epoch);
                assert!(before.is_none_or(|before| before < claim.epoch));
            }
        }
        3 if world.nodes[number].reached => {
            let written = random.below(2) == 0;
            world.lose_bid(number, id, &bid, written);
        }
        4 => {
            let held = world.nodes[number].view.held(id).map(|claim| claim.epoch);
            if let Some(epoch) = held {
                world.nodes[number].view.release(id, epoch);
            }
        }
        5 => world.cut(number),
        6 => world.heal(number),
        7 => world.pass(random.below(10) as u64),
        8 => world.mend(number),
        9 if random.below(20) == 0 => world.forget(),
        _ => {
            let most = random.below(5);
            world.hear(number, most);
        }
    }
}

#[test]
fn whatever_happens_one_relay_holds_a_broadcast_once_all_is_healed() {
    for seed in 1..=SEEDS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut world = World::new(RELAYS, at(1_000_000));
        let mut newest = Newest::new();
        for _ in 0..STEPS {
            step(&mut world, &mut random, &mut newest);
        }
        (0..RELAYS).for_each(|number| world.heal(number));
        world.settle();
        for id in ids() {
            rests(&world, &id, seed);
        }
    }
}

/// One relay at most believes that it holds a broadcast, and all find it there and nowhere else.
fn rests(world: &World, id: &BroadcastId, seed: u64) {
    let holders = world.nodes.iter();
    let holders: Vec<_> = holders
        .filter_map(|node| Some((node.view.own(), node.view.held(id)?)))
        .collect();
    assert!(
        holders.len() <= 1,
        "seed {seed}: {id} is held by {holders:?}"
    );
    for node in &world.nodes {
        let found = node.view.find(id, world.now);
        let found = found.map(|found| (found.relay, found.epoch));
        let holder = holders.first();
        let holder = holder.map(|(relay, claim)| ((*relay).clone(), claim.epoch));
        assert_eq!(
            found,
            holder,
            "seed {seed}: {id} as {} sees it",
            node.view.own()
        );
    }
}

#[test]
fn who_held_a_broadcast_and_does_not_was_told() {
    for seed in 1..=SEEDS {
        let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let mut world = World::new(RELAYS, at(1_000_000));
        let mut held = vec![HashMap::new(); RELAYS];
        for _ in 0..STEPS {
            let before = held.clone();
            let released: Vec<_> = world.nodes.iter().map(|node| node.events.len()).collect();
            step(&mut world, &mut random, &mut Newest::new());
            for (number, node) in world.nodes.iter().enumerate() {
                held[number] = ids()
                    .into_iter()
                    .filter_map(|id| Some((id.clone(), node.view.held(&id)?.clone())))
                    .collect::<HashMap<_, _>>();
                let told = &node.events[released[number]..];
                for id in before[number]
                    .keys()
                    .filter(|id| !held[number].contains_key(*id))
                {
                    let is_told = told.iter().any(
                        |event| matches!(event, Event::Lost { broadcast, .. } if broadcast == id),
                    );
                    // What it gave back itself it is not told of.
                    let gave_back = node
                        .view
                        .find(id, world.now)
                        .is_some_and(|found| found.is_own);
                    let forgotten = node.view.find(id, world.now).is_none();
                    assert!(is_told || gave_back || forgotten, "seed {seed}: {id}");
                }
            }
        }
    }
}
