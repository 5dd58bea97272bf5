//! What relays say to one another of a broadcast (PROTOCOL 11).

use steadycast_codec_glue::wire::{FrameHeader, Phase, TrackGroup, TrackId};

use super::RelayTime;

/// Who is behind a relay that is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// Players that watch there.
    pub players: u32,
    /// Those of them that are to hear what there is.
    pub listeners: u32,
}

/// What is newest of what there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The keyframe of the newest group.
    pub keyframe: FrameHeader,
    /// When the newest frame was captured, in microseconds on the relay's clock.
    pub captured: u64,
}

/// Clocks of relays are known to each other to within this while machines are busy, in microseconds: no two keyframes of
/// the same size come so soon after one another.
const KNOWN_TO: u64 = 60_000;
/// A keyframe that is older than what was seen by more than this is older, whatever clocks say.
const OLDER_BY: u64 = 250_000;

impl Newest {
    /// Whether a keyframe was seen already, or is older than what was: one of this header, captured then on the relay's
    /// clock.
    pub fn has_seen(&self, head: &FrameHeader, captured: u64) -> bool {
        let own = &self.keyframe;
        let is_this =
            head.body_len() == own.body_len() && captured.abs_diff(own.capture_us) < KNOWN_TO;
        is_this || captured + OLDER_BY < self.captured
    }
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
