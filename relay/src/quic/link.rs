//! A WebTransport connection, as a session sees it.

use std::convert::Infallible;
use std::future::pending;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use steadycast_codec_glue::wire::Code;
use tokio::io::AsyncReadExt;
use wtransport::{Connection, RecvStream, SendStream, VarInt};

use super::carrier::Streams;
use crate::auth::Transport;
use crate::session::{CutOff, Input, Link, Output, Player};

impl Link for Connection {
    const TRANSPORT: Transport = Transport::WebTransport;
    type Output = SendStream;
    type Input = RecvStream;
    type Carrier = Streams;

    async fn accept_control(&self) -> Option<(SendStream, RecvStream)> {
        self.accept_bi().await.ok()
    }

    async fn accept_group(&self) -> Option<RecvStream> {
        self.accept_uni().await.ok()
    }

    async fn datagram(&self) -> Option<Bytes> {
        let datagram = self.receive_datagram().await.ok()?;
        Some(datagram.payload())
    }

    /// The oldest are dropped by QUIC.
    async fn pass_over_datagrams(&self) -> Infallible {
        pending().await
    }

    fn take_groups(&self, streams: u32, window: u32) {
        let quic = self.quic_connection();
        quic.set_max_concurrent_uni_streams(quinn::VarInt::from_u32(streams));
        quic.set_receive_window(quinn::VarInt::from_u32(window));
    }

    fn carrier(&self, player: Player) -> Streams {
        Streams::new(self.clone(), player)
    }

    fn close(&self, code: Code) {
        let number = VarInt::from_u32(code.number().into());
        Connection::close(self, number, code.name().as_bytes());
    }

    async fn closed(&self) {
        Connection::closed(self).await;
    }

    fn ended(&self) -> Option<Code> {
        match self.quic_connection().close_reason()? {
            quinn::ConnectionError::TimedOut => Some(Code::Silent),
            _ => Some(Code::Done),
        }
    }

    fn address(&self) -> IpAddr {
        self.remote_address().ip()
    }

    fn round_trip(&self) -> Option<Duration> {
        Some(self.rtt())
    }
}

impl Input for RecvStream {
    async fn read(&mut self, to: &mut (impl BufMut + Send)) -> Result<usize, CutOff> {
        let read = self.quic_stream_mut().read_buf(to).await;
        read.map_err(|_| CutOff)
    }
}

impl Output for SendStream {
    async fn write(&mut self, bytes: Bytes) -> Result<(), CutOff> {
        let written = self.quic_stream_mut().write_chunk(bytes).await;
        written.map_err(|_| CutOff)
    }

    fn finish(&mut self) {
        // Fails only when the client has stopped reading, and then there is nothing to finish.
        let _ = self.quic_stream_mut().finish();
    }
}
