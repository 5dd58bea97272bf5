//! What systemd, or whoever else started the relay, hears of it (sd_notify(3)).

use std::env;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::time::{MissedTickBehavior, interval};

use crate::shard::Pulse;

/// The relay serves.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The settings are being read again; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the supervisor is not told of the reload"),
    }
}

/// The relay takes nothing on any more.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says again and again that the relay lives, if somebody wants to know: while every shard does, for one that
/// hangs serves nobody. Dropping the future ends it.
pub(crate) async fn alive(shards: Vec<Pulse>) {
    let Some(every) = watchdog_enabled().map(|limit| (limit / 3).max(Duration::from_millis(10)))
    else {
        return std::future::pending().await;
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Each is asked anew, and has until the next time.
        match shards.iter().position(|shard| !shard.beats()) {
            None => tell(&[NotifyState::Watchdog]),
            Some(shard) => tracing::error!(shard, "it does not answer"),
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // Nobody is there to hear it, most of the time.
    if let Err(error) = send(states) {
        tracing::warn!(%error, "the supervisor does not hear the relay");
    }
}

fn send(states: &[NotifyState<'_>]) -> io::Result<()> {
    let socket = env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    // An @ stands for the zero that names outside of the file system begin with (unix(7)).
    let Some(name) = socket.as_bytes().strip_prefix(b"@") else {
        return notify(states);
    };
    let message: String = states.iter().map(|state| format!("{state}\n")).collect();
    let address = abstract_address(name)?;
    let sent = UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)?;
    match sent == message.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::WriteZero.into()),
    }
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

/// Other systems have no such names.
#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}
