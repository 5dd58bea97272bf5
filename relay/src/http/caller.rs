//! Who asks: the bearer of the admin key, or of a publish token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use steadycast_codec_glue::wire::Role;

use super::problem::Problem;
use super::site::Site;
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
        if site.admin_key.matches(shown) {
            return Ok(Self::Admin);
        }
        let claims = site.tokens.verify(shown, site.clock.now())?;
        claims.require_role(Role::Publisher)?;
        Ok(Self::Publisher(claims.broadcast))
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
