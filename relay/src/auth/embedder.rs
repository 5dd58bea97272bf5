//! Whose pages may show the player's page in a frame.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::Origin;

/// A web origin whose pages may show the player's page in a frame (PROTOCOL 7.3): one that a content security
/// policy can name, which browsers let no IPv6 address and no underscore be in (CSP 3, 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Embedder(Origin);

/// A text is not the origin of an embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an embedder is http:// or https://, a host name or an IPv4 address, and perhaps a port")]
pub struct EmbedderError;

impl Embedder {
    /// Whether browsers take pages there for secure ones, and so what these show in frames.
    pub(crate) fn is_trustworthy(&self) -> bool {
        self.0.is_secure() || self.0.is_local()
    }
}

impl FromStr for Embedder {
    type Err = EmbedderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origin: Origin = text.parse().map_err(|_| EmbedderError)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        match origin.host().bytes().all(plain) {
            true => Ok(Self(origin)),
            false => Err(EmbedderError),
        }
    }
}

impl TryFrom<String> for Embedder {
    type Error = EmbedderError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedder_is_what_a_policy_can_name() {
        let embedder = |text: &str| text.parse::<Embedder>();
        for (text, told, trustworthy) in [
            ("https://App.example:443", "https://app.example", true),
            ("http://192.0.2.1:8080", "http://192.0.2.1:8080", false),
            ("http://localhost:5173", "http://localhost:5173", true),
        ] {
            let embedder = embedder(text).unwrap();
            assert_eq!(embedder.to_string(), told);
            assert_eq!(embedder.is_trustworthy(), trustworthy, "{text}");
        }
        for text in [
            "*",
            "'self'",
            "https:",
            "https://*.example",
            "https://[::1]:4433",
            "https://a_b.example",
            "https://a.example/page",
            "https://a.example; script-src *",
        ] {
            assert_eq!(embedder(text), Err(EmbedderError), "{text}");
        }
    }
}
