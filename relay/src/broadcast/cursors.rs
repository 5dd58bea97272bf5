//! A player's places in the caches: one for each kind of media.

use steadycast_codec_glue::wire::MediaKind;

use super::Cursor;

/// A player's cursors, one for each kind. They go on side by side: a player that leaves out pictures
/// misses nothing of another kind.
#[derive(Debug, Default)]
pub(super) struct Cursors([Cursor; MediaKind::COUNT]);

impl Cursors {
    pub(super) fn of(&self, kind: MediaKind) -> &Cursor {
        &self.0[kind as usize]
    }

    pub(super) fn of_mut(&mut self, kind: MediaKind) -> &mut Cursor {
        &mut self.0[kind as usize]
    }
}
