//! What stands in a token (PROTOCOL 6.1).

use serde::{Deserialize, Deserializer, Serialize};

use super::Pattern;
use super::grant::{Allotment, Expiry, Grant, Holder, Power};
use super::token::Order;

/// Of the relay's own tokens.
pub(super) const AUDIENCE: &str = "steadycast";

/// The claims as PROTOCOL 6.1 writes them.
#[derive(Serialize, Deserialize)]
pub(super) struct WireClaims {
    pub(super) aud: Audience,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<NumericDate>,
    pub(super) exp: NumericDate,
    /// Of tokens that are for the broadcast that `sub` says: those of relays up to 0.1 (PROTOCOL 6.4). Others may
    /// mean anything by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    steadycast: Option<WireGrant>,
}

/// Whom a token is for (RFC 7519, 4.1.3).
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(Box<str>),
    Several(Vec<Box<str>>),
}

impl Audience {
    /// Whether this is among it.
    pub(super) fn has(&self, one: &str) -> bool {
        match self {
            Self::One(own) => **own == *one,
            Self::Several(all) => all.iter().any(|own| **own == *one),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGrant {
    broadcast: Pattern,
    roles: Vec<Power>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    expiry: Expiry,
    #[serde(default, skip_serializing_if = "is_default")]
    limits: Allotment,
}

/// Whether tokens may be like those of relays up to 0.1 (PROTOCOL 6.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    /// They may: the relay has made them itself.
    Taken,
    /// They may not: whoever has made them means something else.
    Refused,
}

/// The longest id of a token and the longest subject, in characters.
pub(crate) const TEXT: usize = 255;
/// The longest name that is shown of a holder, in characters.
const NAME: usize = 128;

/// Whether a text can be written down, and be asked for again.
pub(crate) fn is_plain(text: &str) -> bool {
    let count = text.chars().count();
    (1..=TEXT).contains(&count) && !text.chars().any(char::is_control)
}

/// A name as it can be shown anywhere.
pub(super) fn shown_name(name: &str) -> Box<str> {
    let shown = name.chars().take(NAME);
    let shown = shown.map(|letter| match letter.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => letter,
    });
    shown.collect::<String>().into()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Seconds since the Unix epoch, as RFC 7519, 2 has them: perhaps with a fraction, which is left out.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct NumericDate(pub(super) u64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Number {
            Whole(u64),
            Fraction(f64),
        }
        match Number::deserialize(deserializer)? {
            Number::Whole(seconds) => Ok(Self(seconds)),
            Number::Fraction(seconds) if (0.0..1e15).contains(&seconds) => Ok(Self(seconds as u64)),
            Number::Fraction(_) => Err(serde::de::Error::custom("not a time")),
        }
    }
}

impl WireClaims {
    /// Those of a token that is ordered.
    pub(super) fn of(order: &Order, id: &str, issued: u64) -> Self {
        Self {
            aud: Audience::One(AUDIENCE.into()),
            iss: None,
            sub: order.subject.clone(),
            jti: Some(id.into()),
            name: order.name.clone(),
            iat: Some(NumericDate(issued)),
            nbf: None,
            exp: NumericDate(issued.saturating_add(order.ttl.as_secs())),
            role: None,
            steadycast: Some(WireGrant {
                broadcast: order.broadcasts.clone(),
                roles: order.powers.list().collect(),
                generation: order.generation,
                expiry: order.expiry,
                limits: order.allotment,
            }),
        }
    }

    /// What they grant; `None` where they say that in no way that is known, or say whose they are in a way
    /// that nobody could take back.
    pub(super) fn grant(self, early: Early) -> Option<Grant> {
        let (grant, subject) = match self.steadycast {
            Some(grant) => (grant, self.sub),
            None if early == Early::Refused => return None,
            None => {
                let power = match self.role?.as_str()? {
                    "publish" => Power::Publish,
                    "play" => Power::Play,
                    _ => return None,
                };
                let grant = WireGrant {
                    broadcast: Pattern::One(self.sub.as_deref()?.parse().ok()?),
                    roles: vec![power],
                    generation: None,
                    expiry: Expiry::ConnectBy,
                    limits: Allotment::default(),
                };
                (grant, None)
            }
        };
        let named = [&subject, &self.jti].into_iter().flatten();
        if named.into_iter().any(|text| !is_plain(text)) {
            return None;
        }
        Some(Grant {
            holder: Holder {
                issuer: self.iss,
                subject,
                token: self.jti,
                name: self.name.as_deref().map(shown_name),
            },
            broadcasts: grant.broadcast,
            powers: grant.roles.into_iter().collect(),
            allotment: grant.limits,
            issued: self.iat.map_or(0, |NumericDate(seconds)| seconds),
            leeway: 0,
            expires: Some(self.exp.0),
            expiry: grant.expiry,
            generation: grant.generation,
        })
    }
}
