//! The network lab: real packets over made-up paths.
//!
//! A relay and its players live in network namespaces of their own. Between the relay's and each
//! player's lies no wire but a TUN device on either side, and the [`emulator`] that carries packets
//! from one to the other as [`steadycast_lab`] says: late, in another order, or not at all. It
//! works on IP packets, so that TCP queues and is lost beside UDP. A [`World`] is the namespaces
//! and devices; dropping it takes them away.

pub mod emulator;
mod lateness;
pub mod netns;
mod record;
mod rtp;
mod tunnel;
mod world;

pub use emulator::Emulator;
pub use lateness::Lateness;
pub use record::{Moment, PathRecord, Record};
pub use world::{Address, World, obstacle};

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// From now on, a process that is interrupted or asked to end takes its labs away first.
///
/// # Errors
/// When signals cannot be awaited.
pub fn clean_up_when_interrupted() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let ended = runtime.block_on(async {
                let mut interrupted = signal(SignalKind::interrupt())?;
                let mut terminated = signal(SignalKind::terminate())?;
                tokio::select! {
                    _ = interrupted.recv() => {}
                    _ = terminated.recv() => {}
                }
                anyhow::Ok(())
            });
            netns::remove_own();
            // As a shell says it of a program that was interrupted.
            std::process::exit(if ended.is_ok() { 130 } else { 1 });
        })?;
    Ok(())
}
