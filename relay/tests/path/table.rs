//! The table.
use super::world::*;
use std::sync::Arc;
use std::time::Duration;
use steadycast_lab::conditions;
use steadycast_lab::{Loss, Rate, Shape, Ways};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn controls() -> Vec<(&'static str, Control)> {
    vec![
        (
            "model",
            Arc::new(steadycast_relay::quic::congestion::PathControl) as Control,
        ),
        (
            "cubic",
            Arc::new(quinn_proto::congestion::CubicConfig::default()),
        ),
        (
            "bbr",
            Arc::new(quinn_proto::congestion::BbrConfig::default()),
        ),
    ]
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return f64::NAN;
    }
    values[((values.len() as f64 - 1.0) * q) as usize]
}

fn video() -> Source {
    Source::Video {
        bits: 2e6,
        keyframe: 100_000,
        every: s(10),
    }
}

#[test]
#[ignore = "prints figures"]
fn table() {
    let only = std::env::var("ONLY").ok();
    let who = std::env::var("WHO").ok();
    let trace = std::env::var("TRACE").is_ok();
    let lazy = std::env::var("LAZY").is_ok();
    let bulk = std::env::var("BULK").is_ok();
    let seeds: u64 = std::env::var("SEEDS").map_or(1, |s| s.parse().unwrap());
    for condition in conditions::all() {
        if only
            .as_ref()
            .is_some_and(|only| !only.split(',').any(|o| o == condition.name))
        {
            continue;
        }
        if condition.name == "players-20" {
            continue;
        }
        for (name, control) in controls() {
            if who
                .as_ref()
                .is_some_and(|who| !who.split(',').any(|o| o == name))
            {
                continue;
            }
            for seed in 1..=seeds {
                let mut world = World::new(&condition.ways, seed);
                // A download is there before the player comes.
                let begin = s(if condition.name == "tcp" { 3 } else { 0 });
                let end = begin + s(60);
                let source = if condition.name == "join" {
                    Source::Once(530_000)
                } else if bulk {
                    Source::Bulk
                } else {
                    video()
                };
                world.flow(control.clone(), lazy, source, begin, end);
                if condition.name == "tcp" {
                    world.tcp(s(0), s(63));
                }
                if trace {
                    for tick in 0..630 {
                        world.run(Duration::from_millis(100 * tick));
                        if let Some(m) = world.model(0) {
                            println!(
                                "{:5.1} {:?} w {} rate {:.2} carries {:?} base {:?} q {:?} real {:.0} arr {}",
                                tick as f64 / 10.0,
                                m.mode(),
                                m.window().count(),
                                m.pacing_rate().bits() / 1e6,
                                m.carries().map(|r| (r.bits() / 1e4).round() / 100.0),
                                m.base(),
                                m.queue(),
                                world.queue.last().map_or(0.0, |q| q * 1e3),
                                world.flows[0].arrived.last().map_or(0, |a| a * 80 / 1000)
                            );
                        }
                    }
                }
                world.run(end);
                let flow = &world.flows[0];
                let ages: Vec<f64> = flow
                    .frames
                    .iter()
                    .filter(|f| !f.keyframe)
                    .filter_map(|f| Some((f.arrived? - f.at).as_secs_f64() * 1e3))
                    .collect();
                let keys: Vec<f64> = flow
                    .frames
                    .iter()
                    .filter(|f| f.keyframe)
                    .filter_map(|f| Some((f.arrived? - f.at).as_secs_f64() * 1e3))
                    .collect();
                let c = world.counters();
                let q: Vec<f64> = world.queue.iter().map(|q| q * 1e3).collect();
                let bytes: u64 = flow.arrived.iter().sum();
                println!(
                    "{:11} {:6} {seed} | {:4} frames, {:4} skipped | age p50 {:5.0} p95 {:5.0} max {:6.0} | key p50 {:5.0} max {:6.0} | queue p50 {:4.0} p95 {:4.0} max {:4.0} | {:5.2} Mbit/s | lost {:4} qdrop {:4} of {:6} = {:.1} %",
                    condition.name,
                    name,
                    ages.len(),
                    flow.skipped,
                    quantile(ages.clone(), 0.5),
                    quantile(ages.clone(), 0.95),
                    quantile(ages, 1.0),
                    quantile(keys.clone(), 0.5),
                    quantile(keys, 1.0),
                    quantile(q.clone(), 0.5),
                    quantile(q.clone(), 0.95),
                    quantile(q, 1.0),
                    bytes as f64 * 8.0 / 60e6,
                    world.lost(0),
                    c.queue_drops,
                    c.offered,
                    100.0 * c.queue_drops as f64 / c.offered as f64
                );
            }
        }
    }
}

