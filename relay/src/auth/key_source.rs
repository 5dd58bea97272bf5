//! Where others' keys come from: a file, or a URL. They are read again now and then.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use tokio::time::{Instant, sleep, sleep_until};

use super::issuers::Issuers;
use super::key_set::{KeySet, KeySetError};
use crate::asking::{SafeUrl, body, client};

/// The longest set of keys, in bytes.
const LONGEST: usize = 256 << 10;
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Keys are not asked for more often than this, whatever tokens name.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Where others' keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of this host.
    File(PathBuf),
    /// An `https` URL; `http` of this host alone.
    Url(Url),
}

/// A text is no source of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keys come from a file or an https:// URL (http:// from this host alone)")]
pub struct NoKeySource;

/// Why no keys came.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The URL cannot be fetched.
    #[error("{0}")]
    Url(#[from] reqwest::Error),
    /// There is too much of it.
    #[error("more than {LONGEST} bytes")]
    TooLong,
    /// It holds no keys.
    #[error(transparent)]
    Keys(#[from] KeySetError),
}

impl FromStr for KeySource {
    type Err = NoKeySource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url = text.parse::<SafeUrl>();
        url.map(|SafeUrl(url)| Self::Url(url))
            .map_err(|_| NoKeySource)
    }
}

impl KeySource {
    /// The URL, where it is one.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::File(_) => None,
            Self::Url(url) => Some(url),
        }
    }
}

impl KeySource {
    /// The keys that are there now.
    ///
    /// # Errors
    /// [`KeySourceError`].
    async fn keys(&self, client: &Client) -> Result<KeySet, KeySourceError> {
        let json = match self {
            Self::File(path) => read(path)?,
            Self::Url(url) => {
                let answer = client.get(url.clone()).send().await?;
                answer.error_for_status_ref()?;
                let json = body(answer, LONGEST).await?;
                json.ok_or(KeySourceError::TooLong)?
            }
        };
        Ok(KeySet::parse(&json)?)
    }

    /// How many keys of use are there now.
    ///
    /// # Errors
    /// [`KeySourceError`].
    pub(crate) async fn count(&self) -> Result<usize, KeySourceError> {
        let keys = self.keys(&client(PATIENCE)?).await?;
        Ok(keys.len())
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            // What is behind the path may be a secret.
            Self::Url(url) => write!(f, "{}{}", url.origin().ascii_serialization(), url.path()),
        }
    }
}

/// Keeps the keys of others as their source has them.
pub struct KeyWatch {
    source: KeySource,
    client: Client,
    issuers: Arc<Issuers>,
    /// How old they may become.
    refresh: Duration,
}

impl KeyWatch {
    /// Begins with what a file holds; a URL is asked when this runs, for a relay starts without it.
    ///
    /// # Errors
    /// [`KeySourceError`].
    pub fn start(
        source: KeySource,
        refresh: Duration,
        issuers: Arc<Issuers>,
    ) -> Result<Self, KeySourceError> {
        let client = client(PATIENCE)?;
        if let KeySource::File(path) = &source {
            issuers.trust(KeySet::parse(&read(path)?)?);
        }
        Ok(Self {
            source,
            client,
            issuers,
            refresh,
        })
    }

    /// Reads them again when they are old, and when a token names one that is not known. Those that are there
    /// stay good while nothing better comes.
    pub async fn run(self) {
        let mut fails = false;
        loop {
            let asked = Instant::now();
            match self.source.keys(&self.client).await {
                Ok(keys) => {
                    tracing::debug!(source = %self.source, ?keys, "keys of others");
                    self.issuers.trust(keys);
                    fails = false;
                }
                // Whoever has the keys has withdrawn them all.
                Err(KeySourceError::Keys(KeySetError::NoKey)) => {
                    tracing::warn!(source = %self.source, "there are no keys of others any more");
                    self.issuers.trust(KeySet::default());
                    fails = false;
                }
                Err(error) if !std::mem::replace(&mut fails, true) => {
                    tracing::warn!(source = %self.source, %error, "no keys of others: those that are known stay good");
                }
                Err(_) => {}
            }
            sleep(AT_LEAST).await;
            tokio::select! {
                () = sleep_until(asked + self.refresh) => {}
                () = self.issuers.key_missing() => {}
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeySourceError> {
    let mut json = Vec::new();
    // One more than there may be.
    let most = LONGEST as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut json));
    read.map_err(|source| KeySourceError::File {
        path: path.to_owned(),
        source,
    })?;
    match json.len() > LONGEST {
        true => Err(KeySourceError::TooLong),
        false => Ok(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_files_and_safe_urls() {
        let source = |text: &str| text.parse::<KeySource>();
        assert_eq!(
            source("/etc/keys.json"),
            Ok(KeySource::File("/etc/keys.json".into()))
        );
        for url in [
            "https://id.example/keys",
            "http://localhost:9/k",
            "http://[::1]/k",
        ] {
            assert!(matches!(source(url), Ok(KeySource::Url(_))), "{url}");
        }
        for text in [
            "http://id.example/keys",
            "ftp://id.example",
            "https://",
            "file:///x",
        ] {
            assert_eq!(source(text), Err(NoKeySource), "{text}");
        }
        let shown = source("https://id.example/keys?secret=1")
            .unwrap()
            .to_string();
        assert_eq!(shown, "https://id.example/keys");
    }
}
