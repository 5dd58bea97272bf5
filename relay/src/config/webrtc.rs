//! What an operator says of WebRTC.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer, de};

use super::nothing;
use crate::auth::PublicUrl;

/// Browsers without WebTransport, and standard tools.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebRtc {
    /// Where clients reach the relay; empty: at the host's own addresses.
    pub addresses: Vec<Reachable>,
    /// Whether clients may come over TCP as well.
    pub tcp: bool,
    /// Servers that clients are told of.
    pub ice_servers: Vec<IceServer>,
    /// Where clients are sent when the relay is full.
    #[serde(deserialize_with = "nothing::or_value")]
    pub overflow: Option<PublicUrl>,
}

/// An address at which clients reach the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachable {
    ip: IpAddr,
    port: Option<u16>,
}

impl Reachable {
    /// Reads an IP address, or one with a port.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (ip, port) = match text.parse::<IpAddr>() {
            Ok(ip) => (ip, None),
            Err(_) => {
                let address: SocketAddr = text.parse().ok()?;
                (address.ip(), Some(address.port()))
            }
        };
        // Nobody is reached there.
        let nowhere = ip.is_unspecified() || ip.is_multicast() || port == Some(0);
        (!nowhere).then_some(Self { ip, port })
    }

    /// The IP address alone.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// The address, on `port` unless it names another.
    pub fn with_port(self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(port))
    }
}

/// A STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:HOST:PORT` or the like (RFC 7064, RFC 7065).
    pub url: String,
    /// User and password, which TURN servers want.
    pub login: Option<(String, String)>,
}

impl IceServer {
    /// Reads `URL` or `URL USER PASSWORD`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (url, user, password) = (words.next()?, words.next(), words.next());
        let (scheme, host) = url.split_once(':')?;
        let plain = |word: &str| {
            let odd = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\".contains(&byte);
            !word.is_empty() && !word.bytes().any(odd)
        };
        let turn = matches!(scheme, "turn" | "turns");
        let known = turn || matches!(scheme, "stun" | "stuns");
        let login = user.zip(password);
        let all_plain = [Some(host), user, password]
            .into_iter()
            .flatten()
            .all(plain);
        (known && all_plain && turn == login.is_some() && words.next().is_none()).then(|| Self {
            url: url.to_owned(),
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
        })
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IceServer").field(&self.url).finish()
    }
}

impl<'de> Deserialize<'de> for Reachable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not an IP address"))
    }
}

impl<'de> Deserialize<'de> for IceServer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a STUN or TURN server"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_relays_port_unless_it_names_its_own() {
        let at = |text: &str| Reachable::parse(text).map(|place| place.with_port(4433));
        assert_eq!(at("192.0.2.1"), Some("192.0.2.1:4433".parse().unwrap()));
        assert_eq!(at("192.0.2.1:9"), Some("192.0.2.1:9".parse().unwrap()));
        assert_eq!(
            at("2001:db8::1"),
            Some("[2001:db8::1]:4433".parse().unwrap())
        );
        assert_eq!(
            at("[2001:db8::1]:9"),
            Some("[2001:db8::1]:9".parse().unwrap())
        );
        assert_eq!(at("relay.example"), None);
    }

    #[test]
    fn where_nobody_is_reached_is_no_address() {
        for nowhere in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "192.0.2.1:0"] {
            assert_eq!(Reachable::parse(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn turn_servers_need_a_login_and_stun_servers_have_none() {
        assert!(IceServer::parse("stun:stun.example:3478").is_some());
        let turn = IceServer::parse("turns:turn.example:5349?transport=tcp me secret").unwrap();
        assert_eq!(turn.login.as_ref().unwrap().1, "secret");
        assert!(!format!("{turn:?}").contains("secret"));
        for bad in [
            "",
            "stun:",
            "turn:a",
            "stun:a b c",
            "https://a",
            "stun:a>b",
            "turn:a b c d",
        ] {
            assert_eq!(IceServer::parse(bad), None, "{bad}");
        }
    }
}
