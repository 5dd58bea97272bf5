//! The key of a private broadcast (PROTOCOL 12.1), which links need and no relay has: whoever makes them adds it.

use std::fmt;
use std::io::{self, Read};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::client::OperateError;
use crate::auth::{RandomError, random_text};

/// Bytes of a key.
const BYTES: usize = 32;
/// More than any link has.
const LONGEST: u64 = 16 * 1024;
/// What is given in place of a key that is to be read, so that no list of processes shows it.
const TO_BE_READ: &str = "-";

/// A key as it stands in links.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct LinkKey(String);

impl fmt::Debug for LinkKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LinkKey")
    }
}

impl LinkKey {
    /// A new one.
    pub(super) fn made() -> Result<Self, OperateError> {
        let made = random_text().map_err(|RandomError| OperateError::NoRandomness)?;
        Ok(Self(made))
    }

    /// The one that somebody gives: itself, a link that has it, or `-` for one of both on standard input.
    pub(super) fn given(text: &str) -> Result<Self, OperateError> {
        if text != TO_BE_READ {
            return Self::in_text(text);
        }
        let mut read = String::new();
        io::stdin().take(LONGEST).read_to_string(&mut read)?;
        Self::in_text(&read)
    }

    fn in_text(text: &str) -> Result<Self, OperateError> {
        let mut parts = text.trim().split(['#', '&']);
        let text = match parts.clone().count() {
            1 => parts.next(),
            _ => parts.find_map(|part| part.strip_prefix("key=")),
        };
        let key = text.unwrap_or_default();
        match URL_SAFE_NO_PAD.decode(key) {
            Ok(bytes) if bytes.len() == BYTES => Ok(Self(key.to_owned())),
            _ => Err(OperateError::NoKey),
        }
    }

    /// Makes the links of a relay's answer whole.
    pub(super) fn complete(&self, answer: &mut Value) {
        let places = ["/links/admin", "/links/player", "/link"];
        for place in places {
            if let Some(Value::String(link)) = answer.pointer_mut(place) {
                link.push_str("&key=");
                link.push_str(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_in_links_and_by_itself() {
        let key = LinkKey::made().unwrap();
        assert_ne!(key, LinkKey::made().unwrap());
        let text = &key.0;
        assert_eq!(text.len(), 43);
        for given in [
            text.clone(),
            format!("  {text}\n"),
            format!("https://share.example.org/play#token=a.b.c&key={text}"),
            format!("https://share.example.org/play#key={text}&token=a.b.c"),
        ] {
            assert_eq!(LinkKey::given(&given).unwrap(), key, "{given}");
        }
        // The last letter of the fourth says more bits than there are.
        let long = format!("{text}A");
        let loose = format!("{}B", "A".repeat(42));
        let link = "https://share.example.org/play#token=a.b.c";
        for none in ["", "key", link, &text[1..], &long, &loose] {
            let refused = LinkKey::given(none);
            assert!(matches!(refused, Err(OperateError::NoKey)), "{none}");
        }
    }

    #[test]
    fn links_have_it_and_nothing_else_does() {
        let key = LinkKey("K".to_owned());
        let mut answer = json!({
            "id": "a", "publishToken": "t",
            "links": { "admin": "https://r/admin#token=t", "player": "https://r/play#token=p" },
        });
        key.complete(&mut answer);
        let expected = json!({
            "id": "a", "publishToken": "t",
            "links": { "admin": "https://r/admin#token=t&key=K", "player": "https://r/play#token=p&key=K" },
        });
        assert_eq!(answer, expected);
        let mut token = json!({ "token": "t", "link": "https://r/play#token=t" });
        key.complete(&mut token);
        assert_eq!(token["link"], "https://r/play#token=t&key=K");
        assert_eq!(format!("{key:?}"), "LinkKey");
    }
}
