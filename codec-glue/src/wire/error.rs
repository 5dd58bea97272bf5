use super::{Code, limits};

/// Why bytes from a peer were refused. The peer is at fault, always.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes do not parse.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A length is beyond its limit.
    #[error("{what} is {actual}, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        actual: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// A message variant that this version does not know.
    #[error("unknown message {0}")]
    UnknownMessage(u32),
    /// A frame at a place where it may not be.
    #[error("out of order: {0}")]
    OutOfOrder(&'static str),
}

impl WireError {
    /// The code that tells the peer (PROTOCOL 5).
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::Malformed,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::UnknownMessage(_) => Code::UnknownMessage,
            Self::OutOfOrder(_) => Code::OutOfOrder,
        }
    }

    /// Refuses `actual` when it is above `limit`.
    pub(crate) fn check(what: &'static str, actual: usize, limit: usize) -> Result<(), Self> {
        if actual > limit {
            return Err(Self::TooLarge {
                what,
                actual: actual as u64,
                limit: limit as u64,
            });
        }
        Ok(())
    }

    /// Refuses an integer that a browser's numbers cannot hold.
    pub(crate) fn check_integer(value: u64) -> Result<(), Self> {
        if value > limits::INTEGER {
            return Err(Self::Malformed("an integer above 2^53 - 1"));
        }
        Ok(())
    }
}
