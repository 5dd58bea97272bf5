//! A key for those who issue tokens of their own.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;

/// PKCS #8 of version 1 before the 32 bytes of the key (RFC 8410, 7): not every library reads version 2.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 key in PEM, and the JSON Web Key Set for `auth.jwks` behind it.
///
/// # Errors
/// When the system gives no randomness.
pub fn key_pair(kid: &str) -> Result<String, Unspecified> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed)?;
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Unspecified)?;
    let public = json!({ "keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": kid,
        "x": URL_SAFE_NO_PAD.encode(key.public_key()),
    }] });
    // One line: 48 bytes are 64 letters.
    let private = STANDARD.encode([&PKCS8[..], &seed].concat());
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n{public:#}\n"
    ))
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::PrivateKeyDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::auth::{Gate, IssuerRules, Issuers, KeySet, TokenSigner};
    use crate::broadcast::RelayTime;

    #[test]
    fn a_token_that_is_signed_with_it_is_good_where_the_set_is_known() {
        let made = key_pair("mine").unwrap();
        let (private, public) = made.split_once("\n{").unwrap();
        let issuers = Issuers::new(IssuerRules {
            issuer: None,
            audience: "share".to_owned(),
            leeway: 0,
        });
        issuers.trust(KeySet::parse(format!("{{{public}").as_bytes()).unwrap());
        let key = "the-admin-key-of-the-tests".parse().unwrap();
        let gate = Gate::new(TokenSigner::new(&[1; 32]), key, Some(issuers.into()));
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = part(json!({ "alg": "EdDSA", "kid": "mine" }));
        let claims = part(json!({
            "aud": "share", "exp": 2_000_000_000, "jti": "1",
            "steadycast": { "broadcast": "main", "roles": ["play"] },
        }));
        let signed = format!("{header}.{claims}");
        let key = PrivateKeyDer::from_pem_slice(private.as_bytes()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_der()).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        let token = format!("{signed}.{signature}");
        let now = RelayTime::from_micros(1_900_000_000_000_000);
        assert!(gate.recognise(&token, now).is_ok());
    }
}
