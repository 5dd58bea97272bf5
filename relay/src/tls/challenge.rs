//! Answers to an authority that wants to see that a name leads to this relay (TLS-ALPN-01, RFC 8737).

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;

use super::TlsError;

/// What both sides of such a handshake speak (RFC 8737, section 6.2). Nothing follows on it.
pub(crate) const ALPN: &[u8] = b"acme-tls/1";

/// Certificates that answer for names which are being looked at.
#[derive(Debug, Clone, Default)]
pub struct Challenges(Arc<RwLock<HashMap<String, Arc<CertifiedKey>>>>);

impl Challenges {
    /// Answers for `name` with the digest of its key authorization, until the answer is dropped.
    pub(super) fn answer(&self, name: &str, digest: &[u8]) -> Result<Answer, TlsError> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        let chain = vec![params.self_signed(&key)?.der().clone()];
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        // Not `from_der`, which takes no certificate with such an extension.
        let certified = CertifiedKey::new(chain, any_supported_type(&key)?);
        self.0.write().insert(name.to_owned(), Arc::new(certified));
        Ok(Answer {
            challenges: self.clone(),
            name: name.to_owned(),
        })
    }

    /// The answer to this handshake.
    pub(super) fn find(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().get(hello.server_name()?).cloned()
    }
}

/// A name that is answered for. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Answer {
    challenges: Challenges,
    name: String,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.challenges.0.write().remove(&self.name);
    }
}

/// Whether an authority has come to look, and not a browser: it offers this and nothing else.
pub(super) fn is_challenge(hello: &ClientHello<'_>) -> bool {
    let offers = hello.alpn();
    offers.is_some_and(|offers| offers.eq([ALPN]))
}
