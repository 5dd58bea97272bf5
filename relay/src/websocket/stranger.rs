//! How much of somebody is taken in before it is known who that is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Error;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tungstenite::error::{CapacityError, ProtocolError};

use super::flow::{Fault, Flow};

/// Messages, and their bytes: QMux's own first words, and a hello with the longest token, a few times over. Each piece
/// of a stream is kept by itself until it is read, and of a stranger nothing else is.
const MESSAGES: usize = 64;
const BYTES: usize = 64 << 10;

/// A WebSocket on which a stranger says no more than that.
pub(super) struct Guarded {
    socket: WebSocket,
    flow: Arc<Flow>,
    known: Known,
    messages: usize,
    bytes: usize,
}

/// Whether it is known who a client is.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<AtomicBool>);

impl Known {
    /// From now on it is.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Guarded {
    pub(super) fn new(socket: WebSocket, flow: Arc<Flow>, known: Known) -> Self {
        Self {
            socket,
            flow,
            known,
            messages: 0,
            bytes: 0,
        }
    }

    /// Counts a message; whether it is one too many.
    fn is_too_much(&mut self, message: &Message) -> bool {
        let Message::Binary(bytes) = message else {
            return false;
        };
        if self.known.0.load(Ordering::Relaxed) {
            return false;
        }
        self.messages += 1;
        self.bytes += bytes.len();
        self.messages > MESSAGES || self.bytes > BYTES
    }
}

impl Stream for Guarded {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.socket.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(message))) = &next
            && self.is_too_much(message)
        {
            let fault = Fault::Oversized(self.bytes);
            self.flow.fault(fault);
            return Poll::Ready(Some(Err(Error::new(fault))));
        }
        if let Poll::Ready(Some(Err(error))) = &next
            && let Some(fault) = fault_in(error)
        {
            self.flow.fault(fault);
        }
        next
    }
}

/// What the other end did wrong, where reading ended because of that and not with the connection.
fn fault_in(error: &Error) -> Option<Fault> {
    match std::error::Error::source(error)?.downcast_ref()? {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            Some(Fault::Oversized(*size))
        }
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => Some(Fault::Framing),
        _ => None,
    }
}

impl Sink<Message> for Guarded {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.socket.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_close_unpin(cx)
    }
}
