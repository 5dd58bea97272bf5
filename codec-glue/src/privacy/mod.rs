//! Frames that only people with the link can open (PROTOCOL 12): the reference of what browsers do.
//!
//! Sealing is SFrame (RFC 9605) as it stands. The relay calls nothing of this: it has no key, and needs none.

mod key;
mod picture;
mod sealing;
mod sframe;
mod sound;

use ring::error::Unspecified;

pub use key::{LinkKey, Tenure};
pub use picture::{OpenPicture, PicturePlace};
pub use sealing::{Opener, Sealer};
pub use sframe::OVERHEAD as SFRAME_OVERHEAD;
pub use sound::OpenSound;

/// Why a sealed frame was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its bytes are no sealed frame at all.
    #[error("no sealed frame: {0}")]
    Malformed(&'static str),
    /// It was sealed with another key, or somebody has changed it.
    #[error("the frame does not open")]
    Forged,
}

/// Why a frame was not sealed: it has a place that cannot be said, or the cipher refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame that cannot be sealed")]
pub struct SealError;

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl From<Unspecified> for OpenError {
    fn from(_: Unspecified) -> Self {
        Self::Forged
    }
}
