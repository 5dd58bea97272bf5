//! What people with the link have, and what a host adds to it.

use std::fmt;

/// The key of a private broadcast: 32 random bytes that stand in its links and reach no relay (PROTOCOL 12.1).
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; Self::LEN]);

impl LinkKey {
    /// Bytes of a link key.
    pub const LEN: usize = 32;

    /// A key of these bytes, which are to be random.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LinkKey")
    }
}

/// One session's worth of a host's frames: 7 random bytes, so that no two tenures of a link key have one AES key
/// (PROTOCOL 12.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenure([u8; Self::LEN]);

impl Tenure {
    /// Bytes of a tenure's name.
    pub const LEN: usize = 7;

    /// A tenure of this name, which is to be random.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Its name.
    pub fn bytes(self) -> [u8; Self::LEN] {
        self.0
    }

    /// The SFrame key id of what this tenure sends from `source`.
    pub(super) fn key_id(self, source: u8) -> u64 {
        let [a, b, c, d, e, f, g] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, source])
    }

    /// Tenure and source of a key id.
    pub(super) fn of(key_id: u64) -> (Self, u8) {
        let [a, b, c, d, e, f, g, source] = key_id.to_be_bytes();
        (Self([a, b, c, d, e, f, g]), source)
    }
}
