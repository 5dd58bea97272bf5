//! Group streams to players: one group each (PROTOCOL 4).

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, Bytes, BytesMut};
use steadycast_codec_glue::wire::{Code, GROUP_STREAM};
use wtransport::Connection;

use crate::delivery::{Extent, Gone, Unwritten};

/// Writes one group to a player, without ever waiting.
pub(super) struct GroupWriter {
    stream: quinn::SendStream,
    /// What comes before the first frame, until it is written.
    prefix: Bytes,
    extent: Extent,
}

impl GroupWriter {
    /// Opens a stream for a group of a session that speaks `version`, before those with a lower `priority`; pending while the player
    /// grants no more streams. Nothing is written yet.
    pub(super) fn open(
        connection: &Connection,
        version: u16,
        priority: i32,
        waker: &Waker,
    ) -> Poll<Result<Self, Gone>> {
        let opened = poll_once(connection.quic_connection().open_uni(), waker);
        opened.map(|stream| {
            let stream = stream.map_err(|_| Gone)?;
            // Fails only on a stream that has ended.
            let _ = stream.set_priority(priority);
            let mut prefix = BytesMut::with_capacity(11);
            // The type of a WebTransport unidirectional stream, as a QUIC varint, and its session.
            prefix.put_slice(&[0x40, 0x54]);
            put_varint(&mut prefix, connection.session_id().into_u64());
            prefix.put_u8(GROUP_STREAM);
            Ok(Self {
                stream,
                prefix: prefix.freeze(),
                extent: Extent::new(version),
            })
        })
    }

    /// Writes some of `pieces`, and takes out what was written. Pending when nothing can be written:
    /// then `waker` is woken later.
    pub(super) fn write(
        &mut self,
        pieces: &mut VecDeque<Bytes>,
        waker: &Waker,
    ) -> Poll<Result<(), Unwritten>> {
        while !self.prefix.is_empty() {
            let prefix = std::slice::from_mut(&mut self.prefix);
            match poll_once(self.stream.write_chunks(prefix), waker) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(why(&error))),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.extent.note(pieces);
        let chunks = pieces.make_contiguous();
        poll_once(self.stream.write_chunks(chunks), waker).map(|written| {
            let written = written.map_err(|error| why(&error))?;
            self.extent.wrote(written.bytes as u64);
            pieces.drain(..written.chunks);
            Ok(())
        })
    }

    /// Bytes of the keyframe that may not have arrived while at most `window` bytes are on their
    /// way; all of it while it has not begun.
    pub(super) fn keyframe_left(&self, window: u64) -> u64 {
        let written = self.extent.written();
        self.extent.keyframe_left(written.saturating_sub(window))
    }

    /// Whether all frames that have begun are written to their ends.
    pub(super) fn is_between_frames(&self) -> bool {
        self.extent.is_between_frames()
    }

    /// Ends the stream; what was written still arrives. Give it up with [`Finished::cut`].
    pub(super) fn finish(mut self) -> Finished {
        // Fails only where the player has stopped the stream: then there is nothing to end.
        let _ = self.stream.finish();
        Finished(self.stream)
    }

    /// Ends the stream and takes back what has not arrived.
    pub(super) fn cut(mut self) {
        cut(&mut self.stream);
    }
}

fn why(error: &quinn::WriteError) -> Unwritten {
    match error {
        quinn::WriteError::Stopped(_) => Unwritten::Stopped,
        _ => Unwritten::Gone,
    }
}

/// A stream that has ended, of which something may still be on its way.
pub(super) struct Finished(quinn::SendStream);

impl Finished {
    /// Takes back what has not arrived: it is not sent again.
    pub(super) fn cut(mut self) {
        cut(&mut self.0);
    }
}

fn cut(stream: &mut quinn::SendStream) {
    if let Ok(code) = quinn::VarInt::from_u64(Code::Skipped.to_h3()) {
        // Fails where everything has arrived.
        let _ = stream.reset(code);
    }
}

/// Polls a future that can be dropped while it is pending, and still wakes `waker`.
fn poll_once<F: Future>(future: F, waker: &Waker) -> Poll<F::Output> {
    std::pin::pin!(future).poll(&mut Context::from_waker(waker))
}

/// Writes a QUIC variable-length integer (RFC 9000, 16).
fn put_varint(out: &mut BytesMut, value: u64) {
    match value {
        0..=0x3f => out.put_u8(value as u8),
        0x40..=0x3fff => out.put_u16(0x4000 | value as u16),
        0x4000..=0x3fff_ffff => out.put_u32(0x8000_0000 | value as u32),
        _ => out.put_u64(0xc000_0000_0000_0000 | value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_those_of_rfc_9000() {
        let cases: [(u64, &[u8]); 4] = [
            (37, &[0x25]),
            (15_293, &[0x7b, 0xbd]),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            ),
        ];
        for (value, expected) in cases {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            assert_eq!(&out[..], expected);
        }
    }
}
