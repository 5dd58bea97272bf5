//! The players of a channel that listen: each frame of sound is handed to all of them, now or never.

/// Who listens, and what they are being handed.
#[derive(Debug)]
pub(super) struct Listeners<S> {
    /// By key.
    members: Vec<usize>,
    round: Option<Round<S>>,
}

/// A frame on its way to all members, in turn.
#[derive(Debug)]
struct Round<S> {
    sound: S,
    /// The member that is next.
    at: usize,
    tally: Tally,
}

/// To how many a frame was handed, and for how many there was no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) dropped: u64,
}

impl<S> Default for Listeners<S> {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            round: None,
        }
    }
}

impl<S> Listeners<S> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.members.len()
    }

    /// A player that did not listen begins to.
    pub(super) fn add(&mut self, key: usize) {
        self.members.push(key);
    }

    /// A player does not listen any more, if it did.
    pub(super) fn remove(&mut self, key: usize) {
        let Some(place) = self.members.iter().position(|member| *member == key) else {
            return;
        };
        self.members.remove(place);
        if let Some(round) = self.round.as_mut().filter(|round| place < round.at) {
            round.at -= 1;
        }
    }

    /// Whether all have been handed everything.
    pub(super) fn is_idle(&self) -> bool {
        self.round.is_none()
    }

    /// Begins to hand `sound` to all. What others have not been handed yet they never are.
    pub(super) fn begin(&mut self, sound: S) {
        self.round = (!self.members.is_empty()).then_some(Round {
            sound,
            at: 0,
            tally: Tally::default(),
        });
    }

    /// Hands what there is to as many as `left` says: `hand` says whether one could take it. Gives back a frame that
    /// all have had their turn with, and its tally.
    pub(super) fn tell(
        &mut self,
        left: &mut usize,
        mut hand: impl FnMut(usize, &S) -> bool,
    ) -> Option<(S, Tally)> {
        let round = self.round.as_mut()?;
        while let Some(key) = self.members.get(round.at) {
            if *left == 0 {
                return None;
            }
            *left -= 1;
            round.at += 1;
            match hand(*key, &round.sound) {
                true => round.tally.sent += 1,
                false => round.tally.dropped += 1,
            }
        }
        self.round.take().map(|round| (round.sound, round.tally))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners(members: usize) -> Listeners<char> {
        let mut listeners = Listeners::default();
        (0..members).for_each(|key| listeners.add(key));
        listeners
    }

    /// Who is handed what, at most so many.
    fn told(listeners: &mut Listeners<char>, most: usize) -> Vec<(usize, char)> {
        let mut told = Vec::new();
        let mut left = most;
        listeners.tell(&mut left, |key, sound| {
            told.push((key, *sound));
            true
        });
        told
    }

    #[test]
    fn all_are_handed_a_frame_in_rows() {
        let mut listeners = listeners(5);
        listeners.begin('a');
        assert_eq!(told(&mut listeners, 3), [(0, 'a'), (1, 'a'), (2, 'a')]);
        assert!(!listeners.is_idle());
        assert_eq!(told(&mut listeners, 3), [(3, 'a'), (4, 'a')]);
        assert!(listeners.is_idle());
        assert_eq!(told(&mut listeners, 3), []);
    }

    #[test]
    fn who_has_no_room_is_counted() {
        let mut listeners = listeners(4);
        listeners.begin('a');
        let tally = listeners.tell(&mut 9, |key, _| key != 2);
        assert_eq!(
            tally,
            Some((
                'a',
                Tally {
                    sent: 3,
                    dropped: 1
                }
            ))
        );
    }

    #[test]
    fn where_nobody_listens_there_is_nothing_to_do() {
        let mut listeners = listeners(0);
        listeners.begin('a');
        assert!(listeners.is_idle());
    }

    #[test]
    fn nobody_misses_a_frame_or_gets_it_twice_when_another_leaves() {
        for size in 1..5 {
            for at in 0..=size {
                for leaving in 0..=size {
                    let mut listeners = listeners(size);
                    listeners.begin('a');
                    let mut all = told(&mut listeners, at);
                    listeners.remove(leaving);
                    all.extend(told(&mut listeners, size));
                    all.retain(|(key, _)| *key != leaving);
                    let expected: Vec<_> = (0..size)
                        .filter(|key| *key != leaving)
                        .map(|key| (key, 'a'))
                        .collect();
                    assert_eq!(all, expected);
                }
            }
        }
    }
}
