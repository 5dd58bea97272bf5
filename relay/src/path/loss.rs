//! How much is lost, and whether that says that the path is full.

use std::time::{Duration, Instant};

use super::model::Ack;

/// A share of lost packets that means that the path is full, though its queue is too short to
/// tell: random loss is hardly ever as bad.
const FULL: f64 = 0.12;
/// Where packets overtake one another many are taken for lost that are not: a second of jitter
/// adds so much to that share.
const FULL_JITTER: f64 = 20.0;
/// Loss is smoothed over so many packets: few at first, when a path may be overrun at once.
const PACKETS: (f64, f64) = (32.0, 128.0);
/// As long as it is not the latter, chance makes up more of it: this much more is usual.
const YOUNG: f64 = 2.0;
/// When at a lower rate as large a share of the loss is left, it is not this flow's doing but what
/// packets overtake, or a wireless link loses.
const LEFT: f64 = 0.6;
/// Loss of so many times as much is no sign then, as long as it has been as bad within this time.
const NOISE: f64 = 1.5;
const NOISY: Duration = Duration::from_secs(30);
/// Packets that are enough to tell.
const TELLING: f64 = 40.0;

/// Loss, smoothed.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    share: f64,
    /// Packets that it is of.
    packets: f64,
    /// Loss of what was sent before has been answered by a lower rate.
    answered: Instant,
    answer: Option<Answer>,
    noise: Option<Noise>,
}

/// What became of packets since a lower rate was the answer to loss.
#[derive(Debug, Clone, Copy)]
struct Answer {
    /// The share that was lost before.
    before: f64,
    lost: f64,
    arrived: f64,
}

/// Loss that comes whatever the rate is.
#[derive(Debug, Clone, Copy)]
struct Noise {
    share: f64,
    until: Instant,
}

