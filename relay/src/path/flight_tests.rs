use std::time::{Duration, Instant};

use steadycast_lab::{Link, Loss, Rate as LinkRate, Shape};

use super::*;

const PACKET: u64 = 1_200;
/// The peer's clock is somewhere else.
const PEER: Duration = Duration::from_secs(5_000);
const BACK: Duration = Duration::from_millis(20);

/// What a sender that always has more to send gets through.
struct Outcome {
    /// Bits a second in each second.
    rates: Vec<f64>,
    /// The longest and the usual wait in the queue after the first two seconds, in seconds.
    waits: Vec<f64>,
    dropped: f64,
}

/// Sends over a link for so many seconds, with transport-wide feedback every `every`.
fn send(shape: Shape, seconds: u64, every: Duration) -> Outcome {
    send_and_hear(shape, seconds, every, u64::MAX)
}

/// The same, while one of so many reports is lost.
fn send_and_hear(shape: Shape, seconds: u64, every: Duration, lost: u64) -> Outcome {
    let mut reports = 0;
    let start = Instant::now();
    let mut link = Link::new(shape, 1);
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    let (mut now, mut report) = (Duration::ZERO, every);
    let mut arrived: Vec<Received> = Vec::new();
    let mut under_way: Vec<(Duration, Vec<Received>)> = Vec::new();
    let mut first = 0_u16;
    let mut rates = vec![0.0; seconds as usize];
    let mut waits = Vec::new();
    while now < Duration::from_secs(seconds) {
        let instant = start + now;
        while let Some(arrival) = link.poll(now) {
            rates[arrival.at.as_secs() as usize] += arrival.bytes as f64 * 8.0;
            arrived.push(Received {
                sequence: arrival.packet,
                at: Some(PEER + arrival.at),
            });
        }
        if now >= report {
            report += every;
            let packets = told(&mut first, &mut arrived);
            reports += 1;
            if reports % lost != 0 {
                under_way.push((now + BACK, packets));
            }
        }
        while under_way.first().is_some_and(|sent| sent.0 <= now) {
            let (_, packets) = under_way.remove(0);
            flight.on_feedback(instant, packets);
        }
        while flight.may_send(instant).count() >= PACKET {
            let sequence = flight.next_sequence();
            flight.on_sent(instant, Bytes::new(PACKET));
            link.send(now, PACKET as usize, sequence);
        }
        if now > Duration::from_secs(2) && now.subsec_millis().is_multiple_of(10) {
            let rate = shape.rate.map_or(f64::INFINITY, |rate| rate.bits() as f64);
            waits.push(link.backlog() as f64 * 8.0 / rate);
        }
        now += Duration::from_millis(1);
    }
    let counters = link.counters();
    Outcome {
        rates,
        waits,
        dropped: counters.queue_drops as f64 / counters.offered as f64,
    }
}

/// The feedback for what has arrived: every number from the first not yet told of.
fn told(first: &mut u16, arrived: &mut Vec<Received>) -> Vec<Received> {
    let arrived = std::mem::take(arrived);
    let Some(last) = arrived
        .iter()
        .map(|packet| packet.sequence)
        .max_by_key(|sequence| sequence.wrapping_sub(*first))
    else {
        return Vec::new();
    };
    let begin = *first;
    *first = last.wrapping_add(1);
    (0..=last.wrapping_sub(begin))
        .map(|ahead| {
            let sequence = begin.wrapping_add(ahead);
            let found = arrived.iter().find(|packet| packet.sequence == sequence);
            found.copied().unwrap_or(Received { sequence, at: None })
        })
        .collect()
}

fn narrow(kbit: u64) -> Shape {
    Shape::delay_ms(20).narrow(LinkRate::kbit(kbit), 200)
}

fn usual(waits: &[f64], share: f64) -> f64 {
    let mut waits = waits.to_vec();
    waits.sort_by(f64::total_cmp);
    waits[(waits.len() as f64 * share) as usize]
}

#[test]
fn a_narrow_path_is_filled_without_a_standing_queue() {
    for kbit in [1_000, 5_000] {
        let outcome = send(narrow(kbit), 20, Duration::from_millis(50));
        let full = kbit as f64 * 1e3;
        let mean = outcome.rates[2..].iter().sum::<f64>() / 18.0;
        assert!(mean > 0.85 * full, "{kbit} kbit/s: {mean}");
        let wait = usual(&outcome.waits, 0.95);
        assert!(wait < 0.06, "{kbit} kbit/s: {wait} s");
        assert!(outcome.dropped < 0.02, "{kbit}: {}", outcome.dropped);
    }
}

#[test]
fn random_loss_does_not_slow_it() {
    let lossy = narrow(5_000).lossy(Loss::random(0.05));
    let outcome = send(lossy, 20, Duration::from_millis(50));
    let mean = outcome.rates[2..].iter().sum::<f64>() / 18.0;
    assert!(mean > 0.8 * 0.95 * 5e6, "{mean}");
}

#[test]
fn lost_feedback_is_no_lost_packets() {
    let lossy = narrow(5_000).lossy(Loss::random(0.05));
    let outcome = send_and_hear(lossy, 20, Duration::from_millis(50), 5);
    let mean = outcome.rates[2..].iter().sum::<f64>() / 18.0;
    assert!(mean > 0.8 * 0.95 * 5e6, "{mean}");
}

#[test]
fn what_is_lost_with_all_feedback_does_not_stop_it_for_good() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    let (mut now, mut probes) = (start, 0);
    let mut full = false;
    while now < start + Duration::from_secs(3) {
        while flight.may_send(now).count() >= PACKET {
            flight.on_sent(now, Bytes::new(PACKET));
            probes += u32::from(full);
        }
        full |= now > start + Duration::from_millis(200);
        now += Duration::from_millis(1);
    }
    // A few a second, and no more, until it is back.
    assert!((4..=40).contains(&probes), "{probes}");
    let sequence = flight.next_sequence();
    flight.on_sent(now, Bytes::new(PACKET));
    now += Duration::from_millis(50);
    let at = Some(PEER);
    flight.on_feedback(now, [Received { sequence, at }]);
    assert!(flight.may_send(now).count() >= PACKET);
}

#[test]
fn numbers_wrap() {
    let wide = Shape::delay_ms(5).narrow(LinkRate::kbit(50_000), 100);
    let outcome = send(wide, 20, Duration::from_millis(50));
    assert!(outcome.rates[19] > 40e6, "{}", outcome.rates[19]);
}
