//! Which broadcasts a token is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::broadcast::BroadcastId;

/// Which broadcasts a token is for: one, or all whose ids begin alike (PROTOCOL 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pattern {
    /// This one.
    One(BroadcastId),
    /// All whose ids begin with this; all there are where it is empty.
    Beginning(Box<str>),
}

/// A text is no pattern of broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pattern of broadcasts is an id, or the beginning of ids and * behind it: \
     small letters, digits and hyphens"
)]
pub struct PatternError;

impl Pattern {
    /// Every broadcast.
    pub fn all() -> Self {
        Self::Beginning("".into())
    }

    /// Whether it takes in this broadcast.
    pub fn matches(&self, id: &BroadcastId) -> bool {
        match self {
            Self::One(own) => own == id,
            Self::Beginning(beginning) => id.as_str().starts_with(&**beginning),
        }
    }

    /// Whether it takes in all that `other` does.
    pub fn takes_in(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::One(id)) => self.matches(id),
            (Self::One(_), Self::Beginning(_)) => false,
            (Self::Beginning(own), Self::Beginning(other)) => other.starts_with(&**own),
        }
    }

    /// The broadcast, where it can only be one.
    pub fn one(&self) -> Option<&BroadcastId> {
        match self {
            Self::One(id) => Some(id),
            Self::Beginning(_) => None,
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(beginning) = text.strip_suffix('*') else {
            return text.parse().map(Self::One).map_err(|_| PatternError);
        };
        // Whatever makes an id with a letter behind it is the beginning of one.
        let fits = format!("{beginning}a").parse::<BroadcastId>().is_ok();
        match fits {
            true => Ok(Self::Beginning(beginning.into())),
            false => Err(PatternError),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(id) => id.fmt(f),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_id_or_a_beginning() {
        let takes = |pattern: &str, id: &str| {
            let pattern: Pattern = pattern.parse().unwrap();
            pattern.matches(&id.parse().unwrap())
        };
        assert!(takes("main", "main") && !takes("main", "main-2"));
        assert!(takes("game-*", "game-7") && !takes("game-*", "games"));
        assert!(takes("*", "anything"));
        for text in ["main", "game-*", "*"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_pattern_takes_in_narrower_ones() {
        let takes_in = |wide: &str, narrow: &str| {
            let [wide, narrow] = [wide, narrow].map(|text| text.parse::<Pattern>().unwrap());
            wide.takes_in(&narrow)
        };
        assert!(takes_in("*", "a-*") && takes_in("a*", "a-*") && takes_in("a-*", "a-1"));
        assert!(!takes_in("a-*", "a*") && !takes_in("a", "a*") && !takes_in("a", "b"));
        assert!(takes_in("a", "a"));
    }

    #[test]
    fn what_no_id_can_be_is_no_pattern() {
        for text in ["", "**", "a*b", "Main", "a b*", "ä*"] {
            assert_eq!(text.parse::<Pattern>(), Err(PatternError), "{text:?}");
        }
    }
}
