//! What an engine that lets nobody in by itself knows its clients by: a certificate for TLS, and credentials as its
//! operator makes them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa};
use serde_json::{Value, json};

/// What a relay needs.
#[derive(Debug, Clone)]
pub struct Papers {
    /// The certificate of the authority that has signed the server's.
    pub authority: PathBuf,
    /// Credentials that are good.
    pub credentials: PathBuf,
    /// The same of somebody else's account.
    pub strange: PathBuf,
}

impl Papers {
    /// Makes them all in a directory; gives the server's configuration as well.
    pub(super) fn make(directory: &Path) -> Result<(Self, String)> {
        let file = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::write(&path, text)?;
            anyhow::Ok(path)
        };
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Engine");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate()?)?;
        let key = rcgen::KeyPair::generate()?;
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        let certificate = params.signed_by(&key, &issuer)?;
        let certificate = file("server.pem", &certificate.pem())?;
        let key = file("server.key", &key.serialize_pem())?;

        let operator = KeyPair::new_operator();
        let [account, system, other] = [(); 3].map(|()| KeyPair::new_account());
        let unlimited = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
            "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
        });
        let relays = json!({ "type": "account", "version": 2, "limits": unlimited });
        let plain = json!({ "type": "account", "version": 2, "limits": {
            "subs": -1, "data": -1, "payload": -1, "wildcards": true, "conn": -1, "leaf": -1,
        }});
        let config = format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\" }}\noperator: \"{}\"\nsystem_account: {system}\n\
             resolver: MEMORY\nresolver_preload {{ {account}: \"{}\", {system}: \"{}\" }}\n",
            certificate.display(),
            key.display(),
            token(
                &operator,
                &operator,
                json!({ "type": "operator", "version": 2 })
            )?,
            token(&operator, &account, relays)?,
            token(&operator, &system, plain)?,
            account = account.public_key(),
            system = system.public_key(),
        );
        let papers = Self {
            authority: file("authority.pem", &issuer.pem())?,
            credentials: file("relay.creds", &credentials(&account)?)?,
            strange: file("strange.creds", &credentials(&other)?)?,
        };
        Ok((papers, config))
    }
}

/// What `issuer` says of `subject`, signed.
fn token(issuer: &KeyPair, subject: &KeyPair, claims: Value) -> Result<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })),
        part(&json!({
            "jti": subject.public_key(),
            "iat": 1_700_000_000,
            "iss": issuer.public_key(),
            "sub": subject.public_key(),
            "name": "tests",
            "nats": claims,
        }))
    );
    let signature = issuer.sign(signed.as_bytes());
    let signature = signature.map_err(|error| anyhow!("{error}"))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A user of an account's, as the file that clients have.
fn credentials(account: &KeyPair) -> Result<String> {
    let user = KeyPair::new_user();
    let claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    let token = token(account, &user, claims)?;
    let seed = user.seed().map_err(|error| anyhow!("{error}"))?;
    Ok(format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    ))
}
