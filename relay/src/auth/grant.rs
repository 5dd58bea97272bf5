//! What a token, or the admin key, grants.

use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::Role;
use utoipa::ToSchema;

use super::{Pattern, Refusal};
use crate::broadcast::BroadcastId;
use crate::whole::whole;

/// Whose token it is, as far as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Who issued it (`iss`).
    pub issuer: Option<Box<str>>,
    /// Who it is about (`sub`).
    pub subject: Option<Box<str>>,
    /// The token's own id (`jti`).
    pub token: Option<Box<str>>,
    /// What others see of its holder (`name`).
    pub name: Option<Box<str>>,
}

/// What somebody may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
pub enum Power {
    /// Publish.
    Publish,
    /// Watch.
    Play,
    /// Create, see and end broadcasts, and give out links to them.
    Admin,
}

impl From<Role> for Power {
    fn from(role: Role) -> Self {
        match role {
            Role::Publisher => Self::Publish,
            Role::Player => Self::Play,
        }
    }
}

/// Some of the powers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Powers(u8);

impl Powers {
    /// These together with `power`.
    #[must_use]
    pub fn with(self, power: Power) -> Self {
        Self(self.0 | 1 << power as u8)
    }

    /// Whether `power` is one of them.
    pub fn have(self, power: Power) -> bool {
        self.0 & 1 << power as u8 != 0
    }

    /// One by one.
    pub fn list(self) -> impl Iterator<Item = Power> {
        let all = [Power::Publish, Power::Play, Power::Admin];
        all.into_iter().filter(move |power| self.have(*power))
    }
}

impl FromIterator<Power> for Powers {
    fn from_iter<I: IntoIterator<Item = Power>>(powers: I) -> Self {
        powers.into_iter().fold(Self::default(), Self::with)
    }
}

/// What the end of a token means for sessions that it opened (PROTOCOL 6.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Nothing: sessions have to begin before it.
    #[default]
    ConnectBy,
    /// They end with it.
    StayUntil,
}

/// How much a token's holder may have; what is `None` is bounded by the relay's own limits alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Limits)]
pub struct Allotment {
    /// Players at the broadcast at once, while this publisher publishes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(maximum = 4_294_967_295_u64)]
    pub players: Option<u32>,
    /// Renditions that this publisher may be asked for at once.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(maximum = 4_294_967_295_u64)]
    pub renditions: Option<u32>,
    /// Kilobits a second that this publisher may bring, of all its tracks together.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(maximum = 4_294_967_295_u64)]
    pub kbps: Option<u32>,
}

impl Allotment {
    /// No more of anything than there is of it in `other`.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        let least = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        Self {
            players: least(self.players, other.players),
            renditions: least(self.renditions, other.renditions),
            kbps: least(self.kbps, other.kbps),
        }
    }
}

/// What a token, or the admin key, grants, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub holder: Holder,
    /// At which broadcasts.
    pub broadcasts: Pattern,
    /// What.
    pub powers: Powers,
    /// How much of it.
    pub allotment: Allotment,
    /// When it was made, in seconds since the Unix epoch; 0 where it does not say.
    pub issued: u64,
    /// How far the clock of whoever made it may be off, in seconds.
    pub leeway: u64,
    /// When it ends, in seconds since the Unix epoch; `None`: never.
    pub expires: Option<u64>,
    /// What that means for sessions.
    pub expiry: Expiry,
    /// The broadcast's generation that it was made in; `None` where it does not say.
    pub generation: Option<u64>,
}

impl Grant {
    /// What the admin key grants.
    pub fn of_the_admin_key() -> Self {
        Self {
            holder: Holder::default(),
            broadcasts: Pattern::all(),
            powers: Powers::default().with(Power::Admin),
            allotment: Allotment::default(),
            issued: 0,
            leeway: 0,
            expires: None,
            expiry: Expiry::ConnectBy,
            generation: None,
        }
    }

    /// Whether it may have been made by that second since the Unix epoch: a clock that is ahead must not make it
    /// younger than what was taken back.
    pub fn may_be_of(&self, second: u64) -> bool {
        self.issued.saturating_sub(self.leeway) <= second
    }

    /// Passes where it grants `power` at this broadcast.
    ///
    /// # Errors
    /// [`Refusal::Role`] and [`Refusal::Broadcast`].
    pub fn require(&self, power: Power, broadcast: &BroadcastId) -> Result<(), Refusal> {
        if !self.powers.have(power) {
            return Err(Refusal::Role);
        }
        match self.broadcasts.matches(broadcast) {
            true => Ok(()),
            false => Err(Refusal::Broadcast),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_kept_apart() {
        let powers: Powers = [Power::Play, Power::Admin].into_iter().collect();
        let list: Vec<_> = powers.list().collect();
        assert_eq!(list, [Power::Play, Power::Admin]);
        assert!(!powers.have(Power::Publish));
        assert_eq!(Powers::default().list().count(), 0);
    }

    #[test]
    fn the_admin_key_neither_publishes_nor_watches() {
        let (grant, id) = (Grant::of_the_admin_key(), "any".parse().unwrap());
        assert_eq!(grant.require(Power::Admin, &id), Ok(()));
        for power in [Power::Publish, Power::Play] {
            assert_eq!(grant.require(power, &id), Err(Refusal::Role));
        }
    }
}
