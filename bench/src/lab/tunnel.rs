//! A TUN device in a namespace: what is sent there comes out here as IP packets.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tun_rs::{DeviceBuilder, SyncDevice};

use super::netns::{Namespace, ip};

/// As on Ethernet.
const MTU: u16 = 1_500;
/// Packets that wait to be read here. More than any burst: what is lost, the path loses.
const QUEUE: &str = "20000";
/// The number of the next device of this process.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A device of which the other end is a namespace's interface.
pub(super) struct Tunnel {
    device: SyncDevice,
    name: String,
}

impl Tunnel {
    /// Makes a device, and has `namespace` reach everybody else over it from this address.
    pub(super) fn into(namespace: &Namespace, address: Ipv4Addr) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lab{}n{number}", std::process::id());
        let device = DeviceBuilder::new().name(&name).mtu(MTU).build_sync();
        let device = device.context("making a TUN device (is /dev/net/tun there?)")?;
        device.set_nonblocking(true)?;
        ip(&["link", "set", &name, "netns", namespace.name()])?;
        namespace.ip(&["address", "add", &format!("{address}/15"), "dev", &name])?;
        namespace.ip(&["link", "set", &name, "txqueuelen", QUEUE, "up"])?;
        Ok(Self { device, name })
    }

    /// The next packet that was sent in the namespace, if there is one.
    pub(super) fn take(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.device.recv(buffer) {
            Ok(len) => Ok(Some(len)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has a packet arrive in the namespace.
    pub(super) fn give(&self, packet: &[u8]) -> io::Result<()> {
        self.device.send(packet).map(|_| ())
    }

    /// Packets that were lost before they could be read.
    pub(super) fn lost(&self, namespace: &Namespace) -> Result<u64> {
        let shown = namespace.ip(&["-s", "-j", "link", "show", "dev", &self.name])?;
        let shown: serde_json::Value = serde_json::from_str(&shown)?;
        let dropped = shown[0]["stats64"]["tx"]["dropped"].as_u64();
        dropped.context("ip does not say what a device has dropped")
    }
}

impl AsFd for Tunnel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}
