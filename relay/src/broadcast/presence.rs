use super::RelayTime;

/// Whether a broadcast's publisher is there, as far as that decides when the broadcast ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// None has sent a picture yet: the broadcast waits for one however long that takes.
    Never,
    /// It is there.
    Here,
    /// It is not, since then: the broadcast is held, and ends when that has taken too long.
    AwaySince(RelayTime),
}
