//! A certificate in PEM files that somebody else renews.

use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Identity, TlsError};

/// The files, and what they held when they were last read.
#[derive(Debug)]
pub(super) struct PemFiles {
    certificate: PathBuf,
    key: PathBuf,
    seen: Option<Contents>,
}

/// Both files' bytes. Compared whole: times of change have been seen to miss one.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contents(..)")
    }
}

impl PemFiles {
    pub(super) fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            certificate,
            key,
            seen: None,
        }
    }

    /// The identity in the files if they have changed; an unusable change is told once.
    pub(super) fn changed(&mut self) -> Option<Result<Identity, TlsError>> {
        let contents = match self.read() {
            Ok(contents) => contents,
            // Gone for a moment while it is replaced, or for good: told until it is back.
            Err(error) => return Some(Err(error)),
        };
        if self.seen.as_ref() == Some(&contents) {
            return None;
        }
        let identity = self.identity(&contents);
        self.seen = Some(contents);
        Some(identity)
    }

    fn read(&self) -> Result<Contents, TlsError> {
        Ok(Contents {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
        })
    }

    fn identity(&self, contents: &Contents) -> Result<Identity, TlsError> {
        let bad = |path: &Path| {
            let path = path.to_owned();
            move |why| TlsError::File { path, why }
        };
        let chain = chain(&contents.certificate).map_err(bad(&self.certificate))?;
        let key = key(&contents.key).map_err(bad(&self.key))?;
        Identity::trusted(chain, key)
    }
}

/// The identity in these texts.
///
/// # Errors
/// [`TlsError::Pair`].
pub(super) fn parse_pem(certificate: &[u8], private: &[u8]) -> Result<Identity, TlsError> {
    let chain = chain(certificate).map_err(TlsError::Pair)?;
    Identity::trusted(chain, key(private).map_err(TlsError::Pair)?)
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| format!("not PEM certificates: {error}"))?;
    match chain.is_empty() {
        true => Err("holds no PEM certificate".to_owned()),
        false => Ok(chain),
    }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| format!("holds no PEM private key: {error}"))
}

/// The identity in these files.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn read_pem(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
    let files = PemFiles::new(certificate.to_owned(), key.to_owned());
    files.identity(&files.read()?)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::File {
        path: path.to_owned(),
        why: error.to_string(),
    })
}
