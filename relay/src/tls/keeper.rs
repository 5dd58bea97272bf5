//! Keeps the certificate fresh while the relay runs.

use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::{Notify, watch};

use super::acme::{Acme, AcmeSettings};
use super::looking::keep_looking;
use super::pem::PemFiles;
use super::{Challenges, Identities, Identity, TlsError, development, names};
use crate::config::Config;
use crate::store::StateDir;

/// Where a certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Made by the relay, and kept in its state directory.
    Development(StateDir),
    /// PEM files that somebody else renews.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// An authority gives it, and it is kept in the state directory.
    Authority(AcmeSettings, StateDir),
}

impl Source {
    /// The configured one: files or an authority where they are set, else a development certificate.
    pub fn from_config(config: &Config, dir: &StateDir) -> Self {
        if let Some(settings) = config.acme.settings() {
            return Self::Authority(settings, dir.clone());
        }
        match (&config.server.tls_cert, &config.server.tls_key) {
            (Some(certificate), Some(key)) => Self::Files {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            _ => Self::Development(dir.clone()),
        }
    }
}

/// Owns the certificate's source and tells when there is a new one.
#[derive(Debug)]
pub struct Keeper {
    origin: Origin,
    current: watch::Sender<Option<Arc<Identity>>>,
    nudge: Arc<Notify>,
}

#[derive(Debug)]
enum Origin {
    Development(StateDir),
    Files(PemFiles),
    Authority(Box<Acme>),
}

impl Keeper {
    /// Reads or makes the first certificate; an authority gives it later, when this runs.
    ///
    /// # Errors
    /// [`TlsError`]: without a first certificate there is nothing to serve with.
    pub fn start(source: Source, now: OffsetDateTime) -> Result<(Self, Identities), TlsError> {
        let (origin, first) = match source {
            Source::Development(dir) => {
                let first = development::load_or_make(&dir, &names::all(), now)?;
                (Origin::Development(dir), Some(first))
            }
            Source::Files { certificate, key } => {
                let mut files = PemFiles::new(certificate, key);
                let first = files
                    .changed()
                    .unwrap_or_else(|| Err(TlsError::Pair("nothing was read".to_owned())))?;
                warn_about_dates(&first, now);
                (Origin::Files(files), Some(first))
            }
            Source::Authority(settings, dir) => {
                let (acme, kept) = Acme::load(settings, dir, now)?;
                (Origin::Authority(Box::new(acme)), kept)
            }
        };
        let (current, identities) = watch::channel(first.map(Arc::new));
        let nudge = Arc::new(Notify::new());
        let keeper = Self {
            origin,
            current,
            nudge,
        };
        Ok((keeper, identities))
    }

    /// Looks at the source, and tells the new certificate if there is one.
    ///
    /// What cannot be used is logged and changes nothing. Waits for the disk.
    pub fn look(&mut self, now: OffsetDateTime) {
        let Some(found) = self.find(now) else {
            return;
        };
        match found {
            Ok(identity) => {
                warn_about_dates(&identity, now);
                tracing::info!(until = %identity.not_after(), "new certificate");
                self.current.send_replace(Some(Arc::new(identity)));
            }
            Err(error) => tracing::error!(%error, "the old certificate stays in use"),
        }
    }

    fn find(&mut self, now: OffsetDateTime) -> Option<Result<Identity, TlsError>> {
        match &mut self.origin {
            Origin::Files(files) => files.changed(),
            Origin::Development(dir) => {
                let current = self.current.borrow();
                let is_good = |identity| development::is_good(identity, now);
                match current.as_deref().is_some_and(is_good) {
                    true => None,
                    false => Some(development::make(dir, &names::all(), now)),
                }
            }
            Origin::Authority(_) => None,
        }
    }

    /// Notifying it has the source looked at soon.
    pub fn nudge(&self) -> Arc<Notify> {
        self.nudge.clone()
    }

    /// What answers an authority that comes to look whether names lead here.
    pub fn challenges(&self) -> Challenges {
        match &self.origin {
            Origin::Authority(acme) => acme.challenges(),
            Origin::Development(_) | Origin::Files(_) => Challenges::default(),
        }
    }

