use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::*;

const PACKET: u64 = 1_200;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A path without loss, and the packets on it.
struct Path {
    model: Model,
    now: Instant,
    base: Duration,
    /// When each packet arrives, and when it was sent.
    under_way: VecDeque<(Instant, Instant)>,
    /// When the next packet may go at the pacing rate.
    free: Option<Instant>,
}

impl Path {
    fn new(base: Duration) -> Self {
        let now = Instant::now();
        Self {
            model: Model::new(now, Bytes::new(PACKET)),
            now,
            base,
            under_way: VecDeque::new(),
            free: None,
        }
    }

    /// Sends a packet that leaves the queue so long after the last one, or after now.
    fn send(&mut self, takes: Duration) {
        let free = self.under_way.back().map(|(arrives, _)| *arrives);
        let free = free.map_or(self.now, |arrives| self.now.max(arrives - self.base));
        self.model.on_sent(self.now, Bytes::new(PACKET));
        self.under_way
            .push_back((free + takes + self.base, self.now));
    }

    fn fits(&self) -> bool {
        self.model.in_flight().count() + PACKET <= self.model.window().count()
    }

    fn run(&mut self, until: Instant) {
        while let Some((arrives, sent)) = self.under_way.front().copied()
            && arrives <= until
        {
            self.under_way.pop_front();
            self.now = arrives;
            let bytes = Bytes::new(PACKET);
            self.model.on_ack(arrives, Ack { sent, bytes });
            let flight = Bytes::new(self.under_way.len() as u64 * PACKET);
            let time = arrives - sent;
            let held = Duration::ZERO;
            let sample = Some(RoundTrip { sent, time, held });
            self.model.on_acks_end(arrives, flight, sample);
        }
        self.now = until;
    }
}

impl Path {
    /// Sends up to so many packets every 10 ms, over a path whose queue is somebody else's.
    fn among_others(&mut self, base: Duration, lasts: Duration, packets: usize) -> Mode {
        self.base = base;
        let began = self.now;
        while self.now < began + lasts {
            let mut left = packets;
            while left > 0 && self.fits() {
                self.send(ms(1));
                left -= 1;
            }
            self.run(self.now + ms(10));
        }
        self.model.mode()
    }
}

/// A path that a queue of 200 ms has come to stand on, whatever this flow does.
fn beside_a_rival() -> Path {
    let mut path = Path::new(ms(45));
    path.send(ms(0));
    path.run(path.now + ms(100));
    let mode = path.among_others(ms(245), ms(4_000), usize::MAX);
    assert_eq!(mode, Mode::Beside);
    path
}

#[test]
fn a_rival_is_noticed_with_the_smallest_window_as_well() {
    beside_a_rival();
}

#[test]
fn a_rival_that_makes_way_for_a_moment_has_not_gone() {
    let mut path = beside_a_rival();
    // The first 200 ms of it the queue takes to drain.
    assert_eq!(path.among_others(ms(45), ms(900), 2), Mode::Beside);
    assert_eq!(path.among_others(ms(245), ms(500), 2), Mode::Beside);
    assert_ne!(path.among_others(ms(45), ms(1_900), 2), Mode::Beside);
}

/// What came of sending as much as the model lets.
struct Outcome {
    /// Bytes a second.
    rate: f64,
    /// The usual and the longest time in the queue.
    queue: Duration,
    longest: Duration,
}

impl Path {
    /// Sends as much as the model lets for so long, through a queue that a packet leaves every `takes`.
    /// Of so many packets one is lost.
    fn fill(&mut self, lasts: Duration, takes: Duration, lost: u64) -> Outcome {
        let (began, acked) = (self.now, self.model.acked().count());
        let (mut waits, mut number) = (Vec::new(), 0);
        while self.now < began + lasts {
            while self.fits() && self.may_go() {
                number += 1;
                if number % lost == 0 {
                    self.lose();
                } else {
                    self.send(takes);
                }
            }
            let waits_for = |(arrives, _): &(Instant, Instant)| *arrives - self.now;
            let queued = self.under_way.back().map_or(Duration::ZERO, waits_for);
            waits.push(queued.saturating_sub(self.base));
            self.run(self.now + ms(1));
        }
        waits.sort_unstable();
        Outcome {
            rate: (self.model.acked().count() - acked) as f64 / lasts.as_secs_f64(),
            queue: waits[waits.len() / 2],
            longest: waits[waits.len() - 1],
        }
    }

