//! Which frames of sound one player has heard; pure.

use std::collections::BTreeSet;

/// A frame that comes so many frames after its turn, a second later, is of no use to anybody.
pub const HEARD_WITHIN: u64 = 50;

/// One player's count of what came, and of what still may.
#[derive(Debug, Default)]
pub struct Ear {
    newest: Option<u64>,
    /// Those before the newest that have not come.
    awaited: BTreeSet<u64>,
    /// The last one that was given up.
    missed: Option<u64>,
}

/// What a packet brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// Frames that had not come before.
    pub new: u64,
    /// Frames that nobody waits for any longer.
    pub missed: u64,
    /// Of them, those that are the first in a row.
    pub gaps: u64,
}

impl Ear {
    /// Takes a packet with the frame of this number, and so many before it beside. What comes first is where
    /// hearing begins.
    pub fn take(&mut self, number: u64, repeats: u64) -> Came {
        let first = match self.newest {
            Some(_) => number.saturating_sub(repeats),
            None => number,
        };
        let mut came = Came::default();
        for number in first..=number {
            came.new += u64::from(self.frame(number));
        }
        self.give_up(&mut came);
        came
    }

    /// Whether this frame is new.
    fn frame(&mut self, number: u64) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(number);
            return true;
        };
        if number <= newest {
            return self.awaited.remove(&number);
        }
        self.awaited.extend(newest + 1..number);
        self.newest = Some(number);
        true
    }

    fn give_up(&mut self, came: &mut Came) {
        let newest = self.newest.unwrap_or_default();
        while let Some(first) = self.awaited.first().copied() {
            if first + HEARD_WITHIN > newest {
                break;
            }
            self.awaited.remove(&first);
            came.missed += 1;
            let follows = self.missed.is_some_and(|missed| missed + 1 == first);
            came.gaps += u64::from(!follows);
            self.missed = Some(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears these packets, then enough for everything to be settled: what was new, missed, and in how many gaps.
    fn hear(packets: &[(u64, u64)]) -> (u64, u64, u64) {
        let mut ear = Ear::default();
        let last = packets.iter().map(|(number, _)| *number).max().unwrap();
        let rest = (last + 1..=last + HEARD_WITHIN).map(|number| (number, 0));
        let all = packets.iter().copied().chain(rest);
        let sum = all.fold((0, 0, 0), |(new, missed, gaps), (number, repeats)| {
            let came = ear.take(number, repeats);
            (new + came.new, missed + came.missed, gaps + came.gaps)
        });
        (sum.0 - HEARD_WITHIN, sum.1, sum.2)
    }

    #[test]
    fn what_comes_in_order_is_heard_from_the_first_on() {
        assert_eq!(hear(&[(100, 0), (101, 0), (102, 0)]), (3, 0, 0));
        // What was before somebody came is not theirs.
        assert_eq!(hear(&[(100, 2), (101, 2)]), (2, 0, 0));
    }

    #[test]
    fn what_is_missing_in_a_row_is_one_gap() {
        assert_eq!(hear(&[(1, 0), (4, 0), (6, 0)]), (3, 3, 2));
    }

    #[test]
    fn repeats_and_late_ones_fill_gaps_once() {
        assert_eq!(hear(&[(1, 0), (4, 2)]), (4, 0, 0));
        assert_eq!(hear(&[(1, 0), (3, 0), (2, 0), (2, 0)]), (3, 0, 0));
        assert_eq!(hear(&[(1, 0), (2, 2), (3, 2), (4, 2)]), (4, 0, 0));
    }

    #[test]
    fn what_comes_after_its_time_is_missed() {
        let mut ear = Ear::default();
        ear.take(1, 0);
        let came = ear.take(2 + HEARD_WITHIN, 0);
        assert_eq!((came.new, came.missed, came.gaps), (1, 1, 1));
        assert_eq!(ear.take(2, 0), Came::default());
    }
}
