//! What a player has been given.

use bytes::Bytes;

use crate::broadcast::RelayTime;

/// What a player has been given so far, or a publisher has brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// Frames, a large one that came slowly perhaps in several pieces.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Times that frames were left out because the player could not keep up.
    pub skips: u64,
    /// When the first of them came.
    pub first: Option<RelayTime>,
}

/// Pieces that are given at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Portion {
    frames: u64,
    bytes: u64,
}

impl Portion {
    pub(super) fn of(pieces: &[Bytes]) -> Self {
        Self {
            frames: pieces.len() as u64,
            bytes: pieces.iter().map(|piece| piece.len() as u64).sum(),
        }
    }
}

impl Given {
    pub(super) fn add(&mut self, portion: Portion, now: RelayTime) {
        self.frames += portion.frames;
        self.bytes += portion.bytes;
        if portion.frames > 0 {
            self.first.get_or_insert(now);
        }
    }
}
