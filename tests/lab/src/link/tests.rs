use super::*;
use crate::loss::Loss;

const PACKET: usize = 1_250;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Sends a packet at each of these times, and gives the numbers of those that come, and when.
fn carry(link: &mut Link<u64>, times: impl IntoIterator<Item = Duration>) -> Vec<(Duration, u64)> {
    let mut came = Vec::new();
    for (number, time) in times.into_iter().enumerate() {
        drain(link, time, &mut came);
        link.send(time, PACKET, number as u64);
    }
    while let Some(due) = link.next_due() {
        drain(link, due, &mut came);
    }
    came
}

fn drain(link: &mut Link<u64>, now: Duration, came: &mut Vec<(Duration, u64)>) {
    while let Some(arrival) = link.poll(now) {
        assert!(arrival.at <= now);
        came.push((arrival.at, arrival.packet));
    }
}

fn every(step: Duration, count: u32) -> impl Iterator<Item = Duration> {
    (0..count).map(move |at| step * at)
}

fn is_in_order(came: &[(Duration, u64)]) -> bool {
    came.is_sorted_by_key(|(_, number)| *number)
}

#[test]
fn a_clean_link_takes_its_delay_and_nothing_else() {
    let mut link = Link::new(Shape::delay_ms(50), 1);
    let came = carry(&mut link, every(ms(1), 100));
    assert_eq!(came.len(), 100);
    assert!(came.iter().all(|(at, number)| *at == ms(50 + number)));
}

#[test]
fn the_rate_is_kept_to_within_a_packet() {
    let rate = Rate::kbit(1_000);
    let mut link = Link::new(Shape::delay_ms(20).narrow(rate, 200), 1);
    // Twice what it carries, for 10 s.
    let came = carry(&mut link, every(ms(5), 2_000));
    let mut carried = 0;
    for (at, _) in &came {
        carried += PACKET;
        let could = rate.carries(*at - ms(20));
        assert!(could.abs_diff(carried) <= PACKET, "at {at:?}");
    }
    // 10 s, and what is in the queue at their end.
    assert!((1_000..=1_020).contains(&came.len()), "{}", came.len());
}

#[test]
fn a_full_queue_drops_its_end_and_bounds_the_wait() {
    let mut link = Link::new(Shape::delay_ms(0).narrow(Rate::kbit(1_000), 200), 1);
    let fates: Vec<_> = (0..40)
        .map(|number| link.send(Duration::ZERO, PACKET, number))
        .collect();
    // 200 ms at 1 Mbit/s are 25,000 bytes: 20 packets.
    let (first, rest) = fates.split_at(20);
    assert!(first.iter().all(|fate| *fate == Fate::Passes));
    assert!(rest.iter().all(|fate| *fate == Fate::Lost(Reason::Queue)));
    assert_eq!(link.backlog(), 20 * PACKET);
    let came = carry(&mut link, []);
    assert_eq!(came.last(), Some(&(ms(200), 19)));
    let counters = link.counters();
    assert_eq!(counters.queue_drops, 20);
    assert_eq!(counters.queue_drop_bytes, 20 * PACKET as u64);
    assert_eq!(counters.delivered + counters.lost(), counters.offered);
    assert_eq!(counters.longest_wait(), ms(190));
    assert_eq!(counters.mean_wait(), ms(95));
    assert_eq!(counters.wait(0.5), ms(90));
    assert_eq!(counters.wait(0.99), ms(190));
}

#[test]
fn a_queue_shorter_than_a_packet_takes_one() {
    let mut link = Link::new(Shape::delay_ms(0).narrow(Rate::kbit(100), 1), 1);
    assert_eq!(link.send(Duration::ZERO, 1_500, 0), Fate::Passes);
    assert_eq!(link.send(Duration::ZERO, 1, 1), Fate::Lost(Reason::Queue));
}

#[test]
fn jitter_that_does_not_reorder_keeps_order_and_bounds() {
    let mut link = Link::new(Shape::delay_ms(30).jitter_ms(60, false), 7);
    let came = carry(&mut link, every(ms(1), 2_000));
    assert_eq!(came.len(), 2_000);
    assert!(is_in_order(&came));
    let late = |(at, number): &(Duration, u64)| *at - ms(*number);
    assert!(came.iter().all(|came| late(came) >= ms(30)));
    assert!(came.iter().all(|came| late(came) <= ms(90)));
    let bursts = came.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    assert!(
        bursts.count() > 1_000,
        "those behind a late one come at once"
    );
}

