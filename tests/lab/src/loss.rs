//! How packets are lost, other than for want of room in a queue.

use crate::dice::{Dice, For};
use crate::link::Reason;

/// How packets are lost on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Loss {
    /// None is.
    #[default]
    Never,
    /// Each with this chance, whatever became of the others.
    Random {
        /// From 0 to 1.
        share: f64,
    },
    /// A chain of two states, good and bad (Gilbert 1960, Elliott 1963), with a step per packet.
    GilbertElliott {
        /// Chance that the bad state follows the good one.
        to_bad: f64,
        /// Chance that the good state follows the bad one.
        to_good: f64,
        /// Chance of a packet to be lost in the good state.
        good_loss: f64,
        /// Chance of a packet to be lost in the bad state.
        bad_loss: f64,
    },
    /// So many packets one after another, each time.
    Trains {
        /// Of all packets, from 0 to 1.
        share: f64,
        /// Packets that go together.
        length: u32,
    },
}

impl Loss {
    /// Each packet with this chance, from 0 to 1.
    pub const fn random(share: f64) -> Self {
        Self::Random { share }
    }

    /// This share of all packets, in trains of just this length.
    pub const fn trains(share: f64, length: u32) -> Self {
        Self::Trains { share, length }
    }

    /// A Gilbert-Elliott chain that loses this share of all packets, every one while it is in its
    /// bad state, and is there for so many packets in the mean.
    pub const fn bursts(share: f64, mean_length: f64) -> Self {
        let to_good = 1.0 / mean_length;
        Self::GilbertElliott {
            to_bad: to_good * share / (1.0 - share),
            to_good,
            good_loss: 0.0,
            bad_loss: 1.0,
        }
    }
}

/// Decides packet by packet.
#[derive(Debug)]
pub(crate) struct Fortune {
    dice: Dice,
    bad: bool,
    /// Packets of a train that are still to be lost.
    left: u32,
}

impl Fortune {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed, For::Loss),
            bad: false,
            left: 0,
        }
    }

    /// Why the next packet is lost, if it is.
    pub(crate) fn decide(&mut self, loss: &Loss) -> Option<Reason> {
        match *loss {
            Loss::Never => None,
            Loss::Random { share } => self.dice.hits(share).then_some(Reason::Random),
            Loss::GilbertElliott {
                to_bad,
                to_good,
                good_loss,
                bad_loss,
            } => {
                let leaves = self.dice.hits(if self.bad { to_good } else { to_bad });
                self.bad ^= leaves;
                let chance = if self.bad { bad_loss } else { good_loss };
                self.dice.hits(chance).then_some(Reason::Burst)
            }
            Loss::Trains { share, length } => self.train(share, length).then_some(Reason::Burst),
        }
    }

    fn train(&mut self, share: f64, length: u32) -> bool {
        if self.left == 0 {
            if share <= 0.0 {
                return false;
            }
            // Between two trains of n packets lie n (1 - share) / share that get through.
            let between = f64::from(length) * (1.0 - share) / share;
            if !self.dice.hits(1.0 / (1.0 + between)) {
                return false;
            }
            self.left = length;
        }
        self.left = self.left.saturating_sub(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of the runs of lost packets, and the share that they are of `packets`.
    fn runs(loss: Loss, seed: u64, packets: usize) -> (Vec<usize>, f64) {
        let mut fortune = Fortune::new(seed);
        let lost: Vec<bool> = (0..packets)
            .map(|_| fortune.decide(&loss).is_some())
            .collect();
        let runs = lost.split(|lost| !lost).map(<[bool]>::len);
        let runs: Vec<_> = runs.filter(|length| *length > 0).collect();
        let share = runs.iter().sum::<usize>() as f64 / packets as f64;
        (runs, share)
    }

    /// Runs of some length are few, so that chance shows.
    fn near(value: f64, expected: f64) {
        let off = (value / expected - 1.0).abs();
        assert!(off < 0.2, "{value} instead of {expected}");
    }

    #[test]
    fn every_kind_loses_its_share_whatever_the_seed() {
        for seed in 1..=5 {
            for share in [0.01, 0.02, 0.05] {
                near(runs(Loss::random(share), seed, 50_000).1, share);
                near(runs(Loss::bursts(share, 4.0), seed, 300_000).1, share);
                near(runs(Loss::trains(share, 8), seed, 300_000).1, share);
            }
        }
    }

    #[test]
    fn random_losses_rarely_come_together_and_bursts_do() {
        let mean =
            |(runs, _): (Vec<usize>, f64)| runs.iter().sum::<usize>() as f64 / runs.len() as f64;
        near(mean(runs(Loss::random(0.02), 1, 200_000)), 1.0 / 0.98);
        near(mean(runs(Loss::bursts(0.02, 5.0), 1, 400_000)), 5.0);
    }

    #[test]
    fn trains_are_of_their_length() {
        let (runs, _) = runs(Loss::trains(0.02, 8), 3, 100_000);
        // A train may follow another at once.
        assert!(runs[..runs.len() - 1].iter().all(|run| run % 8 == 0));
        let single = runs.iter().filter(|run| **run == 8).count();
        assert!(single * 10 > runs.len() * 9);
    }

    #[test]
    fn the_good_state_of_a_chain_may_lose_as_well() {
        let loss = Loss::GilbertElliott {
            to_bad: 0.0,
            to_good: 1.0,
            good_loss: 0.1,
            bad_loss: 1.0,
        };
        near(runs(loss, 1, 100_000).1, 0.1);
    }
}