impl Loss {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            share: 0.0,
            packets: 0.0,
            answered: now,
            answer: None,
            noise: None,
        }
    }

    /// The share of packets that is lost at present.
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// A packet has arrived.
    pub(super) fn arrived(&mut self, ack: &Ack, packet: f64) {
        if ack.sent < self.answered {
            return;
        }
        self.share -= self.share * self.gain(1.0);
        if let Some(answer) = &mut self.answer {
            answer.arrived += ack.bytes.amount() / packet;
        }
    }

    /// So many packets are taken to be lost, the last of them sent then.
    pub(super) fn lost(&mut self, sent: Instant, packets: f64) {
        if sent < self.answered {
            return;
        }
        self.share += (1.0 - self.share) * self.gain(packets);
        if let Some(answer) = &mut self.answer {
            answer.lost += packets;
        }
    }

    /// The share of so many packets in the smoothed loss.
    fn gain(&mut self, packets: f64) -> f64 {
        let (few, most) = PACKETS;
        self.packets = (self.packets + packets).min(most);
        (packets / self.packets.max(few)).min(1.0)
    }

    /// Whether more is lost than on a path that is not full; `jitter` is in seconds.
    pub(super) fn is_beyond_usual(&mut self, now: Instant, jitter: f64) -> bool {
        let young = self.packets < PACKETS.1;
        let full = (FULL + FULL_JITTER * jitter) * if young { YOUNG } else { 1.0 };
        self.noise = self.noise.filter(|noise| now < noise.until);
        let usual = match &mut self.noise {
            Some(noise) => {
                if self.share > full {
                    noise.until = now + NOISY;
                }
                noise.share.max(full)
            }
            None => full,
        };
        self.share > usual
    }

    /// The rate is lower from now on, and that has yet to show what it does to the loss.
    pub(super) fn answer(&mut self, now: Instant) {
        self.answered = now;
        self.answer = Some(Answer {
            before: std::mem::take(&mut self.share),
            lost: 0.0,
            arrived: 0.0,
        });
    }

    /// Whether the lower rate was in vain: said once, when there are enough packets to tell. Such
    /// loss is no sign of a full path from then on.
    pub(super) fn was_in_vain(&mut self, now: Instant) -> Option<bool> {
        let answer = self.answer?;
        let sent = answer.lost + answer.arrived;
        if sent < TELLING {
            return None;
        }
        self.answer = None;
        let after = answer.lost / sent;
        let vain = after > answer.before * LEFT;
        if vain {
            let share = (answer.before.max(after) * NOISE).min(0.9);
            let until = now + NOISY;
            self.noise = Some(Noise { share, until });
        }
        Some(vain)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bytes;
    use super::*;

    const PACKET: f64 = 1_200.0;

    /// Packets on their way, one after another.
    struct Scene {
        loss: Loss,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            let now = Instant::now();
            let loss = Loss::new(now);
            Self { loss, now }
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        /// So many packets, of which each of so many is lost.
        fn send(&mut self, packets: usize, each: usize) {
            for packet in 1..=packets {
                if packet % each == 0 {
                    self.loss.lost(self.now, 1.0);
                } else {
                    self.arrive(self.now);
                }
            }
        }

        fn arrive(&mut self, sent: Instant) {
            let bytes = Bytes::new(1_200);
            self.loss.arrived(&Ack { sent, bytes }, PACKET);
        }

        fn is_beyond_usual(&mut self) -> bool {
            self.loss.is_beyond_usual(self.now, 0.0)
        }
    }

    #[test]
    fn the_share_that_is_lost_is_smoothed_over_a_hundred_packets() {
        let mut scene = Scene::new();
        scene.loss.lost(scene.now, 1.0);
        assert_eq!(scene.loss.share(), 1.0 / 32.0, "one of a few");
        scene.send(1_000, 10);
        assert!(
            (0.08..0.13).contains(&scene.loss.share()),
            "{}",
            scene.loss.share()
        );
        scene.send(128, usize::MAX);
        assert!(
            (0.02..0.05).contains(&scene.loss.share()),
            "{}",
            scene.loss.share()
        );
        scene.loss.lost(scene.now, 1_000.0);
        assert_eq!(scene.loss.share(), 1.0);
    }

    #[test]
    fn a_path_is_full_where_more_is_lost_than_by_chance() {
        let mut scene = Scene::new();
        scene.send(1_000, 10);
        assert!(!scene.is_beyond_usual());
        scene.send(1_000, 6);
        assert!(scene.is_beyond_usual());
        // Where packets overtake one another many are taken for lost that are not.
        assert!(!scene.loss.is_beyond_usual(scene.now, 0.010));
        // As long as there are few packets, chance makes up more.
        let mut scene = Scene::new();
        scene.send(120, 6);
        assert!(scene.loss.share() > FULL && !scene.is_beyond_usual());
    }

    #[test]
    fn packets_from_before_the_answer_say_nothing_of_it() {
        let mut scene = Scene::new();
        let before = scene.now;
        scene.pass(1);
        scene.loss.answer(scene.now);
        scene.loss.lost(before, 10.0);
        assert_eq!(scene.loss.share(), 0.0);
        for _ in 0..100 {
            scene.arrive(before);
        }
        assert_eq!(
            scene.loss.was_in_vain(scene.now),
            None,
            "nothing is known yet"
        );
        scene.send(39, usize::MAX);
        assert_eq!(scene.loss.was_in_vain(scene.now), None);
        scene.send(1, usize::MAX);
        assert_eq!(scene.loss.was_in_vain(scene.now), Some(false));
        assert_eq!(scene.loss.was_in_vain(scene.now), None, "it is said once");
    }

    /// A path on which one packet of five is lost at any rate: the answer was in vain.
    fn noisy() -> Scene {
        let mut scene = Scene::new();
        scene.send(1_000, 5);
        assert!(scene.is_beyond_usual());
        scene.loss.answer(scene.now);
        scene.send(1_000, 5);
        assert_eq!(scene.loss.was_in_vain(scene.now), Some(true));
        scene
    }

    #[test]
    fn loss_that_comes_at_any_rate_is_usual_from_then_on() {
        let mut scene = noisy();
        assert!(!scene.is_beyond_usual());
        scene.send(1_000, 4);
        assert!(!scene.is_beyond_usual(), "a little more is chance");
        scene.send(1_000, 2);
        assert!(scene.is_beyond_usual());
    }

    #[test]
    fn loss_that_has_ended_is_usual_no_longer_after_half_a_minute() {
        let mut scene = noisy();
        // It goes on: so does what is usual.
        scene.pass(29);
        assert!(!scene.is_beyond_usual());
        scene.pass(29);
        assert!(!scene.is_beyond_usual());
        scene.send(1_000, usize::MAX);
        scene.pass(30);
        scene.is_beyond_usual();
        scene.send(1_000, 5);
        assert!(scene.is_beyond_usual());
    }

    #[test]
    fn loss_that_falls_with_the_rate_was_a_full_path() {
        let mut scene = Scene::new();
        scene.send(1_000, 3);
        scene.loss.answer(scene.now);
        scene.send(100, 10);
        assert_eq!(scene.loss.was_in_vain(scene.now), Some(false));
        scene.send(1_000, 5);
        assert!(scene.is_beyond_usual());
    }
}
