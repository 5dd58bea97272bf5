//! What is kept of broadcasts and revocations, wherever that is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::StateError;
use crate::auth::Revocation;
use crate::broadcast::{BroadcastId, OwnSettings, Presence, RelayTime};

/// Where broadcasts and revocations are kept. What has been committed is there after a crash of the process or the
/// machine.
///
/// Its methods wait for the disk: call them where that is allowed.
pub trait Store: fmt::Debug + Send + Sync {
    /// All that is kept.
    ///
    /// # Errors
    /// [`StateError`].
    fn load(&self) -> Result<Kept, StateError>;

    /// Makes these changes, all or none of them.
    ///
    /// # Errors
    /// [`StateError`]; nothing is changed then.
    fn commit(&self, changes: &[Change]) -> Result<(), StateError>;

    /// Where it is, for people.
    fn place(&self) -> String;
}

/// All that is kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// By id.
    pub broadcasts: Vec<Entry>,
    /// What was taken back.
    pub revocations: Vec<Revocation>,
    /// When the last token ends that is for more than one broadcast, in seconds since the Unix epoch.
    pub patterns_end: u64,
    /// As of when the engine's bucket of broadcasts is known, where one is.
    pub mark: Option<Mark>,
}

/// As of when the engine's bucket of broadcasts is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When the bucket was made, in nanoseconds since the Unix epoch: tells it from another of its name.
    pub made: u64,
    /// The newest of its revisions that is known.
    pub revision: u64,
}

/// A change of what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A broadcast is there, like this.
    Put(Entry),
    /// A broadcast is no more.
    Remove(BroadcastId),
    /// Something was taken back.
    Revoke(Revocation),
    /// A token that was taken back has ended by itself.
    ForgetToken(Box<str>),
    /// A token for more than one broadcast was made that ends then, in seconds since the Unix epoch: later than
    /// all before it.
    PatternsEnd(u64),
    /// The engine's bucket of broadcasts is known as of then.
    Mark(Mark),
    /// Nobody can ask for this broadcast again: which links to it were good need not be known.
    ForgetLinks(BroadcastId),
}

impl Change {
    /// What it takes back, if anything.
    pub(crate) fn taken_back(&self) -> Option<Revocation> {
        match self {
            Self::Revoke(revocation) => Some(revocation.clone()),
            _ => None,
        }
    }
}

/// What is kept of a broadcast: enough to let its links work after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The broadcast.
    pub id: BroadcastId,
    /// Its name for people.
    pub title: String,
    /// When it was created, in seconds since the Unix epoch.
    pub created: u64,
    /// Whose token it was created with (`sub`); `None`: the admin key, or a token that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<Box<str>>,
    /// Whether its id was chosen by somebody, who may choose it again.
    #[serde(default = "yes")]
    pub chosen: bool,
    /// Whether only people with its link can see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// What it has less of than others.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub settings: OwnSettings,
    /// When the last link to it ends, in seconds since the Unix epoch; `None`: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links_end: Option<u64>,
    /// What panels and capture hosts know each other by; `None`: nobody has asked for it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel_secret: Option<PanelSecret>,
    /// When a publisher was there last.
    #[serde(default, skip_serializing_if = "Seen::is_never")]
    pub publisher: Seen,
}

/// What panels and capture hosts of a broadcast know each other by: who has it can steer them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelSecret {
    /// What links for publishing have to be of where it is good. Of a later generation there is another secret.
    pub generation: u64,
    /// 32 bytes that nobody can guess, as base64url.
    pub text: Box<str>,
}

/// Never shown, so that it is in no log.
impl fmt::Debug for PanelSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanelSecret")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn is_nothing(settings: &OwnSettings) -> bool {
    *settings == OwnSettings::default()
}

/// Of broadcasts of relays up to 0.1 it is not known.
fn yes() -> bool {
    true
}

/// When a broadcast's publisher was there last, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seen {
    /// Never yet.
    #[default]
    Never,
    /// It was there when this was written.
    Here,
    /// It has been away since then.
    AwaySince(u64),
}

impl Seen {
    fn is_never(&self) -> bool {
        *self == Self::Never
    }

    /// What that is for a relay that starts `now`: who was there has been away since then.
    pub fn after_restart(self, now: RelayTime) -> Presence {
        match self {
            Self::Never => Presence::Never,
            Self::Here => Presence::AwaySince(now),
            Self::AwaySince(seconds) => {
                let since = RelayTime::from_micros(seconds.saturating_mul(1_000_000));
                // A clock that was ahead then must not keep it for years.
                Presence::AwaySince(since.min(now))
            }
        }
    }
}

impl From<Presence> for Seen {
    fn from(presence: Presence) -> Self {
        match presence {
            Presence::Never => Self::Never,
            Presence::Here => Self::Here,
            Presence::AwaySince(since) => Self::AwaySince(since.as_seconds()),
        }
    }
}
