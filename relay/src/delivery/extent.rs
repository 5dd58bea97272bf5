//! How far a group is written on its stream.

use std::collections::VecDeque;

use bytes::Bytes;
use steadycast_codec_glue::wire::{Colour, FrameHeader, HEADER_LEN};

/// How much of a group's frames is written, and where they end.
#[derive(Debug)]
pub(crate) struct Extent {
    /// Bytes of frames written.
    written: u64,
    /// Where the last frame that has begun ends, counted like `written`.
    frame_end: u64,
    /// The same of the keyframe.
    keyframe_end: u64,
    /// What the player's session speaks (PROTOCOL 2.11).
    version: u16,
}

impl Extent {
    /// Nothing written yet, for a session that speaks `version`.
    pub(crate) fn new(version: u16) -> Self {
        Self {
            written: 0,
            frame_end: 0,
            keyframe_end: 0,
            version,
        }
    }

    /// Learns from their headers where the frames end that begin in `pieces`, which are written next, and takes
    /// out of them what the session's version does not know.
    pub(crate) fn note(&mut self, pieces: &mut VecDeque<Bytes>) {
        let mut at = self.written;
        let mut next = 0;
        while next < pieces.len() {
            let bytes = pieces[next].first_chunk().copied();
            let header = bytes.as_ref().map(FrameHeader::decode);
            if let (true, Some(Ok(header)), Some(mut bytes)) = (at == self.frame_end, header, bytes)
            {
                if self.version < Colour::SINCE && header.colour.is_some() {
                    // The others have the piece as it came, and its picture stands in memory once.
                    FrameHeader::strip(&mut bytes);
                    let body = pieces[next].split_off(HEADER_LEN);
                    pieces[next] = Bytes::copy_from_slice(&bytes);
                    if !body.is_empty() {
                        pieces.insert(next + 1, body);
                    }
                }
                self.frame_end += (HEADER_LEN + header.body_len()) as u64;
                if self.keyframe_end == 0 {
                    self.keyframe_end = self.frame_end;
                }
            }
            at += pieces[next].len() as u64;
            next += 1;
        }
    }

    /// So many more bytes of the pieces are written.
    pub(crate) fn wrote(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// Bytes of frames written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of the keyframe that may not have arrived, when so many bytes of frames have; all of it while it
    /// has not begun.
    pub(crate) fn keyframe_left(&self, arrived: u64) -> u64 {
        match self.keyframe_end {
            0 => u64::MAX,
            end => end.saturating_sub(arrived),
        }
    }

    /// Whether all frames that have begun are written to their ends.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.written == self.frame_end
    }
}
