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
        let bad = |path: &Path, why: String| TlsError::File {
            path: path.to_owned(),
            why,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| bad(&self.certificate, format!("not PEM certificates: {error}")))?;
        if chain.is_empty() {
            let why = "holds no PEM certificate".to_owned();
            return Err(bad(&self.certificate, why));
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|error| bad(&self.key, format!("holds no PEM private key: {error}")))?;
        Identity::trusted(chain, key)
    }
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
