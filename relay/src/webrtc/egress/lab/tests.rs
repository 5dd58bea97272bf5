//! What a WebRTC player has of paths that it could have.

use std::time::Duration;

use steadycast_lab::conditions;

use super::tables::{delays, on, quantile};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_download_that_was_there_first_leaves_it_its_share() {
    let condition = conditions::named("tcp").unwrap();
    for seed in 1..=2 {
        let (mut world, join) = on(&condition, seed);
        world.run(join + s(60));
        let bits = |at: usize| {
            let seconds = world.arrived.iter().skip(join.as_secs() as usize);
            seconds.map(|both| both[at]).sum::<u64>() as f64 * 8.0 / 60.0
        };
        let share = bits(0) / (bits(0) + bits(1));
        assert!((0.33..0.67).contains(&share), "{share} with seed {seed}");
        let seen = delays(&world.viewer.seen, join, join + s(60));
        assert!(seen.len() >= 25 * 60, "{} with seed {seed}", seen.len());
    }
}

#[test]
fn what_is_only_late_is_not_sent_again() {
    let condition = conditions::named("jitter").unwrap();
    let (mut world, join) = on(&condition, 1);
    world.run(join + s(30));
    let counts = world.viewer.counts;
    let again = (counts.again + counts.repaired) as f64 / counts.came as f64;
    assert!(again < 0.05, "{again}");
    let first = world.viewer.seen[0].arrived;
    let late = delays(&world.viewer.seen, first, first + s(5));
    let p95 = quantile(late, 0.95);
    assert!(p95 < 30.0 + 120.0, "{p95} ms");
}
