//! QMux over a WebSocket that is already open: one message is one record, and pings stand among them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use qmux::Error;
use qmux::transport::{Reader, Transport, Writer};
use tokio::time::timeout;

use super::flow::{Fault, Flow};

/// The longest message that is read or written: a record of QMux as both ends have it, unless they agree on more.
pub const LONGEST_MESSAGE: usize = 16_382;
/// What is read from the system at once.
pub const READ_BUFFER: usize = 4 << 10;
/// What is written together: a message of usual size and the ping behind it.
pub const WRITE_BUFFER: usize = 16 << 10;

/// How long the other end has to take a goodbye, with what was written before it.
const GOODBYE: Duration = Duration::from_secs(3);

/// A WebSocket as QMux sees it.
pub struct WebSocketTransport<S> {
    socket: S,
    flow: Arc<Flow>,
}

impl<S> WebSocketTransport<S> {
    /// Over `socket`, whose account is `flow`.
    pub fn new(socket: S, flow: Arc<Flow>) -> Self {
        Self { socket, flow }
    }
}

/// A WebSocket's messages in both directions, whatever carries them.
pub trait Messages:
    Stream<Item = Result<Message, Self::Broken>>
    + Sink<Message, Error = Self::Broken>
    + Unpin
    + Send
    + 'static
{
    /// Why there are no more.
    type Broken: std::error::Error + Send + Sync + 'static;
}

impl<S, E> Messages for S
where
    S: Stream<Item = Result<Message, E>> + Sink<Message, Error = E> + Unpin + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    type Broken = E;
}

impl<S: Messages> Transport for WebSocketTransport<S> {
    type Writer = Outlet<S>;
    type Reader = Inlet<S>;

    fn split(self) -> (Outlet<S>, Inlet<S>) {
        let (sink, stream) = self.socket.split();
        let outlet = Outlet {
            sink,
            flow: self.flow.clone(),
        };
        let inlet = Inlet {
            stream,
            flow: self.flow,
        };
        (outlet, inlet)
    }
}

/// What is written.
pub struct Outlet<S> {
    sink: SplitSink<S, Message>,
    flow: Arc<Flow>,
}

impl<S: Messages> Outlet<S> {
    async fn put(&mut self, message: Message) -> Result<(), Error> {
        self.sink.feed(message).await.map_err(broken)
    }

    async fn ping(&mut self, count: Option<u64>) -> Result<(), Error> {
        match count {
            Some(count) => {
                let payload = Bytes::copy_from_slice(&count.to_be_bytes());
                self.put(Message::Ping(payload)).await
            }
            None => Ok(()),
        }
    }
}

impl<S: Messages> Writer for Outlet<S> {
    async fn send(&mut self, data: Bytes) -> Result<(), Error> {
        self.feed(data).await?;
        self.flush().await
    }

    async fn feed(&mut self, data: Bytes) -> Result<(), Error> {
        // While the system takes nothing, what is to be written is not on its way yet.
        poll_fn(|context| Pin::new(&mut self.sink).poll_ready(context))
            .await
            .map_err(broken)?;
        let ping = self.flow.write(&data, Instant::now());
        self.put(Message::Binary(data)).await?;
        self.ping(ping).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let ping = self.flow.end_of_burst(Instant::now());
        self.ping(ping).await?;
        self.sink.flush().await.map_err(broken)?;
        self.flow.moved();
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Error> {
        // Where it takes too long, dropping the socket ends the connection.
        match timeout(GOODBYE, self.sink.close()).await {
            Ok(closed) => closed.map_err(broken),
            Err(_) => Ok(()),
        }
    }
}

/// What is read.
pub struct Inlet<S> {
    stream: SplitStream<S>,
    flow: Arc<Flow>,
}

impl<S> Inlet<S> {
    fn blame(&self, fault: Fault) -> Error {
        self.flow.fault(fault);
        Error::ProtocolViolation
    }
}

impl<S: Messages> Reader for Inlet<S> {
    async fn recv(&mut self) -> Result<Bytes, Error> {
        loop {
            let message = self.stream.next().await.ok_or(Error::Closed)?;
            match message.map_err(broken)? {
                Message::Binary(record) if record.len() > LONGEST_MESSAGE => {
                    return Err(self.blame(Fault::Oversized(record.len())));
                }
                Message::Binary(record) => return Ok(record),
                Message::Pong(payload) => {
                    let heard = self.flow.pong(&payload, Instant::now());
                    heard.map_err(|unsent| self.blame(unsent.into()))?;
                }
                Message::Text(_) => return Err(self.blame(Fault::Text)),
                // The WebSocket beneath answers them.
                Message::Ping(_) => {}
                Message::Close(_) => return Err(Error::Closed),
            }
        }
    }
}

/// The connection is of no use any more.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    std::io::Error::other(error).into()
}
