//! A way for TCP connections that can be closed and opened.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Passes connections on while it is open; those that are there when it closes end.
pub struct Gate {
    address: SocketAddr,
    closed: watch::Sender<bool>,
    task: AbortHandle,
}

impl Gate {
    /// A way to `to`.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn open(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (closed, closing) = watch::channel(false);
        let passing = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut closing = closing.clone();
                if *closing.borrow_and_update() {
                    continue;
                }
                tokio::spawn(async move {
                    tokio::select! {
                        () = pass(stream, to) => {}
                        _ = closing.wait_for(|closed| *closed) => {}
                    }
                });
            }
        });
        Ok(Self {
            address,
            closed,
            task: passing.abort_handle(),
        })
    }

    /// Its other end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing comes through from now on, or everything again.
    pub fn close(&self, closed: bool) {
        self.closed.send_replace(closed);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut stream: TcpStream, to: SocketAddr) {
    if let Ok(mut other) = TcpStream::connect(to).await {
        // Either end may end it.
        let _ = copy_bidirectional(&mut stream, &mut other).await;
    }
}
