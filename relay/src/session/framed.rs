//! Length-prefixed messages of a control stream, as they are read on either side (PROTOCOL 2.1).

use bytes::{Buf, BufMut, BytesMut};
use steadycast_codec_glue::wire::{WireError, limits};

use super::link::Input;

/// Why no message can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The other side has finished or reset the stream, or the connection is gone.
    #[error("the control stream has ended")]
    Ended,
    /// The other side's bytes are wrong.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Room for what is read at once: messages but for `Hello` take a few bytes.
const ROOM: usize = 512;

/// Reads messages of a stream.
pub(crate) struct Framed<I> {
    stream: I,
    buffer: BytesMut,
}

impl<I: Input> Framed<I> {
    pub(crate) fn new(stream: I) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// The next message; `decode` gives `None` for one that is to be skipped. Cancel-safe: what has been read stays in
    /// the buffer.
    pub(crate) async fn next<M>(
        &mut self,
        decode: impl Fn(&[u8]) -> Result<Option<M>, WireError>,
    ) -> Result<M, ReadError> {
        loop {
            while let Some(body) = self.body()? {
                if let Some(message) = decode(&body)? {
                    return Ok(message);
                }
            }
            self.buffer.reserve(ROOM);
            let mut room = (&mut self.buffer).limit(ROOM);
            if self.stream.read(&mut room).await.unwrap_or(0) == 0 {
                return Err(ReadError::Ended);
            }
        }
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
