//! A connection that says whatever it is told to.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::network::{framed, take};
use super::rogue::Rogue;
use crate::client::soon;

/// A connection to the relay's port, on which packets have their length before them.
pub struct Connection {
    stream: TcpStream,
    begun: Vec<u8>,
}

impl Connection {
    /// Connects, and says nothing yet.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(relay: SocketAddr) -> Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(relay).await?,
            begun: Vec::new(),
        })
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send(&mut self, packet: &[u8]) -> Result<()> {
        self.send_bytes(&framed(packet)).await
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next packet; `None` when the connection has ended.
    async fn packet(&mut self) -> Result<Option<Vec<u8>>> {
        let mut packet = vec![0; 65_535];
        loop {
            if let Some(length) = take(&mut self.begun, &mut packet) {
                packet.truncate(length);
                return Ok(Some(packet));
            }
            match self.stream.read_buf(&mut self.begun).await {
                Ok(0) | Err(_) => return Ok(None),
                Ok(_) => {}
            }
        }
    }

    /// The next packet that `wanted` takes; checks of the relay's are answered as the rogue does.
    ///
    /// # Errors
    /// When none comes.
    pub async fn receive(
        &mut self,
        rogue: &Rogue,
        what: &str,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>> {
        let search = async {
            while let Some(packet) = self.packet().await? {
                if let Some(answer) = rogue.answer_to(&packet)? {
                    self.send(&answer).await?;
                }
                if wanted(&packet) {
                    return Ok(packet);
                }
            }
            anyhow::bail!("the relay has ended the connection")
        };
        soon(what, search).await?
    }

    /// Waits until the relay has ended it; gives the packets that came before.
    ///
    /// # Errors
    /// When it goes on.
    pub async fn ended(&mut self) -> Result<Vec<Vec<u8>>> {
        let search = async {
            let mut heard = Vec::new();
            while let Some(packet) = self.packet().await? {
                heard.push(packet);
            }
            Ok(heard)
        };
        soon("the end of the connection", search).await?
    }
}
