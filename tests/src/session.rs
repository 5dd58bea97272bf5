//! A client's end of a session, the same on every carrier.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use steadycast_codec_glue::wire::Code;
use web_transport_trait::{RecvStream as _, SendStream as _, Session as _};

/// What carries a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Carrier {
    /// WebTransport, over QUIC.
    #[default]
    WebTransport,
    /// QMux over WebSocket, over TLS.
    WebSocket,
}

impl Carrier {
    /// What the relay calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebTransport => "webtransport",
            Self::WebSocket => "websocket",
        }
    }
}

/// A session; clones are the same one.
#[derive(Clone)]
pub enum Connection {
    /// Over QUIC.
    WebTransport(wtransport::Connection),
    /// Over TCP.
    WebSocket(Arc<qmux::Session>),
}

/// A stream to the relay.
pub enum Output {
    /// Over QUIC.
    WebTransport(wtransport::SendStream),
    /// Over TCP.
    WebSocket(qmux::SendStream),
}

/// A stream from the relay.
pub enum Input {
    /// Over QUIC.
    WebTransport(wtransport::RecvStream),
    /// Over TCP.
    WebSocket(qmux::RecvStream),
}

/// The relay has reset a stream, with this code (PROTOCOL 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream was reset: {0:?}")]
pub struct Reset(pub Option<Code>);

impl From<qmux::Session> for Connection {
    fn from(session: qmux::Session) -> Self {
        Self::WebSocket(session.into())
    }
}

impl From<wtransport::Connection> for Connection {
    fn from(connection: wtransport::Connection) -> Self {
        Self::WebTransport(connection)
    }
}

impl Connection {
    /// Opens a unidirectional stream.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn open_uni(&self) -> Result<Output> {
        Ok(match self {
            Self::WebTransport(connection) => {
                Output::WebTransport(connection.open_uni().await?.await?)
            }
            Self::WebSocket(session) => Output::WebSocket(session.open_uni().await?),
        })
    }

    /// Opens a bidirectional stream.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn open_bi(&self) -> Result<(Output, Input)> {
        Ok(match self {
            Self::WebTransport(connection) => {
                let (send, recv) = connection.open_bi().await?.await?;
                (Output::WebTransport(send), Input::WebTransport(recv))
            }
            Self::WebSocket(session) => {
                let (send, recv) = session.open_bi().await?;
                (Output::WebSocket(send), Input::WebSocket(recv))
            }
        })
    }

    /// The next unidirectional stream of the relay. Cancel-safe.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn accept_uni(&self) -> Result<Input> {
        Ok(match self {
            Self::WebTransport(connection) => Input::WebTransport(connection.accept_uni().await?),
            Self::WebSocket(session) => Input::WebSocket(session.accept_uni().await?),
        })
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// When the path takes none of its size, or the session has ended.
    pub fn send_datagram(&self, datagram: impl AsRef<[u8]>) -> Result<()> {
        match self {
            Self::WebTransport(connection) => connection.send_datagram(datagram)?,
            Self::WebSocket(session) => {
                session.send_datagram(Bytes::copy_from_slice(datagram.as_ref()))?;
            }
        }
        Ok(())
    }

    /// The next datagram of the relay. Cancel-safe.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn receive_datagram(&self) -> Result<Bytes> {
        Ok(match self {
            Self::WebTransport(connection) => connection.receive_datagram().await?.payload(),
            Self::WebSocket(session) => session.recv_datagram().await?,
        })
    }

    /// How long a datagram to the relay may be; `None`: it takes none.
    pub fn max_datagram_size(&self) -> Option<usize> {
        match self {
            Self::WebTransport(connection) => connection.max_datagram_size(),
            Self::WebSocket(session) => Some(session.max_datagram_size()).filter(|size| *size > 0),
        }
    }

    /// Waits until the session has ended.
    pub async fn closed(&self) {
        match self {
            Self::WebTransport(connection) => drop(connection.closed().await),
            Self::WebSocket(session) => drop(session.closed().await),
        }
    }

    /// Ends the session, without a word in it.
    pub fn close(&self) {
        match self {
            Self::WebTransport(connection) => {
                connection.close(wtransport::VarInt::from_u32(0), b"");
            }
            Self::WebSocket(session) => session.close(0, ""),
        }
    }

    /// What is QUIC's, where it is that.
    ///
    /// # Errors
    /// On any other carrier.
    pub fn quic(&self) -> Result<&wtransport::Connection> {
        match self {
            Self::WebTransport(connection) => Some(connection),
            Self::WebSocket(_) => None,
        }
        .context("this is no QUIC")
    }
}

