//! TLS between relays: both sides show a certificate of the cluster's authority (PROTOCOL 11.1).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::ring as provider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, VerifierBuilderError,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    ServerConfig, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use tokio::sync::Notify;
use wtransport::proto::WEBTRANSPORT_ALPN;

use super::looking::keep_looking;
use super::pem::parse_pem;
use super::{Identity, TlsError};
use crate::config::ClusterFiles;

/// What a relay shows others, and knows them by.
pub(crate) struct RelayTls {
    /// For those that come here.
    pub(crate) server: ServerConfig,
    /// For those that this one comes to.
    pub(crate) client: ClientConfig,
    /// Keeps both as the files are.
    pub(crate) papers: RelayPapers,
}

impl RelayTls {
    /// Reads the files. Both configurations look at every handshake what was read last.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn read(files: ClusterFiles<'_>) -> Result<Self, TlsError> {
        let papers = RelayPapers::read(files)?;
        let current = papers.current.clone();
        let provider = Arc::new(provider::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(current.clone())
            .with_cert_resolver(current.clone());
        server.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
        server.max_early_data_size = 0;
        // Whoever resumes a handshake is not asked for a certificate again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(current.clone())
            .with_client_cert_resolver(current);
        client.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
        client.resumption = Resumption::disabled();
        Ok(Self {
            server,
            client,
            papers,
        })
    }
}

/// The files that a relay is told apart by, and what was in them.
pub(crate) struct RelayPapers {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    seen: Contents,
    current: Arc<Current>,
    nudge: Arc<Notify>,
}

/// The bytes of all files, compared whole.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    authority: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl RelayPapers {
    fn read(files: ClusterFiles<'_>) -> Result<Self, TlsError> {
        let [authority, certificate, key] =
            [files.authority, files.certificate, files.key].map(Path::to_owned);
        let seen = read(&authority, &certificate, &key)?;
        let papers = Papers::of(&seen, files)?;
        Ok(Self {
            current: Arc::new(Current(RwLock::new(papers))),
            authority,
            certificate,
            key,
            seen,
            nudge: Arc::default(),
        })
    }

    /// Notifying it has the files looked at soon.
    pub(crate) fn nudge(&self) -> Arc<Notify> {
        self.nudge.clone()
    }

    /// Looks at the files again and again. Links that there are go on; new ones are made with what is there by then.
    pub(crate) async fn run(self) {
        let nudge = self.nudge();
        let error = keep_looking(self, nudge, Self::look).await;
        tracing::error!(%error, "certificates for other relays are no longer renewed");
    }

    /// What cannot be used is logged, and changes nothing. Waits for the disk.
    fn look(&mut self) {
        let files = ClusterFiles {
            authority: &self.authority,
            certificate: &self.certificate,
            key: &self.key,
        };
        let found = match read(&self.authority, &self.certificate, &self.key) {
            Ok(found) if found == self.seen => return,
            Ok(found) => {
                self.seen = found;
                Papers::of(&self.seen, files)
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(papers) => {
                let until = papers.identity.not_after();
                *self.current.0.write() = papers;
                tracing::info!(%until, "new certificates for other relays");
            }
            Err(error) => {
                tracing::error!(%error, "the old certificates for other relays stay in use");
            }
        }
    }
}

fn read(authority: &Path, certificate: &Path, key: &Path) -> Result<Contents, TlsError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| TlsError::File {
            path: path.to_owned(),
            why: error.to_string(),
        })
    };
    Ok(Contents {
        authority: read(authority)?,
        certificate: read(certificate)?,
        key: read(key)?,
    })
}

/// What is shown to other relays, and what theirs are looked at with.
#[derive(Debug)]
struct Papers {
    identity: Identity,
    clients: Arc<dyn ClientCertVerifier>,
    servers: Arc<WebPkiServerVerifier>,
}

