//! What values a key takes: one reader for flags, environment, file and defaults.

use std::fmt;
use std::net::SocketAddr;

use ipnet::IpNet;
use rustls_pki_types::DnsName;
use toml::Value;
use tracing_subscriber::EnvFilter;

use super::cluster::Peer;
use super::webrtc::{IceServer, Reachable};
use crate::asking::SafeUrl;
use crate::auth::{Embedder, KeySource, Origin, PublicUrl};
use crate::directory::{EngineUrl, RelayId};
use crate::events::HookSecret;
use crate::tls::BindingKey;

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A socket address.
    Address,
    /// A socket address, or nothing.
    Listen,
    /// A web origin, perhaps with a path, or nothing.
    Url,
    /// A list of web origins.
    Urls,
    /// A list of web origins that a content security policy can name.
    Embedders,
    /// A list of IP networks.
    Networks,
    /// A list of names of the DNS, without wildcards.
    DomainNames,
    /// A name of small letters, digits and hyphens, or nothing.
    Name,
    /// A list of servers of the engine.
    Engines,
    /// A list of IP addresses, each perhaps with a port.
    Places,
    /// A list of STUN and TURN servers.
    IceServers,
    /// The key of an account with a certificate authority, or nothing; never shown.
    AccountKey,
    /// A host and a port, or nothing.
    Peer,
    /// A path, or nothing.
    Path,
    /// A file or URL with others' keys, or nothing.
    Keys,
    /// The URL of an authority, or nothing.
    Hook,
    /// A text of printable characters, or nothing.
    Text,
    /// A path.
    Directory,
    /// What events are signed with, or nothing; never shown.
    HookSecret,
    /// A text of at least `min` printable characters that is never shown, or nothing.
    Secret {
        /// The least length.
        min: usize,
    },
    /// A whole number of `unit`.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// Yes or no.
    Switch,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Filter directives of `tracing`.
    Filter,
}

impl Kind {
    /// Reads a value as a flag or a variable gives it.
    ///
    /// # Errors
    /// What the value is instead of an allowed one.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Self::Whole { .. } => match text.parse() {
                Ok(number) => self.check(Value::Integer(number)),
                Err(_) => Err(self.seen(&format!("{text:?}"))),
            },
            Self::Switch => match text.parse() {
                Ok(on) => self.check(Value::Boolean(on)),
                Err(_) => Err(self.seen(&format!("{text:?}"))),
            },
            Self::Urls
            | Self::Embedders
            | Self::Networks
            | Self::DomainNames
            | Self::Places
            | Self::Engines
            | Self::IceServers => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                self.check(Value::Array(items.map(Value::from).collect()))
            }
            _ => self.check(Value::from(text)),
        }
    }

    /// Passes an allowed value on.
    ///
    /// # Errors
    /// What the value is instead of an allowed one.
    pub fn check(self, value: Value) -> Result<Value, String> {
        let allowed = match (self, &value) {
            (Self::Whole { min, max, .. }, Value::Integer(number)) => {
                u64::try_from(*number).is_ok_and(|number| (min..=max).contains(&number))
            }
            (Self::Switch, Value::Boolean(_)) => true,
            (Self::Urls, Value::Array(items)) => all(items, is_origin),
            (Self::Embedders, Value::Array(items)) => all(items, is_embedder),
            (Self::Networks, Value::Array(items)) => all(items, is_network),
            (Self::DomainNames, Value::Array(items)) => all(items, is_domain_name),
            (Self::Places, Value::Array(items)) => all(items, is_place),
            (Self::IceServers, Value::Array(items)) => all(items, is_ice_server),
            (Self::Engines, Value::Array(items)) => all(items, is_engine),
            (
                Self::Urls
                | Self::Embedders
                | Self::Networks
                | Self::DomainNames
                | Self::Places
                | Self::Engines
                | Self::IceServers
                | Self::Switch
                | Self::Whole { .. },
                _,
            ) => false,
            (_, Value::String(text)) => self.allows(text),
            _ => false,
        };
        if allowed {
            Ok(value)
        } else {
            Err(self.seen(&value.to_string()))
        }
    }

    fn allows(self, text: &str) -> bool {
        match self {
            Self::Address => text.parse::<SocketAddr>().is_ok(),
            Self::Listen => text.is_empty() || text.parse::<SocketAddr>().is_ok(),
            Self::Url => text.is_empty() || text.parse::<PublicUrl>().is_ok(),
            Self::Peer => text.is_empty() || text.parse::<Peer>().is_ok(),
            Self::Path => true,
            Self::Name => text.is_empty() || text.parse::<RelayId>().is_ok(),
            Self::AccountKey => text.is_empty() || text.parse::<BindingKey>().is_ok(),
            Self::Keys => text.is_empty() || text.parse::<KeySource>().is_ok(),
            Self::HookSecret => text.is_empty() || text.parse::<HookSecret>().is_ok(),
            Self::Hook => text.is_empty() || text.parse::<SafeUrl>().is_ok(),
            Self::Text => text.len() <= 256 && !text.chars().any(char::is_control),
            Self::Directory => !text.is_empty(),
            Self::Secret { min } => {
                let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
                text.is_empty() || (printable && text.len() >= min)
            }
            Self::Choice(words) => words.contains(&text),
            Self::Filter => !text.is_empty() && EnvFilter::try_new(text).is_ok(),
            Self::Urls
            | Self::Embedders
            | Self::Networks
            | Self::DomainNames
            | Self::Places
            | Self::Engines
            | Self::IceServers
            | Self::Switch
            | Self::Whole { .. } => false,
        }
    }

    /// The default file's spelling of a value written as a flag's.
    pub fn to_toml(self, text: &str) -> String {
        self.read(text)
            .map_or_else(|why| why, |value| value.to_string())
    }

    /// The value as a message may show it.
    fn seen(self, shown: &str) -> String {
        match self {
            Self::Secret { .. } | Self::HookSecret | Self::AccountKey | Self::IceServers => {
                "a value that is not shown".to_owned()
            }
            _ => shown.chars().take(80).collect(),
        }
    }
}

