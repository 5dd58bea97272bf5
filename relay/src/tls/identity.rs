use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ring::digest;
use rustls::crypto::ring as provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use tokio::sync::watch;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::store::StateError;

/// Where the current identity is to be had; it changes when the certificate does. There is none until an authority
/// has given the first one.
pub type Identities = watch::Receiver<Option<Arc<Identity>>>;

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The certificate and its key do not make an identity.
    #[error("certificate and key: {0}")]
    Pair(String),
    /// No development certificate can be made.
    #[error("a development certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
    /// An authority cannot be asked for one.
    #[error("an authority cannot be asked for a certificate: {0}")]
    Asking(String),
    /// The state directory fails.
    #[error(transparent)]
    State(#[from] StateError),
    /// The provider lacks what TLS needs.
    #[error("TLS cannot be configured: {0}")]
    Config(#[from] rustls::Error),
}

/// A certificate chain and its key.
#[derive(Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    hash: Option<[u8; 32]>,
}

impl Identity {
    /// An identity that browsers are to trust for its issuer.
    pub(super) fn trusted(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let bad = |why: String| TlsError::Pair(why);
        let leaf = chain
            .first()
            .ok_or_else(|| bad("there is no certificate".to_owned()))?;
        let (_, parsed) =
            X509Certificate::from_der(leaf).map_err(|error| bad(error.to_string()))?;
        let validity = parsed.validity();
        let (not_before, not_after) = (
            validity.not_before.to_datetime(),
            validity.not_after.to_datetime(),
        );
        let certified = CertifiedKey::from_der(chain, key, &provider::default_provider())
            .map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            certified: Arc::new(certified),
            not_before,
            not_after,
            hash: None,
        })
    }

    /// An identity that pages are to trust for its hash.
    pub(super) fn pinned(
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let hash = digest::digest(&digest::SHA256, &certificate);
        let mut identity = Self::trusted(vec![certificate], key)?;
        identity.hash = hash.as_ref().try_into().ok();
        Ok(identity)
    }

    /// The chain, the relay's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// SHA-256 of the certificate; only of a development certificate, which no browser trusts otherwise.
    pub fn hash(&self) -> Option<[u8; 32]> {
        self.hash
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// When it begins.
    pub(crate) fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The names and addresses that it is for, as people write them.
    pub(crate) fn names(&self) -> Vec<String> {
        let leaf = self
            .chain()
            .first()
            .map(|leaf| X509Certificate::from_der(leaf));
        let Some(Ok((_, leaf))) = leaf else {
            return Vec::new();
        };
        let Ok(Some(names)) = leaf.subject_alternative_name() else {
            return Vec::new();
        };
        let names = names.value.general_names.iter();
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
            _ => None,
        });
        names.collect()
    }

    /// Whether browsers take it for that of `host`, a name or an address (RFC 6125, 6.4).
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let is = |name: &String| {
            let rest = |text: &str| text.split_once('.').map(|(_, rest)| rest.to_owned());
            let covers = name.strip_prefix("*.").map(str::to_owned);
            name.eq_ignore_ascii_case(host) || (covers.is_some() && covers == rest(host))
        };
        self.names().iter().any(is)
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }
}

/// An address as certificates have it (RFC 5280, 4.2.1.6).
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}
