//! A TCP download as its congestion control has it: Cubic (RFC 9438) with slow start, packets
//! lost when three later ones have arrived. What was lost is sent as if it were new, for nobody
//! reads it.

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) const PACKET: usize = 1_500;
const SCALE: f64 = 0.4;
const LEFT: f64 = 0.7;

pub(crate) struct Tcp {
    window: f64,
    threshold: f64,
    peak: f64,
    start: f64,
    reno: f64,
    epoch: Option<Duration>,
    next: u64,
    flight: BTreeMap<u64, Duration>,
    recovered: u64,
    round_trip: Duration,
    heard: Duration,
    pub(crate) delivered: u64,
}

impl Tcp {
    pub(crate) fn new() -> Self {
        Self {
            window: 10.0,
            threshold: f64::INFINITY,
            peak: 0.0,
            start: 10.0,
            reno: 10.0,
            epoch: None,
            next: 0,
            flight: BTreeMap::new(),
            recovered: 0,
            round_trip: Duration::from_millis(100),
            heard: Duration::ZERO,
            delivered: 0,
        }
    }

    /// The next packet to send, if the window has room for it.
    pub(crate) fn send(&mut self, now: Duration) -> Option<u64> {
        if self.flight.len() as f64 >= self.window {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.flight.insert(number, now);
        Some(number)
    }

    pub(crate) fn due(&self) -> Duration {
        self.heard + (self.round_trip * 4).max(Duration::from_millis(400))
    }

    /// Nothing was heard for long.
    pub(crate) fn timeout(&mut self, now: Duration) {
        if now < self.due() {
            return;
        }
        self.heard = now;
        if self.flight.is_empty() {
            return;
        }
        self.flight.clear();
        self.threshold = (self.window * LEFT).max(2.0);
        self.peak = self.window;
        self.window = 2.0;
        self.epoch = None;
        self.recovered = self.next;
    }

    pub(crate) fn acked(&mut self, now: Duration, number: u64) {
        self.heard = now;
        let Some(sent) = self.flight.remove(&number) else {
            return;
        };
        self.delivered += PACKET as u64;
        self.round_trip = now - sent;
        self.grow(now);
        let lost: Vec<u64> = self
            .flight
            .range(..number.saturating_sub(2))
            .map(|lost| *lost.0)
            .collect();
        for number in lost {
            self.flight.remove(&number);
            if number >= self.recovered {
                self.cut();
            }
        }
    }

    fn grow(&mut self, now: Duration) {
        if (self.flight.len() as f64) < self.window * 0.8 {
            return;
        }
        if self.window < self.threshold {
            self.window += 1.0;
            return;
        }
        let epoch = *self.epoch.get_or_insert(now);
        let flat = ((self.peak - self.start).max(0.0) / SCALE).cbrt();
        let since = (now - epoch + self.round_trip).as_secs_f64() - flat;
        let target = (SCALE * since.powi(3) + self.peak).clamp(self.window, self.window * 1.5);
        self.reno += 3.0 * (1.0 - LEFT) / (1.0 + LEFT) / self.window;
        self.window = (self.window + (target - self.window) / self.window).max(self.reno);
    }

    fn cut(&mut self) {
        self.recovered = self.next;
        self.peak = if self.window < self.peak {
            self.window * (1.0 + LEFT) / 2.0
        } else {
            self.window
        };
        self.window = (self.window * LEFT).max(2.0);
        self.threshold = self.window;
        self.start = self.window;
        self.reno = self.window;
        self.epoch = None;
    }
}
