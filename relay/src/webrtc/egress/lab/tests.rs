//! What a WebRTC player has of paths that it could have.

use std::time::Duration;

use steadycast_lab::{Rate, Shape, Ways, conditions};

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

#[test]
fn a_path_that_narrows_and_widens_is_followed_within_seconds() {
    let condition = conditions::named("5-1-5-mbit").unwrap();
    let (mut world, _) = on(&condition, 1);
    world.run(s(56));
    let second = |at: u64| delays(&world.viewer.seen, s(at), s(at + 1));
    let before = quantile(delays(&world.viewer.seen, s(10), s(15)), 0.95);
    for at in 43..55 {
        let late = second(at);
        assert!(late.len() >= 29, "{} frames in second {at}", late.len());
        let p95 = quantile(late, 0.95);
        assert!(p95 < before + 15.0, "{p95} ms in second {at}");
    }
    let middles = (20..55).map(|at| quantile(second(at), 0.5));
    let middles: Vec<_> = middles.filter(|middle| middle.is_finite()).collect();
    let grows = |four: &[f64]| four.is_sorted_by(|one, next| one + 50.0 < *next);
    assert!(!middles.windows(5).any(grows), "{middles:?}");
}

/// A browser asks for a keyframe after three seconds without a frame, whatever is on its way.
#[test]
fn a_keyframe_that_takes_long_is_not_begun_again_and_again() {
    let mut condition = conditions::named("400-kbit").unwrap();
    let narrow = Shape::delay_ms(20).narrow(Rate::kbit(300), 200);
    condition.ways = Ways::of(narrow, Shape::delay_ms(20));
    let (mut world, join) = on(&condition, 1);
    world.run(join + s(30));
    // The keyframe takes four seconds there, and is sent once more for what is lost of the first.
    let first = world.viewer.seen.first().map(|seen| seen.arrived - join);
    assert!(first.is_some_and(|first| first < s(12)), "{first:?}");
}

/// Each packet takes 25 ms there, so that few too many at once are a long queue, or lost.
#[test]
fn a_short_queue_of_a_narrow_path_is_neither_kept_full_nor_overrun() {
    let of = |delay: u64, queue: u64| {
        let mut condition = conditions::named("400-kbit").unwrap();
        let narrow = Shape::delay_ms(delay).narrow(Rate::kbit(400), queue);
        condition.ways = Ways::of(narrow, Shape::delay_ms(delay));
        let (mut world, join) = on(&condition, 1);
        world.run(join + s(60));
        let counters = world.counters();
        let lost = counters.queue_drops as f64 / counters.offered as f64;
        let waits = quantile(world.queue.iter().map(|queue| queue * 1e3).collect(), 0.5);
        (lost, waits)
    };
    for delay in [1, 20] {
        let (lost, _) = of(delay, 100);
        assert!(lost < 0.1, "{lost} behind 100 ms, {delay} ms");
        let (lost, waits) = of(delay, 200);
        assert!(lost < 0.04, "{lost} behind 200 ms, {delay} ms");
        assert!(waits < 110.0, "{waits} ms, {delay} ms");
    }
}