    /// Packets go at the pacing rate, as they do from a carrier.
    fn may_go(&mut self) -> bool {
        let free = self.free.get_or_insert(self.now);
        if *free > self.now {
            return false;
        }
        *free = (*free).max(self.now - ms(5)) + self.model.pacing_rate().takes(Bytes::new(PACKET));
        true
    }

    /// A packet is sent and lost, which is known at once.
    fn lose(&mut self) {
        self.model.on_sent(self.now, Bytes::new(PACKET));
        self.model.on_loss(self.now, self.now, Bytes::new(PACKET));
    }
}

/// How long a packet takes at so many kbit/s.
fn at_kbit(kbit: u64) -> Duration {
    Duration::from_micros(PACKET * 8 * 1_000 / kbit)
}

fn is_about(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= other * share
}

const NONE: u64 = u64::MAX;

#[test]
fn a_path_is_filled_without_a_standing_queue_and_what_it_carries_is_known() {
    for (kbit, base) in [
        (400, 40),
        (1_000, 40),
        (5_000, 40),
        (5_000, 100),
        (20_000, 10),
    ] {
        let mut path = Path::new(ms(base));
        path.fill(Duration::from_secs(5), at_kbit(kbit), NONE);
        let outcome = path.fill(Duration::from_secs(10), at_kbit(kbit), NONE);
        let carries = kbit as f64 * 125.0;
        let name = format!("{kbit} kbit/s, {base} ms");
        assert!(outcome.rate > 0.9 * carries, "{name}: {}", outcome.rate);
        let packets = at_kbit(kbit) * 4;
        assert!(
            outcome.queue < ms(35) + packets,
            "{name}: {:?}",
            outcome.queue
        );
        assert!(
            outcome.longest < ms(60) + packets,
            "{name}: {:?}",
            outcome.longest
        );
        assert_eq!(path.model.mode(), Mode::Steady, "{name}");
        let told = path.model.carries().map_or(0.0, Rate::bytes);
        assert!(is_about(told, carries, 0.15), "{name}: {told}");
        assert!(
            is_about(path.model.leaving().bytes(), carries, 0.15),
            "{name}"
        );
        let least = path.model.base().unwrap();
        // Four packets are always on their way, and wait for one another on a very narrow path.
        let alone = ms(base) + at_kbit(kbit).max((at_kbit(kbit) * 4).saturating_sub(ms(base)));
        assert!(least.abs_diff(alone) < ms(2), "{name}: {least:?}");
        assert!(path.model.queue() < ms(60) + packets, "{name}");
    }
}

#[test]
fn a_path_that_narrows_and_widens_is_followed_within_seconds() {
    let mut path = Path::new(ms(40));
    path.fill(Duration::from_secs(5), at_kbit(5_000), NONE);
    path.fill(Duration::from_secs(3), at_kbit(1_000), NONE);
    let narrow = path.fill(Duration::from_secs(5), at_kbit(1_000), NONE);
    assert!(narrow.rate > 0.9 * 125_000.0, "{}", narrow.rate);
    assert!(narrow.longest < ms(110), "{:?}", narrow.longest);
    path.fill(Duration::from_secs(4), at_kbit(5_000), NONE);
    let wide = path.fill(Duration::from_secs(5), at_kbit(5_000), NONE);
    assert!(wide.rate > 0.85 * 625_000.0, "{}", wide.rate);
    assert!(wide.queue < ms(40), "{:?}", wide.queue);
}

