//! Web origins: whose pages may open sessions and use the API.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::uri::Authority;
use parking_lot::RwLock;
use serde::Deserialize;

/// A web origin: scheme, host and port, and nothing behind them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

/// A text is not a web origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http:// or https://, a host and perhaps a port")]
pub struct OriginError;

impl Origin {
    /// The origin of `authority` (`host` or `host:port`) under HTTPS, or under HTTP.
    ///
    /// # Errors
    /// [`OriginError`] when the text is not an authority.
    pub fn of_authority(authority: &str, secure: bool) -> Result<Self, OriginError> {
        let parsed: Authority = authority.parse().map_err(|_| OriginError)?;
        let host = parsed.host();
        // Of `user@host` and `host:` the parser takes more than a browser ever sends.
        let port = match authority.strip_prefix(host) {
            Some("") => default_port(secure),
            Some(rest) => rest
                .strip_prefix(':')
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .ok_or(OriginError)?,
            None => return Err(OriginError),
        };
        if !is_host(host) {
            return Err(OriginError);
        }
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// A name, or an address (IPv6 in brackets).
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is under HTTPS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    fn is_at(&self, authority: &str) -> bool {
        Self::of_authority(authority, self.secure).is_ok_and(|other| other == *self)
    }

    /// Whether its name means the machine that asks, and no other.
    pub(crate) fn is_local(&self) -> bool {
        ["localhost", "127.0.0.1", "[::1]"].contains(&self.host.as_str())
    }
}

/// Of names the URI parser takes more than there are hosts of, wildcards among it.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match text.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => !text.is_empty() && text.bytes().all(plain),
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("https", authority)) => Self::of_authority(authority, true),
            Some(("http", authority)) => Self::of_authority(authority, false),
            _ => Err(OriginError),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default_port(self.secure) {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

/// The origins whose pages the relay trusts (PROTOCOL 1.1).
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// All copies of this have the same.
    listed: Arc<RwLock<Vec<Origin>>>,
    /// Those of other relays' pages.
    relays: Arc<RwLock<Vec<Origin>>>,
    any_local: bool,
}

impl Origins {
    /// Trusts the listed origins, and in development every port of this very machine.
    pub fn new(listed: Vec<Origin>, any_local: bool) -> Self {
        Self {
            listed: Arc::new(RwLock::new(listed)),
            relays: Arc::default(),
            any_local,
        }
    }

    /// Trusts what `other` does, from now on.
    pub fn become_like(&self, other: &Self) {
        let listed = other.listed.read().clone();
        *self.listed.write() = listed;
    }

    /// Trusts the pages of these relays like this one's own, and no longer those that were trusted so before.
    pub(crate) fn trust_relays(&self, relays: Vec<Origin>) {
        if *self.relays.read() != relays {
            *self.relays.write() = relays;
        }
    }

    /// Whether every port of this very machine is trusted, as in development.
    pub(crate) fn trusts_this_machine(&self) -> bool {
        self.any_local
    }

    /// Whether a page of `origin` may open a session at `authority`, the host that was asked for.
    ///
    /// Only browsers send an origin, so a missing one is a native client and may.
    pub fn allow_session(&self, origin: Option<&str>, authority: &str) -> bool {
        let Some(origin) = origin else {
            return true;
        };
        let Ok(origin) = origin.parse::<Origin>() else {
            return false;
        };
        origin.is_at(authority) || self.lists(&origin)
    }

    /// Whether pages of `origin`, which are not the relay's own, may read the API's answers.
    pub fn allow_reading(&self, origin: &str) -> bool {
        origin
            .parse()
            .is_ok_and(|origin: Origin| self.lists(&origin))
    }

    fn lists(&self, origin: &Origin) -> bool {
        self.listed.read().contains(origin)
            || self.relays.read().contains(origin)
            || (self.any_local && origin.is_local())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter_but_port_and_scheme_do() {
        let origin = |text: &str| text.parse::<Origin>();
        assert_eq!(origin("https://A.example:443"), origin("https://a.example"));
        assert_ne!(origin("https://a.example"), origin("http://a.example"));
        assert!(origin("https://a.example").unwrap().is_secure());
        assert!(!origin("http://a.example").unwrap().is_secure());
        assert_ne!(
            origin("https://a.example"),
            origin("https://a.example:4433")
        );
        assert_eq!(
            origin("https://[::1]:4433").unwrap().to_string(),
            "https://[::1]:4433"
        );
        assert_eq!(
            origin("http://a.example:80").unwrap().to_string(),
            "http://a.example"
        );
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_none() {
        for text in [
            "null",
            "",
            "a.example",
            "https://",
            "https://a.example/",
            "https://u@a.example",
            "https://a.example:",
            "https://a.example:99999",
            "ftp://a.example",
            "https://a b",
            "*",
            "https://*",
            "https://*.example",
            "https://a.example;script-src",
            "https://a.example,b.example",
            "https://'none'",
            "https://[a.example]",
            "https://[::1",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text:?}");
        }
    }

    #[test]
    fn the_relays_own_pages_and_native_clients_may() {
        let origins = Origins::default();
        assert!(origins.allow_session(None, "relay.test:4433"));
        assert!(origins.allow_session(Some("https://relay.test:4433"), "relay.test:4433"));
        assert!(origins.allow_session(Some("http://localhost:4433"), "localhost:4433"));
        assert!(origins.allow_session(Some("https://relay.test"), "relay.test:443"));
        assert!(!origins.allow_session(Some("https://relay.test"), "relay.test:4433"));
        assert!(!origins.allow_session(Some("https://relay.test.evil"), "relay.test"));
        assert!(!origins.allow_session(Some("null"), "relay.test"));
    }

    #[test]
    fn listed_origins_may_exactly() {
        let listed = vec!["https://app.example".parse().unwrap()];
        let origins = Origins::new(listed, false);
        assert!(origins.allow_session(Some("https://app.example"), "relay.test"));
        assert!(origins.allow_reading("https://app.example"));
        assert!(!origins.allow_reading("http://app.example"));
        assert!(!origins.allow_reading("https://sub.app.example"));
        assert!(!origins.allow_reading("http://localhost:5173"));
    }

    #[test]
    fn pages_of_other_relays_may_for_as_long_as_those_are_there() {
        let origins = Origins::default();
        let copy = origins.clone();
        origins.trust_relays(vec!["https://b.example".parse().unwrap()]);
        assert!(copy.allow_session(Some("https://b.example"), "a.example"));
        assert!(copy.allow_reading("https://b.example"));
        assert!(!copy.allow_reading("http://b.example"));
        origins.trust_relays(Vec::new());
        assert!(!copy.allow_session(Some("https://b.example"), "a.example"));
    }

    #[test]
    fn development_trusts_this_machine() {
        let origins = Origins::new(Vec::new(), true);
        assert!(origins.allow_session(Some("http://localhost:5173"), "localhost:4433"));
        assert!(origins.allow_reading("http://127.0.0.1:5173"));
        assert!(!origins.allow_reading("http://localhost.evil:5173"));
    }
}
