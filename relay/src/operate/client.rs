//! Asking a relay.

use std::io;
use std::path::PathBuf;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, Url};
use serde_json::Value;

use super::show::Shown;

/// The relay that is asked, and by what it knows its admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Where it is.
    pub url: Url,
    /// The admin key; `None`: the one in the state directory.
    pub admin_key: Option<String>,
    /// The state directory.
    pub state_dir: PathBuf,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    /// How.
    pub(super) method: Method,
    /// Where, below the relay's URL.
    pub(super) path: String,
    /// What is asked for there.
    pub(super) query: Vec<(&'static str, String)>,
    /// With what.
    pub(super) body: Option<Value>,
    /// How people see the answer.
    pub(super) shown: Shown,
}

impl Request {
    /// The same for what comes after this one.
    pub(super) fn after(&self, last: &str) -> Self {
        let mut next = self.clone();
        next.query.retain(|(name, _)| *name != "after");
        next.query.push(("after", last.to_owned()));
        next
    }
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// There is no admin key.
    #[error("{}: {source}; give the key by --admin-key, or the relay's state directory by --state-dir", path.display())]
    Key {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The URL cannot be followed by a path.
    #[error("--url: not the URL of a relay")]
    Url,
    /// The relay cannot be asked.
    #[error("the relay does not answer: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// It says no.
    #[error("the relay says: {0}")]
    Refused(String),
    /// What was given is no key.
    #[error("--key: neither a link key nor a link that has one")]
    NoKey,
    /// Links would be of no use.
    #[error(
        "this broadcast is private, and its key is known to no relay: give it, or a link that has it, by --key (- reads it \
         from standard input), or make new links for everybody by --end play, which come with another key"
    )]
    KeyMissing,
    /// Whoever is to see nothing any more has that one.
    #[error("--key: new links for viewers come with a key of their own")]
    OldKey,
    /// Nothing is sealed there.
    #[error("--key: this broadcast is not private")]
    NotPrivate,
    /// No key can be made.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// The web pages were not built.
    #[error("this program was built without pages")]
    NoPages,
    /// Nothing can be asked at all.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl crate::cli::Failure for OperateError {
    fn is_mistake(&self) -> bool {
        match self {
            Self::Key { .. } | Self::Url => true,
            Self::NoKey | Self::KeyMissing | Self::OldKey | Self::NotPrivate => true,
            Self::Unreachable(_) | Self::Refused(_) => false,
            Self::NoRandomness | Self::NoPages | Self::Io(_) => false,
        }
    }
}

impl Asked {
    fn key(&self) -> Result<String, OperateError> {
        if let Some(key) = &self.admin_key {
            return Ok(key.clone());
        }
        let path = self.state_dir.join("admin.key");
        match std::fs::read_to_string(&path) {
            Ok(key) => Ok(key.trim().to_owned()),
            Err(source) => Err(OperateError::Key { path, source }),
        }
    }
}

/// Asks, and gives what is answered.
pub(super) fn ask(relay: &Asked, request: &Request) -> Result<Value, OperateError> {
    let key = relay.key()?;
    // Below the path under which a proxy has it, if there is one.
    let base = relay.url.as_str().trim_end_matches('/');
    let mut url: Url = format!("{base}{}", request.path)
        .parse()
        .map_err(|_| OperateError::Url)?;
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    at_once(async |client| {
        let mut asking = client
            .request(request.method.clone(), url)
            .header(AUTHORIZATION, format!("Bearer {key}"));
        if let Some(body) = &request.body {
            asking = asking
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let answer = asking.send().await.map_err(OperateError::Unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(OperateError::Unreachable)?;
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(json);
        }
        let detail = json["detail"].as_str();
        let told = detail.map_or_else(|| status.to_string(), str::to_owned);
        Err(OperateError::Refused(told))
    })
}

/// Does something that takes asking over a network, and waits for it.
pub(super) fn at_once<T>(
    act: impl AsyncFnOnce(Client) -> Result<T, OperateError>,
) -> Result<T, OperateError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Others may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(act(Client::new()))
}