#[test]
fn loss_by_chance_does_not_slow_it() {
    for lost in [100, 20] {
        let mut path = Path::new(ms(50));
        path.fill(Duration::from_secs(3), at_kbit(5_000), lost);
        let outcome = path.fill(Duration::from_secs(10), at_kbit(5_000), lost);
        assert!(
            outcome.rate > 0.85 * 625_000.0,
            "one of {lost}: {}",
            outcome.rate
        );
    }
}

#[test]
fn a_path_that_carries_all_that_there_is_to_send_is_never_called_full() {
    let mut path = Path::new(ms(40));
    let began = path.now;
    while path.now < began + Duration::from_secs(20) {
        // 30 pictures a second of three packets: a sixth of what there is.
        for _ in 0..3 {
            path.send(at_kbit(5_000));
        }
        path.run(path.now + ms(33));
    }
    assert_eq!(
        (path.model.carries(), path.model.mode()),
        (None, Mode::Start)
    );
    assert!(path.model.window().count() >= 16 * PACKET);
    // What was not asked for is there at once.
    path.fill(Duration::from_secs(2), at_kbit(5_000), NONE);
    let outcome = path.fill(Duration::from_secs(5), at_kbit(5_000), NONE);
    assert!(outcome.rate > 0.85 * 625_000.0, "{}", outcome.rate);
}

#[test]
fn of_a_new_path_sixteen_packets_are_sent_and_paced_as_if_it_took_a_third_of_a_second() {
    let now = Instant::now();
    let mut model = Model::new(now, Bytes::new(PACKET));
    assert_eq!(model.window(), Bytes::new(16 * PACKET));
    let paced = model.pacing_rate().bytes();
    assert!(is_about(paced, 3.0 * 16.0 * PACKET as f64, 1e-9), "{paced}");
    assert_eq!((model.base(), model.carries()), (None, None));
    model.set_packet(Bytes::new(9_000));
    assert_eq!(model.window(), Bytes::new(36_000), "four at least");
}

#[test]
fn what_was_acknowledged_lost_or_will_never_be_known_is_in_flight_no_more() {
    let now = Instant::now();
    let mut model = Model::new(now, Bytes::new(PACKET));
    for _ in 0..4 {
        model.on_sent(now, Bytes::new(PACKET));
    }
    let bytes = Bytes::new(PACKET);
    model.on_loss(now, now, bytes);
    model.on_unheard(bytes);
    assert_eq!(model.in_flight(), Bytes::new(2 * PACKET));
    model.on_ack(now + ms(40), Ack { sent: now, bytes });
    assert_eq!((model.in_flight(), model.acked()), (bytes, bytes));
}

#[test]
fn a_window_that_is_filled_doubles_in_a_round_trip_and_one_that_is_not_stays() {
    let window_after = |packets: u64| {
        let now = Instant::now();
        let (bytes, time) = (Bytes::new(PACKET), ms(40));
        let mut model = Model::new(now, bytes);
        (0..packets).for_each(|_| model.on_sent(now, bytes));
        for _ in 0..packets {
            model.on_ack(now + time, Ack { sent: now, bytes });
        }
        let held = Duration::ZERO;
        let sample = RoundTrip {
            sent: now,
            time,
            held,
        };
        model.on_acks_end(now + time, Bytes::default(), Some(sample));
        model.window().count() / PACKET
    };
    assert_eq!(window_after(16), 32);
    assert_eq!(window_after(2), 16);
}

#[test]
fn silence_halves_what_is_sent() {
    let mut path = Path::new(ms(40));
    path.fill(Duration::from_secs(5), at_kbit(5_000), NONE);
    let before = path.model.leaving().bytes();
    path.model.on_silence(path.now);
    assert!(is_about(path.model.leaving().bytes(), before / 2.0, 1e-9));
    assert_eq!(path.model.mode(), Mode::Steady);
}
