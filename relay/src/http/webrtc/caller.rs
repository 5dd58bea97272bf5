//! Whose request it is: the bearer of a token for this very broadcast.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use steadycast_codec_glue::wire::{Code, Role};

use super::super::caller::shown;
use super::super::problem::Problem;
use super::super::site::Site;
use crate::auth::Claims;
use crate::broadcast::{Broadcast, BroadcastId};

/// The bearer of a valid token.
pub(super) struct Bearer(Claims);

impl Bearer {
    /// The broadcast that the path names, if the token is good for `role` there.
    pub(super) fn broadcast(
        &self,
        site: &Site,
        id: &str,
        role: Role,
    ) -> Result<Arc<Broadcast>, Problem> {
        self.check(id, role)?;
        if site.draining.is_cancelled() {
            let detail = "the relay is stopping";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(status, Code::ShuttingDown, detail));
        }
        super::broadcast(site, id)
    }

    /// Passes when the token is good for `role` at this broadcast.
    pub(super) fn check(&self, id: &str, role: Role) -> Result<(), Problem> {
        let Self(claims) = self;
        claims.require_role(role)?;
        let own = id
            .parse::<BroadcastId>()
            .is_ok_and(|id| id == claims.broadcast);
        if own {
            Ok(())
        } else {
            Err(Problem::forbidden("the token is for another broadcast"))
        }
    }
}

impl FromRequestParts<Arc<Site>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let missing = "an Authorization header with Bearer and a token is missing";
        let token = shown(parts).ok_or_else(|| Problem::unauthorized(missing))?;
        Ok(Self(site.tokens.verify(token, site.clock.now())?))
    }
}

/// A request without any `Authorization` has no bearer; one with a bad token is refused.
impl OptionalFromRequestParts<Arc<Site>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        site: &Arc<Site>,
    ) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let bearer = <Self as FromRequestParts<_>>::from_request_parts(parts, site).await;
        bearer.map(Some)
    }
}
