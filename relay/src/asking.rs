//! What this relay asks of servers of others over HTTP: who may be asked, how, and how much is read.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

/// A URL whose answers nobody on the way has made: `https`, or `http` of this host.
pub(crate) fn safe_url(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let local = ["localhost", "127.0.0.1", "[::1]"];
    let near = local.contains(&url.host_str()?);
    (url.scheme() == "https" || (url.scheme() == "http" && near)).then_some(url)
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
