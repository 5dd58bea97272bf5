//! A TCP download beside a player.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::Duration;

use anyhow::{Context, Result};
use socket2::SockRef;

use crate::lab::World;

const PORT: u16 = 5_001;
/// What is sent and read at once.
const PART: usize = 64 << 10;
/// How long either side waits before it looks whether all is over.
const WAIT: Duration = Duration::from_millis(200);
/// What is measured beside, as nearly every server has it.
const CONTROL: &[u8] = b"cubic";

/// A download that goes on in the first player's namespace. Dropping it ends it.
pub(super) struct Download(Arc<AtomicBool>);

impl Download {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be offered.
    pub(super) fn begin<'scope>(
        scope: &'scope Scope<'scope, '_>,
        world: &'scope World,
    ) -> Result<Self> {
        let listener = world.relay().within(offer)?;
        let over = Arc::<AtomicBool>::default();
        let (serving, fetching) = (over.clone(), over.clone());
        let player = &world.players()[0];
        // What they carry is in the lab's record; that one of them fails is to be seen there.
        scope.spawn(move || serve(&listener, &serving));
        scope.spawn(move || player.within(|| fetch(&fetching)));
        Ok(Self(over))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends as much as TCP takes, from the relay's side, until `over`. Run it within the relay's
/// namespace.
///
/// # Errors
/// When nobody can be served.
pub fn serve(listener: &TcpListener, over: &AtomicBool) -> Result<()> {
    let (mut stream, _) = listener.accept().context("waiting for the download")?;
    SockRef::from(&stream)
        .set_tcp_congestion(CONTROL)
        .context("choosing Cubic")?;
    stream.set_write_timeout(Some(WAIT))?;
    let part = vec![0; PART];
    while !over.load(Ordering::Relaxed) {
        // A full window is waited for; what else goes wrong ends it.
        match stream.write(&part) {
            Err(error) if !is_wait(&error) => return Err(error).context("sending a download"),
            _ => {}
        }
    }
    Ok(())
}

/// Where the download is offered. Call it within the relay's namespace.
///
/// # Errors
/// When it cannot be.
pub fn offer() -> Result<TcpListener> {
    TcpListener::bind((World::relay_address(), PORT)).context("offering a download")
}

/// Downloads until `over`; gives the bytes that came. Run it within a player's namespace.
///
/// # Errors
/// When the connection fails.
pub fn fetch(over: &AtomicBool) -> Result<u64> {
    let address = SocketAddr::from((World::relay_address(), PORT));
    let mut stream = TcpStream::connect(address).context("connecting for a download")?;
    stream.set_read_timeout(Some(WAIT))?;
    let (mut part, mut bytes) = (vec![0; PART], 0);
    while !over.load(Ordering::Relaxed) {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(len) => bytes += len as u64,
            Err(error) if is_wait(&error) => {}
            Err(error) => return Err(error).context("downloading"),
        }
    }
    Ok(bytes)
}

fn is_wait(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
