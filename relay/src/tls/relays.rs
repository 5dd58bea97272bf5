//! TLS between relays: both sides show a certificate of the cluster's authority (PROTOCOL 11.1).

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring as provider;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use wtransport::proto::WEBTRANSPORT_ALPN;

use super::{TlsError, read_pem};
use crate::config::ClusterFiles;

/// What a relay shows others, and knows them by.
pub(crate) struct RelayTls {
    /// For those that come here.
    pub(crate) server: ServerConfig,
    /// For those that this one comes to.
    pub(crate) client: ClientConfig,
}

impl RelayTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn read(files: ClusterFiles<'_>) -> Result<Self, TlsError> {
        let roots = Arc::new(authority(files.authority)?);
        let certified = read_pem(files.certificate, files.key)?.certified();
        let shown = Arc::new(SingleCertAndKey::from(certified));
        let provider = Arc::new(provider::default_provider());
        let bad = |error: rustls::server::VerifierBuilderError| TlsError::File {
            path: files.authority.to_owned(),
            why: error.to_string(),
        };
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(clients.map_err(bad)?)
            .with_cert_resolver(shown.clone());
        server.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
        server.max_early_data_size = 0;
        // Whoever resumes a handshake is not asked for a certificate again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let servers = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OfTheAuthority(servers.map_err(bad)?)))
            .with_client_cert_resolver(shown);
        client.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
        client.resumption = Resumption::disabled();
        Ok(Self { server, client })
    }
}

fn authority(path: &Path) -> Result<RootCertStore, TlsError> {
    let bad = |why: String| TlsError::File {
        path: path.to_owned(),
        why,
    };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate =
            certificate.map_err(|error| bad(format!("not PEM certificates: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| bad(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(bad("holds no PEM certificate".to_owned())),
        false => Ok(roots),
    }
}

/// Takes any certificate of the authority: relays are found by their addresses, and are trusted for who signed them.
#[derive(Debug)]
struct OfTheAuthority(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for OfTheAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: all else is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