fn behind(kbit: u64, queue: u64, delay: u64) -> Ways {
    Ways::of(
        Shape::delay_ms(delay).narrow(Rate::kbit(kbit), queue),
        Shape::delay_ms(delay),
    )
}

#[test]
#[ignore = "prints figures"]
fn share() {
    let who = std::env::var("WHO").ok();
    let lazy = std::env::var("LAZY").is_ok();
    for (name, control) in controls() {
        if who
            .as_ref()
            .is_some_and(|who| !who.split(',').any(|o| o == name))
        {
            continue;
        }
        for (title, ways, tcp, flows) in [
            ("bulk+tcp 5M 200ms", behind(5_000, 200, 20), true, vec![0]),
            ("bulk+tcp 5M 100ms", behind(5_000, 100, 20), true, vec![0]),
            ("bulk+tcp 20M 60ms", behind(20_000, 60, 20), true, vec![0]),
            (
                "2 bulk 5M 200ms",
                behind(5_000, 200, 20),
                false,
                vec![0, 10],
            ),
            (
                "3 bulk 20M 100ms",
                behind(20_000, 100, 20),
                false,
                vec![0, 5, 10],
            ),
            (
                "2 bulk 1M 200ms",
                behind(1_000, 200, 20),
                false,
                vec![0, 10],
            ),
            ("1 bulk 5M 15ms", behind(5_000, 15, 20), false, vec![0]),
            (
                "1 bulk 20M 200ms, far",
                behind(20_000, 200, 100),
                false,
                vec![0],
            ),
        ] {
            let mut world = World::new(&ways, 1);
            for begin in &flows {
                world.flow(control.clone(), lazy, Source::Bulk, s(*begin), s(60));
            }
            if tcp {
                world.tcp(s(5), s(40));
            }
            if std::env::var("TRACE").is_ok_and(|t| title.contains(&t)) {
                for tick in 0..600 {
                    world.run(Duration::from_millis(100 * tick));
                    for flow in 0..flows.len() {
                        if let Some(m) = world.model(flow) {
                            println!(
                                "{:5.1} {flow} {:?} w {} rate {:.2} carries {:?} base {:?} q {:?} real {:.0} arr {}",
                                tick as f64 / 10.0,
                                m.mode(),
                                m.window().count(),
                                m.pacing_rate().bits() / 1e6,
                                m.carries().map(|r| (r.bits() / 1e4).round() / 100.0),
                                m.base(),
                                m.queue(),
                                world.queue.last().map_or(0.0, |q| q * 1e3),
                                world.flows[flow]
                                    .arrived
                                    .last()
                                    .map_or(0, |a| a * 80 / 1000)
                            );
                        }
                    }
                }
            }
            world.run(s(60));
            let between = |series: &Vec<u64>, a: usize, b: usize| {
                series.iter().skip(a * 10).take((b - a) * 10).sum::<u64>() as f64 * 8.0
                    / (b - a) as f64
                    / 1e6
            };
            let queue = |a: usize, b: usize| {
                let q: Vec<f64> = world.queue[a * 100..b * 100]
                    .iter()
                    .map(|q| q * 1e3)
                    .collect();
                (quantile(q.clone(), 0.5).round(), quantile(q, 0.95).round())
            };
            print!("{title:22} {name:6} |");
            for (a, b) in [(2, 5), (10, 20), (20, 40), (42, 60)] {
                print!(" {a}-{b}:");
                for flow in &world.flows {
                    print!(" {:.2}", between(&flow.arrived, a, b));
                }
                if tcp {
                    print!(" tcp {:.2}", between(&world.tcp_arrived, a, b));
                }
                print!(" q {:?} |", queue(a, b));
            }
            println!(
                " qdrop {:.1} %",
                100.0 * world.counters().queue_drops as f64 / world.counters().offered as f64
            );
        }
    }
}

