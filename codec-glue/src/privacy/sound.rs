//! What is in a sealed frame of sound (PROTOCOL 12.5).

use super::{OpenError, Tenure};

/// Bytes before the frame: when it was captured.
const INSIDE_LEN: usize = 8;

/// A frame of sound that has been opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSound {
    /// Whose it is.
    pub tenure: Tenure,
    /// Its number; a tenure's frames count up by one.
    pub sequence: u32,
    /// When its first sample was captured, in microseconds of Unix time by its host's own clock.
    pub captured_us: u64,
    /// The Opus frame.
    pub frame: Vec<u8>,
}

/// What is sealed of a frame.
pub(super) fn inside(captured_us: u64, frame: &[u8]) -> Vec<u8> {
    [&captured_us.to_be_bytes()[..], frame].concat()
}

/// What was sealed by [`inside`].
pub(super) fn read(
    tenure: Tenure,
    counter: u64,
    mut inside: Vec<u8>,
) -> Result<OpenSound, OpenError> {
    const SHORT: OpenError = OpenError::Malformed("a frame of sound without its time");
    if inside.len() <= INSIDE_LEN {
        return Err(SHORT);
    }
    let captured_us = u64::from_be_bytes(*inside.first_chunk().ok_or(SHORT)?);
    inside.drain(..INSIDE_LEN);
    Ok(OpenSound {
        tenure,
        sequence: u32::try_from(counter)
            .map_err(|_| OpenError::Malformed("a frame of sound beyond the last"))?,
        captured_us,
        frame: inside,
    })
}
