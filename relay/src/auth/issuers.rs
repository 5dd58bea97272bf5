//! Others who may issue tokens: their keys, and what they have to say.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Validation, decode};
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::claims::{Early, WireClaims};
use super::key_set::KeySet;
use super::{Grant, Refusal};
use crate::broadcast::RelayTime;

/// How long a session waits for a key that is not known yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// What tokens of others have to say.
#[derive(Debug, Clone)]
pub struct IssuerRules {
    /// Who issued them (`iss`); `None`: whoever has the keys.
    pub issuer: Option<String>,
    /// Whom they are for (`aud`): this has to be among it.
    pub audience: String,
    /// How far their clocks may be off, in seconds.
    pub leeway: u64,
}

/// Others who may issue tokens. Their keys come and go.
pub struct Issuers {
    rules: IssuerRules,
    keys: RwLock<Arc<KeySet>>,
    missing: Notify,
    renewed: Notify,
}

impl Issuers {
    /// Without keys: no token of theirs is good yet.
    pub fn new(rules: IssuerRules) -> Self {
        super::signatures::install();
        Self {
            rules,
            keys: RwLock::default(),
            missing: Notify::new(),
            renewed: Notify::new(),
        }
    }

    /// These are their keys from now on.
    pub fn trust(&self, keys: KeySet) {
        *self.keys.write() = Arc::new(keys);
        self.renewed.notify_waiters();
    }

    /// Whether a key of this id is known.
    pub(super) fn know(&self, key: &str) -> bool {
        self.keys.read().get(key).is_some()
    }

    /// Resolves when the keys have been read again, or when that takes too long.
    pub(super) async fn renewal(&self) {
        let _ = timeout(PATIENCE, self.renewed.notified()).await;
    }

    /// Has the keys read again soon.
    pub(super) fn read_again(&self) {
        self.missing.notify_one();
    }

    /// Resolves when a token names a key that is not known, or somebody else wants them read again.
    pub async fn key_missing(&self) {
        self.missing.notified().await;
    }

    /// What a token grants that names this key.
    pub(super) fn verify(&self, token: &str, key: &str, now: RelayTime) -> Result<Grant, Refusal> {
        let keys = self.keys.read().clone();
        let Some(key) = keys.get(key) else {
            self.missing.notify_one();
            return Err(Refusal::Invalid);
        };
        let mut rules = Validation::new(key.algorithm);
        rules.set_required_spec_claims(&["exp"]);
        // Time and audience are looked at here.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = decode::<WireClaims>(token, &key.key, &rules)
            .map_err(|_| Refusal::Invalid)?
            .claims;
        let IssuerRules {
            issuer,
            audience,
            leeway,
        } = &self.rules;
        let issued_by = issuer.is_none() || claims.iss.as_deref() == issuer.as_deref();
        if !issued_by || !claims.aud.has(audience) {
            return Err(Refusal::Invalid);
        }
        let now = now.as_seconds();
        let (begins, ends) = (claims.nbf, claims.exp);
        let mut grant = claims.grant(Early::Refused).ok_or(Refusal::Invalid)?;
        // Generations are the relay's own.
        grant.generation = None;
        if grant.issued > now.saturating_add(*leeway) {
            return Err(Refusal::NotYet);
        }
        grant.leeway = *leeway;
        if now >= ends.0.saturating_add(*leeway) {
            return Err(Refusal::Expired);
        }
        match begins.is_some_and(|begins| now.saturating_add(*leeway) < begins.0) {
            true => Err(Refusal::NotYet),
            false => Ok(grant),
        }
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::hmac;
    use ring::rand::SystemRandom;
    use ring::rsa::PublicKeyComponents;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    };
    use serde_json::{Value, json};

    use super::super::Power;
    use super::*;

    const NOW: u64 = 1_800_000_000;

    /// Somebody with a key of each kind.
    struct Signer {
        ed: Ed25519KeyPair,
        ec: EcdsaKeyPair,
        rsa: RsaKeyPair,
        random: SystemRandom,
    }

