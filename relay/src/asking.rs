//! What this relay asks of servers of others over HTTP: who may be asked, how, and how much is read.

use std::str::FromStr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

/// A URL whose answers nobody on the way has made: `https`, or `http` of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeUrl(pub(crate) Url);

/// A text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an https:// URL (http:// of this host alone)")]
pub struct SafeUrlError;

impl FromStr for SafeUrl {
    type Err = SafeUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.parse().map_err(|_| SafeUrlError)?;
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let near = local.contains(&url.host_str().ok_or(SafeUrlError)?);
        match url.scheme() == "https" || (url.scheme() == "http" && near) {
            true => Ok(Self(url)),
            false => Err(SafeUrlError),
        }
    }
}

/// A client that waits `patience` for an answer, and goes nowhere but where it is sent.
///
/// # Errors
/// When the system's trusted certificates cannot be read.
pub(crate) fn client(patience: Duration) -> Result<Client, reqwest::Error> {
    // Others may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(patience)
        .redirect(Policy::none())
        .build()
}

/// What an answer holds; nothing when that is more than `most` bytes.
///
/// # Errors
/// When the connection breaks, or the rest does not come in time.
pub(crate) async fn body(
    mut answer: Response,
    most: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(body))
}
