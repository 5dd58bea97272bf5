use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::ResumeSecret;

use super::RelayId;
use crate::broadcast::RelayTime;

/// Which of the claims of a broadcast one is. It rises across relays, and with everything that is forgotten: it is at
/// least the time at which it was made, in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimEpoch(u64);

impl ClaimEpoch {
    /// The one after `before`.
    pub(super) fn after(before: Option<Self>, now: RelayTime) -> Self {
        let next = before.map_or(0, |Self(before)| before.saturating_add(1));
        Self(next.max(now.as_micros()))
    }
}

impl fmt::Display for ClaimEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hash of the secret by which publishers resume one another (PROTOCOL 3.3). The secret itself stays at its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lineage([u8; Self::BYTES]);

/// The text is not the hash of a lineage.
#[derive(Debug, thiserror::Error)]
#[error("not 16 bytes in base64url")]
pub struct LineageError;

impl Lineage {
    const BYTES: usize = 16;

    /// That of the publishers that know this secret.
    pub fn of(secret: &ResumeSecret) -> Self {
        let hash = digest(&SHA256, &secret.0);
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&hash.as_ref()[..Self::BYTES]);
        Self(bytes)
    }
}

impl TryFrom<String> for Lineage {
    type Error = LineageError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| LineageError)?;
        bytes.try_into().map(Self).map_err(|_| LineageError)
    }
}

impl From<Lineage> for String {
    fn from(lineage: Lineage) -> Self {
        URL_SAFE_NO_PAD.encode(lineage.0)
    }
}

/// A broadcast is at this relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The relay.
    pub relay: RelayId,
    /// Which claim it is.
    pub epoch: ClaimEpoch,
    /// Whose publishers may resume there; `None`: nobody has published yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// No publisher has come by it: the relay keeps the broadcast for whoever did before, of that lineage.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub home: bool,
}

impl Claim {
    /// Whether it wins against `other`. Of two of one epoch, which there can be only when the engine has forgotten
    /// everything, all relays say the same.
    pub(super) fn beats(&self, other: &Self) -> bool {
        (self.epoch, &self.relay) > (other.epoch, &other.relay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_rise_whatever_is_known_and_whatever_the_time_is() {
        let at = RelayTime::from_micros;
        let first = ClaimEpoch::after(None, at(5_000));
        assert!(ClaimEpoch::after(Some(first), at(0)) > first);
        assert!(ClaimEpoch::after(None, at(5_001)) > first);
        assert!(ClaimEpoch::after(Some(first), at(9_000)) > ClaimEpoch::after(Some(first), at(0)));
    }

    #[test]
    fn a_claim_is_kept_as_json_without_the_secret() {
        let secret = ResumeSecret([7; 16]);
        let claim = Claim {
            relay: "edge-1".parse().unwrap(),
            epoch: ClaimEpoch(5),
            lineage: Some(Lineage::of(&secret)),
            home: false,
        };
        let text = serde_json::to_string(&claim).unwrap();
        assert!(!text.contains(&URL_SAFE_NO_PAD.encode(secret.0)), "{text}");
        assert_eq!(serde_json::from_str::<Claim>(&text).unwrap(), claim);
        // What a later relay says besides is passed over.
        let more = r#"{"relay":"a","epoch":1,"colour":"red"}"#;
        assert_eq!(serde_json::from_str::<Claim>(more).unwrap().lineage, None);
        for bad in [
            r#"{"relay":"A","epoch":1}"#,
            r#"{"relay":"a"}"#,
            r#"{"relay":"a","epoch":1,"lineage":"AA"}"#,
        ] {
            assert!(serde_json::from_str::<Claim>(bad).is_err(), "{bad}");
        }
    }
}
