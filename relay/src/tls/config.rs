use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring as provider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use wtransport::proto::WEBTRANSPORT_ALPN;

use super::challenge::{ALPN, is_challenge};
use super::{Challenges, Identities, TlsError};

/// TLS for the pages: HTTP/2 and HTTP/1.1 over TLS 1.3 or 1.2, and what an authority comes to see.
///
/// # Errors
/// [`TlsError::Config`].
pub fn https_config(
    identities: Identities,
    challenges: Challenges,
) -> Result<ServerConfig, TlsError> {
    let mut config = config(identities, challenges, &[&TLS13, &TLS12])?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ALPN.to_vec()];
    Ok(config)
}

/// TLS for sessions: HTTP/3 over TLS 1.3, without early data, which could be replayed.
///
/// # Errors
/// [`TlsError::Config`].
pub fn quic_config(identities: Identities) -> Result<ServerConfig, TlsError> {
    let mut config = config(identities, Challenges::default(), &[&TLS13])?;
    config.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
    config.max_early_data_size = 0;
    // A session lives for hours: resuming a handshake saves nothing, its tickets cost memory.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn config(
    identities: Identities,
    challenges: Challenges,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(versions)?;
    Ok(builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Current {
            identities,
            challenges,
        })))
}

/// Shows whatever certificate is current; without one no handshake comes to an end.
#[derive(Debug)]
struct Current {
    identities: Identities,
    challenges: Challenges,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if is_challenge(&hello) {
            return self.challenges.find(&hello);
        }
        let identity = self.identities.borrow();
        identity.as_ref().map(|identity| identity.certified())
    }
}