    /// Sees to it that there is a good certificate. Dropping the future ends it.
    pub async fn run(self) {
        match self.origin {
            Origin::Authority(acme) => acme.run(self.current, self.nudge).await,
            Origin::Development(_) | Origin::Files(_) => self.keep_looking().await,
        }
    }

    /// Looks at the source again and again.
    async fn keep_looking(self) {
        let nudge = self.nudge.clone();
        let look = |keeper: &mut Self| keeper.look(OffsetDateTime::now_utc());
        let error = keep_looking(self, nudge, look).await;
        tracing::error!(%error, "certificates are no longer renewed");
    }
}

fn warn_about_dates(identity: &Identity, now: OffsetDateTime) {
    let (from, until) = (identity.not_before(), identity.not_after());
    if now >= until {
        tracing::warn!(ended = %until, "the certificate has ended; browsers refuse it");
    } else if now < from {
        tracing::warn!(begins = %from, "the certificate is not valid yet; browsers refuse it");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};
    use time::Duration as Days;

    use super::*;
    use crate::store::temp::TempDir;

    /// A chain and a key in PEM, other ones each time.
    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["relay.test".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    struct Files {
        dir: TempDir,
        source: Source,
    }

    impl Files {
        fn new() -> Self {
            let dir = TempDir::new();
            let source = Source::Files {
                certificate: dir.file("cert.pem"),
                key: dir.file("key.pem"),
            };
            Self { dir, source }
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.dir.file(name), text).unwrap();
        }

        fn write_pair(&self, (certificate, key): &(String, String)) {
            self.write("cert.pem", certificate);
            self.write("key.pem", key);
        }
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn identity(identities: &mut Identities) -> Arc<Identity> {
        identities.borrow_and_update().clone().unwrap()
    }

    #[test]
    fn changed_files_are_taken_up_and_have_no_hash() {
        let files = Files::new();
        files.write_pair(&pair());
        let (mut keeper, mut identities) = Keeper::start(files.source.clone(), now()).unwrap();
        let first = identity(&mut identities).chain().to_vec();
        keeper.look(now());
        assert!(!identities.has_changed().unwrap());
        files.write_pair(&pair());
        keeper.look(now());
        assert!(identities.has_changed().unwrap());
        let second = identity(&mut identities);
        assert_ne!(second.chain(), first);
        assert_eq!(second.hash(), None);
    }

    #[test]
    fn broken_files_leave_the_old_certificate_in_use() {
        let files = Files::new();
        files.write_pair(&pair());
        let (mut keeper, mut identities) = Keeper::start(files.source.clone(), now()).unwrap();
        identities.borrow_and_update();
        let next = pair();
        // Half of a renewal, rubbish, nothing, and no file at all.
        files.write("cert.pem", &next.0);
        keeper.look(now());
        files.write("cert.pem", "rubbish");
        keeper.look(now());
        files.write("key.pem", "");
        keeper.look(now());
        fs::remove_file(files.dir.file("key.pem")).unwrap();
        keeper.look(now());
        assert!(!identities.has_changed().unwrap());
        files.write_pair(&next);
        keeper.look(now());
        assert!(identities.has_changed().unwrap());
    }

    #[test]
    fn a_relay_without_a_first_certificate_says_which_file_it_misses() {
        let files = Files::new();
        let error = Keeper::start(files.source.clone(), now()).unwrap_err();
        assert!(error.to_string().contains("cert.pem"), "{error}");
        files.write_pair(&(pair().0, pair().1));
        let error = Keeper::start(files.source.clone(), now()).unwrap_err();
        assert!(error.to_string().contains("certificate and key"), "{error}");
    }

    #[test]
    fn a_development_certificate_is_renewed_while_running() {
        let dir = TempDir::new();
        let source = Source::Development(dir.clone());
        let (mut keeper, mut identities) = Keeper::start(source, now()).unwrap();
        let first = identity(&mut identities).hash();
        keeper.look(now() + Days::days(9));
        assert!(!identities.has_changed().unwrap());
        keeper.look(now() + Days::days(11));
        assert!(identities.has_changed().unwrap());
        let second = identity(&mut identities).hash();
        assert!(second.is_some() && second != first);
    }
}
