//! Group streams over a WebSocket: one group each (PROTOCOL 4).

use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use qmux::{SendStream, Session};
use steadycast_codec_glue::wire::{Code, GROUP_STREAM};
use tokio::task::coop::unconstrained;
use web_transport_trait::{SendStream as _, Session as _};

use super::flow::Flow;
use crate::delivery::{Extent, Gone, Unwritten};

/// What comes before the first frame.
const PREFIX: &[u8] = &[GROUP_STREAM];

/// Writes one group to a player, without ever waiting.
pub(super) struct GroupStream {
    stream: SendStream,
    /// How many such streams were opened before it.
    number: u64,
    prefix: Bytes,
    extent: Extent,
}

impl GroupStream {
    /// Opens the stream of a group, the `number`th, for a session that speaks `version`; pending while the player grants no
    /// more streams. Nothing is written yet.
    pub(super) fn open(
        session: &Session,
        version: u16,
        number: u64,
        waker: &Waker,
    ) -> Poll<Result<Self, Gone>> {
        poll_once(session.open_uni(), waker).map(|stream| {
            let mut stream = stream.map_err(|_| Gone)?;
            // The newest group goes first.
            stream.set_priority(i32::try_from(number).unwrap_or(i32::MAX));
            Ok(Self {
                stream,
                number,
                prefix: Bytes::from_static(PREFIX),
                extent: Extent::new(version),
            })
        })
    }

    /// Writes some of `pieces`, `most` bytes at most, and takes out what was written. Pending when nothing can be
    /// written: then `waker` is woken later, unless it is QMux that has no room.
    pub(super) fn write(
        &mut self,
        pieces: &mut VecDeque<Bytes>,
        most: usize,
        waker: &Waker,
    ) -> Poll<Result<(), Unwritten>> {
        while self.prefix.has_remaining() {
            match poll_once(self.stream.write_buf(&mut self.prefix), waker) {
                Poll::Ready(written) => drop(written.map_err(|error| why(&error))?),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.extent.note(pieces);
        let Some(piece) = pieces.front_mut() else {
            return Poll::Ready(Ok(()));
        };
        let before = piece.len();
        let polled = poll_once(self.stream.write_buf(&mut piece.take(most)), waker);
        // What was taken is written, whatever came after it.
        let written = before - piece.len();
        self.extent.wrote(written as u64);
        if piece.is_empty() {
            pieces.pop_front();
        }
        match polled {
            Poll::Pending if written == 0 => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(why(&error))),
            Poll::Pending | Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
        }
    }

    /// Bytes of the keyframe that may not have arrived; all of it while it has not begun.
    pub(super) fn keyframe_left(&self, flow: &Flow) -> u64 {
        let arrived = flow.read(|acks| acks.arrived_of(self.number));
        self.extent
            .keyframe_left(arrived.saturating_sub(PREFIX.len() as u64))
    }

    /// Bytes that QMux was given and has not written yet.
    pub(super) fn queued(&self, flow: &Flow) -> u64 {
        self.given()
            .saturating_sub(flow.read(|acks| acks.written_of(self.number)))
    }

    fn given(&self) -> u64 {
        (PREFIX.len() - self.prefix.len()) as u64 + self.extent.written()
    }

    /// Whether all frames that have begun are written to their ends.
    pub(super) fn is_between_frames(&self) -> bool {
        self.extent.is_between_frames()
    }

    /// Ends the stream, of which QMux has written everything that it was given.
    pub(super) fn finish(mut self) {
        // Fails only where the player has stopped the stream: then there is nothing to end.
        let _ = self.stream.finish();
    }

    /// Ends the stream and takes back what QMux has not written.
    pub(super) fn cut(mut self) {
        self.stream.reset(Code::Skipped.number().into());
    }
}

fn why(error: &qmux::Error) -> Unwritten {
    match error {
        qmux::Error::StreamStop(_) => Unwritten::Stopped,
        _ => Unwritten::Gone,
    }
}

/// Polls a future that can be dropped while it is pending. Tokio's budget is that of the task that moves all players, and no
/// reason to leave one of them waiting.
fn poll_once<F: Future>(future: F, waker: &Waker) -> Poll<F::Output> {
    pin!(unconstrained(future)).poll(&mut Context::from_waker(waker))
}
