use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// One RTP packet of one stream, header extensions and padding taken off (RFC 3550 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp, in units of its stream's clock.
    pub timestamp: u32,
    /// Its marker bit: of pictures, the last packet of one.
    pub marker: bool,
    /// What follows the header; empty in packets of nothing but padding.
    pub payload: Bytes,
    /// When it arrived, on the clock that [`Reorder`] is asked by.
    pub arrival: Duration,
}

/// How much a [`Reorder`] holds and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReorderConfig {
    /// The most packets that wait for an earlier one; 4,096 at most.
    pub packets: usize,
    /// Bytes of payload from which on no more packets wait.
    pub bytes: usize,
    /// How late a packet may be before it is asked for: most are only out of order.
    pub ask_after: Duration,
    /// The time between two requests for the same packet; a round trip or more.
    pub ask_every: Duration,
    /// The most requests for the same packet.
    pub asks: u32,
    /// How late a packet may be before it is given up.
    pub patience: Duration,
}

impl Default for ReorderConfig {
    fn default() -> Self {
        Self {
            packets: 2048,
            bytes: 8 * 1024 * 1024,
            ask_after: Duration::from_millis(10),
            ask_every: Duration::from_millis(60),
            asks: 6,
            patience: Duration::from_millis(400),
        }
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It has its place.
    New,
    /// It came before, or too late.
    Old,
    /// There is no room; it is as good as lost.
    Full,
    /// It is far from all others, and put aside until the next one confirms it.
    Stray,
    /// It confirmed the one put aside: the sender counts from there.
    Restarted,
}

/// What comes out of a [`Reorder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// The next packet.
    Packet(Packet),
    /// Packets that have not come and are no longer waited for.
    Lost {
        /// The sequence number of the first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// The sender has begun to count from somewhere else; what waited is dropped.
    Restarted,
}

/// Packets of one stream put back in order, and an eye on those that are missing.
///
/// It has no clock: times are arguments, and may come from anywhere as long as
/// they do not fall. Every place in the order comes out once, as a packet or as lost.
#[derive(Debug)]
pub struct Reorder {
    config: ReorderConfig,
    /// The number that comes out next; none before the first packet.
    next: Option<u64>,
    /// Packets at or above `next`.
    waiting: BTreeMap<u64, Packet>,
    /// Numbers from `next` to the newest packet that are not waiting.
    missing: BTreeMap<u64, Missing>,
    bytes: usize,
    stray: Option<Packet>,
    restarted: bool,
}

#[derive(Debug)]
struct Missing {
    since: Duration,
    asked: u32,
    /// When to ask for it again.
    due: Duration,
}

/// A packet this far from the next one belongs to another count.
const JUMP: i64 = 4096;
/// The first number is above this, so that none before it is negative.
const BASE: u64 = 1 << 16;

impl Reorder {
    /// Bytes of payload that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Waits for the first packet.
    pub fn new(config: ReorderConfig) -> Self {
        let packets = config.packets.clamp(1, JUMP as usize);
        Self {
            config: ReorderConfig { packets, ..config },
            next: None,
            waiting: BTreeMap::new(),
            missing: BTreeMap::new(),
            bytes: 0,
            stray: None,
            restarted: false,
        }
    }

    /// Asks for missing packets so often from now on, as the round trip time suggests.
    pub fn set_ask_every(&mut self, interval: Duration) {
        self.config.ask_every = interval;
    }

    /// Takes a packet; [`pop`](Self::pop) until there is nothing, afterwards.
    pub fn push(&mut self, packet: Packet) -> Placed {
        let next = *self.next.get_or_insert(BASE + u64::from(packet.sequence));
        // The nearest number that has this sequence number (RFC 3550 A.1).
        let distance = packet.sequence.wrapping_sub(next as u16) as i16;
        if !(-JUMP..JUMP).contains(&i64::from(distance)) {
            return self.put_aside(packet);
        }
        self.stray = None;
        match u64::try_from(distance) {
            Ok(ahead) => self.place(next + ahead, packet),
            Err(_) => Placed::Old,
        }
    }

    /// What comes next, when it is there or no longer waited for.
    pub fn pop(&mut self, now: Duration) -> Option<Ordered> {
        if std::mem::take(&mut self.restarted) {
            return Some(Ordered::Restarted);
        }
        let next = self.next?;
        if let Some(packet) = self.waiting.remove(&next) {
            self.bytes -= packet.payload.len();
            self.next = Some(next + 1);
            return Some(Ordered::Packet(packet));
        }
        let (&first, _) = self.waiting.first_key_value()?;
        if !self.is_full() && now < self.gives_up()? {
            return None;
        }
        self.missing = self.missing.split_off(&first);
        self.next = Some(first);
        Some(Ordered::Lost {
            first: next as u16,
            // Below JUMP.
            count: (first - next) as u16,
        })
    }