#[test]
#[ignore = "prints figures"]
fn wide() {
    for (name, control) in controls() {
        if std::env::var("WHO").is_ok_and(|who| !who.split(',').any(|o| o == name)) {
            continue;
        }
        for (title, ways) in [
            (
                "loopback",
                Ways::alike(Shape {
                    delay: Duration::from_micros(50),
                    ..Shape::delay_ms(0)
                }),
            ),
            (
                "lan 1G 1ms",
                Ways::of(
                    Shape {
                        delay: Duration::from_micros(500),
                        ..Shape::delay_ms(0)
                    }
                    .narrow(Rate::kbit(1_000_000), 20),
                    Shape {
                        delay: Duration::from_micros(500),
                        ..Shape::delay_ms(0)
                    },
                ),
            ),
            (
                "loopback busy 20ms",
                Ways::alike(Shape {
                    delay: Duration::from_micros(50),
                    jitter: Duration::from_millis(20),
                    ..Shape::delay_ms(0)
                }),
            ),
            ("100M 100ms", behind(100_000, 100, 50)),
            ("wifi jitter 40", wifi()),
            (
                "50M wifi jitter 60",
                Ways::of(
                    Shape::delay_ms(30)
                        .jitter_ms(60, false)
                        .narrow(Rate::kbit(50_000), 100),
                    Shape::delay_ms(30),
                ),
            ),
        ] {
            let mut world = World::new(&ways, 1);
            world.flow(
                control.clone(),
                std::env::var("LAZY").is_ok(),
                Source::Video {
                    bits: 2e6,
                    keyframe: 150_000,
                    every: s(5),
                },
                s(0),
                s(60),
            );
            if std::env::var("TRACE").is_ok_and(|t| title.contains(&t)) {
                for tick in 0..600 {
                    world.run(Duration::from_millis(100 * tick));
                    if let Some(m) = world.model(0) {
                        println!(
                            "{:5.1} {:?} w {} rate {:.2} carries {:?} base {:?} q {:?} arr {}",
                            tick as f64 / 10.0,
                            m.mode(),
                            m.window().count(),
                            m.pacing_rate().bits() / 1e6,
                            m.carries().map(|r| (r.bits() / 1e4).round() / 100.0),
                            m.base(),
                            m.queue(),
                            world.flows[0].arrived.last().map_or(0, |a| a * 80 / 1000)
                        );
                    }
                }
            }
            world.run(s(60));
            let flow = &world.flows[0];
            let age = |key: bool, q: f64| {
                quantile(
                    flow.frames
                        .iter()
                        .filter(|f| f.keyframe == key && f.at > s(1))
                        .filter_map(|f| Some((f.arrived? - f.at).as_secs_f64() * 1e3))
                        .collect(),
                    q,
                )
            };
            println!(
                "{title:20} {name:6} skipped {:4} | age p50 {:5.1} p95 {:5.1} max {:5.1} | key p50 {:5.1} max {:5.1} | lost {} | {:?}",
                flow.skipped,
                age(false, 0.5),
                age(false, 0.95),
                age(false, 1.0),
                age(true, 0.5),
                age(true, 1.0),
                world.lost(0),
                world.model(0).map(|m| (
                    m.mode(),
                    m.window().count(),
                    m.carries().map(|r| (r.bits() / 1e4).round() / 100.0)
                ))
            );
        }
    }
}

/// The model's flow on a path of the lab, for a minute.
fn on(name: &str, source: Source) -> World {
    for_a_minute(&conditions::named(name).unwrap().ways, source)
}

fn for_a_minute(ways: &Ways, source: Source) -> World {
    let mut world = World::new(ways, 1);
    let model = Arc::new(steadycast_relay::quic::congestion::PathControl);
    world.flow(model, false, source, s(0), s(60));
    world.run(s(60));
    world
}

/// A wireless link on which packets wait for those before them.
fn wifi() -> Ways {
    Ways::of(
        Shape::delay_ms(20).jitter_ms(40, false),
        Shape::delay_ms(20).jitter_ms(10, false),
    )
}

#[test]
fn random_loss_does_not_slow_it() {
    let world = on("loss-5", video());
    assert!(world.flows[0].skipped < 200, "{}", world.flows[0].skipped);
}

#[test]
fn jitter_is_no_queue() {
    let world = on("jitter", video());
    assert!(world.flows[0].skipped < 60, "{}", world.flows[0].skipped);
}

