//! The control stream: length-prefixed messages both ways (PROTOCOL 2).

use std::time::{Duration, Instant};

use steadycast_codec_glue::wire::{
    ClientMessage, MIN_VERSION, RelayMessage, decode_client, encode_relay,
};
use tokio::time::sleep_until;

use super::framed::{Framed, ReadError};
use super::link::{Input, Output};
use crate::allowance::Allowance;

/// Messages that a client may send at once, and how often one more. Those of honest clients are
/// four a second at most; what comes faster waits in the client's stream.
const AT_ONCE: u32 = 64;
const EVERY: Duration = Duration::from_millis(25);

/// Reads client messages, no faster than they may come.
pub(super) struct ControlReader<I> {
    stream: Framed<I>,
    messages: Allowance,
}

impl<I: Input> ControlReader<I> {
    pub(super) fn new(stream: I) -> Self {
        Self {
            stream: Framed::new(stream),
            messages: Allowance::new(AT_ONCE, EVERY),
        }
    }

    /// The next message. Cancel-safe: what has been read stays in the buffer.
    pub(super) async fn next(&mut self) -> Result<ClientMessage, ReadError> {
        if let Some(due) = self.messages.due() {
            sleep_until(due.into()).await;
        }
        let message = self.stream.next(decode_client).await?;
        self.messages.spend(Instant::now());
        Ok(message)
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
