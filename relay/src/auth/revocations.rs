//! What was taken back.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Grant, Power};
use crate::broadcast::BroadcastId;

/// Something that is taken back: the tokens that it covers are good for nothing from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Revocation {
    /// One token, by its id (`jti`).
    Token {
        /// The token's id.
        id: Box<str>,
        /// When it ends by itself, in seconds since the Unix epoch.
        until: u64,
    },
    /// Whatever somebody had by then.
    #[serde(rename_all = "camelCase")]
    Subject {
        /// Who (`sub`).
        subject: Box<str>,
        /// Tokens made at this second or before, since the Unix epoch.
        made_by: u64,
    },
    /// All links to a broadcast that are older than its generation allows.
    Broadcast {
        /// The broadcast.
        broadcast: BroadcastId,
        /// What is good from now on.
        generation: Generation,
    },
}

/// Which links to a broadcast are good. Each link knows the generation that it was made in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// The generation of links that are made now.
    pub current: u64,
    /// What links for publishing have to be of, at least.
    pub publish: Bound,
    /// What links for watching have to be of, at least.
    pub play: Bound,
}

/// How old a link may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The oldest generation that is good.
    pub generation: u64,
    /// Tokens that know no generation have to be made after this second since the Unix epoch.
    pub made_after: u64,
}

impl Generation {
    /// The next one, at which of the links until now those for `powers` end; `now` in seconds since the
    /// Unix epoch.
    #[must_use]
    pub fn next(mut self, powers: &[Power], now: u64) -> Self {
        self.current += 1;
        let bound = Bound {
            generation: self.current,
            made_after: now,
        };
        for power in powers {
            match power {
                Power::Publish => self.publish = bound,
                Power::Play => self.play = bound,
                Power::Admin => {}
            }
        }
        self
    }

    /// What is good by both.
    #[must_use]
    fn and(self, other: Self) -> Self {
        Self {
            current: self.current.max(other.current),
            publish: self.publish.and(other.publish),
            play: self.play.and(other.play),
        }
    }

    /// Whether a token is too old for `power` here.
    fn is_past(&self, grant: &Grant, power: Power) -> bool {
        let bound = match power {
            Power::Publish => self.publish,
            Power::Play => self.play,
            // Of somebody with power over many broadcasts; by the token or the subject.
            Power::Admin => return false,
        };
        match grant.generation {
            Some(generation) => generation < bound.generation,
            None => bound.generation > 0 && grant.may_be_of(bound.made_after),
        }
    }
}

impl Bound {
    fn and(self, other: Self) -> Self {
        Self {
            generation: self.generation.max(other.generation),
            made_after: self.made_after.max(other.made_after),
        }
    }
}

impl Revocation {
    /// What this and another that is about the same thing take back together; what is about another thing adds
    /// nothing.
    #[must_use]
    pub(crate) fn with(mut self, other: &Self) -> Self {
        match (&mut self, other) {
            (
                Self::Token { id, until },
                Self::Token {
                    id: same,
                    until: other,
                },
            ) if id == same => {
                *until = (*until).max(*other);
            }
            (
                Self::Subject { subject, made_by },
                Self::Subject {
                    subject: same,
                    made_by: other,
                },
            ) if subject == same => *made_by = (*made_by).max(*other),
            (
                Self::Broadcast {
                    broadcast,
                    generation,
                },
                Self::Broadcast {
                    broadcast: same,
                    generation: other,
                },
            ) if broadcast == same => *generation = generation.and(*other),
            _ => {}
        }
        self
    }

    /// Whether it takes from a token the `power` that it has at a broadcast.
    pub fn covers(&self, grant: &Grant, power: Power, broadcast: &BroadcastId) -> bool {
        match self {
            Self::Token { id, .. } => grant.holder.token.as_ref() == Some(id),
            Self::Subject { subject, made_by } => {
                grant.holder.subject.as_ref() == Some(subject) && grant.may_be_of(*made_by)
            }
            Self::Broadcast {
                broadcast: own,
                generation,
            } => own == broadcast && generation.is_past(grant, power),
        }
    }
}

/// Seconds that a token may be good after its end: the most that `auth.leeway_s` takes.
const LEEWAY: u64 = 3_600;

/// All that was taken back.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    tokens: HashMap<Box<str>, u64>,
    subjects: HashMap<Box<str>, u64>,
    generations: HashMap<BroadcastId, Generation>,
}

