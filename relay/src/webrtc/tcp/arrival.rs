//! A connection that begins with a check, before it is any shard's.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::shard::{AddressShare, Place};
use crate::webrtc::ice::{Check, LONGEST};

/// Whether a connection may begin with a check, by its first byte: that of a length. TLS and HTTP
/// begin with larger ones.
pub(crate) fn may_begin(first: u8) -> bool {
    usize::from(first) <= LONGEST >> 8
}

/// What a connection holds of what there may be.
pub(crate) struct Guest {
    /// Cancelled when it is to make way for another.
    pub(crate) makes_way: CancellationToken,
    /// Its place among those of whom nothing is known, until its check has been passed.
    pub(crate) stranger: Option<Place>,
    pub(crate) _place: Place,
    pub(crate) _share: AddressShare,
}

/// A connection with its first packet.
pub(crate) struct Arrival {
    /// Nothing behind the packet has been read.
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) first: Bytes,
    pub(crate) guest: Guest,
}

/// Reads the packet that a connection begins with.
///
/// # Errors
/// When it ends before, and when that is no check: it is not read any further.
pub(crate) async fn read_first(stream: &mut TcpStream) -> io::Result<Bytes> {
    let length = usize::from(stream.read_u16().await?);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).await?;
    Check::parse(&packet).map_err(io::Error::other)?;
    Ok(packet.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_tls_nor_http_begins_as_a_check_does() {
        assert!(may_begin(0) && may_begin((LONGEST >> 8) as u8));
        let methods = ["GET", "POST", "PRI", "OPTIONS", "HEAD", "CONNECT"];
        let others = methods.map(|method| method.as_bytes()[0]);
        for first in [&[0x16, 0x80][..], &others].concat() {
            assert!(!may_begin(first), "{first:#x}");
        }
    }
}
