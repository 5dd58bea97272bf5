//! Links to the pages (PROTOCOL 6.2): a token is the fragment, which no server ever sees.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;

use super::listener::Peer;
use super::problem::Problem;
use super::site::Site;
use crate::auth::{Origin, PublicUrl, Token};

/// Makes links to the pages at one address of the relay.
#[derive(Debug, Clone)]
pub struct Links(PublicUrl);

impl Links {
    /// Links that begin with `base`.
    pub fn at(base: PublicUrl) -> Self {
        Self(base)
    }

    /// The admin's panel.
    pub fn admin(&self, token: &Token) -> String {
        format!("{}/admin#{}", self.0, token.as_str())
    }

    /// The player.
    pub fn player(&self, token: &Token) -> String {
        format!("{}/play#{}", self.0, token.as_str())
    }
}

impl FromRequestParts<Arc<Site>> for Links {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        if let Some(public_url) = &site.public_url {
            return Ok(Self(public_url.clone()));
        }
        let secure = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
        let origin = authority(parts).and_then(|host| Origin::of_authority(host, secure).ok());
        origin
            .map(|origin| Self(origin.into()))
            .ok_or_else(|| Problem::malformed("the Host header is missing or makes no sense"))
    }
}

/// The host that was asked for: HTTP/2 has it in the request line, HTTP/1.1 in a header.
fn authority(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(HOST)?.to_str().ok(),
    }
}
