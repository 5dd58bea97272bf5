//! One thing that has happened.

use std::net::IpAddr;

use serde::Serialize;
use steadycast_codec_glue::wire::{Code, Phase, Role};

use crate::auth::{Power, Standing};
use crate::broadcast::{BroadcastId, RelayTime};
use crate::directory::RelayId;
use crate::telemetry::traces::BroadcastTrace;

/// Something that has happened, as it is told (PROTOCOL 7.5).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happened {
    /// Its number, since the relay has started.
    pub id: u64,
    /// The relay that it has happened at, where there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayId>,
    /// When, by RFC 3339.
    pub time: String,
    /// What.
    pub event: &'static str,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<BroadcastId>,
    /// The trace of that broadcast, the same at every relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Why it ended, or was refused: a name of PROTOCOL 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// Whose session it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionFacts>,
}

impl Happened {
    /// What no other event has, at whichever relay.
    pub fn unique(&self) -> String {
        // Of a relay that starts again the numbers are the same.
        let within = format!("{}-{}", self.time, self.id);
        match &self.relay {
            Some(relay) => format!("{relay}-{within}"),
            None => within,
        }
    }
}

/// What is told of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFacts {
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// What it is.
    pub role: Power,
    /// How it reaches the relay.
    pub transport: &'static str,
    /// From where.
    pub address: IpAddr,
    /// Whom its token is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
    /// What others see of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Its token's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<Box<str>>,
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A broadcast was created.
    Created(BroadcastId),
    /// Its publisher's pictures come.
    Live(BroadcastId),
    /// Its publisher is away.
    Held(BroadcastId),
    /// Its publisher has taken the picture back.
    Paused(BroadcastId),
    /// It is over.
    Ended(BroadcastId, Code),
    /// A session has come.
    Joined(Standing),
    /// A session is over.
    Left(Standing, Code),
    /// Somebody may not publish.
    Refused(SessionFacts, Code),
}

impl Event {
    /// A broadcast's phase is another now; `None`: that is nothing to tell.
    pub fn turned(broadcast: BroadcastId, phase: Phase) -> Option<Self> {
        match phase {
            Phase::Waiting => None,
            Phase::Live => Some(Self::Live(broadcast)),
            Phase::Held => Some(Self::Held(broadcast)),
            Phase::Paused => Some(Self::Paused(broadcast)),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "broadcast.created",
            Self::Live(_) => "broadcast.live",
            Self::Held(_) => "broadcast.held",
            Self::Paused(_) => "broadcast.paused",
            Self::Ended(..) => "broadcast.ended",
            Self::Joined(standing) => match standing.role {
                Role::Publisher => "publisher.joined",
                Role::Player => "player.joined",
            },
            Self::Left(standing, _) => match standing.role {
                Role::Publisher => "publisher.left",
                Role::Player => "player.left",
            },
            Self::Refused(..) => "publisher.refused",
        }
    }

    pub(super) fn told(self, id: u64, now: RelayTime) -> Happened {
        let event = self.name();
        let (broadcast, why, session) = match self {
            Self::Created(id) | Self::Live(id) | Self::Held(id) | Self::Paused(id) => {
                (Some(id), None, None)
            }
            Self::Ended(id, code) => (Some(id), Some(code), None),
            Self::Joined(standing) => {
                let session = SessionFacts::of(&standing);
                (Some(standing.broadcast), None, Some(session))
            }
            Self::Left(standing, code) => {
                let session = SessionFacts::of(&standing);
                (Some(standing.broadcast), Some(code), Some(session))
            }
            Self::Refused(session, code) => (None, Some(code), Some(session)),
        };
        Happened {
            id,
            relay: None,
            time: now.rfc3339(),
            event,
            trace: broadcast
                .as_ref()
                .map(|id| BroadcastTrace::of(id).to_string()),
            broadcast,
            why: why.map(Code::name),
            session,
        }
    }
}

impl SessionFacts {
    /// Of a session that was let in.
    pub fn of(standing: &Standing) -> Self {
        let holder = &standing.grant.holder;
        Self {
            number: Some(standing.visit.number),
            role: standing.role.into(),
            transport: standing.visit.transport.name(),
            address: standing.visit.from,
            subject: holder.subject.clone(),
            name: holder.name.clone(),
            token_id: holder.token.clone(),
        }
    }
}
