//! Who asks: the bearer of the admin key, or of a publish token.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use steadycast_codec_glue::wire::Role;

use super::guesses::OneAtATime;
use super::listener::Peer;
use super::problem::Problem;
use super::site::Site;
use crate::auth::TokenError;
use crate::broadcast::BroadcastId;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// The bearer of the admin key.
    Admin,
    /// The bearer of a publish token.
    Publisher(BroadcastId),
}

impl Caller {
    /// Passes an admin.
    pub(super) fn require_admin(&self) -> Result<(), Problem> {
        match self {
            Self::Admin => Ok(()),
            Self::Publisher(_) => Err(Problem::forbidden("this takes the admin key")),
        }
    }

    /// Passes an admin, and the publisher of this very broadcast.
    pub(super) fn require_power_over(&self, id: &BroadcastId) -> Result<(), Problem> {
        match self {
            Self::Admin => Ok(()),
            Self::Publisher(own) if own == id => Ok(()),
            Self::Publisher(_) => Err(Problem::forbidden("the token is for another broadcast")),
        }
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let missing = "an Authorization header with Bearer and a key or token is missing";
        let shown = shown(parts).ok_or_else(|| Problem::unauthorized(missing))?;
        // What this relay has signed itself is no guess at its key.
        let invalid = match site.tokens.verify(shown, site.clock.now()) {
            Ok(claims) => {
                claims.require_role(Role::Publisher)?;
                return Ok(Self::Publisher(claims.broadcast));
            }
            Err(error @ TokenError::Invalid) => error,
            Err(error) => return Err(error.into()),
        };
        let peer = parts.extensions.get::<Peer>();
        let from = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.address.ip());
        let connection = parts.extensions.get::<OneAtATime>().cloned();
        let connection = connection.unwrap_or_default();
        let key = &site.admin_key;
        match site.guesses.matches(from, &connection, key, shown).await? {
            true => Ok(Self::Admin),
            false => Err(invalid.into()),
        }
    }
}

/// The key or token that a request shows.
pub(super) fn shown(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?;
    bearer(value.to_str().ok()?)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, shown) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(shown.trim())
}