    /// The sequence numbers to ask for now (RFC 4585 6.2.1), in their order.
    pub fn asks(&mut self, now: Duration) -> Vec<u16> {
        let ReorderConfig {
            asks, ask_every, ..
        } = self.config;
        let due = |missing: &Missing| missing.asked < asks && missing.due <= now;
        self.missing
            .iter_mut()
            .filter(|(_, missing)| due(missing))
            .map(|(number, missing)| {
                missing.asked += 1;
                missing.due = now.saturating_add(ask_every);
                *number as u16
            })
            .collect()
    }

    /// Whether a packet of this number is missing: others that were sent after it have come.
    pub fn lacks(&self, sequence: u16) -> bool {
        let Some(next) = self.next else {
            return false;
        };
        let ahead = sequence.wrapping_sub(next as u16);
        self.missing.contains_key(&(next + u64::from(ahead)))
    }

    /// When [`pop`](Self::pop) or [`asks`](Self::asks) may have something without another packet.
    pub fn deadline(&self) -> Option<Duration> {
        let asks = self.missing.values();
        let asks = asks.filter(|missing| missing.asked < self.config.asks);
        asks.map(|missing| missing.due).chain(self.gives_up()).min()
    }

    /// When the next number is given up, if it is missing.
    ///
    /// All that are missing up to the first waiting packet are so since the same moment.
    fn gives_up(&self) -> Option<Duration> {
        let missing = self.missing.get(&self.next?)?;
        Some(missing.since.saturating_add(self.config.patience))
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= self.config.packets || self.bytes >= self.config.bytes
    }

    fn place(&mut self, number: u64, packet: Packet) -> Placed {
        if self.waiting.contains_key(&number) {
            return Placed::Old;
        }
        if self.is_full() {
            return Placed::Full;
        }
        if self.missing.remove(&number).is_none() {
            self.miss(number, packet.arrival);
        }
        self.bytes += packet.payload.len();
        self.waiting.insert(number, packet);
        Placed::New
    }

    /// Notes what should have come before a packet that is the newest.
    fn miss(&mut self, number: u64, now: Duration) {
        let missing = self.missing.last_key_value().map(|(number, _)| *number);
        let waiting = self.waiting.last_key_value().map(|(number, _)| *number);
        let known = missing.max(waiting).map(|newest| newest + 1);
        let Some(first) = known.or(self.next) else {
            return;
        };
        let due = now.saturating_add(self.config.ask_after);
        for number in first..number {
            let missing = Missing {
                since: now,
                asked: 0,
                due,
            };
            self.missing.insert(number, missing);
        }
    }

