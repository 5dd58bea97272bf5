//! Others' public keys (RFC 7517).

use std::collections::HashMap;
use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;

/// The shortest modulus of an RSA key: 2,048 bits.
const RSA_BYTES: usize = 256;

/// Public keys by their ids (`kid`), each with the one algorithm that it is for.
#[derive(Default)]
pub struct KeySet(HashMap<Box<str>, PublicKey>);

/// A public key, and what it is for.
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// A text is no set of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is not what RFC 7517 says.
    #[error("not a JSON Web Key Set: {0}")]
    Malformed(#[from] serde_json::Error),
    /// There is no key in it that tokens can be verified with.
    #[error(
        "no key of use: a key needs a kid, and has to be Ed25519 (EdDSA), P-256 (ES256) or RSA of 2048 bits \
         or more (RS256)"
    )]
    NoKey,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys of other kinds, without an id, for encryption, or symmetric ones, which
    /// are no public ones, are left out.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        // Key by key, so that one of a kind that is not known does not cost the others.
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let Keys { keys } = serde_json::from_slice(json)?;
        let mut set = HashMap::new();
        for key in keys {
            let Ok(jwk) = serde_json::from_value::<Jwk>(key) else {
                continue;
            };
            if let (Some(id), Some(key)) = (jwk.common.key_id.clone(), public(&jwk)) {
                set.insert(id.into(), key);
            }
        }
        match set.is_empty() {
            true => Err(KeySetError::NoKey),
            false => Ok(Self(set)),
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&PublicKey> {
        self.0.get(id)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The key, if tokens may be verified with it.
fn public(jwk: &Jwk) -> Option<PublicKey> {
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return None;
    }
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|named| named != name) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } if n.len() < RSA_BYTES => None,
        _ => Some(PublicKey { algorithm, key }),
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
