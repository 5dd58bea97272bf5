use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::broadcast::BroadcastId;

/// The name of a relay among others: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelayId(Arc<str>);

/// The text is not a relay's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a relay's id is 1 to 32 of a-z, 0-9 and '-'")]
pub struct RelayIdError;

impl RelayId {
    /// One that no other relay has, made from random bytes.
    pub fn from_random(random: [u8; 10]) -> Self {
        Self(BroadcastId::from_random(random).as_str().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RelayId {
    type Err = RelayIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.into())),
            false => Err(RelayIdError),
        }
    }
}

impl TryFrom<String> for RelayId {
    type Error = RelayIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RelayId> for String {
    fn from(id: RelayId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_ids() {
        let made = RelayId::from_random([7; 10]);
        assert_eq!(made.as_str().parse(), Ok(made));
    }

    #[test]
    fn only_short_plain_names_are_ids() {
        assert!("edge-2".parse::<RelayId>().is_ok());
        for bad in ["", "Edge", "a.b", "a b", "*", ">", &"a".repeat(33)] {
            assert_eq!(bad.parse::<RelayId>(), Err(RelayIdError), "{bad:?}");
        }
    }
}
