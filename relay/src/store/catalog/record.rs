//! What the bucket says of broadcasts, as JSON.

use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::Code;

use super::super::engine::{Entry, Seen};
use crate::auth::Generation;
use crate::broadcast::{BroadcastId, OwnSettings};
use crate::directory::engine::Changed;
use crate::excerpt::excerpt;

const BROADCAST: &str = "broadcast.";
/// The key of the keys.
pub(super) const KEYS: &str = "keys";
/// The key of when the last token ends that is for more than one broadcast.
pub(super) const PATTERNS: &str = "patterns";

/// What is said of a broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Value {
    /// It is there.
    There(Record),
    /// It has ended. That is said for a while, so that relays which are away hear why.
    Ended(Ending),
}

/// A broadcast, as far as all relays know of it. What a later relay says besides is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    title: String,
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maker: Option<Box<str>>,
    chosen: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    private: bool,
    #[serde(default)]
    settings: OwnSettings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    links_end: Option<u64>,
    #[serde(default)]
    publisher: Seen,
}

/// How a broadcast has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The number of its code (PROTOCOL 5).
    code: u16,
    /// Which links to another broadcast of its id are good; `None`: there will be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Generation>,
}

impl Ending {
    pub(crate) fn new(code: Code, links: Option<Generation>) -> Self {
        let code = code.number();
        Self { code, links }
    }

    /// What its sessions are told.
    pub(crate) fn code(&self) -> Code {
        Code::from_number(self.code).unwrap_or(Code::BroadcastEnded)
    }
}

impl From<&Entry> for Record {
    fn from(entry: &Entry) -> Self {
        Self {
            title: entry.title.clone(),
            created: entry.created,
            maker: entry.maker.clone(),
            chosen: entry.chosen,
            private: entry.private,
            settings: entry.settings,
            links_end: entry.links_end,
            publisher: entry.publisher,
        }
    }
}

impl Record {
    pub(super) fn entry(self, id: &BroadcastId) -> Entry {
        Entry {
            id: id.clone(),
            title: self.title,
            created: self.created,
            maker: self.maker,
            chosen: self.chosen,
            private: self.private,
            settings: self.settings,
            links_end: self.links_end,
            // All relays make the same.
            panel_secret: None,
            publisher: self.publisher,
        }
    }
}

impl Value {
    pub(super) fn there(entry: &Entry) -> Self {
        Self::There(entry.into())
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // It has nothing that JSON does not.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

pub(super) fn key(id: &BroadcastId) -> String {
    format!("{BROADCAST}{id}")
}

/// What a change says.
#[derive(Debug)]
pub(super) enum Said {
    /// Of a broadcast; `None`: nothing any more.
    Broadcast(BroadcastId, Option<Value>),
    /// The sealed keys, if there are some.
    Keys(Option<Vec<u8>>),
    /// When the last token ends that is for more than one broadcast.
    Patterns(u64),
}

impl Said {
    /// Reads a change; `None`: it is none of ours, or makes no sense, which is said and costs nothing else.
    pub(super) fn read(changed: &Changed) -> Option<Self> {
        let bytes = changed.value.bytes.as_deref();
        let said = match changed.key.as_str() {
            KEYS => Some(Self::Keys(bytes.map(<[u8]>::to_vec))),
            PATTERNS => {
                let end = bytes.map_or(Ok(0), serde_json::from_slice);
                end.ok().map(Self::Patterns)
            }
            key => {
                let id = key.strip_prefix(BROADCAST);
                let id = id.and_then(|id| id.parse().ok());
                id.zip(value(bytes))
                    .map(|(id, value)| Self::Broadcast(id, value))
            }
        };
        if said.is_none() {
            let key = excerpt(&changed.key);
            let revision = changed.value.revision;
            tracing::warn!(%key, revision, "the engine has of broadcasts what no relay wrote");
        }
        said
    }
}

/// What a value says, if there is one; nothing of what makes no sense.
pub(super) fn value(bytes: Option<&[u8]>) -> Option<Option<Value>> {
    match bytes {
        Some(bytes) => serde_json::from_slice(bytes).ok().map(Some),
        None => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: "a".parse().unwrap(),
            title: "A".to_owned(),
            created: 5,
            maker: Some("ada".into()),
            chosen: true,
            private: true,
            settings: OwnSettings::default(),
            links_end: Some(9),
            panel_secret: None,
            publisher: Seen::AwaySince(7),
        }
    }

    #[test]
    fn what_is_said_of_a_broadcast_is_read_as_it_was_meant() {
        let json = Value::there(&entry()).to_json();
        let Some(Some(Value::There(record))) = value(Some(&json)) else {
            panic!("{json:?}");
        };
        assert_eq!(record.entry(&entry().id), entry());
        let ended = Value::Ended(Ending::new(Code::HeldTooLong, None));
        assert_eq!(value(Some(&ended.to_json())), Some(Some(ended)));
    }

    #[test]
    fn what_a_later_relay_says_besides_is_passed_over_and_nonsense_is_none() {
        let more = br#"{"there":{"title":"A","created":1,"chosen":true,"colour":"red"}}"#;
        assert!(matches!(value(Some(more)), Some(Some(Value::There(_)))));
        let unknown = br#"{"ended":{"code":65535}}"#;
        let Some(Some(Value::Ended(ending))) = value(Some(unknown)) else {
            panic!("unread");
        };
        assert_eq!(ending.code(), Code::BroadcastEnded);
        for bad in [&b"{}"[..], b"", br#"{"there":{}}"#, br#"{"ended":{}}"#] {
            assert_eq!(value(Some(bad)), None);
        }
        assert_eq!(value(None), Some(None));
    }
}
