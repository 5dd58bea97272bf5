use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring as provider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use wtransport::proto::WEBTRANSPORT_ALPN;

use super::{Identities, TlsError};

/// TLS for the pages: HTTP/2 and HTTP/1.1 over TLS 1.3 or 1.2.
///
/// # Errors
/// [`TlsError::Config`].
pub fn https_config(identities: Identities) -> Result<ServerConfig, TlsError> {
    let mut config = config(identities, &[&TLS13, &TLS12])?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// TLS for sessions: HTTP/3 over TLS 1.3, without early data, which could be replayed.
///
/// # Errors
/// [`TlsError::Config`].
pub fn quic_config(identities: Identities) -> Result<ServerConfig, TlsError> {
    let mut config = config(identities, &[&TLS13])?;
    config.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
    config.max_early_data_size = 0;
    // A session lives for hours: resuming a handshake saves nothing, its tickets cost memory.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn config(
    identities: Identities,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(versions)?;
    Ok(builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Current(identities))))
}

/// Shows whatever certificate is current.
#[derive(Debug)]
struct Current(Identities);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.borrow().certified())
    }
}
