//! When a broadcast may be claimed.

use super::{Claim, EngineError, Lineage, RelayId};

/// Why a broadcast is to be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bid {
    /// A publisher has come.
    Publisher {
        /// The lineage that it shows, if it resumes one.
        shown: Option<Lineage>,
        /// What it begins otherwise.
        fresh: Lineage,
    },
    /// Nobody publishes here: players are to have a place to wait at.
    Home,
    /// The publisher of this lineage has been here all the time, while another relay has taken this one to be dead and kept
    /// the broadcast for it.
    Back(Lineage),
}

/// Why a broadcast cannot be claimed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A publisher of another lineage has taken the broadcast over (PROTOCOL 3.3).
    #[error("another publisher has taken the broadcast over")]
    Superseded,
    /// Another relay has it, and lives.
    #[error("the broadcast is at relay {0}")]
    Taken(RelayId),
    /// The engine is not reached, so that nobody knows who has it.
    #[error("it is not known which relay has the broadcast: {0}")]
    Away(#[from] EngineError),
    /// Too many others claim it at the same time.
    #[error("too many claim the broadcast at once")]
    Contended,
}

impl Bid {
    /// The lineage of the claim that may take the place of `there`.
    ///
    /// # Errors
    /// [`ClaimError`]: none may.
    pub(super) fn over(
        &self,
        there: Option<&Claim>,
        own: &RelayId,
        is_dead: impl FnOnce(&RelayId) -> bool,
    ) -> Result<Option<Lineage>, ClaimError> {
        let known = there.and_then(|claim| claim.lineage);
        match (*self, there) {
            // Whether its relay lives or not: two hosts never fight over a broadcast.
            (
                Self::Publisher {
                    shown: Some(shown), ..
                },
                _,
            ) if known.is_some_and(|known| known != shown) => Err(ClaimError::Superseded),
            // Whoever publishes elsewhere has come since.
            (Self::Back(lineage), Some(claim)) if claim.home && known == Some(lineage) => Ok(known),
            (Self::Back(_), _) => Err(ClaimError::Superseded),
            // The newest wins.
            (Self::Publisher { shown, fresh }, _) => Ok(Some(shown.unwrap_or(fresh))),
            (Self::Home, Some(claim)) if claim.relay != *own && !is_dead(&claim.relay) => {
                Err(ClaimError::Taken(claim.relay.clone()))
            }
            (Self::Home, _) => Ok(known),
        }
    }
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::wire::ResumeSecret;

    use super::super::ClaimEpoch;
    use super::*;
    use crate::broadcast::RelayTime;

    fn lineage(byte: u8) -> Lineage {
        Lineage::of(&ResumeSecret([byte; 16]))
    }

    fn claim(relay: &str, of: Option<u8>) -> Claim {
        Claim {
            relay: relay.parse().unwrap(),
            epoch: ClaimEpoch::after(None, RelayTime::default()),
            lineage: of.map(lineage),
            home: false,
        }
    }

    fn outcome(bid: Bid, there: Option<&Claim>, dead: bool) -> Result<Option<Lineage>, ClaimError> {
        bid.over(there, &"own".parse().unwrap(), |_| dead)
    }

    fn publisher(shown: Option<u8>) -> Bid {
        Bid::Publisher {
            shown: shown.map(lineage),
            fresh: lineage(9),
        }
    }

    #[test]
    fn the_newest_publisher_wins_wherever_the_broadcast_is() {
        for relay in ["own", "other"] {
            for known in [None, Some(1)] {
                let there = claim(relay, known);
                let taken = outcome(publisher(None), Some(&there), false);
                assert_eq!(taken, Ok(Some(lineage(9))));
            }
        }
        assert_eq!(outcome(publisher(None), None, false), Ok(Some(lineage(9))));
    }

    #[test]
    fn a_publisher_that_resumes_is_let_in_where_its_own_lineage_is_or_none() {
        for relay in ["own", "other"] {
            let resumed = outcome(publisher(Some(1)), Some(&claim(relay, Some(1))), false);
            assert_eq!(resumed, Ok(Some(lineage(1))));
            let unknown = outcome(publisher(Some(1)), Some(&claim(relay, None)), false);
            assert_eq!(unknown, Ok(Some(lineage(1))));
            for dead in [false, true] {
                let other = outcome(publisher(Some(2)), Some(&claim(relay, Some(1))), dead);
                assert_eq!(other, Err(ClaimError::Superseded));
            }
        }
        assert_eq!(
            outcome(publisher(Some(1)), None, false),
            Ok(Some(lineage(1)))
        );
    }

    #[test]
    fn a_home_is_found_for_what_nobody_has_or_a_dead_relay_had() {
        let there = claim("other", Some(1));
        let taken = outcome(Bid::Home, Some(&there), false);
        assert_eq!(taken, Err(ClaimError::Taken("other".parse().unwrap())));
        assert_eq!(
            outcome(Bid::Home, Some(&there), true),
            Ok(Some(lineage(1))),
            "its publisher can come back"
        );
        assert_eq!(
            outcome(Bid::Home, Some(&claim("own", None)), false),
            Ok(None)
        );
        assert_eq!(outcome(Bid::Home, None, false), Ok(None));
    }

    #[test]
    fn a_publisher_that_never_went_has_back_what_was_kept_for_it_and_nothing_else() {
        let mut there = claim("other", Some(1));
        let back = |there: Option<&Claim>| outcome(Bid::Back(lineage(1)), there, false);
        assert_eq!(
            back(Some(&there)),
            Err(ClaimError::Superseded),
            "it has come there"
        );
        there.home = true;
        assert_eq!(back(Some(&there)), Ok(Some(lineage(1))));
        there.lineage = Some(lineage(2));
        assert_eq!(back(Some(&there)), Err(ClaimError::Superseded));
        assert_eq!(back(None), Err(ClaimError::Superseded));
    }
}
