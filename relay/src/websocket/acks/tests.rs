use super::lab::{Lab, Source, Tcp};
use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Of so many segments none is lost.
const NONE: u64 = u64::MAX;

fn is_about(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= other * share
}

/// What the account says that the path carries, in kbit/s.
fn told(lab: &Lab) -> f64 {
    lab.acks.carries().map_or(0.0, |rate| rate.bits() / 1e3)
}

#[test]
fn a_clean_path_takes_every_picture_at_once() {
    for tcp in [Tcp::Heedless, Tcp::Cubic] {
        let mut lab = Lab::new(ms(100), 50_000, tcp, NONE);
        lab.run(secs(2), Source::Pictures(9_500));
        let outcome = lab.run(secs(20), Source::Pictures(9_500));
        assert!(outcome.delay(0.95) < ms(20), "{:?}", outcome.delay(0.95));
        assert!(is_about(outcome.rate, 285_000.0, 0.01), "{}", outcome.rate);
    }
}

#[test]
fn a_clean_path_is_filled_and_what_it_carries_is_known() {
    for (kbit, base) in [(400, 40), (1_000, 40), (5_000, 40), (10_000, 100)] {
        for tcp in [Tcp::Heedless, Tcp::Cubic] {
            let mut lab = Lab::new(ms(base), kbit, tcp, NONE);
            lab.run(secs(3), Source::Endless);
            let outcome = lab.run(secs(20), Source::Endless);
            let name = format!("{kbit} kbit/s, {base} ms, {tcp:?}");
            assert!(
                outcome.rate > kbit as f64 * 125.0 * 0.9,
                "{name}: {}",
                outcome.rate
            );
            assert!(
                outcome.delay(0.95) < ms(60),
                "{name}: {:?}",
                outcome.delay(0.95)
            );
            assert!(
                outcome.delay(1.0) < ms(150),
                "{name}: {:?}",
                outcome.delay(1.0)
            );
            assert!(
                is_about(told(&lab), kbit as f64, 0.1),
                "{name}: {}",
                told(&lab)
            );
        }
    }
}

#[test]
fn a_path_that_narrows_and_widens_is_followed_and_delay_stays_bounded() {
    let mut lab = Lab::new(ms(40), 5_000, Tcp::Heedless, NONE);
    lab.run(secs(5), Source::Endless);
    lab.carries(1_000);
    let narrows = lab.run(secs(3), Source::Endless);
    assert!(narrows.delay(1.0) < ms(340), "{:?}", narrows.delay(1.0));
    let narrow = lab.run(secs(7), Source::Endless);
    assert!(is_about(narrow.rate, 125_000.0, 0.1), "{}", narrow.rate);
    assert!(narrow.delay(0.95) < ms(80), "{:?}", narrow.delay(0.95));
    lab.carries(5_000);
    lab.run(secs(4), Source::Endless);
    let wide = lab.run(secs(5), Source::Endless);
    assert!(wide.rate > 0.9 * 625_000.0, "{}", wide.rate);
}

#[test]
fn loss_holds_up_what_is_behind_it_for_a_round_trip_and_does_not_grow() {
    let mut lab = Lab::new(ms(100), 20_000, Tcp::Heedless, 100);
    lab.run(secs(3), Source::Pictures(9_500));
    let outcome = lab.run(secs(30), Source::Pictures(9_500));
    assert!(outcome.delay(0.95) < ms(150), "{:?}", outcome.delay(0.95));
    assert!(outcome.delay(1.0) < ms(400), "{:?}", outcome.delay(1.0));
}

#[test]
fn where_tcp_makes_way_for_loss_what_is_left_is_told() {
    let mut lab = Lab::new(ms(100), 20_000, Tcp::Cubic, 100);
    lab.run(secs(5), Source::Endless);
    let outcome = lab.run(secs(30), Source::Endless);
    assert!(outcome.delay(0.95) < ms(300), "{:?}", outcome.delay(0.95));
    let carried = outcome.rate * 8.0 / 1e3;
    assert!(carried > 1_000.0, "{carried}");
    assert!(
        is_about(told(&lab), carried, 0.35),
        "{} of {carried}",
        told(&lab)
    );
}

