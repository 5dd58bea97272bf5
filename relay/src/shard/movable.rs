//! A TCP connection that begins on one runtime and goes on on another.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection whose readiness is told by the runtime that it is on: on a shard's own a session is woken without a
/// word between threads. What lies above it notices nothing.
#[derive(Debug)]
pub(crate) struct Movable {
    /// There but for the moment of a move, and for ever where that failed.
    tcp: Option<TcpStream>,
    moving: Moving,
}

/// Has a connection move.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moving(Arc<AtomicBool>);

impl Moving {
    /// From its next use on the connection belongs to the runtime that uses it then.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Movable {
    /// It belongs to the runtime where it was accepted.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp: Some(tcp),
            moving: Moving::default(),
        }
    }

    /// What has it move.
    pub(crate) fn moving(&self) -> Moving {
        self.moving.clone()
    }

    fn here(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.moving.0.load(Ordering::Relaxed) {
            self.moving.0.store(false, Ordering::Relaxed);
            if let Some(tcp) = self.tcp.take() {
                self.tcp = Some(TcpStream::from_std(tcp.into_std()?)?);
            }
        }
        let tcp = self.tcp.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(tcp))
    }
}

impl AsyncRead for Movable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.here()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Movable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_connection_goes_on_where_it_has_moved_when_its_first_runtime_is_gone() {
        let runtime = || Builder::new_multi_thread().enable_all().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (mut movable, peer) = first.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let connecting = TcpStream::connect(listener.local_addr().unwrap());
            let (tcp, accepted) = tokio::join!(connecting, listener.accept());
            let mut movable = Movable::new(tcp.unwrap());
            movable.write_all(b"one").await.unwrap();
            let peer = accepted.unwrap().0.into_std().unwrap();
            (movable, peer)
        });
        movable.moving().begin();
        second.block_on(async {
            let mut peer = TcpStream::from_std(peer).unwrap();
            movable.write_all(b"two").await.unwrap();
            first.shutdown_background();
            let mut read = [0; 6];
            peer.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"onetwo");
            // It has to be told that there is something to read.
            let answer = async {
                tokio::task::yield_now().await;
                peer.write_all(b"three").await.unwrap();
            };
            let mut read = [0; 5];
            let (read_exactly, ()) = tokio::join!(movable.read_exact(&mut read), answer);
            read_exactly.unwrap();
            assert_eq!(&read, b"three");
        });
    }
}
