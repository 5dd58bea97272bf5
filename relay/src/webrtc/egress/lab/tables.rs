//! What the player of a path has, second by second: printed on request, and what tests assert.

use std::time::Duration;

use steadycast_lab::Condition;
use steadycast_lab::conditions::{self, Beside};

use super::{Seen, World};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len => values[((len - 1) as f64 * share) as usize],
    }
}

/// A player on a path of the lab that has come; beside a download it comes 3 s later, else at once.
pub(super) fn on(condition: &Condition, seed: u64) -> (World, Duration) {
    let beside = condition.beside == Beside::Download;
    let join = if beside {
        s(3)
    } else {
        Duration::from_millis(200)
    };
    let world = World::new(&condition.ways, seed, join);
    match beside {
        true => (world.with_download(Duration::ZERO), join),
        false => (world, join),
    }
}

/// Milliseconds from the capture to the last byte, of frames that were captured between.
pub(super) fn delays(seen: &[Seen], from: Duration, until: Duration) -> Vec<f64> {
    let between = seen
        .iter()
        .filter(|seen| (from..until).contains(&seen.captured));
    between
        .map(|seen| (seen.arrived - seen.captured).as_secs_f64() * 1e3)
        .collect()
}

#[test]
#[ignore = "prints figures"]
fn table() {
    let only = std::env::var("ONLY").ok();
    let trace = std::env::var("TRACE").is_ok();
    let seeds: u64 = std::env::var("SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    let wanted = |name: &str| {
        only.as_ref()
            .is_none_or(|only| only.split(',').any(|one| one == name))
    };
    for condition in conditions::all() {
        if !wanted(condition.name) || condition.name == "players-20" {
            continue;
        }
        for seed in 1..=seeds {
            let (mut world, join) = on(&condition, seed);
            let end = join + s(60);
            if trace {
                follow(&mut world, end);
            }
            world.run(end);
            print(&condition, seed, &world, join, end);
            if std::env::var("SECONDS").is_ok() {
                seconds(&world, join);
            }
        }
    }
}

fn print(condition: &Condition, seed: u64, world: &World, join: Duration, end: Duration) {
    let viewer = &world.viewer;
    let first = viewer.seen.first().map_or(end, |seen| seen.arrived);
    let all = delays(&viewer.seen, first, end);
    let begin = delays(&viewer.seen, first, first + s(5));
    let watched = (end - first).as_secs_f64();
    let media: u64 = world.arrived.iter().map(|both| both[0]).sum();
    let tcp: u64 = world
        .arrived
        .iter()
        .skip(join.as_secs() as usize)
        .map(|both| both[1])
        .sum();
    let bits = |bytes: u64| bytes as f64 * 8.0 / 60e6;
    let counters = world.counters();
    let queue: Vec<_> = world.queue.iter().map(|queue| queue * 1e3).collect();
    println!(
        "{:10} {seed} | {:4.1} fps first {:5.0} | p50 {:5.0} p95 {:5.0} max {:5.0} | 5 s: p95 {:5.0} max {:5.0} | keys {:2} | {:4.2} Mbit/s tcp {:4.2} | queue p50 {:4.0} p95 {:4.0} | qdrop {:4.1} % again {:4.1} % needless {:4.1} %",
        condition.name,
        all.len() as f64 / watched,
        (first - join).as_secs_f64() * 1e3,
        quantile(all.clone(), 0.5),
        quantile(all.clone(), 0.95),
        quantile(all, 1.0),
        quantile(begin.clone(), 0.95),
        quantile(begin, 1.0),
        world.publisher.keyframes.len(),
        bits(media),
        bits(tcp),
        quantile(queue.clone(), 0.5),
        quantile(queue, 0.95),
        100.0 * counters.queue_drops as f64 / counters.offered as f64,
        100.0 * (viewer.counts.repaired + viewer.counts.again) as f64
            / viewer.counts.came.max(1) as f64,
        100.0 * viewer.counts.again as f64 / viewer.counts.came.max(1) as f64,
    );
}

fn seconds(world: &World, join: Duration) {
    for second in 0..60 {
        let (from, until) = (join + s(second), join + s(second + 1));
        let late = delays(&world.viewer.seen, from, until);
        let keyframes = world.publisher.keyframes.iter();
        println!(
            "  {second:2} {:2} frames, {:5.0} to {:5.0} ms, {} keyframes",
            late.len(),
            quantile(late.clone(), 0.5),
            quantile(late, 1.0),
            keyframes.filter(|at| (from..until).contains(*at)).count(),
        );
    }
}

fn follow(world: &mut World, end: Duration) {
    let mut now = Duration::ZERO;
    let mut seen = 0;
    while now < end {
        now += Duration::from_millis(100);
        world.run(now);
        let queue = world.queue.last().map_or(0.0, |queue| queue * 1e3);
        let more = world.viewer.seen.len() - seen;
        seen = world.viewer.seen.len();
        if let Some(model) = world.model() {
            println!(
                "{:5.1} {:?} w {} rate {:.2} carries {:?} base {:?} q {:?} flight {} real {queue:.0} seen {more} sent {}",
                now.as_secs_f64(),
                model.mode(),
                model.window().count(),
                model.pacing_rate().bits() / 1e6,
                model
                    .carries()
                    .map(|rate| (rate.bits() / 1e4).round() / 100.0),
                model.base(),
                model.queue(),
                model.in_flight().count(),
                world.sent,
            );
        }
    }
}
