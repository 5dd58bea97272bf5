use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RelayId;

/// A relay is there, and says what it is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The relay.
    pub relay: RelayId,
    /// When it started, in microseconds since the Unix epoch: tells it from one that had its id before.
    pub run: u64,
    /// Where it is reached.
    #[serde(flatten)]
    pub places: Places,
    /// What it has to do.
    #[serde(default)]
    pub load: Load,
    /// Whether it takes more.
    #[serde(default)]
    pub standing: Standing,
    /// For how long it is good, in seconds.
    pub seconds: u64,
}

impl Lease {
    /// For how long it is good.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Where a relay is, and where it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Places {
    /// `HOST:PORT` for other relays; `None`: it is not for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Box<str>>,
    /// The URL of its pages, for players; `None`: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Box<str>>,
    /// The word that its operator has for where it is; `None`: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Box<str>>,
}

/// What a relay has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Load {
    /// Sessions of every kind.
    pub sessions: u64,
    /// Those that count against `most`: over WebRTC, or over all else, whichever are more.
    pub taken: u64,
    /// How many of these it takes; 0: it does not say.
    pub most: u64,
    /// Players among them.
    pub players: u64,
}

impl Load {
    /// Whether so many of 100 that it takes are there.
    pub fn is_full(&self, percent: u64) -> bool {
        self.most > 0 && self.taken.saturating_mul(100) >= self.most.saturating_mul(percent)
    }

    /// How many more it takes until so many of 100 are there.
    pub fn room(&self, percent: u64) -> u64 {
        match self.most {
            0 => u64::MAX,
            most => (most.saturating_mul(percent) / 100).saturating_sub(self.taken),
        }
    }
}

/// Whether a relay takes more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It takes whoever comes.
    #[default]
    Ready,
    /// It is about to go, and takes nobody.
    Draining,
}
