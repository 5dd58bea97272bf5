use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::store::ClusterSecret;

/// How the engine is reached, and what is kept there.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its servers.
    pub servers: Vec<EngineUrl>,
    /// A file that says who the relay is to them; `None`: they ask nobody.
    pub credentials: Option<PathBuf>,
    /// A file with the authorities by which they are trusted over TLS; `None`: what the system trusts.
    pub authority: Option<PathBuf>,
    /// What the names of its buckets begin with.
    pub prefix: String,
    /// How many of its servers keep each of them.
    pub replicas: usize,
    /// How long a relay's lease is good without being renewed.
    pub lease: Duration,
    /// What all relays know, by which they know one another's leases; `None`: nobody is sent to any of them.
    pub secret: Option<ClusterSecret>,
}

/// A server of the engine: `nats://HOST:PORT`, or `tls://HOST:PORT`. Who the relay is stands elsewhere, so that it is
/// in no log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EngineUrl(Box<str>);

/// The text is no server of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not nats://HOST:PORT or tls://HOST:PORT")]
pub struct EngineUrlError;

impl EngineUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EngineUrl {
    type Err = EngineUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.parse().map_err(|_| EngineUrlError)?;
        let plain = url.username().is_empty() && url.password().is_none();
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        match matches!(url.scheme(), "nats" | "tls") && plain && bare && has_host {
            true => Ok(Self(text.into())),
            false => Err(EngineUrlError),
        }
    }
}

impl TryFrom<String> for EngineUrl {
    type Error = EngineUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_secrets() {
        for good in [
            "nats://127.0.0.1:4222",
            "tls://nats.example:4222/",
            "nats://a",
        ] {
            assert!(good.parse::<EngineUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a:4222",
            "http://a:4222",
            "nats://",
            "nats://user:password@a:4222",
            "nats://token@a:4222",
            "nats://a:4222/path",
            "nats://a:4222?x",
        ] {
            assert_eq!(bad.parse::<EngineUrl>(), Err(EngineUrlError), "{bad}");
        }
    }
}
