//! The control stream: length-prefixed messages both ways (PROTOCOL 2).

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, BytesMut};
use steadycast_codec_glue::wire::{
    ClientMessage, MIN_VERSION, RelayMessage, WireError, decode_client, encode_relay, limits,
};
use tokio::time::sleep_until;

use super::link::{Input, Output};
use crate::allowance::Allowance;

/// Why no message can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The client has finished or reset the stream, or the connection is gone.
    #[error("the control stream has ended")]
    Ended,
    /// The client's bytes are wrong.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Messages that a client may send at once, and how often one more. Those of honest clients are
/// four a second at most; what comes faster waits in the client's stream.
const AT_ONCE: u32 = 64;
const EVERY: Duration = Duration::from_millis(25);

/// Room for what is read at once: messages but for `Hello` take a few bytes.
const ROOM: usize = 512;

/// Reads client messages, no faster than they may come.
pub(super) struct ControlReader<I> {
    stream: I,
    buffer: BytesMut,
    messages: Allowance,
}

impl<I: Input> ControlReader<I> {
    pub(super) fn new(stream: I) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            messages: Allowance::new(AT_ONCE, EVERY),
        }
    }

    /// The next message. Cancel-safe: what has been read stays in the buffer.
    pub(super) async fn next(&mut self) -> Result<ClientMessage, ReadError> {
        if let Some(due) = self.messages.due() {
            sleep_until(due.into()).await;
        }
        loop {
            if let Some(message) = self.parse()? {
                self.messages.spend(Instant::now());
                return Ok(message);
            }
            self.buffer.reserve(ROOM);
            let mut room = (&mut self.buffer).limit(ROOM);
            if self.stream.read(&mut room).await.unwrap_or(0) == 0 {
                return Err(ReadError::Ended);
            }
        }
    }

    /// The next message of the buffer that is not to be skipped, once it is there.
    fn parse(&mut self) -> Result<Option<ClientMessage>, WireError> {
        while let Some(body) = self.body()? {
            if let Some(message) = decode_client(&body)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn body(&mut self) -> Result<Option<BytesMut>, WireError> {
        let Some(prefix) = self.buffer.first_chunk::<2>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length == 0 {
            return Err(WireError::Malformed("an empty control message"));
        }
        if length > limits::CONTROL_MESSAGE {
            return Err(WireError::TooLarge {
                what: "control message",
                actual: length as u64,
                limit: limits::CONTROL_MESSAGE as u64,
            });
        }
        if self.buffer.len() < 2 + length {
            return Ok(None);
        }
        self.buffer.advance(2);
        Ok(Some(self.buffer.split_to(length)))
    }
}

/// The client does not take control messages, or is gone.
#[derive(Debug, thiserror::Error)]
#[error("the client takes no control messages")]
pub(super) struct WriteError;

/// Writes relay messages.
pub(super) struct ControlWriter<O> {
    stream: O,
    patience: Duration,
    /// The version that is spoken, as far as it is known.
    version: u16,
}

impl<O: Output> ControlWriter<O> {
    /// A message that the client does not take within `patience` is an error.
    pub(super) fn new(stream: O, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            version: MIN_VERSION,
        }
    }

    /// The client has said what it speaks.
    pub(super) fn speaks(&mut self, version: u16) {
        self.version = version;
    }

    /// Sends `message`, unless it is newer than the version that is spoken: then the client goes
    /// on without it (PROTOCOL 2.11).
    pub(super) async fn send(&mut self, message: &RelayMessage) -> Result<(), WriteError> {
        if message.since() > self.version {
            return Ok(());
        }
        let message = message.in_version(self.version);
        let bytes = encode_relay(&message).map_err(|_| WriteError)?;
        let write = self.stream.write(bytes.into());
        match tokio::time::timeout(self.patience, write).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(WriteError),
        }
    }

    /// Nothing more will be sent; what was sent still arrives.
    pub(super) fn finish(&mut self) {
        self.stream.finish();
    }
}