#[test]
fn a_path_is_not_called_narrow_for_how_it_begins() {
    for tcp in [Tcp::Heedless, Tcp::Cubic] {
        let mut lab = Lab::new(ms(100), 800, tcp, NONE);
        for _ in 0..29 {
            lab.run(ms(100), Source::Endless);
            assert_eq!(lab.acks.carries(), None, "{tcp:?}");
        }
        lab.run(secs(5), Source::Endless);
        assert!(is_about(told(&lab), 800.0, 0.1), "{tcp:?}: {}", told(&lab));
    }
}

#[test]
fn what_a_ping_counted_has_arrived_with_its_pong_and_so_have_its_streams() {
    let start = Instant::now();
    let mut acks = Acks::new(start);
    acks.write(500, start);
    acks.reach(0, 480);
    assert_eq!(acks.ping(false, start), None, "amid a burst");
    assert_eq!(acks.ping(true, start), Some(500));
    assert_eq!(acks.ping(true, start), None, "everything has its ping");
    acks.write(700, start);
    acks.reach(0, 1_000);
    acks.reach(1, 160);
    assert_eq!(acks.ping(true, start), Some(1_200));
    assert_eq!((acks.in_flight(), acks.arrived_of(0)), (1_200, 0));
    acks.pong(500, start + ms(40)).unwrap();
    assert_eq!(
        (acks.in_flight(), acks.arrived_of(0), acks.arrived_of(1)),
        (700, 480, 0)
    );
    assert_eq!(acks.round_trip(), Some(ms(40)));
    acks.pong(1_200, start + ms(60)).unwrap();
    assert_eq!(
        (acks.in_flight(), acks.arrived_of(0), acks.arrived_of(1)),
        (0, 1_000, 160)
    );
    assert_eq!(acks.moved_at(), Some(start + ms(60)));
}

#[test]
fn one_pong_answers_for_those_before_it_and_one_that_comes_twice_says_nothing() {
    let start = Instant::now();
    let mut acks = Acks::new(start);
    for _ in 0..3 {
        acks.write(100, start);
        acks.ping(true, start);
    }
    acks.pong(300, start + ms(10)).unwrap();
    assert_eq!(acks.in_flight(), 0);
    acks.pong(200, start + ms(20)).unwrap();
    assert_eq!(acks.round_trip(), Some(ms(10)));
    assert_eq!(acks.moved_at(), None, "no picture was among it");
}

#[test]
fn a_pong_for_what_was_never_pinged_is_refused() {
    let start = Instant::now();
    let mut acks = Acks::new(start);
    acks.write(100, start);
    assert_eq!(acks.pong(100, start), Err(Unsent));
    acks.ping(true, start);
    assert_eq!(acks.pong(101, start), Err(Unsent));
    assert_eq!(acks.pong(100, start), Ok(()));
}

#[test]
fn pings_that_are_not_answered_are_remembered_up_to_a_bound() {
    let start = Instant::now();
    let mut acks = Acks::new(start);
    for _ in 0..10 * OUTSTANDING {
        acks.write(SEGMENT, start);
        assert!(acks.ping(true, start).is_some());
    }
    assert_eq!(acks.pings.len(), OUTSTANDING);
    // One that is not remembered says nothing, and the last one stands for all.
    acks.pong(5_000 * SEGMENT / 2, start + ms(10)).unwrap();
    assert!(acks.in_flight() > 0);
    acks.pong(10 * OUTSTANDING as u64 * SEGMENT, start + ms(20))
        .unwrap();
    assert_eq!(acks.in_flight(), 0);
}

#[test]
fn the_newest_streams_are_kept() {
    let mut extents = Extents::default();
    for number in 0..5 {
        extents.reach(number, 100 + number);
    }
    extents.reach(0, 999);
    let ends = [0, 1, 2, 3, 4].map(|number| extents.of(number));
    assert_eq!(ends, [0, 0, 102, 103, 104]);
    extents.reach(3, 50);
    assert_eq!(extents.of(3), 103, "it does not go back");
}
