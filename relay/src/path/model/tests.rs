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
}

impl Path {
    fn new(base: Duration) -> Self {
        let now = Instant::now();
        Self {
            model: Model::new(now, Bytes::new(PACKET)),
            now,
            base,
            under_way: VecDeque::new(),
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

#[test]
fn a_rival_is_noticed_with_the_smallest_window_as_well() {
    let mut path = Path::new(ms(45));
    path.send(ms(0));
    path.run(path.now + ms(100));
    // A queue of 200 ms stands, whatever this flow does.
    path.base = ms(245);
    let began = path.now;
    while path.now < began + Duration::from_secs(4) {
        while path.fits() {
            path.send(ms(1));
        }
        path.run(path.now + ms(10));
    }
    assert_eq!(path.model.mode(), Mode::Beside);
}
