//! When the next packets may go out, for a carrier that sends them itself.

use std::time::{Duration, Instant};

use super::{Bytes, Rate};

/// What may go out at once: as much as the rate carries in this time.
const BURST: Duration = Duration::from_millis(5);

/// Spreads packets over time at a rate.
///
/// It remembers a deadline, not an allowance that is topped up: the moment from which the path is
/// free again. However often it is asked in between, nothing moves.
#[derive(Debug, Clone)]
pub struct Pacer {
    rate: Rate,
    /// The largest packet: at least one goes out when it is due.
    packet: Bytes,
    /// When everything sent so far has gone at the rate.
    free: Instant,
}

impl Pacer {
    /// A pacer with nothing sent yet, for packets of at most this size.
    pub fn new(now: Instant, packet: Bytes, rate: Rate) -> Self {
        Self {
            rate,
            packet,
            free: now,
        }
    }

    /// Sends at another rate from now on.
    pub fn set_rate(&mut self, now: Instant, rate: Rate) {
        let left = self.free.saturating_duration_since(now);
        if !left.is_zero() && rate.bytes() > 0.0 {
            self.free = now + rate.takes(self.rate.carries(left));
        }
        self.rate = rate;
    }

    /// Bytes that may go out now; a packet that is begun may be larger than what is left.
    pub fn may_send(&self, now: Instant) -> Bytes {
        let burst = self.burst();
        let ahead = self.free.saturating_duration_since(now);
        let left = burst.saturating_sub(ahead);
        match left.is_zero() {
            true => Bytes::default(),
            false => self.rate.carries(left).max(self.packet),
        }
    }

    /// When more may go out than now, or at once.
    pub fn due(&self) -> Instant {
        // A burst earlier than when the path is free; a moment later, so that there is room.
        self.free - self.burst().min(self.free_for()) + Duration::from_micros(1)
    }

    /// Bytes went out.
    pub fn on_sent(&mut self, now: Instant, bytes: Bytes) {
        self.free = self.free.max(now) + self.rate.takes(bytes);
    }

    fn burst(&self) -> Duration {
        BURST
            .max(self.rate.takes(self.packet))
            .min(Duration::from_secs(1))
    }

    /// The burst, unless the clock began less than that ago.
    fn free_for(&self) -> Duration {
        self.free
            .checked_sub(self.burst())
            .map_or(Duration::ZERO, |_| self.burst())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Bytes = Bytes::new(1_200);

    /// Sends whenever it may, asked at `due` and also every `step`; gives the bytes of a second.
    fn second(step: Duration, rate: Rate) -> u64 {
        let start = Instant::now();
        let mut pacer = Pacer::new(start, PACKET, rate);
        let (mut sent, mut now) = (0, start);
        while now < start + Duration::from_secs(1) {
            while pacer.may_send(now) > Bytes::default() {
                pacer.on_sent(now, PACKET);
                sent += PACKET.count();
            }
            now = (now + step).min(pacer.due().max(now + Duration::from_nanos(1)));
        }
        sent
    }

    #[test]
    fn the_rate_is_kept_whatever_else_happens() {
        let rate = Rate::bits_per_second(2e6);
        for step in [
            Duration::from_micros(50),
            Duration::from_millis(1),
            Duration::from_secs(1),
        ] {
            let sent = second(step, rate);
            assert!((248_000..=254_000).contains(&sent), "{sent} every {step:?}");
        }
    }

    #[test]
    fn as_much_goes_at_once_as_the_rate_carries_in_a_burst_and_the_rest_when_it_is_due() {
        let start = Instant::now();
        // 5 ms carry 5,000 bytes.
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(8e6));
        assert_eq!(pacer.may_send(start), Bytes::new(5_000));
        pacer.on_sent(start, Bytes::new(4_500));
        assert_eq!(
            pacer.may_send(start),
            PACKET,
            "one that is begun is finished"
        );
        pacer.on_sent(start, PACKET);
        assert_eq!(pacer.may_send(start), Bytes::default());
        let due = pacer.due();
        assert_eq!(due, start + Duration::from_micros(701));
        assert!(pacer.may_send(due) > Bytes::default());
        assert_eq!(
            pacer.may_send(due - Duration::from_micros(1)),
            Bytes::default()
        );
    }

    #[test]
    fn a_slow_path_is_sent_a_packet_at_a_time() {
        let start = Instant::now();
        // A packet takes 96 ms.
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(100e3));
        assert_eq!(pacer.may_send(start), PACKET);
        pacer.on_sent(start, PACKET);
        assert_eq!(pacer.may_send(start), Bytes::default());
        assert_eq!(pacer.due(), start + Duration::from_micros(1));
        pacer.on_sent(start, PACKET);
        assert_eq!(pacer.due(), start + Duration::from_micros(96_001));
        // However slow it is, something goes every second.
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(1.0));
        pacer.set_rate(start, Rate::bits_per_second(9_600.0));
        assert_eq!(pacer.burst(), Duration::from_secs(1));
    }

    #[test]
    fn what_is_on_its_way_takes_as_much_longer_as_the_rate_falls() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(8e6));
        pacer.on_sent(start, Bytes::new(20_000));
        pacer.set_rate(start, Rate::bits_per_second(4e6));
        assert_eq!(pacer.free - start, Duration::from_millis(40));
        pacer.set_rate(start, Rate::default());
        assert_eq!(pacer.free - start, Duration::from_millis(40));
    }

    #[test]
    fn what_was_not_sent_in_time_is_no_burst_later() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(8e6));
        let later = start + Duration::from_secs(10);
        let mut sent = 0;
        while pacer.may_send(later) > Bytes::default() {
            pacer.on_sent(later, PACKET);
            sent += PACKET.count();
        }
        assert!(sent <= 5_000 + PACKET.count(), "{sent}");
    }

    #[test]
    fn a_new_rate_counts_at_once() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start, PACKET, Rate::bits_per_second(80e3));
        pacer.on_sent(start, Bytes::new(10_000));
        pacer.set_rate(start, Rate::bits_per_second(8e6));
        assert!(pacer.due() <= start + Duration::from_millis(10));
    }
}
