//! What a session needs of the carrier below it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::task::Waker;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use steadycast_codec_glue::wire::Code;

use crate::auth::Transport;
use crate::delivery::Carrier;

/// One client's end of a carrier that has streams (PROTOCOL 1.6). Clones are the same end.
///
/// What waits for the client waits for ever where the client says nothing, and gives `None` once the connection is
/// gone; [`Link::ended`] says why then. All of it is cancel-safe.
pub(crate) trait Link: Clone + Send + Sync + 'static {
    /// Which carrier it is.
    const TRANSPORT: Transport;
    /// What is written to the client.
    type Output: Output;
    /// What is read from it.
    type Input: Input;
    /// Its end as delivery sees it, where the client is a player.
    type Carrier: Carrier<Packer: Default + Send, Sounder: Send, Parcel: Send, Sound: Send> + Send;

    /// The next bidirectional stream that the client opens.
    fn accept_control(
        &self,
    ) -> impl Future<Output = Option<(Self::Output, Self::Input)>> + Send + '_;

    /// The next unidirectional stream that it opens.
    fn accept_group(&self) -> impl Future<Output = Option<Self::Input>> + Send + '_;

    /// The next datagram that it sends.
    fn datagram(&self) -> impl Future<Output = Option<Bytes>> + Send + '_;

    /// Lets go of what a player sends in datagrams, which is for nobody, where it would pile up; never ends.
    fn pass_over_datagrams(&self) -> impl Future<Output = Infallible> + Send + '_;

    /// The client is a publisher: it may have so many groups open at once, and so many bytes on their way.
    fn take_groups(&self, streams: u32, window: u32);

    /// The client is a player, whose session is served so.
    fn carrier(&self, player: Player) -> Self::Carrier;

    /// Closes the connection, with a code of PROTOCOL 5.
    fn close(&self, code: Code);

    /// Waits until the connection is gone.
    fn closed(&self) -> impl Future<Output = ()> + Send + '_;

    /// Why the connection is gone, if it is.
    fn ended(&self) -> Option<Code>;

    /// Where the client is.
    fn address(&self) -> IpAddr;

    /// How long something takes to the client and back; `None` while nobody knows.
    fn round_trip(&self) -> Option<Duration>;
}

/// How a player is to be sent to.
pub(crate) struct Player {
    /// Woken when its carrier can take more.
    pub(crate) waker: Waker,
    /// Bytes that may be on their way at once, on any path.
    pub(crate) most: u64,
    /// The version that its session speaks (PROTOCOL 2.11).
    pub(crate) version: u16,
}

/// The stream was reset or stopped, or the connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream was cut off")]
pub(crate) struct CutOff;

/// A stream from the client.
pub(crate) trait Input: Send + 'static {
    /// Reads some of what comes next into `to`, no more than it has room for, which is at least a byte; 0: the stream
    /// has ended. Cancel-safe.
    fn read(
        &mut self,
        to: &mut (impl BufMut + Send),
    ) -> impl Future<Output = Result<usize, CutOff>> + Send;
}

/// A stream to the client.
pub(crate) trait Output: Send + 'static {
    /// Writes all of `bytes`.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), CutOff>> + Send;

    /// Nothing more will be written; what was still arrives.
    fn finish(&mut self);
}

#[cfg(test)]
impl Input for tokio::io::DuplexStream {
    async fn read(&mut self, to: &mut (impl BufMut + Send)) -> Result<usize, CutOff> {
        tokio::io::AsyncReadExt::read_buf(self, to)
            .await
            .map_err(|_| CutOff)
    }
}