impl Revocations {
    pub(super) fn insert(&mut self, revocation: Revocation) {
        match revocation {
            Revocation::Token { id, until } => {
                let known = self.tokens.entry(id).or_default();
                *known = (*known).max(until);
            }
            Revocation::Subject { subject, made_by } => {
                let known = self.subjects.entry(subject).or_default();
                *known = (*known).max(made_by);
            }
            Revocation::Broadcast {
                broadcast,
                generation,
            } => {
                self.generations.insert(broadcast, generation);
            }
        }
    }

    /// All of it.
    pub(super) fn all(&self) -> Vec<Revocation> {
        let tokens = self.tokens.iter().map(|(id, until)| Revocation::Token {
            id: id.clone(),
            until: *until,
        });
        let subjects = self.subjects.iter();
        let subjects = subjects.map(|(subject, made_by)| Revocation::Subject {
            subject: subject.clone(),
            made_by: *made_by,
        });
        let generations = self.generations.iter();
        let generations = generations.map(|(broadcast, generation)| Revocation::Broadcast {
            broadcast: broadcast.clone(),
            generation: *generation,
        });
        tokens.chain(subjects).chain(generations).collect()
    }

    /// What this takes back together with what is known of the same thing; `None`: it adds nothing.
    pub(super) fn news(&self, revocation: Revocation) -> Option<Revocation> {
        let known = match &revocation {
            Revocation::Token { id, .. } => self.tokens.get(id).map(|until| Revocation::Token {
                id: id.clone(),
                until: *until,
            }),
            Revocation::Subject { subject, .. } => {
                let known = self.subjects.get(subject);
                known.map(|made_by| Revocation::Subject {
                    subject: subject.clone(),
                    made_by: *made_by,
                })
            }
            Revocation::Broadcast { broadcast, .. } => {
                let known = self.generations.get(broadcast);
                known.map(|generation| Revocation::Broadcast {
                    broadcast: broadcast.clone(),
                    generation: *generation,
                })
            }
        };
        let Some(known) = known else {
            return Some(revocation);
        };
        let both = revocation.with(&known);
        (both != known).then_some(both)
    }

    /// Whether a token is good for nothing, wherever it is shown.
    pub(super) fn cover(&self, grant: &Grant) -> bool {
        let holder = &grant.holder;
        let token = holder.token.as_ref();
        let subject = holder.subject.as_ref();
        token.is_some_and(|id| self.tokens.contains_key(id))
            || subject
                .and_then(|subject| self.subjects.get(subject))
                .is_some_and(|made_by| grant.may_be_of(*made_by))
    }

    /// Whether a token is too old for `power` at this broadcast.
    pub(super) fn cover_at(&self, grant: &Grant, power: Power, broadcast: &BroadcastId) -> bool {
        self.generation(broadcast).is_past(grant, power)
    }

    /// Which links to this broadcast are good.
    pub(super) fn generation(&self, broadcast: &BroadcastId) -> Generation {
        let known = self.generations.get(broadcast);
        known.copied().unwrap_or_default()
    }

    /// Forgets which links to a broadcast are good.
    pub(super) fn forget_links(&mut self, broadcast: &BroadcastId) {
        self.generations.remove(broadcast);
    }

    /// Forgets tokens that have ended by themselves by `now`, in seconds since the Unix epoch, whatever
    /// clocks are allowed to be off; gives their ids.
    pub(super) fn forget_ended(&mut self, now: u64) -> Vec<Box<str>> {
        let over = |until: u64| until.saturating_add(LEEWAY) <= now;
        let ended = self.tokens.extract_if(|_, until| over(*until));
        ended.map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::grant::Holder;
    use super::*;

    fn grant(token: &str, subject: &str, issued: u64, generation: Option<u64>) -> Grant {
        Grant {
            holder: Holder {
                token: Some(token.into()),
                subject: Some(subject.into()),
                ..Holder::default()
            },
            issued,
            generation,
            ..Grant::of_the_admin_key()
        }
    }

    fn main() -> BroadcastId {
        "main".parse().unwrap()
    }

    fn of_main(generation: Generation) -> Revocation {
        Revocation::Broadcast {
            broadcast: main(),
            generation,
        }
    }

    #[test]
    fn what_is_heard_from_others_adds_to_what_is_known_in_any_order() {
        let first = Generation::default().next(&[Power::Play], 10);
        let second = Generation::default().next(&[Power::Publish], 20);
        let token = |until| Revocation::Token {
            id: "a".into(),
            until,
        };
        let subject = |made_by| Revocation::Subject {
            subject: "ada".into(),
            made_by,
        };
        let pairs = [
            (of_main(first), of_main(second)),
            (token(5), token(7)),
            (subject(5), subject(7)),
        ];
        for (one, other) in pairs {
            let together = [(&one, &other), (&other, &one)].map(|(first, second)| {
                let mut all = Revocations::default();
                for heard in [first, second, first, second] {
                    if let Some(news) = all.news(heard.clone()) {
                        all.insert(news);
                    }
                }
                assert_eq!(all.news(one.clone()), None);
                all.all()
            });
            assert_eq!(together[0], together[1]);
            assert_eq!(together[0], [one.clone().with(&other)]);
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<Revocation>(&text).unwrap(), one);
        }
        // Both kinds of links have ended.
        let mut all = Revocations::default();
        all.insert(of_main(first).with(&of_main(second)));
        for power in [Power::Play, Power::Publish] {
            assert!(all.cover_at(&grant("a", "ada", 5, Some(0)), power, &main()));
        }
        assert_eq!(token(5).with(&subject(7)), token(5));
    }

