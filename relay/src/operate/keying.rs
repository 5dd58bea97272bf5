//! What becomes of the key where a command prints links to a broadcast that is private, or turns out to be.

use reqwest::Method;
use serde_json::Value;

use super::client::{Asked, OperateError, Request, ask};
use super::link_key::LinkKey;
use super::show::Shown;

/// What is known of it before the relay is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Keying {
    /// Nothing with links to one broadcast is printed.
    Needless,
    /// A broadcast is made, and with it a key, unless there is one.
    New {
        /// Whether it is to be private whatever the relay's settings say.
        private: bool,
        /// As it was given.
        key: Option<String>,
    },
    /// Links to one that is there.
    Links {
        /// Its id.
        broadcast: String,
        /// Whether those of viewers end until now, which takes another key (PROTOCOL 12.7).
        ends_viewers: bool,
        /// As it was given.
        key: Option<String>,
    },
    /// A token for one, which a link may be made of.
    Token {
        /// Its id.
        broadcast: String,
        /// As it was given.
        key: Option<String>,
    },
}

/// What people are told besides.
const KEPT_NOWHERE: &str =
    "Only people with these links can see it: the key in them is kept nowhere else.\n";
const RENEWED: &str = "The key is another one. Whoever shares opens the admin link above first: of what is shared with \
                       an older one, nobody sees anything.\n";
const LACKING: &str = "The broadcast is private, and this link lacks its key: give it by --key.\n";

/// A key for an answer's links, and what is said of it.
pub(super) struct Completion {
    /// `None`: they are whole as they are, or cannot be made so.
    key: Option<LinkKey>,
    /// A line, or nothing.
    pub(super) note: &'static str,
}

impl Completion {
    const NONE: Self = Self {
        key: None,
        note: "",
    };

    fn with(key: LinkKey, note: &'static str) -> Self {
        let key = Some(key);
        Self { key, note }
    }

    /// Makes the answer's links whole.
    pub(super) fn of(&self, answer: &mut Value) {
        if let Some(key) = &self.key {
            key.complete(answer);
        }
    }
}

impl Keying {
    /// What is done with the links of an answer to come. Asked before anything is made or ended, so that no links are that
    /// nobody can use; `None`: the answer has to come first.
    pub(super) fn before(&self, relay: &Asked) -> Result<Option<Completion>, OperateError> {
        Ok(Some(match self {
            Self::Needless => Completion::NONE,
            Self::New {
                private: false,
                key: None,
            } => return Ok(None),
            Self::New { key, .. } => Completion::with(given_or_made(key.as_deref())?, KEPT_NOWHERE),
            Self::Links {
                broadcast,
                ends_viewers,
                key,
            } => match (is_private(relay, broadcast)?, ends_viewers, key) {
                (false, _, None) => Completion::NONE,
                (false, _, Some(_)) => return Err(OperateError::NotPrivate),
                (true, true, None) => Completion::with(LinkKey::made()?, RENEWED),
                (true, true, Some(_)) => return Err(OperateError::OldKey),
                (true, false, Some(key)) => Completion::with(LinkKey::given(key)?, ""),
                (true, false, None) => return Err(OperateError::KeyMissing),
            },
            Self::Token { broadcast, key } => match (is_private(relay, broadcast), key) {
                (Ok(true), Some(key)) => Completion::with(LinkKey::given(key)?, ""),
                (Ok(true), None) => Completion {
                    key: None,
                    note: LACKING,
                },
                (_, Some(_)) => return Err(OperateError::NotPrivate),
                // It may be made later.
                (Ok(false) | Err(OperateError::Refused(_)), None) => Completion::NONE,
                (Err(error), None) => return Err(error),
            },
        }))
    }

    /// The same by an answer that tells of a new broadcast.
    pub(super) fn after(relay: &Asked, answer: &Value) -> Result<Completion, OperateError> {
        let id = answer["id"].as_str().unwrap_or_default();
        Ok(match is_private(relay, id)? {
            false => Completion::NONE,
            true => Completion::with(LinkKey::made()?, KEPT_NOWHERE),
        })
    }
}

fn given_or_made(key: Option<&str>) -> Result<LinkKey, OperateError> {
    key.map_or_else(LinkKey::made, LinkKey::given)
}

fn is_private(relay: &Asked, broadcast: &str) -> Result<bool, OperateError> {
    let request = Request {
        method: Method::GET,
        path: format!("/api/broadcasts/{broadcast}"),
        query: Vec::new(),
        body: None,
        shown: Shown::Done,
    };
    Ok(ask(relay, &request)?["private"] == true)
}
