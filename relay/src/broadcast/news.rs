//! What sessions are told of their broadcast.

use steadycast_codec_glue::wire::{Code, Serving, SoundFormat, Status, TrackId};

use super::Withheld;
use super::renditions::{Means, Servings, Wanted};
use super::state::State;

/// What publishers are told. Coalesced: only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How the broadcast is doing.
    pub status: Status,
    /// Keyframe requests made of the publisher so far, by number of track.
    pub keyframe_requests: [u64; TrackId::COUNT],
    /// The renditions that the publisher is to send.
    pub wanted: Wanted,
    /// Players that are to hear the publisher's sound; `None`: it has said of none what it is.
    pub listeners: Option<u32>,
    /// Whether a player or a relay is there.
    pub watched: bool,
    /// How often it has moved, here or to another relay.
    pub moves: u32,
    /// Set once the broadcast has ended.
    pub ended: Option<Code>,
}

impl Pulse {
    pub(super) fn of(state: &State) -> Self {
        let mut keyframe_requests = [0; TrackId::COUNT];
        for (count, track) in keyframe_requests.iter_mut().zip(TrackId::all()) {
            *count = state.track(track).requests;
        }
        Self {
            status: state.status(),
            keyframe_requests,
            wanted: state.renditions.wanted(),
            listeners: state.sound.format().map(|_| state.listeners()),
            watched: state.is_watched(),
            moves: state.source().moves(),
            ended: state.ended(),
        }
    }
}

/// What players are told. Coalesced: only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// How the broadcast is doing; `players` may be out of date.
    pub status: Status,
    /// Set once the broadcast has ended.
    pub ended: Option<Code>,
    /// What there is to hear; `None`: nothing.
    pub sound: Option<SoundFormat>,
    /// What the publisher has taken back, while it has: relays are told.
    pub withheld: Option<Withheld>,
    servings: Servings,
}

impl News {
    pub(super) fn of(state: &State) -> Self {
        Self {
            status: state.status(),
            ended: state.ended(),
            sound: state.sound.format(),
            withheld: state.withheld(),
            servings: *state.renditions.servings(),
        }
    }

    /// What a player of these means is served.
    pub fn serving(&self, means: Means) -> Serving {
        self.servings.of(means)
    }

    /// Whether players or relays are told of the difference (PROTOCOL 2.5, 2.10, 9.2, 11.4).
    pub(super) fn differs(&self, other: &Self) -> bool {
        let known = |news: &Self| {
            let status = news.status;
            let status = (status.phase, status.since_us, status.epoch);
            (status, news.ended, news.sound, news.withheld)
        };
        known(self) != known(other) || self.servings != other.servings
    }
}

/// What a pulse means to one publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at once, where it was made"
)]
pub enum PublisherNews {
    /// The session is over.
    Over(Code),
    /// The seat stands.
    Stands {
        /// Keyframe requests so far, by number of track.
        keyframe_requests: [u64; TrackId::COUNT],
        /// The renditions to send.
        wanted: Wanted,
        /// Players that are to hear its sound; `None`: it has said of none what it is.
        listeners: Option<u32>,
        /// How the broadcast is doing.
        status: Status,
    },
}
