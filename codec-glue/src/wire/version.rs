//! Which versions are spoken, and what a version may leave unread (PROTOCOL 2.11, 2.12).

use std::borrow::Cow;

use super::RelayMessage;

/// The newest version of the protocol that is spoken here.
pub const VERSION: u16 = 6;
/// The oldest one.
pub const MIN_VERSION: u16 = 1;

/// Messages of this variant and above may be skipped by who does not know them (PROTOCOL 2.12).
pub const SKIPPABLE: u32 = 64;

/// The first version whose receivers skip what they do not know.
const SKIPS: u16 = 2;

/// The first version whose sessions know of pauses.
pub const PAUSES: u16 = 4;

/// The first version whose sessions know of sound.
pub const SOUNDS: u16 = 5;

/// The first version that relays speak to one another.
pub const RELAYS: u16 = 6;

/// The first version whose sessions know of sealed frames.
pub const SEALS: u16 = 6;

/// What a session speaks whose client says `newest` in its `Hello`: the highest version that both
/// know; `None` when there is none.
pub fn agree(newest: u16) -> Option<u16> {
    (newest >= MIN_VERSION).then(|| newest.min(VERSION))
}

impl RelayMessage {
    /// The first version whose sessions may carry this message.
    pub fn since(&self) -> u16 {
        match self {
            Self::Path { .. } | Self::Arrived { .. } => SKIPS,
            Self::Tracks { .. } => 3,
            Self::Sound { .. } | Self::Listeners { .. } => SOUNDS,
            Self::Through { .. }
            | Self::Ask { .. }
            | Self::Pause { .. }
            | Self::Continue
            | Self::Relays { .. }
            | Self::Move { .. } => RELAYS,
            Self::Welcome { .. }
            | Self::Pong { .. }
            | Self::Status { .. }
            | Self::KeyframeRequest { .. }
            | Self::Goodbye { .. }
            | Self::Renditions { .. }
            | Self::Serving { .. } => 1,
        }
    }

    /// The message as sessions of `version` know it.
    pub fn in_version(&self, version: u16) -> Cow<'_, Self> {
        let mut message = Cow::Borrowed(self);
        if let Self::Status { status } | Self::Welcome { status, .. } = self {
            let known = status.in_version(version);
            if known != *status
                && let Self::Status { status } | Self::Welcome { status, .. } = message.to_mut()
            {
                *status = known;
            }
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Phase, Status};
    use super::*;

    #[test]
    fn a_session_speaks_the_newest_version_that_both_know() {
        assert_eq!(agree(0), None);
        for version in MIN_VERSION..=VERSION {
            assert_eq!(agree(version), Some(version));
        }
        assert_eq!(agree(VERSION + 1), Some(VERSION));
        assert_eq!(agree(u16::MAX), Some(VERSION));
    }

    #[test]
    fn who_knows_of_no_pause_sees_a_picture_that_is_held() {
        let status = |phase| RelayMessage::Status {
            status: Status {
                phase,
                since_us: 5,
                epoch: 2,
                players: 3,
            },
        };
        let (paused, held) = (status(Phase::Paused), status(Phase::Held));
        assert_eq!(*paused.in_version(PAUSES - 1), held);
        assert_eq!(*paused.in_version(PAUSES), paused);
        assert_eq!(*held.in_version(1), held);
    }

    #[test]
    fn what_is_new_is_not_for_sessions_of_version_1() {
        let path = RelayMessage::Path {
            narrow: true,
            carries_kbps: None,
        };
        assert_eq!(path.since(), 2);
        let tracks = RelayMessage::Tracks { wanted: vec![] };
        assert_eq!(tracks.since(), 3);
        let sound = RelayMessage::Sound { sound: None };
        assert_eq!(sound.since(), 5);
        let goodbye = RelayMessage::Goodbye {
            code: 0,
            message: String::new(),
            retry_after_ms: None,
        };
        assert_eq!(goodbye.since(), 1);
    }
}