fn all(items: &[Value], allowed: impl Fn(&str) -> bool) -> bool {
    items.iter().all(|item| item.as_str().is_some_and(&allowed))
}

fn is_network(text: &str) -> bool {
    text.parse::<IpNet>().is_ok()
}

fn is_domain_name(text: &str) -> bool {
    DnsName::try_from(text).is_ok()
}

fn is_place(text: &str) -> bool {
    Reachable::parse(text).is_some()
}

fn is_ice_server(text: &str) -> bool {
    IceServer::parse(text).is_some()
}

fn is_engine(text: &str) -> bool {
    text.parse::<EngineUrl>().is_ok()
}

fn is_embedder(text: &str) -> bool {
    text.parse::<Embedder>().is_ok()
}

fn is_origin(text: &str) -> bool {
    text.parse::<Origin>().is_ok()
}

impl fmt::Display for Kind {
    /// The allowed values, as the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("an address with a port, such as [::]:4433"),
            Self::Listen => {
                f.write_str("an address with a port, such as 127.0.0.1:9090, or nothing")
            }
            Self::Url => f.write_str(
                "https://HOST or https://HOST:PORT, perhaps with a path such as /cast/, or nothing",
            ),
            Self::Urls => f.write_str("a list of https://HOST or https://HOST:PORT without a path or *"),
            Self::Embedders => f.write_str(
                "a list of https://HOST or https://HOST:PORT without a path or *, where HOST is a name or an IPv4 address",
            ),
            Self::Networks => f.write_str("a list of IP networks such as 10.0.0.0/8"),
            Self::DomainNames => f.write_str(
                "a list of names such as share.example.org, without * and with letters, digits and hyphens alone",
            ),
            Self::AccountKey => f.write_str("a key in base64url, or nothing"),
            Self::Name => f.write_str("1 to 32 of a-z, 0-9 and '-', or nothing"),
            Self::Engines => f.write_str("a list of nats://HOST:PORT or tls://HOST:PORT"),
            Self::Places => f.write_str("a list of IP addresses, each perhaps with a port"),
            Self::IceServers => {
                f.write_str("a list of stun:HOST:PORT or turn:HOST:PORT USER PASSWORD")
            }
            Self::Peer => f.write_str("HOST:PORT, or nothing"),
            Self::Path => f.write_str("the path of a file, or nothing"),
            Self::Keys => f.write_str(
                "the path of a file, an https:// URL (http:// from this host alone), or nothing",
            ),
            Self::HookSecret => f.write_str(
                "at least 16 printable characters without spaces (behind whsec_ in base64), or nothing",
            ),
            Self::Hook => f.write_str("an https:// URL (http:// on this host alone), or nothing"),
            Self::Text => f.write_str("a text of at most 256 bytes without control characters"),
            Self::Directory => f.write_str("the path of a directory"),
            Self::Secret { min } => {
                write!(
                    f,
                    "at least {min} printable characters without spaces, or nothing"
                )
            }
            Self::Whole { min, max, unit } => {
                write!(f, "a whole number of {unit} from {min} to {max}")
            }
            Self::Switch => f.write_str("true or false"),
            Self::Choice(words) => f.write_str(&words.join(" or ")),
            Self::Filter => f.write_str("a level (error, warn, info, debug, trace) or directives"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_range() {
        let kind = Kind::Whole {
            min: 1,
            max: 600,
            unit: "frames",
        };
        assert_eq!(kind.read(" 600 "), Ok(Value::Integer(600)));
        for bad in ["0", "601", "-1", "1.5", "ten", "", "99999999999999999999"] {
            assert!(kind.read(bad).is_err(), "{bad}");
        }
        assert!(kind.check(Value::from("7")).is_err());
    }

    #[test]
    fn a_switch_is_true_or_false_and_nothing_else() {
        assert_eq!(Kind::Switch.read(" false "), Ok(Value::Boolean(false)));
        for bad in ["", "no", "1", "True"] {
            assert!(Kind::Switch.read(bad).is_err(), "{bad}");
        }
        assert!(Kind::Switch.check(Value::from("true")).is_err());
    }

    #[test]
    fn a_secret_is_never_in_a_message() {
        let kind = Kind::Secret { min: 16 };
        let why = kind.read("hunter2").unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
        assert!(kind.read("0123456789abcdef").is_ok());
        assert!(kind.read("0123456789 abcdef").is_err());
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let value = Kind::Urls
            .read("https://a.example, http://b:8080,")
            .unwrap();
        assert_eq!(value.as_array().map(Vec::len), Some(2));
        assert!(Kind::Urls.read("a.example").is_err());
        assert!(Kind::Urls.read("https://a.example/path").is_err());
        assert!(Kind::Url.read("https://a.example/path/").is_ok());
        assert!(Kind::Url.read("https://a.example/path?query").is_err());
    }

    #[test]
    fn networks_are_written_with_their_prefix() {
        let value = Kind::Networks.read("10.0.0.0/8, fd00::/8").unwrap();
        assert_eq!(value.as_array().map(Vec::len), Some(2));
        for wrong in ["10.0.0.1", "10.0.0.0/33", "a/8"] {
            assert!(Kind::Networks.read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn filters_are_those_of_tracing() {
        assert!(Kind::Filter.read("info,steadycast_relay=debug").is_ok());
        assert!(Kind::Filter.read("info,relay=loud").is_err());
        assert!(Kind::Filter.read("").is_err());
    }
}
