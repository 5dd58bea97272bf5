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

const MS: Duration = Duration::from_millis(1);

/// A flight that has sent all that it may at once; nothing is known of its path yet.
fn full(start: Instant) -> (Flight, u64) {
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    let (mut now, mut sent) = (start, 0);
    while flight.sent.is_none_or(|last| now < last + 150 * MS) {
        while flight.may_send(now) > Bytes::default() {
            flight.on_sent(now, Bytes::new(PACKET));
            sent += 1;
        }
        now += MS;
    }
    (flight, sent)
}

fn arrived(sequence: u16, ms: u32) -> Received {
    Received {
        sequence,
        at: Some(PEER + ms * MS),
    }
}

#[test]
fn beyond_the_window_only_what_was_lost_may_go() {
    let start = Instant::now();
    let (flight, sent) = full(start);
    let now = flight.sent.unwrap() + 150 * MS;
    assert!(sent > 2);
    assert_eq!(flight.may_send(now), Bytes::default());
    let beyond = Bytes::new(5 * PACKET);
    let repair = flight.may_repair(now, beyond).count();
    assert!((PACKET..=5 * PACKET).contains(&repair), "{repair}");
    assert!(flight.may_repair(now, Bytes::default()) < Bytes::new(PACKET));
}

#[test]
fn a_path_from_which_nothing_is_heard_is_asked_with_one_packet_at_a_time() {
    let start = Instant::now();
    let (mut flight, _) = full(start);
    // Feedback may take 100 ms, and this is twice that.
    let last = flight.sent.unwrap();
    let asks = |flight: &Flight, ms| flight.may_send(last + ms * MS).count();
    assert_eq!(asks(&flight, 200), 0);
    assert_eq!(asks(&flight, 201), PACKET);
    flight.on_sent(last + 201 * MS, Bytes::new(PACKET));
    assert_eq!((asks(&flight, 202), asks(&flight, 401)), (0, 0));
    assert_eq!(asks(&flight, 402), PACKET);
    assert_eq!(flight.heard(), None);
    flight.on_feedback(last + 402 * MS, []);
    assert_eq!(flight.heard(), Some(last + 402 * MS));
}

#[test]
fn feedback_on_what_was_never_sent_is_passed_over() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    let next = flight.next_sequence();
    flight.on_feedback(
        start + MS,
        [arrived(next, 1), arrived(next.wrapping_sub(1), 1)],
    );
    assert_eq!(
        (flight.model().acked(), flight.flight),
        (Bytes::default(), 0)
    );
    flight.on_sent(start + MS, Bytes::new(PACKET));
    let next = flight.next_sequence();
    flight.on_feedback(start + 2 * MS, [arrived(next, 2)]);
    assert_eq!(flight.flight, PACKET);
}

#[test]
fn the_base_is_the_shortest_round_trip_however_far_the_clocks_are_apart() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    // Ways of 30, 20 and 25 ms; each is heard of 50 ms after it was sent.
    for (number, way) in [30, 20, 25].into_iter().enumerate() {
        let sent = 100 * number as u32;
        flight.on_sent(start + sent * MS, Bytes::new(PACKET));
        let heard = [arrived(number as u16, sent + way)];
        flight.on_feedback(start + (sent + 50) * MS, heard);
    }
    let base = flight.model().base().unwrap();
    assert!(base.abs_diff(50 * MS) < MS, "{base:?}");
}

#[test]
fn what_the_shortest_way_was_is_forgotten_as_clocks_drift() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    let mut way_of = |second: u32, way: u32| {
        let sent = start + 1_000 * second * MS;
        let at = PEER + (1_000 * second + way) * MS;
        flight.delay(sent + 50 * MS, sent, at)
    };
    assert_eq!(way_of(0, 20), 50 * MS);
    assert_eq!(way_of(1, 30), 60 * MS);
    assert_eq!(way_of(29, 30), 60 * MS);
    assert_eq!(way_of(31, 30), 60 * MS, "it is kept for one span more");
    assert_eq!(way_of(62, 30), 50 * MS);
}

#[test]
fn packets_that_came_after_one_with_a_higher_number_were_overtaken() {
    let missing = Received {
        sequence: 3,
        at: None,
    };
    let packets = [
        arrived(0, 10),
        arrived(1, 40),
        arrived(2, 20),
        missing,
        arrived(4, 40),
    ];
    let mut late = overtaken(&packets);
    late.reverse();
    assert_eq!(late, [false, true, false, false, false]);
    assert_eq!(overtaken(&[]), [false; 0]);
}

#[test]
fn times_before_the_beginning_are_negative() {
    let now = Instant::now();
    assert_eq!(signed(now + 1_500 * MS, now), 1.5);
    assert_eq!(signed(now, now + 1_500 * MS), -1.5);
    assert_eq!(signed(now, now), 0.0);
}

#[test]
fn what_was_in_flight_at_a_moment_is_what_had_been_sent_by_then() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    for ms in 0..3 {
        flight.on_sent(start + ms * MS, Bytes::new(PACKET));
    }
    let flights = [0, 1, 2].map(|ms| flight.flight_at(start + ms * MS));
    assert_eq!(flights, [PACKET, 2 * PACKET, 3 * PACKET]);
}

#[test]
fn packets_of_which_nothing_was_heard_for_two_seconds_are_in_flight_no_more() {
    let start = Instant::now();
    let mut flight = Flight::new(start, Bytes::new(PACKET));
    flight.on_sent(start, Bytes::new(PACKET));
    flight.on_sent(start + 2_000 * MS, Bytes::new(PACKET));
    assert_eq!((flight.packets.len(), flight.flight), (2, 2 * PACKET));
    flight.on_sent(start + 2_001 * MS, Bytes::new(PACKET));
    assert_eq!((flight.packets.len(), flight.flight), (2, 2 * PACKET));
    assert_eq!(flight.next_sequence(), 3);
    // However many are sent, so many are remembered.
    for _ in 0..2 * REMEMBERED {
        flight.on_sent(start + 2_001 * MS, Bytes::new(PACKET));
    }
    assert_eq!(flight.packets.len(), REMEMBERED);
}

#[test]
fn a_packet_that_one_sent_much_later_has_overtaken_is_lost_at_once() {
    let start = Instant::now();
    let missing = Received {
        sequence: 0,
        at: None,
    };
    let left = |apart: u32| {
        let mut flight = Flight::new(start, Bytes::new(PACKET));
        flight.on_sent(start, Bytes::new(PACKET));
        flight.on_sent(start + apart * MS, Bytes::new(PACKET));
        flight.on_feedback(start + 60 * MS, [missing, arrived(1, 40)]);
        flight.model().in_flight()
    };
    assert_eq!(left(30), Bytes::default());
    assert_eq!(left(10), Bytes::new(PACKET), "it may be late");
}
