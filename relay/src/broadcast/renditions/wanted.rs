//! What is wanted of a publisher.

use steadycast_codec_glue::wire::{CodecKind, MediaKind, TrackId, WantedTrack};

/// The tracks wanted of a publisher beside the main one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted(pub(super) [Option<Want>; TrackId::COUNT]);

/// Of one track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) codec: CodecKind,
    pub(super) max_kbps: Option<u32>,
    pub(super) players: u32,
}

impl Wanted {
    /// As the wire says it: in order of their numbers.
    pub fn list(&self) -> Vec<WantedTrack> {
        let wanted = TrackId::all().zip(self.0);
        wanted
            .filter_map(|(track, want)| {
                let want = want?;
                Some(WantedTrack {
                    track,
                    kind: MediaKind::Video,
                    codec: want.codec,
                    max_kbps: want.max_kbps,
                    players: want.players,
                })
            })
            .collect()
    }

    /// Whether both want the same, for however many players.
    pub fn is_same_but_for_players(&self, other: &Self) -> bool {
        let tracks = |wanted: &Self| {
            wanted
                .0
                .map(|want| want.map(|want| (want.codec, want.max_kbps)))
        };
        tracks(self) == tracks(other)
    }
}
