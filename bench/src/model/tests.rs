//! A small world comes to rest as a large one has to.

use steadycast_relay::config::Config;

use super::trees::From;
use super::*;

fn small(seed: u64, election_ms: u64) -> Scene {
    Scene {
        relays: 60,
        players: 3_000,
        broadcasts: 40,
        regions: 3,
        placement: Placement::Spread,
        takes: 100,
        children: 4,
        kbps: 2_500,
        moves: 20,
        election_ms,
        engine_writes: 10_000,
        seed,
    }
}

/// Every broadcast is at one relay and comes from there to all that have it, over three links at most.
fn rests(world: &World) {
    let time = world.time();
    for (id, name) in world.ids.iter().enumerate() {
        let live = world.relays.iter().enumerate();
        let live = live.filter(|(_, relay)| relay.lives);
        let live: Vec<_> = live.collect();
        let holders = live
            .iter()
            .filter(|(_, relay)| relay.view.held(name).is_some());
        let holders: Vec<_> = holders.map(|(number, _)| *number).collect();
        let seed = world.scene.seed;
        assert_eq!(
            holders.len(),
            1,
            "seed {seed}: {name} is held by {holders:?}"
        );
        for (_, relay) in &live {
            let found = relay.view.find(name, time).map(|found| found.relay);
            assert_eq!(found.as_ref(), Some(&world.relays[holders[0]].name));
        }
        for (relay, here) in world.trees.of(id) {
            assert!(
                here.fed,
                "seed {seed}: {name} does not come to {relay}: {here:?}"
            );
            let (mut at, mut links) = (relay, 0);
            while let Some(From::Relay(parent)) = world.trees.at(id, at).map(|here| here.from) {
                (at, links) = (parent, links + 1);
                assert!(
                    links <= 3,
                    "seed {seed}: {name} comes to {relay} over too many links"
                );
            }
            assert_eq!(
                at, holders[0],
                "seed {seed}: {name} comes to {relay} from elsewhere"
            );
        }
    }
}

#[test]
fn after_the_loss_of_a_region_everybody_is_served_from_one_place() -> Result<()> {
    for seed in 1..=3 {
        for election_ms in [0, 8_000] {
            let (world, outcome) = played(small(seed, election_ms))?;
            assert_eq!(outcome.without, 0, "seed {seed}: {outcome:?}");
            assert_eq!(outcome.lost_ms.count, 1_000);
            rests(&world);
        }
    }
    Ok(())
}

#[test]
fn the_same_comes_of_the_same_seed() -> Result<()> {
    let play = || {
        let mut outcome = play(small(7, 0))?;
        // What a process takes is its own affair.
        outcome.copy_kb = 0.0;
        anyhow::Ok(serde_json::to_value(outcome)?)
    };
    assert_eq!(play()?, play()?);
    Ok(())
}

#[test]
fn a_lease_is_as_long_as_the_relay_has_it() {
    assert_eq!(scene::LEASE, Config::defaults(false).cluster.lease);
}