    /// Keeps a packet of another count, unless it is the second in a row (RFC 3550 A.1).
    fn put_aside(&mut self, packet: Packet) -> Placed {
        match self.stray.take() {
            Some(first) if first.sequence.wrapping_add(1) == packet.sequence => {
                let config = self.config;
                *self = Self::new(config);
                self.restarted = true;
                self.push(first);
                self.push(packet);
                Placed::Restarted
            }
            _ => {
                self.stray = Some(packet);
                Placed::Stray
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn packet(sequence: u16, arrival: Duration) -> Packet {
        Packet {
            sequence,
            timestamp: 0,
            marker: false,
            payload: Bytes::from_static(&[0; 100]),
            arrival,
        }
    }

    fn config() -> ReorderConfig {
        ReorderConfig {
            packets: 10,
            bytes: 2000,
            ask_after: 10 * MS,
            ask_every: 50 * MS,
            asks: 2,
            patience: 200 * MS,
        }
    }

    /// After packets that arrived at once.
    fn after(sequences: &[u16]) -> Reorder {
        let mut reorder = Reorder::new(config());
        for sequence in sequences {
            reorder.push(packet(*sequence, Duration::ZERO));
        }
        reorder
    }

    /// All that comes out; losses as negative counts.
    fn out(reorder: &mut Reorder, now: Duration) -> Vec<i32> {
        std::iter::from_fn(|| reorder.pop(now))
            .map(|ordered| match ordered {
                Ordered::Packet(packet) => packet.sequence.into(),
                Ordered::Lost { count, .. } => -i32::from(count),
                Ordered::Restarted => i32::MAX,
            })
            .collect()
    }

    #[test]
    fn packets_come_out_in_order_across_the_wrap() {
        let mut reorder = after(&[65534, 1, 0, 65535, 2]);
        assert_eq!(out(&mut reorder, MS), [65534, 65535, 0, 1, 2]);
        assert_eq!(reorder.deadline(), None);
    }

    #[test]
    fn repeats_and_late_packets_are_ignored() {
        let mut reorder = after(&[5, 7]);
        assert_eq!(reorder.push(packet(7, MS)), Placed::Old);
        assert_eq!(out(&mut reorder, MS), [5]);
        assert_eq!(reorder.push(packet(5, MS)), Placed::Old);
        assert_eq!(reorder.push(packet(4, MS)), Placed::Old);
        assert_eq!(out(&mut reorder, MS), []);
        assert_eq!(reorder.push(packet(6, MS)), Placed::New);
        assert_eq!(out(&mut reorder, MS), [6, 7]);
    }

    #[test]
    fn missing_packets_are_asked_for_a_few_times() {
        let mut reorder = after(&[65534, 1, 3]);
        out(&mut reorder, MS);
        assert_eq!(reorder.deadline(), Some(10 * MS));
        assert_eq!(reorder.asks(9 * MS), []);
        assert_eq!(reorder.asks(10 * MS), [65535, 0, 2]);
        assert_eq!(reorder.asks(59 * MS), []);
        reorder.push(packet(0, 59 * MS));
        assert_eq!(reorder.deadline(), Some(60 * MS));
        reorder.set_ask_every(MS);
        assert_eq!(reorder.asks(61 * MS), [65535, 2]);
        assert_eq!(reorder.asks(199 * MS), []);
        assert_eq!(reorder.deadline(), Some(200 * MS));
    }

    #[test]
    fn what_is_missing_is_asked_for_as_often_as_was_said() {
        let mut reorder = after(&[1, 3]);
        out(&mut reorder, MS);
        reorder.set_ask_every(5 * MS);
        assert_eq!(reorder.asks(10 * MS), [2]);
        assert_eq!(reorder.deadline(), Some(15 * MS));
    }

    #[test]
    fn a_gap_is_given_up_when_patience_ends() {
        let mut reorder = after(&[1, 4]);
        reorder.push(packet(6, 50 * MS));
        assert_eq!(out(&mut reorder, 199 * MS), [1]);
        let lost = Ordered::Lost { first: 2, count: 2 };
        assert_eq!(reorder.pop(200 * MS), Some(lost));
        assert_eq!(out(&mut reorder, 249 * MS), [4]);
        assert_eq!(reorder.asks(249 * MS), [5]);
        assert_eq!(out(&mut reorder, 250 * MS), [-1, 6]);
        assert_eq!(reorder.asks(300 * MS), []);
    }

    #[test]
    fn a_gap_is_given_up_when_too_much_waits() {
        let mut reorder = after(&[0]);
        out(&mut reorder, MS);
        for sequence in 2..12 {
            assert_eq!(out(&mut reorder, MS), []);
            assert_eq!(reorder.push(packet(sequence, MS)), Placed::New);
        }
        assert_eq!(reorder.push(packet(12, MS)), Placed::Full);
        assert_eq!(out(&mut reorder, MS)[..2], [-1, 2]);
        let large = Packet {
            payload: vec![0; 2000].into(),
            ..packet(13, MS)
        };
        assert_eq!(reorder.push(large), Placed::New);
        assert_eq!(out(&mut reorder, MS), [-1, 13]);
    }

    #[test]
    fn one_packet_from_far_away_changes_nothing_and_two_in_a_row_restart() {
        let mut reorder = after(&[10, 12]);
        assert_eq!(reorder.push(packet(20_000, MS)), Placed::Stray);
        assert_eq!(reorder.push(packet(11, MS)), Placed::New);
        assert_eq!(reorder.push(packet(20_001, MS)), Placed::Stray);
        assert_eq!(reorder.push(packet(20_005, MS)), Placed::Stray);
        assert_eq!(reorder.push(packet(20_006, MS)), Placed::Restarted);
        assert_eq!(out(&mut reorder, MS), [i32::MAX, 20_005, 20_006]);
        assert_eq!(reorder.push(packet(20_007, MS)), Placed::New);
        // Backwards too.
        reorder.push(packet(9, MS));
        assert_eq!(reorder.push(packet(10, MS)), Placed::Restarted);
    }

    #[test]
    fn what_waits_is_counted_in_bytes() {
        let mut reorder = after(&[0, 2, 3]);
        assert_eq!(reorder.bytes(), 300);
        assert_eq!(out(&mut reorder, MS), [0]);
        assert_eq!(reorder.bytes(), 200);
        assert_eq!(out(&mut reorder, 200 * MS), [-1, 2, 3]);
        assert_eq!(reorder.bytes(), 0);
    }

    #[test]
    fn only_numbers_between_those_that_came_are_lacking() {
        assert!(!Reorder::new(config()).lacks(0));
        let mut reorder = after(&[65534, 1]);
        assert!([65535, 0].into_iter().all(|number| reorder.lacks(number)));
        for number in [65533, 65534, 1, 2] {
            assert!(!reorder.lacks(number), "{number}");
        }
        out(&mut reorder, MS);
        reorder.push(packet(65535, MS));
        assert!(!reorder.lacks(65535) && reorder.lacks(0));
        out(&mut reorder, 200 * MS);
        assert!(!reorder.lacks(0));
    }
}
