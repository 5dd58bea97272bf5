//! A WebSocket connection, as a session sees it.

use std::convert::Infallible;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use futures_util::FutureExt;
use qmux::{Error, RecvStream, SendStream, Session};
use steadycast_codec_glue::wire::Code;
use web_transport_trait::{RecvStream as _, SendStream as _, Session as _};

use super::carrier::GroupStreams;
use super::flow::{Fault, Flow};
use super::stranger::Known;
use crate::auth::Transport;
use crate::session::{CutOff, Input, Link, Output, Player};

/// One client's WebSocket, with QMux on it.
#[derive(Clone)]
pub(crate) struct Socket {
    pub(super) session: Session,
    pub(super) flow: Arc<Flow>,
    pub(super) known: Known,
    /// Where the client is, as the proxies say that are trusted.
    pub(super) address: IpAddr,
}

impl Link for Socket {
    const TRANSPORT: Transport = Transport::WebSocket;
    type Output = SendStream;
    type Input = RecvStream;
    type Carrier = GroupStreams;

    async fn accept_control(&self) -> Option<(SendStream, RecvStream)> {
        let (mut send, recv) = self.session.accept_bi().await.ok()?;
        // Before all groups, whose numbers are what they go by.
        send.set_priority(i32::MAX);
        Some((send, recv))
    }

    async fn accept_group(&self) -> Option<RecvStream> {
        self.session.accept_uni().await.ok()
    }

    async fn datagram(&self) -> Option<Bytes> {
        self.session.recv_datagram().await.ok()
    }

    async fn pass_over_datagrams(&self) -> Infallible {
        while self.datagram().await.is_some() {}
        // Who asks hears of the end in other ways.
        pending().await
    }

    /// QMux says with its first bytes what a client may have.
    fn take_groups(&self, _streams: u32, _window: u32) {
        self.known.set();
    }

    fn carrier(&self, player: Player) -> GroupStreams {
        let Player {
            waker,
            most,
            version,
        } = player;
        self.known.set();
        let (session, flow) = (self.session.clone(), self.flow.clone());
        GroupStreams::new(session, flow, waker, (most, version))
    }

    fn close(&self, code: Code) {
        self.session.close(code.number().into(), code.name());
    }

    async fn closed(&self) {
        self.session.closed().await;
    }

    fn ended(&self) -> Option<Code> {
        let error = self.session.closed().now_or_never()?;
        Some(match (self.flow.why(), error) {
            (Some(Fault::Oversized(_)), _) | (_, Error::FrameTooLarge) => Code::TooLarge,
            (Some(_), _) => Code::Malformed,
            (None, Error::IdleTimeout) => Code::Silent,
            (None, error) if is_a_mistake(&error) => Code::Malformed,
            (None, _) => Code::Done,
        })
    }

    fn address(&self) -> IpAddr {
        self.address
    }

    fn round_trip(&self) -> Option<Duration> {
        self.flow.read(|acks| acks.round_trip())
    }
}

/// Whether the client has broken the rules of QMux, so that the connection could not go on.
fn is_a_mistake(error: &Error) -> bool {
    matches!(
        error,
        Error::ProtocolViolation
            | Error::FrameEncoding
            | Error::TransportParameter
            | Error::DuplicateParam(_)
            | Error::UnexpectedProtocols
            | Error::InvalidFrameType(_)
            | Error::InvalidStreamId
            | Error::FlowControlError
            | Error::StreamLimitExceeded
            | Error::DatagramsUnsupported
            | Error::Short
    )
}

impl Input for RecvStream {
    async fn read(&mut self, to: &mut (impl BufMut + Send)) -> Result<usize, CutOff> {
        let read = self.read_buf(to).await;
        read.map(Option::unwrap_or_default).map_err(|_| CutOff)
    }
}

impl Output for SendStream {
    async fn write(&mut self, bytes: Bytes) -> Result<(), CutOff> {
        self.write_chunk(bytes).await.map_err(|_| CutOff)
    }

    fn finish(&mut self) {
        // Fails only where the stream has ended, and then there is nothing to finish.
        let _ = web_transport_trait::SendStream::finish(self);
    }
}
