//! The relay under test: a child process on a loopback port of its own, ended when its handle is dropped.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process;

/// The name in the relay's certificate.
pub(crate) const HOST_NAME: &str = "localhost";

/// Why a relay cannot be had or looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No free port on loopback.
    #[error("no free UDP port on loopback")]
    Port(#[source] io::Error),
    /// The program cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// Path of the program.
        program: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The relay has ended by itself, or its numbers are unreadable.
    #[error("the relay is not running")]
    Gone(#[source] io::Error),
}

/// A running moq-relay.
pub(crate) struct Relay {
    child: Child,
    port: u16,
}

impl Relay {
    /// Starts `program` with a generated certificate and no access control; it inherits the caller's core.
    ///
    /// # Errors
    /// [`Error::Port`] and [`Error::Start`].
    pub(crate) fn start(program: &Path) -> Result<Self, Error> {
        let port = free_port().map_err(Error::Port)?;
        let child = Command::new(program)
            .args(["--listen", &format!("{}:{port}", Ipv4Addr::LOCALHOST)])
            .args(["--listen-tls-generate", HOST_NAME])
            .args(["--auth-public", "**"])
            .args(["--log-level", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| Error::Start {
                program: program.display().to_string(),
                source,
            })?;
        Ok(Self { child, port })
    }

    /// The UDP port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// CPU time it has used so far, in seconds.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Error> {
        process::cpu_seconds(self.child.id()).map_err(Error::Gone)
    }

    /// Its resident memory in KiB.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub(crate) fn resident_kb(&self) -> Result<u64, Error> {
        process::resident_kb(self.child.id()).map_err(Error::Gone)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Both fail only for a child that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago: the relay cannot say which one it took, so it must be told.
fn free_port() -> io::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