impl Output {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When the relay does not take them.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::WebTransport(stream) => stream.write_all(bytes).await?,
            Self::WebSocket(stream) => stream.write_all(bytes).await?,
        }
        Ok(())
    }

    /// Writes all chunks, without a copy.
    ///
    /// # Errors
    /// When the relay does not take them.
    pub async fn write_chunks(&mut self, chunks: &mut [Bytes]) -> Result<()> {
        match self {
            Self::WebTransport(stream) => {
                stream.quic_stream_mut().write_all_chunks(chunks).await?;
            }
            Self::WebSocket(stream) => {
                for chunk in chunks {
                    stream.write_chunk(std::mem::take(chunk)).await?;
                }
            }
        }
        Ok(())
    }

    /// Nothing more will be written; what was still arrives. Does nothing where the relay has stopped the stream.
    pub fn finish(&mut self) {
        match self {
            Self::WebTransport(stream) => drop(stream.quic_stream_mut().finish()),
            Self::WebSocket(stream) => drop(stream.finish()),
        }
    }

    /// Ends the stream and takes back what has not arrived.
    pub fn reset(&mut self, code: Code) {
        match self {
            Self::WebTransport(stream) => {
                if let Ok(code) = quinn::VarInt::from_u64(code.to_h3()) {
                    drop(stream.quic_stream_mut().reset(code));
                }
            }
            Self::WebSocket(stream) => stream.reset(code.number().into()),
        }
    }
}

impl Input {
    /// Reads what comes next, as much as fits; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`Reset`], or why the session has ended.
    pub async fn read(&mut self, to: &mut [u8]) -> Result<Option<usize>> {
        match self {
            Self::WebTransport(stream) => {
                let read = stream.quic_stream_mut().read(to).await;
                read.map_err(reset_over_quic)
            }
            Self::WebSocket(stream) => stream.read(to).await.map_err(reset_over_tcp),
        }
    }

    /// Asks the relay for no more of the stream.
    pub fn stop(self) {
        match self {
            Self::WebTransport(stream) => stream.stop(wtransport::VarInt::from_u32(0)),
            Self::WebSocket(mut stream) => stream.stop(0),
        }
    }

    /// Fills `to`.
    ///
    /// # Errors
    /// As [`Input::read`], and when the stream ends before that.
    pub async fn read_exact(&mut self, to: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < to.len() {
            let read = self.read(&mut to[filled..]).await?;
            filled += read.context("the stream ends early")?;
        }
        Ok(())
    }

    /// Reads what comes next without a copy, `most` bytes at most; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`Reset`], or why the session has ended.
    pub async fn read_chunk(&mut self, most: usize) -> Result<Option<Bytes>> {
        match self {
            Self::WebTransport(stream) => {
                let read = stream.quic_stream_mut().read_chunk(most, true).await;
                let chunk = read.map_err(reset_over_quic)?;
                Ok(chunk.map(|chunk| chunk.bytes))
            }
            Self::WebSocket(stream) => stream.read_chunk(most).await.map_err(reset_over_tcp),
        }
    }
}

fn reset_over_quic(error: quinn::ReadError) -> anyhow::Error {
    match error {
        quinn::ReadError::Reset(code) => Reset(Code::from_h3(code.into_inner())).into(),
        error => error.into(),
    }
}

fn reset_over_tcp(error: qmux::Error) -> anyhow::Error {
    match error {
        qmux::Error::StreamReset(code) => {
            let number = u16::try_from(code.into_inner()).ok();
            Reset(number.and_then(Code::from_number)).into()
        }
        error => error.into(),
    }
}
