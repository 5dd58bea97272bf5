//! What all relays of a cluster know, and nobody else.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;

use crate::auth::{RandomError, random};
use crate::broadcast::BroadcastId;

/// What the keys that come of a secret are for: none is used for two things.
const KEYS: &[u8] = b"steadycast keys";
const PANEL: &[u8] = b"steadycast panel";
const TALK: &[u8] = b"steadycast talk";
const LEASES: &[u8] = b"steadycast leases";

/// A secret that all relays of a cluster have (`cluster.secret`), from which they derive what others must not know.
#[derive(Clone)]
pub struct ClusterSecret(Prk);

/// A text is not fit to be the secret of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cluster's secret is at least {} bytes", ClusterSecret::LEAST)]
pub struct ClusterSecretError;

/// Something was not sealed by a relay of this cluster, or is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed there does not open: all relays need the same cluster.secret")]
pub(crate) struct Unopened;

impl ClusterSecret {
    /// The least length, in bytes.
    pub const LEAST: usize = 32;

    /// Seals a text so that relays of this cluster alone read it, and see that it is whole.
    ///
    /// # Errors
    /// [`RandomError`].
    pub(crate) fn seal(&self, text: &str) -> Result<Vec<u8>, RandomError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = text.as_bytes().to_vec();
        let key = self.key().ok_or(RandomError)?;
        let at = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(at, Aad::from(KEYS), &mut sealed)
            .map_err(|_| RandomError)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`Unopened`].
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<String, Unopened> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(Unopened)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopened)?;
        let key = self.key().ok_or(Unopened)?;
        let mut bytes = sealed.to_vec();
        let text = key.open_in_place(nonce, Aad::from(KEYS), &mut bytes);
        let text = text.map_err(|_| Unopened)?;
        String::from_utf8(text.to_vec()).map_err(|_| Unopened)
    }

    /// What panels and capture hosts of a broadcast know each other by, the same at all relays without a word between
    /// them. Another one for each generation of links, and for each broadcast of an id.
    pub(crate) fn panel(&self, id: &BroadcastId, created: u64, generation: u64) -> Option<String> {
        let (created, generation) = (created.to_be_bytes(), generation.to_be_bytes());
        let about = [PANEL, id.as_str().as_bytes(), &created, &generation];
        let mut bytes = [0; 32];
        let made = self.0.expand(&about, HKDF_SHA256).ok()?;
        made.fill(&mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What relays prove with that a lease is one of theirs.
    pub(crate) fn leases(&self) -> Option<hmac::Key> {
        let made = self.0.expand(&[LEASES], hmac::HMAC_SHA256).ok()?;
        Some(hmac::Key::from(made))
    }

    /// What a relay seals with that has drawn this salt, when it says something to others.
    pub(crate) fn talk(&self, salt: &[u8]) -> Option<LessSafeKey> {
        self.expanded(&[TALK, salt])
    }

    fn key(&self) -> Option<LessSafeKey> {
        self.expanded(&[KEYS])
    }

    fn expanded(&self, about: &[&[u8]]) -> Option<LessSafeKey> {
        let made = self.0.expand(about, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(made)))
    }
}

impl FromStr for ClusterSecret {
    type Err = ClusterSecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() < Self::LEAST {
            return Err(ClusterSecretError);
        }
        let salt = Salt::new(HKDF_SHA256, b"steadycast cluster");
        Ok(Self(salt.extract(text.as_bytes())))
    }
}

/// Never shown, so that it is in no log.
impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: char) -> ClusterSecret {
        String::from_iter([byte; 32]).parse().unwrap()
    }

    #[test]
    fn only_who_has_the_secret_reads_what_is_sealed_and_it_has_to_be_whole() {
        let sealed = secret('a').seal("the keys").unwrap();
        assert_eq!(secret('a').open(&sealed).unwrap(), "the keys");
        assert_eq!(secret('b').open(&sealed), Err(Unopened));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(secret('a').open(&changed), Err(Unopened), "{place}");
            assert_eq!(secret('a').open(&sealed[..place]), Err(Unopened));
        }
        assert_ne!(secret('a').seal("the keys").unwrap(), sealed);
    }

    #[test]
    fn panels_know_each_other_by_another_secret_for_each_broadcast_and_generation() {
        let of = |byte, id: &str, created, generation| {
            let id = id.parse().unwrap();
            secret(byte).panel(&id, created, generation).unwrap()
        };
        let one = of('a', "one", 1, 0);
        assert_eq!(one, of('a', "one", 1, 0));
        assert_eq!(one.len(), 43);
        let others = [
            of('b', "one", 1, 0),
            of('a', "two", 1, 0),
            of('a', "one", 2, 0),
            of('a', "one", 1, 1),
        ];
        assert!(!others.contains(&one));
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_shown() {
        assert!("x".repeat(31).parse::<ClusterSecret>().is_err());
        assert_eq!(format!("{:?}", secret('a')), "ClusterSecret(..)");
    }
}
