//! Players that have everything of a track: they stand at one place, so that the cache is asked
//! once for all of them.

use super::given::Portion;
use crate::broadcast::{Cursor, RelayTime};

/// The players of one track that move together.
pub(super) struct Cohort<P, T> {
    /// By key.
    pub(super) members: Vec<usize>,
    /// Where all of them stand when the round is over.
    pub(super) cursor: Cursor,
    pub(super) packer: P,
    /// What they are being sent.
    pub(super) round: Option<Round<T>>,
}

/// Parcels on their way to all members, in turn.
pub(super) struct Round<T> {
    pub(super) parcels: Vec<T>,
    pub(super) portion: Portion,
    pub(super) begun: RelayTime,
    /// When the first of them arrived.
    pub(super) arrived: Option<RelayTime>,
    /// They begin a group.
    pub(super) opens: bool,
    /// The member that is next.
    pub(super) at: usize,
}

impl<P, T> Cohort<P, T> {
    pub(super) fn new(packer: P) -> Self {
        Self {
            members: Vec::new(),
            cursor: Cursor::default(),
            packer,
            round: None,
        }
    }

    /// Takes in a member that has everything, the round that is under way included. Gives the
    /// members whose places are new, with these.
    pub(super) fn add(&mut self, key: usize) -> Vec<(usize, usize)> {
        let last = self.members.len();
        self.members.push(key);
        let Some(round) = &mut self.round else {
            return vec![(key, last)];
        };
        self.members.swap(last, round.at);
        round.at += 1;
        let places = [round.at - 1, last];
        places.map(|at| (self.members[at], at)).into()
    }

    /// Takes out the member at `at`, which misses what is left of the round. Gives the
    /// members whose places have changed, with these.
    pub(super) fn remove(&mut self, mut at: usize) -> Vec<(usize, usize)> {
        let mut moved = Vec::new();
        // The last takes the place of the one that leaves; it must not miss a round for that.
        if let Some(round) = self.round.as_mut().filter(|round| at < round.at) {
            round.at -= 1;
            self.members.swap(at, round.at);
            moved.push((self.members[at], at));
            at = round.at;
        }
        self.members.swap_remove(at);
        if let Some(last) = self.members.get(at) {
            moved.push((*last, at));
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cohort(members: usize, at: usize) -> Cohort<(), ()> {
        let mut cohort = Cohort::new(());
        cohort.members = (0..members).collect();
        cohort.round = Some(Round {
            parcels: Vec::new(),
            portion: Portion::default(),
            begun: RelayTime::default(),
            arrived: None,
            opens: false,
            at,
        });
        cohort
    }

    #[test]
    fn a_newcomer_does_not_get_the_round_that_it_has() {
        for at in 0..=3 {
            let mut cohort = cohort(3, at);
            let served: Vec<_> = cohort.members[..at].to_vec();
            let moved = cohort.add(3);
            let at = cohort.round.as_ref().unwrap().at;
            for (place, member) in cohort.members.iter().enumerate() {
                assert_eq!(served.contains(member) || *member == 3, place < at);
                let told = moved.iter().find(|(other, _)| other == member);
                assert_eq!(told.map_or(*member, |(_, place)| *place), place);
            }
        }
    }

    #[test]
    fn nobody_misses_a_round_or_gets_it_twice_when_another_leaves() {
        for size in 1..6 {
            for at in 0..=size {
                for leaving in 0..size {
                    let mut cohort = cohort(size, at);
                    let served: Vec<_> = cohort.members[..at].to_vec();
                    let moved = cohort.remove(leaving);
                    let round = cohort.round.as_ref().unwrap();
                    for (place, member) in cohort.members.iter().enumerate() {
                        assert_eq!(served.contains(member), place < round.at);
                        let told = moved.iter().rev().find(|(other, _)| other == member);
                        assert_eq!(told.map_or(*member, |(_, place)| *place), place);
                    }
                    assert_eq!(cohort.members.len(), size - 1);
                }
            }
        }
    }
}
