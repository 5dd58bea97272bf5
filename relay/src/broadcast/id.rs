use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// The name of a broadcast in links, tokens and logs: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BroadcastId(Box<str>);

/// Tells a broadcast from those that had its id before it: within a process no two are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Incarnation(u64);

impl Incarnation {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The text is not a broadcast id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a broadcast id is 1 to 64 of a-z, 0-9 and '-'")]
pub struct BroadcastIdError;

/// Letters of random ids; none that people mistake for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl BroadcastId {
    /// An id made from random bytes: 50 bits of them, as ten letters.
    pub fn from_random(random: [u8; 10]) -> Self {
        let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Self(letters.iter().collect::<String>().into())
    }

    /// Whether [`BroadcastId::from_random`] may have made it.
    pub fn may_be_random(&self) -> bool {
        self.0.len() == 10 && self.0.bytes().all(|letter| ALPHABET.contains(&letter))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BroadcastId {
    type Err = BroadcastIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(BroadcastIdError)
        }
    }
}

impl TryFrom<String> for BroadcastId {
    type Error = BroadcastIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BroadcastId> for String {
    fn from(id: BroadcastId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for BroadcastId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_names_are_ids() {
        assert!("game-night-2".parse::<BroadcastId>().is_ok());
        for bad in ["", "Game", "a b", "ä", "../x", &"a".repeat(65)] {
            assert_eq!(bad.parse::<BroadcastId>(), Err(BroadcastIdError), "{bad:?}");
        }
    }

    #[test]
    fn random_ids_are_ids() {
        for byte in 0..=255 {
            let id = BroadcastId::from_random([byte; 10]);
            assert!(id.may_be_random());
            assert_eq!(id.as_str().parse(), Ok(id));
        }
        let letters = (0..=255).map(|byte| BroadcastId::from_random([byte; 10]));
        let different: std::collections::HashSet<_> = letters.collect();
        assert_eq!(
            different.len(),
            ALPHABET.len(),
            "each as likely as the others"
        );
    }
}