    #[test]
    fn a_token_is_taken_back_until_it_would_have_ended() {
        let mut all = Revocations::default();
        for (id, until) in [("a", 100), ("b", 200), ("b", 150)] {
            all.insert(Revocation::Token {
                id: id.into(),
                until,
            });
        }
        let covered = |all: &Revocations, id| all.cover(&grant(id, "ada", 0, None));
        assert!(covered(&all, "a") && covered(&all, "b") && !covered(&all, "c"));
        assert!(all.forget_ended(LEEWAY + 99).is_empty());
        assert_eq!(all.forget_ended(LEEWAY + 199), ["a".into()]);
        assert!(!covered(&all, "a") && covered(&all, "b"));
    }

    #[test]
    fn what_somebody_had_is_taken_back_and_what_comes_later_is_good() {
        let mut all = Revocations::default();
        for made_by in [50, 40] {
            all.insert(Revocation::Subject {
                subject: "ada".into(),
                made_by,
            });
        }
        assert!(all.cover(&grant("a", "ada", 50, None)));
        assert!(!all.cover(&grant("a", "ada", 51, None)));
        assert!(!all.cover(&grant("a", "bob", 50, None)));
    }

    #[test]
    fn new_links_end_the_old_ones_of_the_same_kind_alone() {
        let mut all = Revocations::default();
        let covered = |all: &Revocations, power, generation| {
            let grant = grant("a", "ada", 10, generation);
            all.cover_at(&grant, power, &main())
        };
        assert!(!covered(&all, Power::Play, Some(0)) && !covered(&all, Power::Play, None));
        let first = Generation::default().next(&[Power::Play], 10);
        all.insert(of_main(first));
        assert_eq!(all.generation(&main()).current, 1);
        assert!(covered(&all, Power::Play, Some(0)) && !covered(&all, Power::Play, Some(1)));
        assert!(!covered(&all, Power::Publish, Some(0)));
        let second = first.next(&[Power::Publish], 20);
        all.insert(of_main(second));
        assert!(
            !covered(&all, Power::Play, Some(1)),
            "no player loses its link"
        );
        assert!(covered(&all, Power::Publish, Some(1)) && !covered(&all, Power::Publish, Some(2)));
        // Of another broadcast nothing is taken.
        let old = grant("a", "ada", 10, Some(0));
        assert!(!all.cover_at(&old, Power::Play, &"other".parse().unwrap()));
    }

    #[test]
    fn a_token_without_a_generation_is_as_old_as_it_says() {
        let mut all = Revocations::default();
        all.insert(of_main(Generation::default().next(&[Power::Play], 10)));
        for (issued, over) in [(0, true), (10, true), (11, false)] {
            let grant = grant("a", "ada", issued, None);
            assert_eq!(all.cover_at(&grant, Power::Play, &main()), over, "{issued}");
        }
    }

    #[test]
    fn a_session_is_covered_as_its_token_is() {
        let grant = grant("a", "ada", 10, Some(0));
        let revocations = [
            (
                Revocation::Token {
                    id: "a".into(),
                    until: 0,
                },
                true,
            ),
            (
                Revocation::Token {
                    id: "b".into(),
                    until: 0,
                },
                false,
            ),
            (
                Revocation::Subject {
                    subject: "ada".into(),
                    made_by: 10,
                },
                true,
            ),
            (
                Revocation::Subject {
                    subject: "ada".into(),
                    made_by: 9,
                },
                false,
            ),
            (of_main(Generation::default().next(&[Power::Play], 0)), true),
            (
                of_main(Generation::default().next(&[Power::Publish], 0)),
                false,
            ),
        ];
        for (revocation, covers) in revocations {
            let covered = revocation.covers(&grant, Power::Play, &main());
            assert_eq!(covered, covers, "{revocation:?}");
        }
    }
}
