//! Why a session is not let in, or a frame not taken.

use steadycast_codec_glue::wire::{Code, TrackId};

use super::cache::CacheError;

/// Why a publisher or player may not attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// The broadcast has ended.
    #[error("the broadcast has ended")]
    Ended(Code),
    /// Another publisher has taken over since (PROTOCOL 3.3).
    #[error("another publisher has taken over")]
    Superseded,
    /// The broadcast has as many players as it may have.
    #[error("the broadcast is full")]
    Full,
    /// A publisher cannot be let in: it is not known which relay the broadcast is at (PROTOCOL 3.5).
    #[error("it is not known which relay the broadcast is at")]
    Unclaimed,
}

impl AttachError {
    /// The code that tells the client.
    pub fn code(self) -> Code {
        match self {
            Self::Ended(code) => code,
            Self::Superseded => Code::Superseded,
            Self::Full => Code::TooMany,
            Self::Unclaimed => Code::Unclaimed,
        }
    }
}

/// Why a frame is refused. The publisher's fault, unless it has crossed with news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The frame names another epoch than its session's.
    #[error("epoch {0} is not this session's")]
    StaleEpoch(u32),
    /// A newer publisher has taken over; the frame was on its way meanwhile.
    #[error("another publisher has taken over")]
    Superseded,
    /// The broadcast has ended; the frame was on its way meanwhile.
    #[error("the broadcast has ended")]
    Ended(Code),
    /// Nobody has asked this publisher for a rendition on the frame's track.
    #[error("nobody has asked for track {0}")]
    Unasked(TrackId),
    /// The rendition on the frame's track was asked for in another codec.
    #[error("track {0} was asked for in another codec")]
    OtherCodec(TrackId),
    /// Its bytes are no frame of sound, or it repeats what was before the first.
    #[error("a frame of sound that is none")]
    Sound,
    /// It is not sealed, and the broadcast is private.
    #[error("what is not sealed, in a private broadcast")]
    Clear,
    /// It is sealed, and the broadcast is not private: players have nothing to open it with.
    #[error("what is sealed, in a broadcast that is not private")]
    Sealed,
    /// The cache refused it.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl PublishError {
    /// The code that tells the publisher.
    pub fn code(self) -> Code {
        match self {
            Self::StaleEpoch(_) => Code::StaleEpoch,
            Self::Superseded => Code::Superseded,
            Self::Ended(code) => code,
            Self::Unasked(_) | Self::Cache(CacheError::Gap { .. }) => Code::OutOfOrder,
            Self::OtherCodec(_) | Self::Sound | Self::Sealed => Code::Malformed,
            Self::Clear => Code::Private,
            Self::Cache(CacheError::GroupTooLarge { .. }) => Code::TooLarge,
        }
    }
}