/// For how many of a hundred tenths of a second the model calls a path too narrow for the video:
/// then players are sent less over it. Over two minutes.
fn narrow(ways: &Ways) -> u32 {
    const TICKS: u32 = 600;
    let mut narrow = 0;
    for seed in 1..=2 {
        let mut world = World::new(ways, seed);
        let model = Arc::new(steadycast_relay::quic::congestion::PathControl);
        world.flow(model, false, video(), s(0), s(60));
        for tick in 0..TICKS {
            world.run(Duration::from_millis(100) * tick);
            let carries = world.model(0).and_then(|model| model.carries());
            narrow += u32::from(carries.is_some_and(|rate| rate.bits() < 2e6));
        }
    }
    narrow * 100 / (2 * TICKS)
}

#[test]
fn a_keyframe_crosses_a_path_that_jitters_in_a_few_round_trips() {
    let source = Source::Video {
        bits: 2e6,
        keyframe: 150_000,
        every: s(5),
    };
    let world = for_a_minute(&wifi(), source);
    let keyframes = world.flows[0].frames.iter().filter(|frame| frame.keyframe);
    let took = keyframes
        .filter_map(|frame| Some((frame.arrived? - frame.at).as_secs_f64()))
        .collect();
    let median = quantile(took, 0.5);
    assert!(median < 0.38, "{median} s");
}

#[test]
fn a_wide_path_that_jitters_is_hardly_ever_called_narrow() {
    let far = Shape::delay_ms(30);
    let share = narrow(&Ways::of(far.jitter_ms(100, false), far));
    assert!(share < 3, "{share} % of the time");
}

#[test]
fn loss_that_no_rate_makes_less_is_no_sign_of_a_narrow_path() {
    let far = Shape::delay_ms(50);
    let share = narrow(&Ways::of(far.lossy(Loss::random(0.2)), far));
    assert!(share < 10, "{share} % of the time");
}

/// Round trips about what is assumed before the first one: nothing of that must be left in what is taken
/// for the path's own, or all the rest looks like a queue.
#[test]
fn a_far_path_is_not_taken_for_a_near_one_with_a_queue() {
    let ms = Duration::from_millis;
    for round_trip in (124..160).step_by(4) {
        let far = Shape::delay_ms(round_trip / 2);
        let mut world = World::new(&Ways::of(far.lossy(Loss::random(0.02)), far), 1);
        let model = Arc::new(steadycast_relay::quic::congestion::PathControl);
        world.flow(model, false, Source::Bulk, s(0), s(20));
        world.run(s(20));
        let base = world.model(0).and_then(|model| model.base()).unwrap();
        assert!(
            base >= ms(round_trip) - ms(1),
            "{base:?} of {round_trip} ms"
        );
        let arrived: u64 = world.flows[0].arrived.iter().skip(100).sum();
        let bits = arrived as f64 * 8.0 / 10.0;
        assert!(bits > 5e6, "{bits} bit/s at {round_trip} ms");
    }
}

#[test]
fn a_narrow_path_has_a_short_queue_and_is_full() {
    let world = on("1-mbit", video());
    let queue = quantile(world.queue.clone(), 0.95);
    assert!(queue < 0.060, "{queue} s");
    let arrived: u64 = world.flows[0].arrived.iter().sum();
    assert!(arrived > 6_300_000, "{arrived}");
    assert_eq!(world.counters().queue_drops, 0);
}

#[test]
fn a_join_overflows_no_queue_and_takes_little_longer_than_it_must() {
    let world = on("join", Source::Once(530_000));
    let took = world.flows[0].frames[0].arrived.unwrap();
    assert!(took < Duration::from_millis(1_380), "{took:?}");
    assert_eq!(world.counters().queue_drops, 0);
}

#[test]
fn a_path_that_narrows_and_widens_is_followed() {
    let world = on("5-1-5-mbit", video());
    let queue = |from: usize, to: usize| quantile(world.queue[from * 100..to * 100].to_vec(), 0.95);
    assert!(queue(23, 40) < 0.060, "{}", queue(23, 40));
    assert!(queue(43, 60) < 0.060, "{}", queue(43, 60));
    let late: u64 = world.flows[0].arrived[430..580].iter().sum();
    assert!(late as f64 * 8.0 / 15.0 > 1.9e6, "{late}");
}
