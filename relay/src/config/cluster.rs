//! Other relays.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::{duration, nothing};
use crate::directory::{self, EngineUrl, RelayId};
use crate::store::{ClusterSecret, ClusterSecretError};

/// Other relays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Where other relays get broadcasts; `None`: nowhere.
    #[serde(deserialize_with = "nothing::or_value")]
    pub listen: Option<SocketAddr>,
    /// The relay that has what is not here, if one does.
    #[serde(deserialize_with = "nothing::or_value")]
    pub origin: Option<Peer>,
    /// PEM file with the certificate of the authority of all relays.
    #[serde(deserialize_with = "nothing::or_value")]
    pub authority: Option<PathBuf>,
    /// PEM file with this relay's certificate chain.
    #[serde(deserialize_with = "nothing::or_value")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the certificate's key.
    #[serde(deserialize_with = "nothing::or_value")]
    pub key: Option<PathBuf>,
    /// How long a broadcast of another relay is kept after its last player.
    #[serde(rename = "linger_s", deserialize_with = "duration::seconds")]
    pub linger: Duration,
    /// The relay's name among others; `None`: one made at random, which is kept.
    #[serde(deserialize_with = "nothing::or_value")]
    pub id: Option<RelayId>,
    /// Where other relays reach it; `None`: it does not say.
    #[serde(deserialize_with = "nothing::or_value")]
    pub advertise: Option<Peer>,
    /// Servers of the engine that knows which relay has what; none: nobody says.
    pub nats: Vec<EngineUrl>,
    /// A file that says who the relay is to them.
    #[serde(deserialize_with = "nothing::or_value")]
    pub nats_credentials: Option<PathBuf>,
    /// PEM file with the certificates of the authorities that the engine is trusted by; `None`: what the system trusts.
    #[serde(deserialize_with = "nothing::or_value")]
    pub nats_authority: Option<PathBuf>,
    /// What all relays of the cluster know; `None`: it is in a file, or there is no engine.
    #[serde(deserialize_with = "nothing::or_value")]
    pub secret: Option<ClusterSecret>,
    /// The file that it is in.
    #[serde(deserialize_with = "nothing::or_value")]
    pub secret_file: Option<PathBuf>,
    /// What the names of the engine's buckets begin with.
    pub prefix: String,
    /// How many of the engine's servers keep each of them.
    pub replicas: usize,
    /// The operator's word for where the relay is; empty: there is none.
    pub region: String,
    /// How many relays get one broadcast from this one before it sends others on to them.
    pub children: usize,
    /// How long the relay's lease is good without being renewed.
    #[serde(rename = "lease_s", deserialize_with = "duration::seconds")]
    pub lease: Duration,
    /// For how long clients are handed over to other relays before this one stops; none: they are not.
    #[serde(rename = "drain_s", deserialize_with = "duration::seconds")]
    pub drain: Duration,
}

/// The secret of the cluster cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cluster.secret_file: {}: {why}", path.display())]
pub struct SecretError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What relays know one another by.
#[derive(Debug, Clone, Copy)]
pub struct ClusterFiles<'a> {
    /// The authority's certificate.
    pub authority: &'a Path,
    /// This relay's.
    pub certificate: &'a Path,
    /// Its key.
    pub key: &'a Path,
}

impl Cluster {
    /// Whether there are other relays.
    pub fn is_used(&self) -> bool {
        self.listen.is_some() || self.origin.is_some()
    }

    /// Where the relay is, in its operator's words, if there are any.
    pub fn region(&self) -> Option<&str> {
        (!self.region.is_empty()).then_some(&*self.region)
    }

    /// How the directory is kept, where there is an engine, but for the secret, which may be in a file.
    pub fn directory(&self) -> Option<directory::Settings> {
        (!self.nats.is_empty()).then(|| directory::Settings {
            servers: self.nats.clone(),
            credentials: self.nats_credentials.clone(),
            authority: self.nats_authority.clone(),
            prefix: self.prefix.clone(),
            replicas: self.replicas,
            lease: self.lease,
            secret: None,
        })
    }

    /// What all relays of the cluster know, where there is an engine.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn secret(&self) -> Result<Option<ClusterSecret>, SecretError> {
        match (&self.secret, &self.secret_file) {
            _ if self.nats.is_empty() => Ok(None),
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(path)) => {
                let unread = |why: String| SecretError {
                    path: path.clone(),
                    why,
                };
                let text = fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
                let secret = text.trim().parse();
                let secret =
                    secret.map_err(|error: ClusterSecretError| unread(error.to_string()))?;
                Ok(Some(secret))
            }
            (None, None) => Err(SecretError {
                path: PathBuf::new(),
                why: "neither it nor cluster.secret is set".to_owned(),
            }),
        }
    }

    /// What relays know one another by, where all of it is set.
    pub fn files(&self) -> Option<ClusterFiles<'_>> {
        Some(ClusterFiles {
            authority: self.authority.as_deref()?,
            certificate: self.certificate.as_deref()?,
            key: self.key.as_deref()?,
        })
    }
}

/// Where another relay is: a name or an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer(Box<str>);

/// A text that is no [`Peer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a relay's address is HOST:PORT")]
pub struct PeerError;

impl Peer {
    /// As it is written: `HOST:PORT`, with an IPv6 address in brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Peer {
    type Err = PeerError;

    fn from_str(text: &str) -> Result<Self, PeerError> {
        let (host, port) = text.rsplit_once(':').ok_or(PeerError)?;
        let port: u16 = port.parse().map_err(|_| PeerError)?;
        let is_address = text.parse::<SocketAddr>().is_ok();
        let is_name = rustls_pki_types::DnsName::try_from(host).is_ok();
        match port > 0 && (is_address || is_name) {
            true => Ok(Self(text.into())),
            false => Err(PeerError),
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self(address.to_string().into())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_has_a_host_and_a_port() {
        for right in [
            "origin.example.org:4434",
            "10.0.0.1:1",
            "[fd00::1]:4434",
            "a:9",
        ] {
            assert_eq!(right.parse::<Peer>().unwrap().as_str(), right);
        }
        for wrong in [
            "", "origin", "origin:", "origin:0", ":4434", "a b:1", "fd00::1", "a:70000",
        ] {
            assert_eq!(wrong.parse::<Peer>(), Err(PeerError), "{wrong}");
        }
    }
}
