//! What relays say to one another of a broadcast (PROTOCOL 11).

use steadycast_codec_glue::wire::{Phase, TrackGroup, TrackId};

use super::RelayTime;

/// Who is behind a relay that is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// Players that watch there.
    pub players: u32,
    /// Those of them that are to hear what there is.
    pub listeners: u32,
}

/// How a broadcast of another relay is doing, as that says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Its phase there.
    pub phase: Phase,
    /// Since when, on the clock of the relay that is told.
    pub since: RelayTime,
}

/// What a publisher has taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// The epoch in which it said so last.
    pub epoch: u32,
    /// The first group of each track that may be seen; `None`: it has named none.
    from: [Option<u32>; TrackId::COUNT],
}

impl Withheld {
    pub(super) fn new(epoch: u32, groups: &[TrackGroup]) -> Self {
        let mut from = [None; TrackId::COUNT];
        for TrackGroup { track, group } in groups {
            from[usize::from(track.number())] = Some(*group);
        }
        Self { epoch, from }
    }

    /// As the wire says it: in order of their tracks.
    pub fn list(&self) -> Vec<TrackGroup> {
        let named = TrackId::all().zip(self.from);
        named
            .filter_map(|(track, group)| group.map(|group| TrackGroup { track, group }))
            .collect()
    }
}
