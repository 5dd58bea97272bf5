//! One connection: packets in, and packets out without waiting.

use std::io;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::framing::{Frames, append};
use crate::shard::{Inlet, Packet, Remote};

/// The most that one call takes, in bytes.
pub(super) const CALL: usize = 16 << 10;
/// Bytes that may wait behind what the system has not taken; packets beyond that are lost.
const WAITING: usize = 2 * CALL;
/// What there is room for at each read.
const READ: usize = 4 << 10;

/// A connection of a shard.
pub(super) struct Line {
    stream: TcpStream,
    remote: Remote,
    /// What the system has not taken.
    unsent: Mutex<Vec<u8>>,
    /// Something waits there.
    waits: Notify,
}

impl Line {
    /// Takes over a connection, of which the system keeps little unsent (`websocket/tcp.rs`). Call it within the
    /// shard's runtime.
    pub(super) fn new(stream: std::net::TcpStream, remote: Remote) -> io::Result<Self> {
        Ok(Self {
            stream: TcpStream::from_std(stream)?,
            remote,
            unsent: Mutex::default(),
            waits: Notify::new(),
        })
    }

    /// Sends packets of a size, the last perhaps shorter, where nothing waits.
    ///
    /// # Errors
    /// `WouldBlock` where something does; others when the connection is broken.
    pub(super) fn send_now(&self, packets: &[u8], size: usize) -> io::Result<()> {
        let mut unsent = self.unsent.lock();
        if !self.write(&mut unsent)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for packet in packets.chunks(size.max(1)) {
            append(packet, &mut unsent);
        }
        self.write(&mut unsent)?;
        Ok(())
    }

    /// The same behind what waits. Where too much does, they are lost, as on a network.
    pub(super) fn send(&self, packets: &[u8], size: usize) {
        let mut unsent = self.unsent.lock();
        if unsent.len() > WAITING {
            return;
        }
        for packet in packets.chunks(size.max(1)) {
            append(packet, &mut unsent);
        }
        // That it is broken is noticed where it is read.
        let _ = self.write(&mut unsent);
    }

    /// Writes what waits; false where the system does not take all of it.
    fn write(&self, unsent: &mut Vec<u8>) -> io::Result<bool> {
        let mut written = 0;
        let taken = loop {
            match unsent.get(written..) {
                None | Some([]) => break Ok(true),
                Some(rest) => match self.stream.try_write(rest) {
                    Ok(bytes) => written += bytes,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(false),
                    Err(error) => break Err(error),
                },
            }
        };
        unsent.drain(..written);
        if !unsent.is_empty() {
            self.waits.notify_one();
        }
        taken
    }

    /// Writes what waits whenever the system takes more, until the connection is broken.
    pub(super) async fn drain(&self) -> io::Error {
        loop {
            self.waits.notified().await;
            if let Err(error) = self.stream.writable().await {
                return error;
            }
            if let Err(error) = self.write(&mut self.unsent.lock()) {
                return error;
            }
        }
    }

    /// Reads packets into `inlet` until the connection ends.
    pub(super) async fn read(&self, inlet: &Inlet) -> io::Error {
        let mut frames = Frames::default();
        loop {
            if let Err(error) = self.fill(&mut frames).await {
                return error;
            }
            loop {
                match frames.next() {
                    Ok(Some(packet)) => inlet.put_all(self.packet(packet)).await,
                    Ok(None) => break,
                    Err(error) => return io::Error::other(error),
                }
            }
        }
    }

    async fn fill(&self, frames: &mut Frames) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            frames.buffer.reserve(READ);
            match self.stream.try_read_buf(&mut frames.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A packet that came by it.
    pub(super) fn packet(&self, bytes: Bytes) -> Packet {
        Packet {
            bytes,
            from: self.remote,
            to: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;

    /// A line, and the client at its other end.
    fn pair() -> (Line, std::net::TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let _ = crate::websocket::Sending::prepare(&listener);
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, address) = listener.accept().unwrap();
        for stream in [&stream, &client] {
            stream.set_nonblocking(true).unwrap();
        }
        (Line::new(stream, remote(address)).unwrap(), client)
    }

    fn remote(address: SocketAddr) -> Remote {
        Remote {
            address,
            connection: Some(1),
        }
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_costs_little_and_gets_all_of_what_was_taken() {
        let (line, client) = pair();
        let packets = [7; 8 * 1_000];
        let mut taken = 0;
        while line.send_now(&packets, 1_000).is_ok() {
            taken += 8;
            assert!(taken < 100_000, "the system takes without end");
        }
        // Answers to checks go behind it, and not without end either.
        for _ in 0..1_000 {
            line.send(&[9; 100], 100);
        }
        let waiting = line.unsent.lock().len();
        assert!(waiting <= WAITING + 102, "{waiting}");
        let client = TcpStream::from_std(client).unwrap();
        let mut frames = Frames::default();
        let (mut media, mut answers) = (0, 0);
        let reading = async {
            loop {
                client.readable().await.unwrap();
                let _ = client.try_read_buf(&mut frames.buffer);
                while let Some(packet) = frames.next().unwrap() {
                    match packet.len() {
                        1_000 => media += 1,
                        _ => answers += 1,
                    }
                }
                if line.unsent.lock().is_empty() && media == taken && answers > 0 {
                    return;
                }
            }
        };
        tokio::select! {
            () = reading => {}
            error = line.drain() => panic!("{error}"),
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("{media} of {taken}"),
        }
    }

    #[tokio::test]
    async fn what_comes_goes_on_as_packets_from_the_connection_until_it_ends() {
        let (line, client) = pair();
        let (packets, mut inlet) = mpsc::channel(1);
        let mut bytes = Vec::new();
        for packet in [&b"one"[..], b"two", b"three"] {
            append(packet, &mut bytes);
        }
        std::io::Write::write_all(&mut &client, &bytes).unwrap();
        drop(client);
        let inlet_of_shard = Inlet::new(packets);
        let heard = async {
            let mut heard = Vec::new();
            for _ in 0..3 {
                let packet = inlet.recv().await.unwrap();
                assert_eq!(packet.from, line.remote);
                heard.push(packet.bytes);
            }
            heard
        };
        let (ended, heard) = tokio::join!(line.read(&inlet_of_shard), heard);
        assert_eq!(heard, [&b"one"[..], b"two", b"three"]);
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
    }
}
