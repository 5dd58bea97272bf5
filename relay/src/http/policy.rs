//! What browsers let pages do, and who may show them in a frame: content security policies (CSP 3).

use std::iter;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use crate::auth::Embedder;

/// Of whatever has none of its own.
///
/// `connect-src https: wss:`: a WebTransport session is always https, the page of a development relay may not be; and
/// pages go to other relays when this one is full, leaves or dies.
pub(super) const STRICTEST: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
    connect-src 'self' https: wss:; frame-ancestors 'none'; base-uri 'none'";

/// The same, for pages of a relay in development and what they load: other relays of this very machine have no
/// certificate that browsers know.
pub(super) fn in_development(policy: &str) -> Option<HeaderValue> {
    const LOCAL: &str =
        "https: wss: http://localhost:* ws://localhost:* http://127.0.0.1:* ws://127.0.0.1:*";
    HeaderValue::try_from(policy.replace("https: wss:", LOCAL)).ok()
}

/// What a page is allowed besides.
#[derive(Debug, Default)]
pub(super) struct Policy<'a> {
    /// The styles that are in it.
    pub(super) styles: Vec<&'a [u8]>,
    /// The scripts that are in it.
    pub(super) scripts: Vec<&'a [u8]>,
    /// Who may show it in a frame.
    pub(super) embedders: &'a [Embedder],
}

impl Policy<'_> {
    /// The policy for the page. Styles and scripts are named by their digests: nobody can bring in others.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let digests = |parts: &[&[u8]]| parts.iter().map(|part| digest_of(part)).collect();
        let embedders = self.embedders.iter().map(Embedder::to_string).collect();
        let policy = STRICTEST
            .replace(
                "style-src 'self'",
                &list("style-src 'self'", digests(&self.styles)),
            )
            .replace(
                "script-src 'self'",
                &list("script-src 'self'", digests(&self.scripts)),
            );
        let policy = match self.embedders {
            [] => policy,
            _ => policy.replace(
                "frame-ancestors 'none'",
                &list("frame-ancestors", embedders),
            ),
        };
        HeaderValue::try_from(policy).ok()
    }
}

fn digest_of(part: &[u8]) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, part)))
}

fn list(begin: &str, sources: Vec<String>) -> String {
    let words: Vec<_> = iter::once(begin.to_owned()).chain(sources).collect();
    words.join(" ")
}
