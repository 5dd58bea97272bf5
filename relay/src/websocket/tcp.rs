//! How the system sends over TCP to those who come to the page's port.
//!
//! Connections have from the socket that accepts them what is set here.

use std::fmt;
use std::io;
use std::net::TcpListener;

use socket2::SockRef;

/// What congestion control is asked for: one that random loss does not slow down.
const WANTED: &str = "bbr";
/// Bytes that wait in the system and are not sent yet: what is written is not thought better of, so that little is to wait.
const UNSENT: u32 = 32 << 10;

/// How the system sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    /// The congestion control that it uses.
    control: String,
    /// Whether it takes no more than can soon leave.
    little_unsent: bool,
}

impl Sending {
    /// Has connections that come to `listener` sent to with little that waits, at once, and with BBR where the system has it
    /// and lets the relay use it.
    pub(crate) fn prepare(listener: &TcpListener) -> Self {
        let socket = SockRef::from(listener);
        // Without any of them it works, and waits longer.
        let _ = socket.set_tcp_nodelay(true);
        let _ = control_with(&socket, WANTED);
        Self {
            little_unsent: keep_little_unsent(&socket).is_ok(),
            control: control_of(&socket).unwrap_or_default(),
        }
    }

    /// Whether it is as good as the system could do.
    pub(crate) fn is_best(&self) -> bool {
        self.control == WANTED && self.little_unsent
    }
}

impl fmt::Display for Sending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = match self.control.as_str() {
            "" => "what the system uses",
            control => control,
        };
        let unsent = if self.little_unsent {
            ""
        } else {
            ", with much unsent"
        };
        write!(out, "{control}{unsent}")
    }
}

#[cfg(target_os = "linux")]
fn control_with(socket: &SockRef<'_>, name: &str) -> io::Result<()> {
    socket.set_tcp_congestion(name.as_bytes())
}

#[cfg(target_os = "linux")]
fn control_of(socket: &SockRef<'_>) -> io::Result<String> {
    let name = socket.tcp_congestion()?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

#[cfg(target_os = "linux")]
fn keep_little_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT)
}

#[cfg(not(target_os = "linux"))]
fn control_with(_: &SockRef<'_>, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn control_of(_: &SockRef<'_>) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn keep_little_unsent(_: &SockRef<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn connections_are_sent_to_as_their_listener_was_prepared() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let sending = Sending::prepare(&listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let socket = SockRef::from(&accepted);
        assert_eq!(control_of(&socket).unwrap(), sending.control);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(!sending.control.is_empty() && sending.little_unsent);
    }

    #[test]
    fn what_the_system_does_is_said() {
        let told = |control: &str, little_unsent| {
            let control = control.to_owned();
            let sending = Sending {
                control,
                little_unsent,
            };
            (sending.is_best(), sending.to_string())
        };
        assert_eq!(told("bbr", true), (true, "bbr".to_owned()));
        assert_eq!(told("cubic", true), (false, "cubic".to_owned()));
        assert_eq!(
            told("", false),
            (false, "what the system uses, with much unsent".to_owned())
        );
    }
}