    fn base64(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    impl Signer {
        fn new() -> Self {
            let random = SystemRandom::new();
            let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
            let rules = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let ec = EcdsaKeyPair::generate_pkcs8(rules, &random).unwrap();
            Self {
                ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
                ec: EcdsaKeyPair::from_pkcs8(rules, ec.as_ref(), &random).unwrap(),
                rsa: RsaKeyPair::from_pkcs8(include_bytes!("testdata/rsa.pk8")).unwrap(),
                random,
            }
        }

        fn keys(&self) -> Value {
            let (x, y) = self.ec.public_key().as_ref()[1..].split_at(32);
            let PublicKeyComponents::<Vec<u8>> { n, e } = self.rsa.public().into();
            let ed = self.ed.public_key().as_ref();
            json!({ "keys": [
                { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": base64(ed) },
                { "kty": "EC", "crv": "P-256", "kid": "ec", "x": base64(x), "y": base64(y), "alg": "ES256" },
                { "kty": "RSA", "kid": "rsa", "n": base64(&n), "e": base64(&e), "use": "sig" },
            ]})
        }

        fn sign(&self, key: &str, message: &[u8]) -> Vec<u8> {
            match key {
                "ed" => self.ed.sign(message).as_ref().to_vec(),
                "ec" => self
                    .ec
                    .sign(&self.random, message)
                    .unwrap()
                    .as_ref()
                    .to_vec(),
                _ => {
                    let mut signature = vec![0; self.rsa.public().modulus_len()];
                    let rules = &RSA_PKCS1_SHA256;
                    self.rsa
                        .sign(rules, &self.random, message, &mut signature)
                        .unwrap();
                    signature
                }
            }
        }

        fn token(&self, algorithm: &str, key: &str, claims: &Value) -> String {
            let message = message(algorithm, key, claims);
            let signature = self.sign(key, message.as_bytes());
            format!("{message}.{}", base64(&signature))
        }
    }

    fn message(algorithm: &str, key: &str, claims: &Value) -> String {
        let header = json!({ "alg": algorithm, "kid": key }).to_string();
        let [header, claims] = [header, claims.to_string()].map(|part| base64(part.as_bytes()));
        format!("{header}.{claims}")
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.example", "aud": ["other", "cast"], "sub": "ada", "exp": NOW + 60,
            "steadycast": { "broadcast": "game-*", "roles": ["play"], "generation": 9 },
        })
    }

    fn issuers(keys: &Value) -> Issuers {
        let issuers = Issuers::new(IssuerRules {
            issuer: Some("https://id.example".to_owned()),
            audience: "cast".to_owned(),
            leeway: 30,
        });
        issuers.trust(KeySet::parse(keys.to_string().as_bytes()).unwrap());
        issuers
    }

    fn verify(issuers: &Issuers, token: &str, key: &str) -> Result<Grant, Refusal> {
        issuers.verify(token, key, RelayTime::from_micros(NOW * 1_000_000))
    }

    #[test]
    fn tokens_of_others_are_good_by_each_of_their_keys() {
        let signer = Signer::new();
        let issuers = issuers(&signer.keys());
        for (algorithm, key) in [("EdDSA", "ed"), ("ES256", "ec"), ("RS256", "rsa")] {
            let grant = verify(&issuers, &signer.token(algorithm, key, &claims()), key).unwrap();
            let game = "game-7".parse().unwrap();
            assert_eq!(grant.require(Power::Play, &game), Ok(()), "{algorithm}");
            assert_eq!(grant.holder.subject.as_deref(), Some("ada"));
            assert_eq!(grant.generation, None, "which they cannot know");
        }
    }