#[test]
fn jitter_that_reorders_is_even() {
    let mut link = Link::new(Shape::delay_ms(30).jitter_ms(60, true), 7);
    let came = carry(&mut link, every(ms(1), 10_000));
    assert!(!is_in_order(&came));
    let late = |(at, number): &(Duration, u64)| (*at - ms(*number)).as_secs_f64() * 1e3;
    let mean = came.iter().map(late).sum::<f64>() / came.len() as f64;
    assert!((59.0..61.0).contains(&mean), "{mean}");
}

#[test]
fn packets_held_back_are_overtaken_and_no_others() {
    let mut link = Link::new(Shape::delay_ms(10).reordered(0.1, 5), 3);
    let came = carry(&mut link, every(ms(2), 2_000));
    let held = came
        .iter()
        .filter(|(at, number)| *at == ms(number * 2 + 15));
    let held = held.count();
    assert!((150..250).contains(&held), "{held}");
    let rest = came
        .iter()
        .filter(|(at, number)| *at == ms(number * 2 + 10));
    assert_eq!(held + rest.count(), 2_000);
}

#[test]
fn duplicates_come_twice_and_are_counted_once() {
    let mut link = Link::new(Shape::delay_ms(10).duplicated(0.05), 3);
    let came = carry(&mut link, every(ms(1), 2_000));
    let counters = link.counters();
    assert_eq!(came.len() as u64, 2_000 + counters.duplicates);
    assert!((70..130).contains(&counters.duplicates));
    assert_eq!(counters.delivered, 2_000);
}

#[test]
fn a_lost_packet_has_taken_its_time_on_the_wire() {
    let shape = Shape::delay_ms(0).narrow(Rate::kbit(1_000), 1_000);
    let mut link = Link::new(shape.lossy(Loss::random(0.5)), 1);
    let came = carry(&mut link, every(Duration::ZERO, 50));
    assert!(came.len() < 40);
    assert!(came.iter().all(|(at, number)| *at == ms(10 * (number + 1))));
}

#[test]
fn a_change_of_rate_counts_from_its_very_moment() {
    let shape = |kbit| Shape::delay_ms(0).narrow(Rate::kbit(kbit), 1_000);
    let mut link = Link::new(Course::from(shape(10_000)).then(1, shape(1_000)), 1);
    // On the wire for 1 ms; when half of that has passed, the wire takes ten times as long.
    let start = Duration::from_micros(999_500);
    let came = carry(&mut link, [start, start]);
    let times: Vec<_> = came.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [ms(1_005), ms(1_015)]);
}

#[test]
fn a_change_on_an_idle_link_counts_for_what_comes_after() {
    let mut link = Link::new(
        Course::from(Shape::delay_ms(10)).then(1, Shape::delay_ms(90)),
        1,
    );
    let came = carry(&mut link, [ms(999), ms(1_000)]);
    assert_eq!(came, [(ms(1_009), 0), (ms(1_090), 1)]);
}

#[test]
fn changes_can_be_counted_from_later_on() {
    let later = Change {
        at: ms(500),
        shape: Shape::delay_ms(90),
    };
    let mut link = Link::new(Shape::delay_ms(10), 1);
    link.follow(ms(1_000), &[later]);
    let came = carry(&mut link, [ms(1_499), ms(1_500)]);
    assert_eq!(came, [(ms(1_509), 0), (ms(1_590), 1)]);
}

#[test]
fn the_same_seed_gives_the_same_and_another_seed_does_not() {
    let shape = Shape::delay_ms(30)
        .narrow(Rate::kbit(8_000), 50)
        .jitter_ms(20, true)
        .reordered(0.01, 5)
        .duplicated(0.01)
        .lossy(Loss::bursts(0.05, 3.0));
    let run = |seed| carry(&mut Link::new(shape, seed), every(ms(1), 3_000));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn jitter_leaves_it_to_the_seed_what_is_lost() {
    let lossy = Shape::delay_ms(30).lossy(Loss::random(0.05));
    let numbers = |shape| {
        let came = carry(&mut Link::new(shape, 4), every(ms(1), 1_000));
        let mut numbers: Vec<_> = came.into_iter().map(|(_, number)| number).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers(lossy), numbers(lossy.jitter_ms(20, true)));
}
