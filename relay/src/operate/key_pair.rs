//! A key for those who issue tokens of their own.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use serde_json::json;

/// An Ed25519 key in PEM, and the JSON Web Key Set for `auth.jwks` behind it.
///
/// # Errors
/// When the system gives no randomness.
pub fn key_pair(kid: &str) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let public = json!({ "keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": kid,
        "x": URL_SAFE_NO_PAD.encode(key.der_bytes()),
    }] });
    let private = key.serialize_pem();
    Ok(format!("{}\n{public:#}\n", private.trim_end()))
}

#[cfg(test)]
mod tests {
    use ring::signature::Ed25519KeyPair;
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
