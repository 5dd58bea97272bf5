//! What the machine allows: the same bytes, only sealed and sent.
//!
//! For each player and frame, packets are sealed and handed to the kernel, many
//! at once (UDP GSO), in the size of QUIC's packets or of RTP's. No relay that
//! encrypts for each player and sends from user space can cost less.

mod seal;

use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use serde::Serialize;

use crate::load::Load;
use crate::process::{Gauge, pin};
use seal::Sealer;

pub use seal::Sealing;

/// Players behind one socket, as in a run.
const PER_SOCKET: usize = 16;
const RECEIVE_BUFFER: usize = 8 << 20;

/// The floor. Times in seconds or nanoseconds of CPU.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Floor {
    /// To seal and send, per Gbit of payload.
    pub cpu_s_per_gbit: f64,
    /// To seal one packet.
    pub seal_ns: f64,
    /// To send one packet, the kernel's work for it included.
    pub send_ns: f64,
    /// Payload per second of one core.
    pub gbit_per_core: f64,
}

/// Measures for about `time`, sending from `cores.0` and receiving on `cores.1`, where given.
///
/// # Errors
/// When the sockets cannot be made.
pub fn measure(
    load: &Load,
    sealing: Sealing,
    cores: Option<(usize, usize)>,
    time: Duration,
) -> Result<Floor> {
    let sinks = Sinks::start(
        load.players.div_ceil(PER_SOCKET),
        cores.map(|cores| cores.1),
    )?;
    let addresses = sinks.addresses.clone();
    let load = load.clone();
    let sender = std::thread::spawn(move || {
        if let Some((core, _)) = cores {
            pin([core])?;
        }
        Sender::new(sealing, addresses)?.run(&load, time)
    });
    let floor = sender
        .join()
        .map_err(|_| anyhow::anyhow!("the sender panicked"))?;
    sinks.stop();
    floor
}

/// Sockets that take everything and forget it.
struct Sinks {
    addresses: Vec<SocketAddr>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Sinks {
    fn start(count: usize, core: Option<usize>) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let sockets = (0..count.max(1))
            .map(|_| {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                let state = UdpSocketState::new((&socket).into())?;
                // The system may grant less.
                let _ = state.set_recv_buffer_size((&socket).into(), RECEIVE_BUFFER);
                Ok((socket, state))
            })
            .collect::<Result<Vec<_>>>()?;
        let addresses = sockets
            .iter()
            .map(|(socket, _)| Ok(socket.local_addr()?))
            .collect::<Result<_>>()?;
        let ended = over.clone();
        let thread = std::thread::spawn(move || {
            if let Some(core) = core {
                // Where it runs changes the figure a little, not its meaning.
                let _ = pin([core]);
            }
            let mut buffer = vec![0; 1 << 16];
            while !ended.load(Ordering::Relaxed) {
                for (socket, state) in &sockets {
                    drain(socket, state, &mut buffer);
                }
            }
        });
        Ok(Self {
            addresses,
            over,
            thread,
        })
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        // A sink that panicked has dropped packets, which costs the sender less: it would show.
        let _ = self.thread.join();
    }
}

fn drain(socket: &UdpSocket, state: &UdpSocketState, buffer: &mut [u8]) {
    let mut metas = [RecvMeta::default()];
    while state
        .recv(socket.into(), &mut [IoSliceMut::new(buffer)], &mut metas)
        .is_ok()
    {}
}

struct Sender {
    socket: UdpSocket,
    state: UdpSocketState,
    sealer: Sealer,
    /// Bytes of a full packet.
    packet: usize,
    packets: Vec<u8>,
    addresses: Vec<SocketAddr>,
}

impl Sender {
    fn new(sealing: Sealing, addresses: Vec<SocketAddr>) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self {
            state: UdpSocketState::new((&socket).into())?,
            socket,
            sealer: Sealer::new(sealing)?,
            packet: sealing.packet(),
            packets: vec![0; 1 << 16],
            addresses,
        })
    }

    fn run(mut self, load: &Load, time: Duration) -> Result<Floor> {
        let (started, cpu) = (Instant::now(), Gauge::this_thread()?);
        let (mut seal, mut send) = (Duration::ZERO, Duration::ZERO);
        let (mut bytes, mut frame) = (0_u64, 0);
        while started.elapsed() < time {
            let len = load.picture.payload_len(frame % load.picture.group);
            frame += 1;
            for player in 0..load.players {
                let to = self.addresses[player / PER_SOCKET];
                let mut left = len;
                while left > 0 {
                    let before = Instant::now();
                    let filled = self.seal(&mut left)?;
                    let between = Instant::now();
                    self.send(to, filled)?;
                    seal += between - before;
                    send += between.elapsed();
                }
                bytes += len as u64;
            }
        }
        let packets = self.sealer.sealed as f64;
        let gbit = bytes as f64 * 8.0 / 1e9;
        let spent = (Gauge::this_thread()? - cpu).as_secs_f64();
        // What others took of the core is in both alike.
        let sealing = seal.as_secs_f64() / (seal + send).as_secs_f64();
        let packet_ns = spent * 1e9 / packets;
        Ok(Floor {
            cpu_s_per_gbit: spent / gbit,
            seal_ns: packet_ns * sealing,
            send_ns: packet_ns * (1.0 - sealing),
            gbit_per_core: gbit / spent,
        })
    }

    /// Seals packets with what is left of a frame, as many as one call to the kernel takes.
    fn seal(&mut self, left: &mut usize) -> Result<usize> {
        let most = (1 << 16) / self.packet - 1;
        let most = self.state.max_gso_segments().min(most);
        let mut filled = 0;
        for _ in 0..most {
            if *left == 0 {
                break;
            }
            filled += self.sealer.seal(left, &mut self.packets[filled..])?;
        }
        Ok(filled)
    }

    fn send(&self, destination: SocketAddr, filled: usize) -> Result<()> {
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: &self.packets[..filled],
            segment_size: Some(self.packet.min(filled)),
            src_ip: None,
        };
        // A full socket is waited for: what is measured is the work.
        while let Err(error) = self.state.try_send((&self.socket).into(), &transmit) {
            ensure!(error.kind() == std::io::ErrorKind::WouldBlock, error);
        }
        Ok(())
    }
}
