//! Who asks: the bearer of the admin key, or of a token.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::listener::Peer;
use super::problem::Problem;
use super::site::Site;
use crate::auth::Allotment;
use crate::auth::{Action, Gate, Grant, OneAtATime, Pattern, Power, Powers, Refusal};
use crate::broadcast::BroadcastId;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody to whom this is granted.
    Granted(Grant),
    /// Somebody with a token of whom the outside authority says what is allowed, at each request.
    Unjudged {
        /// The token.
        token: String,
        /// Where they are.
        from: IpAddr,
    },
}

impl Caller {
    /// Passes who may administer every broadcast there is.
    pub(super) fn require_admin(&self) -> Result<(), Problem> {
        let admin =
            |grant: &Grant| grant.powers.have(Power::Admin) && grant.broadcasts == Pattern::all();
        match self {
            Self::Granted(grant) if admin(grant) => Ok(()),
            _ => Err(Problem::forbidden("this takes the admin key")),
        }
    }

    /// The broadcasts that it may administer, where there are any.
    pub(super) fn require_some_admin(&self) -> Result<&Pattern, Problem> {
        match self {
            Self::Granted(grant) if grant.powers.have(Power::Admin) => Ok(&grant.broadcasts),
            _ => Err(Problem::forbidden("this takes the admin key")),
        }
    }

    /// Whether it may administer every broadcast there is.
    pub(super) fn is_admin(&self) -> bool {
        self.require_admin().is_ok()
    }

    /// How much it may have, which is the most that it can give.
    pub(super) fn allotment(&self) -> Allotment {
        match self {
            Self::Granted(grant) => grant.allotment,
            Self::Unjudged { .. } => Allotment::default(),
        }
    }

    /// Whom its token is about, where it says so.
    pub(super) fn subject(&self) -> Option<Box<str>> {
        match self {
            Self::Granted(grant) => grant.holder.subject.clone(),
            Self::Unjudged { .. } => None,
        }
    }

    /// Passes who may create a broadcast of this id, or of a random one.
    pub(super) async fn require_creation(
        &self,
        gate: &Gate,
        id: Option<&BroadcastId>,
    ) -> Result<(), Problem> {
        match (self, id) {
            (Self::Unjudged { token, from }, id) => {
                let id = id.map_or("", BroadcastId::as_str);
                Ok(gate.ask(token, Action::Create, id, *from).await?)
            }
            (Self::Granted(_), None) => self.require_admin(),
            (Self::Granted(grant), Some(id)) => Ok(grant.require(Power::Admin, id)?),
        }
    }

    /// Passes who may administer this broadcast, and its publisher; `action` is what it is about.
    pub(super) async fn require_power_over(
        &self,
        gate: &Gate,
        id: &BroadcastId,
        action: Action,
    ) -> Result<(), Problem> {
        match self {
            Self::Unjudged { token, from } => {
                Ok(gate.ask(token, action, id.as_str(), *from).await?)
            }
            Self::Granted(grant) if grant.require(Power::Admin, id).is_ok() => Ok(()),
            Self::Granted(grant) => Ok(gate.require(grant, Power::Publish, id)?),
        }
    }

    /// Passes who may give somebody `powers` at `broadcasts`: an admin of them all, and of the powers to
    /// publish and to play the publisher.
    pub(super) async fn require_gift(
        &self,
        gate: &Gate,
        broadcasts: &Pattern,
        powers: Powers,
    ) -> Result<(), Problem> {
        if let Self::Granted(grant) = self
            && grant.powers.have(Power::Admin)
            && grant.broadcasts.takes_in(broadcasts)
        {
            return Ok(());
        }
        match broadcasts.one() {
            Some(id) if !powers.have(Power::Admin) => {
                self.require_power_over(gate, id, Action::Publish).await
            }
            _ => Err(Problem::forbidden("this takes the admin key")),
        }
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let missing = "an Authorization header with Bearer and a key or token is missing";
        let shown = shown(parts).ok_or_else(|| Problem::unauthorized(missing))?;
        let peer = parts.extensions.get::<Peer>();
        let from = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.address.ip());
        let connection = parts.extensions.get::<OneAtATime>().cloned();
        let connection = connection.unwrap_or_default();
        let gate = &site.gate;
        if gate.asks() {
            return Ok(match gate.is_admin_key(shown, from, &connection).await? {
                true => Self::Granted(Grant::of_the_admin_key()),
                false => Self::Unjudged {
                    token: shown.to_owned(),
                    from,
                },
            });
        }
        let now = site.clock.now();
        let grant = gate.recognise_caller(shown, from, &connection, now);
        let grant = grant.await?;
        // Links for players are no business of the API's.
        if !grant.powers.have(Power::Admin) && !grant.powers.have(Power::Publish) {
            return Err(Refusal::Role.into());
        }
        Ok(Self::Granted(grant))
    }
}

/// The key or token that a request shows, as it is.
pub(super) struct Bearer(pub(super) String);

impl FromRequestParts<Arc<Site>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Site>) -> Result<Self, Problem> {
        let missing = "an Authorization header with Bearer and a token is missing";
        let token = shown(parts).ok_or_else(|| Problem::unauthorized(missing))?;
        Ok(Self(token.to_owned()))
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

/// The key or token that a request shows.
fn shown(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?;
    bearer(value.to_str().ok()?)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, shown) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(shown.trim())
}
