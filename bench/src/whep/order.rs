//! Packets in the order of their numbers, and what is missing among them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::rtp::unwrapped;
use crate::tally::Packets;

/// How long a missing packet is waited for; then what needs it is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is asked for.
const AGAIN: Duration = Duration::from_millis(50);
/// Missing packets that are asked for at once.
const ASKED: usize = 256;

/// Puts packets in order. `P` is a packet.
pub(super) struct Order<P> {
    /// The number that comes next, not wrapped; none before the first packet that begins a frame.
    next: Option<u64>,
    /// What came before that one is worth nothing, for its beginning is lost.
    gap: bool,
    /// The highest that came.
    newest: u64,
    /// What came ahead of something missing.
    ahead: BTreeMap<u64, P>,
    missing: BTreeMap<u64, Missing>,
    pub(super) counts: Packets,
}

struct Missing {
    since: Instant,
    asked: Option<Instant>,
}

/// What is next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<P> {
    Packet(P),
    /// Packets were given up: what follows does not continue what came.
    Gap,
}

impl<P> Order<P> {
    pub(super) fn new() -> Self {
        Self {
            next: None,
            gap: false,
            newest: 0,
            ahead: BTreeMap::new(),
            missing: BTreeMap::new(),
            counts: Packets::default(),
        }
    }

    /// Takes a packet, which may begin a frame; gives it back when its turn has come, and then others
    /// may be polled. One that was asked for is `repaired`.
    pub(super) fn take(
        &mut self,
        sequence: u16,
        packet: P,
        begins: bool,
        repaired: bool,
        now: Instant,
    ) -> Option<P> {
        let newest = (self.newest > 0).then_some(self.newest);
        let number = unwrapped(sequence, newest);
        self.newest = newest.unwrap_or(number);
        let Some(next) = self
            .next
            .or_else(|| begins.then(|| self.begin(number, now)))
        else {
            // On a path that jitters the first to come need not be the first that was sent.
            self.counts.came += u64::from(self.ahead.insert(number, packet).is_none());
            self.newest = self.newest.max(number);
            return None;
        };
        if number < next || self.ahead.contains_key(&number) {
            self.counts.again += 1;
            return None;
        }
        self.counts.came += u64::from(!repaired);
        self.counts.repaired += u64::from(repaired);
        if self.missing.remove(&number).is_some() {
            self.counts.late += u64::from(!repaired);
        }
        for missed in self.newest + 1..number {
            let missing = Missing {
                since: now,
                asked: None,
            };
            self.missing.insert(missed, missing);
        }
        self.newest = self.newest.max(number);
        if number == next && !self.gap {
            self.next = Some(number + 1);
            return Some(packet);
        }
        self.ahead.insert(number, packet);
        None
    }

    /// The first frame begins with this packet.
    fn begin(&mut self, number: u64, now: Instant) -> u64 {
        self.next = Some(number);
        let rest = self.ahead.split_off(&number);
        self.gap = !std::mem::replace(&mut self.ahead, rest).is_empty();
        let Self { ahead, missing, .. } = self;
        let between = (number + 1..self.newest).filter(|number| !ahead.contains_key(number));
        let asked = None;
        missing.extend(between.map(|number| (number, Missing { since: now, asked })));
        number
    }

    /// What else has its turn, or what is given up.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Next<P>> {
        let next = self.next?;
        if std::mem::take(&mut self.gap) {
            return Some(Next::Gap);
        }
        let mut first = self.ahead.first_entry()?.key().to_owned();
        if first == next {
            self.next = Some(next + 1);
            return self.ahead.remove(&first).map(Next::Packet);
        }
        let oldest = self.missing.first_key_value();
        if oldest.is_some_and(|(_, missing)| now.duration_since(missing.since) < PATIENCE) {
            return None;
        }
        // Everything that is missing below the first packet that is there.
        let rest = self.missing.split_off(&first);
        self.missing = rest;
        std::mem::swap(self.next.as_mut()?, &mut first);
        Some(Next::Gap)
    }

    /// What is to be asked for now.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<u16> {
        let due = |missing: &Missing| {
            missing
                .asked
                .is_none_or(|asked| now.duration_since(asked) >= AGAIN)
        };
        let mut lost = Vec::new();
        for (number, missing) in &mut self.missing {
            if due(missing) && lost.len() < ASKED {
                self.counts.missed += u64::from(missing.asked.is_none());
                missing.asked = Some(now);
                lost.push(*number as u16);
            }
        }
        lost
    }

    /// When something that is missing is to be asked for again, or is given up.
    pub(super) fn due(&self) -> Option<Instant> {
        let asked = self.missing.values().filter_map(|missing| missing.asked);
        asked.min().map(|asked| asked + AGAIN)
    }

    /// The highest number that came, as reports have it: wraps counted in the upper half.
    pub(super) fn newest(&self) -> u32 {
        self.newest as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out for what goes in: numbers, each as a packet.
    fn feed(order: &mut Order<u16>, numbers: &[u16], now: Instant) -> Vec<u16> {
        let mut out = Vec::new();
        for number in numbers {
            out.extend(order.take(*number, *number, true, false, now));
            while let Some(Next::Packet(packet)) = order.poll(now) {
                out.push(packet);
            }
        }
        out
    }

    #[test]
    fn packets_come_out_in_order_and_once() {
        let (mut order, now) = (Order::new(), Instant::now());
        let numbers = [65_534, 65_534, 0, 65_535, 65_535, 1, 65_530];
        assert_eq!(feed(&mut order, &numbers, now), [65_534, 65_535, 0, 1]);
        let counts = order.counts;
        assert_eq!((counts.came, counts.again, counts.late), (4, 3, 1));
    }

    #[test]
    fn a_frame_s_beginning_is_waited_for_and_what_came_of_one_before_is_a_gap() {
        let now = Instant::now();
        let mut order = Order::new();
        for number in [12, 10] {
            assert_eq!(order.take(number, number, false, false, now), None);
        }
        assert_eq!(order.poll(now), None);
        assert_eq!(order.take(9, 9, true, false, now), Some(9));
        assert_eq!(order.poll(now), Some(Next::Packet(10)));
        assert_eq!((order.poll(now), order.ask(now)), (None, vec![11]));

        let mut order = Order::new();
        assert_eq!(order.take(8, 8, false, false, now), None);
        assert_eq!(order.take(9, 9, true, false, now), None);
        assert_eq!(order.poll(now), Some(Next::Gap));
        assert_eq!(order.poll(now), Some(Next::Packet(9)));
    }

    #[test]
    fn what_is_missing_is_asked_for_again_and_given_up_in_the_end() {
        let (mut order, now) = (Order::new(), Instant::now());
        assert_eq!(feed(&mut order, &[10, 13], now), [10]);
        assert_eq!(order.ask(now), [11, 12]);
        assert!(order.ask(now).is_empty());
        assert_eq!(order.due(), Some(now + AGAIN));
        assert_eq!(order.take(12, 12, false, true, now), None);
        assert_eq!(order.ask(now + AGAIN), [11]);
        assert_eq!(order.poll(now + AGAIN), None);
        let late = now + PATIENCE;
        assert_eq!(order.poll(late), Some(Next::Gap));
        assert_eq!(order.poll(late), Some(Next::Packet(12)));
        assert_eq!(order.poll(late), Some(Next::Packet(13)));
        assert_eq!(order.poll(late), None);
        assert_eq!((order.counts.missed, order.counts.repaired), (2, 1));
        assert!(order.ask(late).is_empty());
        assert_eq!(feed(&mut order, &[11, 14], late), [14]);
    }
}