    #[test]
    fn a_key_is_for_its_own_algorithm_and_nobody_elses() {
        let signer = Signer::new();
        let keys = signer.keys();
        let issuers = issuers(&keys);
        let refused = |token: &str, key: &str| verify(&issuers, token, key).unwrap_err();
        // Signed by one, said to be by another.
        let claims = claims();
        for (algorithm, key, shown) in [
            ("EdDSA", "ed", "ec"),
            ("ES256", "ec", "rsa"),
            ("RS256", "rsa", "ed"),
            ("RS384", "rsa", "rsa"),
            ("PS256", "rsa", "rsa"),
            ("none", "rsa", "rsa"),
        ] {
            let message = message(algorithm, shown, &claims);
            let signature = base64(&signer.sign(key, message.as_bytes()));
            let token = format!("{message}.{signature}");
            assert_eq!(
                refused(&token, shown),
                Refusal::Invalid,
                "{algorithm} {shown}"
            );
        }
        let unsigned = format!("{}.", message("none", "ed", &claims));
        assert_eq!(refused(&unsigned, "ed"), Refusal::Invalid);
        // The public key as the secret of an HMAC.
        let secret = keys["keys"][2]["n"].as_str().unwrap().as_bytes();
        for secret in [secret, &URL_SAFE_NO_PAD.decode(secret).unwrap()] {
            let message = message("HS256", "rsa", &claims);
            let tag = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, secret),
                message.as_bytes(),
            );
            let token = format!("{message}.{}", base64(tag.as_ref()));
            assert_eq!(refused(&token, "rsa"), Refusal::Invalid);
        }
        // Another's keys under the same names.
        let token = Signer::new().token("EdDSA", "ed", &claims);
        assert_eq!(refused(&token, "ed"), Refusal::Invalid);
    }

    #[test]
    fn issuer_audience_and_times_are_checked() {
        let signer = Signer::new();
        let issuers = issuers(&signer.keys());
        let changed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            verify(&issuers, &signer.token("EdDSA", "ed", &claims), "ed").err()
        };
        assert_eq!(changed("aud", json!("cast")), None);
        assert_eq!(changed("exp", json!(NOW - 29)), None, "clocks differ");
        assert_eq!(changed("nbf", json!(NOW + 30)), None);
        for (name, value, refusal) in [
            ("iss", json!("https://evil.example"), Refusal::Invalid),
            ("iss", json!(null), Refusal::Invalid),
            ("aud", json!("steadycast"), Refusal::Invalid),
            ("aud", json!(null), Refusal::Invalid),
            ("exp", json!(null), Refusal::Invalid),
            ("exp", json!(NOW - 30), Refusal::Expired),
            ("nbf", json!(NOW + 31), Refusal::NotYet),
            ("steadycast", json!(null), Refusal::Invalid),
            ("iat", json!(NOW + 31), Refusal::NotYet),
        ] {
            assert_eq!(changed(name, value), Some(refusal), "{name}");
        }
    }

    #[test]
    fn a_grant_has_the_times_of_its_token_and_is_taken_back_as_early_as_it_may_be() {
        let signer = Signer::new();
        let issuers = issuers(&signer.keys());
        let mut claims = claims();
        claims["iat"] = json!(NOW + 10);
        let grant = verify(&issuers, &signer.token("EdDSA", "ed", &claims), "ed").unwrap();
        assert_eq!((grant.issued, grant.expires), (NOW + 10, Some(NOW + 60)));
        // Its issuer's clock may be 30 seconds ahead.
        assert!(grant.may_be_of(NOW - 20) && !grant.may_be_of(NOW - 21));
    }

    #[test]
    fn tokens_of_others_are_none_of_relays_before() {
        let signer = Signer::new();
        let issuers = issuers(&signer.keys());
        let early = json!({
            "iss": "https://id.example", "aud": "cast", "sub": "main", "role": "play", "exp": NOW + 60,
        });
        let refused = verify(&issuers, &signer.token("EdDSA", "ed", &early), "ed");
        assert_eq!(refused, Err(Refusal::Invalid));
    }

    #[tokio::test]
    async fn a_key_that_is_not_known_is_asked_for() {
        let signer = Signer::new();
        let keys = signer.keys();
        let mut fewer = keys.clone();
        fewer["keys"].as_array_mut().unwrap().remove(0);
        let issuers = issuers(&fewer);
        let token = signer.token("EdDSA", "ed", &claims());
        assert_eq!(verify(&issuers, &token, "ed"), Err(Refusal::Invalid));
        issuers.key_missing().await;
        issuers.trust(KeySet::parse(keys.to_string().as_bytes()).unwrap());
        assert!(verify(&issuers, &token, "ed").is_ok());
    }

    #[test]
    fn keys_of_no_use_are_left_out() {
        let good = Signer::new().keys()["keys"][0].clone();
        let with = |name: &str, value: Value| {
            let mut key = good.clone();
            key[name] = value;
            key
        };
        let parse = |keys: Value| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
        let symmetric = json!({ "kty": "oct", "kid": "a", "k": "AAAA" });
        let short = json!({ "kty": "RSA", "kid": "a", "n": base64(&[0xff; 128]), "e": "AQAB" });
        let unknown = json!({ "kty": "AKP", "kid": "a", "alg": "ML-DSA-44", "pub": "AAAA" });
        let others = [
            symmetric,
            short,
            unknown,
            with("kid", json!(null)),
            with("use", json!("enc")),
            with("alg", json!("ES256")),
            with("crv", json!("X25519")),
            json!("text"),
        ];
        for other in &others {
            assert!(parse(json!([other])).is_err(), "{other}");
        }
        let mut all = others.to_vec();
        all.push(good.clone());
        assert_eq!(parse(json!(all)).unwrap().len(), 1);
        for text in ["", "{}", "[]", r#"{"keys":{}}"#] {
            assert!(KeySet::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
