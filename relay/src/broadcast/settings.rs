use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::whole::whole;

/// The rules that an operator can change; the configuration's `[broadcast]` and parts of `[limits]`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A broadcast held for longer than this ends.
    pub held_timeout: Duration,
    /// A broadcast that no publisher has come to for longer than this ends.
    pub waiting_timeout: Duration,
    /// A publisher silent for longer than this counts as away.
    pub publisher_silence: Duration,
    /// The least time between two keyframe requests to a publisher.
    pub keyframe_interval: Duration,
    /// How long a joining player waits for a requested keyframe before it gets the long group.
    pub keyframe_wait: Duration,
    /// How long a rendition goes on after its last player: who reloads a page finds it again.
    pub rendition_linger: Duration,
    /// A join is served from a group of at most this many frames.
    pub join_frames: usize,
    /// A join is served from a group of at most this many bytes.
    pub join_bytes: usize,
    /// A player whose unsent frames exceed this is skipped, and one that holds more than this of
    /// what the cache has no more.
    pub player_queue_bytes: usize,
    /// A player whose oldest unsent frame is older than this is skipped, unless its path has the
    /// rest in a moment, or is so narrow that a keyframe alone takes as long.
    pub player_lag: Duration,
    /// Broadcasts that may exist at once.
    pub max_broadcasts: usize,
    /// Players that may watch one broadcast at once.
    pub players_per_broadcast: u32,
    /// Bytes of pictures that all broadcasts together may hold.
    pub cache_bytes: usize,
    /// Bytes of them that each broadcast may hold in any case.
    pub broadcast_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            held_timeout: Duration::from_secs(30 * 60),
            waiting_timeout: Duration::from_secs(168 * 3_600),
            publisher_silence: Duration::from_millis(800),
            keyframe_interval: Duration::from_millis(500),
            keyframe_wait: Duration::from_millis(500),
            rendition_linger: Duration::from_secs(10),
            join_frames: 150,
            join_bytes: 2 << 20,
            player_queue_bytes: 4 << 20,
            player_lag: Duration::from_millis(500),
            max_broadcasts: 1000,
            players_per_broadcast: 10_000,
            cache_bytes: 256 << 20,
            broadcast_bytes: 8 << 20,
        }
    }
}

/// What one broadcast has less of than the relay's settings allow; `None`: as much as they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = BroadcastSettings)]
pub struct OwnSettings {
    /// Players that may watch at once.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 4_294_967_295_u64)]
    pub players: Option<u32>,
    /// Held for longer than this, it ends; in seconds.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 4_294_967_295_u64)]
    pub held_timeout_s: Option<u32>,
    /// If no publisher has come for longer than this, it ends; in seconds.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 4_294_967_295_u64)]
    pub waiting_timeout_s: Option<u32>,
}

impl OwnSettings {
    /// The same, as far as it holds where all broadcasts have `all`.
    #[must_use]
    pub fn within(self, all: &Settings) -> Self {
        let least = |own: Option<u32>, most: Duration| {
            own.map(|own| own.min(u32::try_from(most.as_secs()).unwrap_or(u32::MAX)))
        };
        Self {
            players: self.players.map(|own| own.min(all.players_per_broadcast)),
            held_timeout_s: least(self.held_timeout_s, all.held_timeout),
            waiting_timeout_s: least(self.waiting_timeout_s, all.waiting_timeout),
        }
    }
}

impl Settings {
    /// These, as they are for a broadcast that has settings of its own.
    #[must_use]
    pub fn with(&self, own: OwnSettings) -> Self {
        let seconds = |own: Option<u32>, most: Duration| {
            own.map_or(most, |own| Duration::from_secs(own.into()).min(most))
        };
        let most = self.players_per_broadcast;
        Self {
            players_per_broadcast: own.players.map_or(most, |own| own.min(most)),
            held_timeout: seconds(own.held_timeout_s, self.held_timeout),
            waiting_timeout: seconds(own.waiting_timeout_s, self.waiting_timeout),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_may_have_less_than_others_and_never_more() {
        let all = Settings::default();
        let less = all.with(OwnSettings {
            players: Some(3),
            held_timeout_s: Some(60),
            waiting_timeout_s: None,
        });
        assert_eq!(less.players_per_broadcast, 3);
        assert_eq!(less.held_timeout, Duration::from_secs(60));
        assert_eq!(less.waiting_timeout, all.waiting_timeout);
        let more = all.with(OwnSettings {
            players: Some(u32::MAX),
            held_timeout_s: Some(u32::MAX),
            waiting_timeout_s: Some(u32::MAX),
        });
        assert_eq!(more.players_per_broadcast, all.players_per_broadcast);
        assert_eq!(more.held_timeout, all.held_timeout);
        assert_eq!(more.waiting_timeout, all.waiting_timeout);
    }
}
