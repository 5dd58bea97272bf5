//! A way for TCP connections that can be closed and opened.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What is read of a connection at once.
const CHUNK: usize = 16 << 10;

/// Passes connections on while it is open.
pub struct Gate {
    address: SocketAddr,
    state: watch::Sender<State>,
    task: AbortHandle,
}

/// How a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Connections that are there end, and new ones as soon as they begin.
    Closed,
    /// Nothing comes through, and nobody is told: what was sent arrives when it is open again.
    Silent,
}

impl Gate {
    /// A way to `to`.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn open(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (state, now) = watch::channel(State::Open);
        let passing = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut closing = now.clone();
                if *closing.borrow_and_update() == State::Closed {
                    continue;
                }
                let passing = now.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = pass(stream, to, passing) => {}
                        _ = closing.wait_for(|state| *state == State::Closed) => {}
                    }
                });
            }
        });
        Ok(Self {
            address,
            state,
            task: passing.abort_handle(),
        })
    }

    /// Its other end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing comes through from now on and connections end, or everything comes through again.
    pub fn close(&self, closed: bool) {
        self.stand(closed, State::Closed);
    }

    /// Nothing comes through from now on, which nobody is told, or everything again, what was sent meanwhile as well.
    pub fn silence(&self, silent: bool) {
        self.stand(silent, State::Silent);
    }

    fn stand(&self, shut: bool, how: State) {
        self.state
            .send_replace(if shut { how } else { State::Open });
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(stream: TcpStream, to: SocketAddr, state: watch::Receiver<State>) {
    if let Ok(other) = TcpStream::connect(to).await {
        let (out, back) = (stream.into_split(), other.into_split());
        // Either end may end it.
        tokio::join!(
            one_way(out.0, back.1, state.clone()),
            one_way(back.0, out.1, state),
        );
    }
}

async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(len @ 1..) = from.read(&mut chunk).await {
        let open = state
            .wait_for(|state| *state != State::Silent)
            .await
            .is_ok();
        if !open || to.write_all(&chunk[..len]).await.is_err() {
            return;
        }
    }
    // It may be gone.
    let _ = to.shutdown().await;
}
