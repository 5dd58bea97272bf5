use std::fmt;
use std::str::FromStr;

use ring::hmac;

/// What an admin shows to create, list and end broadcasts.
///
/// Holds what it takes to recognise the key, not the key: it cannot be printed by mistake.
#[derive(Clone)]
pub struct AdminKey {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// A text is not fit to be an admin key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an admin key is at least 16 printable characters without spaces")]
pub struct AdminKeyError;

impl AdminKey {
    /// Whether `shown` is the key. Takes equally long for every wrong text of the same length.
    pub fn matches(&self, shown: &str) -> bool {
        // An HMAC under the key itself: the comparison of tags takes constant time.
        hmac::verify(&self.key, shown.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

impl FromStr for AdminKey {
    type Err = AdminKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AdminKeyError);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let tag = hmac::sign(&key, text.as_bytes());
        Ok(Self { key, tag })
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_matches() {
        let key: AdminKey = "correct-horse-battery".parse().unwrap();
        assert!(key.matches("correct-horse-battery"));
        for wrong in ["", "correct-horse-batter", "correct-horse-battery ", "x"] {
            assert!(!key.matches(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn short_keys_and_spaces_are_refused() {
        assert!("sixteen--letters".parse::<AdminKey>().is_ok());
        assert!("fifteen-letters".parse::<AdminKey>().is_err());
        assert!("a key with spaces in it".parse::<AdminKey>().is_err());
    }

    #[test]
    fn it_prints_nothing_secret() {
        let key: AdminKey = "correct-horse-battery".parse().unwrap();
        assert_eq!(format!("{key:?}"), "AdminKey(..)");
    }
}