impl Papers {
    fn of(contents: &Contents, files: ClusterFiles<'_>) -> Result<Self, TlsError> {
        let bad = |path: &Path, why: String| TlsError::File {
            path: path.to_owned(),
            why,
        };
        let identity = parse_pem(&contents.certificate, &contents.key).map_err(|error| {
            let why = match error {
                TlsError::Pair(why) => why,
                error => error.to_string(),
            };
            bad(files.certificate, why)
        })?;
        let roots = roots(&contents.authority).map_err(|why| bad(files.authority, why))?;
        let roots = Arc::new(roots);
        let unfit = |error: VerifierBuilderError| bad(files.authority, error.to_string());
        let provider = Arc::new(provider::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        let servers = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        if identity.not_after() <= OffsetDateTime::now_utc() {
            let ended = identity.not_after();
            tracing::warn!(%ended, "the certificate for other relays has ended; they refuse it");
        }
        Ok(Self {
            identity,
            clients: clients.map_err(unfit)?,
            servers: servers.map_err(unfit)?,
        })
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("not PEM certificates: {error}"))?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    match roots.is_empty() {
        true => Err("holds no PEM certificate".to_owned()),
        false => Ok(roots),
    }
}

/// What was read last, for both configurations.
#[derive(Debug)]
struct Current(RwLock<Papers>);

impl Current {
    fn shown(&self) -> Arc<CertifiedKey> {
        self.0.read().identity.certified()
    }

    fn servers(&self) -> Arc<WebPkiServerVerifier> {
        self.0.read().servers.clone()
    }

    fn clients(&self) -> Arc<dyn ClientCertVerifier> {
        self.0.read().clients.clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}

impl ResolvesClientCert for Current {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Current {
    /// None are named: who comes has one certificate to show.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.clients()
            .verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.clients().supported_verify_schemes()
    }
}

/// Takes any certificate of the authority: relays are found by their addresses, and are trusted for who signed them.
impl ServerCertVerifier for Current {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let servers = self.servers();
        let verified =
            servers.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
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
        self.servers().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.servers().supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;
    use crate::store::temp::TempDir;

    struct Files {
        dir: TempDir,
        paths: [PathBuf; 3],
    }

    impl Files {
        /// Those of a new authority, with a certificate that it has signed.
        fn new() -> Self {
            let dir = TempDir::new();
            let paths = ["authority.pem", "relay.pem", "relay.key"].map(|name| dir.file(name));
            let files = Self { dir, paths };
            files.renew();
            files
        }

        fn renew(&self) {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
            let (issuer, key) = (issuer.unwrap(), KeyPair::generate().unwrap());
            let params = CertificateParams::new(vec!["relay.invalid".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            self.write("authority.pem", &issuer.pem());
            self.write("relay.pem", &certificate.pem());
            self.write("relay.key", &key.serialize_pem());
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.dir.file(name), text).unwrap();
        }

        fn papers(&self) -> Result<RelayPapers, TlsError> {
            let [authority, certificate, key] = &self.paths;
            RelayPapers::read(ClusterFiles {
                authority,
                certificate,
                key,
            })
        }
    }

    #[test]
    fn what_is_new_in_the_files_is_shown_from_then_on() {
        let files = Files::new();
        let mut papers = files.papers().unwrap();
        let first = papers.current.shown();
        papers.look();
        assert!(Arc::ptr_eq(&papers.current.shown(), &first));
        files.renew();
        papers.look();
        assert_ne!(papers.current.shown().cert, first.cert);
    }

    #[test]
    fn what_cannot_be_used_changes_nothing() {
        let files = Files::new();
        let mut papers = files.papers().unwrap();
        let first = papers.current.shown();
        for name in ["authority.pem", "relay.pem", "relay.key"] {
            files.renew();
            files.write(name, "rubbish");
            papers.look();
            fs::remove_file(files.dir.file(name)).unwrap();
            papers.look();
            assert!(Arc::ptr_eq(&papers.current.shown(), &first), "{name}");
        }
        let other = Files::new();
        files.renew();
        fs::copy(other.dir.file("relay.key"), files.dir.file("relay.key")).unwrap();
        papers.look();
        assert!(
            Arc::ptr_eq(&papers.current.shown(), &first),
            "another's key"
        );
        files.renew();
        papers.look();
        assert_ne!(papers.current.shown().cert, first.cert);
    }

    #[test]
    fn a_relay_that_starts_says_which_file_it_cannot_use() {
        for name in ["authority.pem", "relay.pem"] {
            let files = Files::new();
            files.write(name, "rubbish");
            let error = files.papers().err().unwrap().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
