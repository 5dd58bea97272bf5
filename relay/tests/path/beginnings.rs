//! How a player's first seconds are, where there is more on the path than the player.

use std::sync::Arc;
use std::time::Duration;

use steadycast_lab::conditions;

use super::world::{Source, World};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The lab's video.
fn video() -> Source {
    Source::Video {
        bits: 2e6,
        keyframe: 100_000,
        every: s(10),
    }
}

/// The model's flow on a path of the lab for a minute, from `begin` on.
fn begun(name: &str, seed: u64, begin: Duration) -> World {
    let condition = conditions::named(name).unwrap();
    let mut world = World::new(&condition.ways, seed);
    let model = Arc::new(steadycast_relay::quic::congestion::PathControl);
    world.flow(model, false, video(), begin, begin + s(60));
    world
}

#[test]
fn a_download_that_was_there_first_leaves_a_player_its_share() {
    let mut world = begun("tcp", 1, s(3));
    world.tcp(s(0), s(63));
    world.run(s(63));
    // From the moment when both have found one another.
    let from = 200;
    let bits = |bytes: &[u64]| bytes.iter().skip(from).take(400).sum::<u64>() as f64 * 8.0 / 40.0;
    let (video, tcp) = (bits(&world.flows[0].arrived), bits(&world.tcp_arrived));
    let share = video / (video + tcp);
    assert!((0.33..0.67).contains(&share), "{share}: {video} and {tcp}");
    let arrived = world.flows[0].frames.iter();
    let arrived = arrived.filter(|frame| frame.arrived.is_some() && frame.at >= s(20));
    let frames = arrived.count();
    assert!(frames >= 25 * 40, "{frames}");
}

#[test]
fn jitter_does_not_slow_the_first_seconds() {
    for seed in 1..=5 {
        let mut world = begun("jitter", seed, s(0));
        world.run(s(6));
        let flow = &world.flows[0];
        let first = flow.frames[0].arrived.unwrap();
        let late = flow.frames.iter().skip(1).filter(|frame| frame.at >= first);
        let mut delays: Vec<_> = late
            .filter_map(|frame| Some(frame.arrived? - frame.at))
            .collect();
        delays.sort();
        let p95 = delays[delays.len() * 95 / 100];
        assert!(first < Duration::from_millis(600), "{first:?}, seed {seed}");
        assert!(
            p95 < Duration::from_millis(30 + 120),
            "{p95:?}, seed {seed}"
        );
    }
}
