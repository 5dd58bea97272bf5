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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exactly_at_its_limit_passes() {
        assert_eq!(WireError::check("text", 9, 9), Ok(()));
        let (what, actual, limit) = ("text", 10, 9);
        let above = WireError::TooLarge {
            what,
            actual,
            limit,
        };
        assert_eq!(WireError::check("text", 10, 9), Err(above));
        assert_eq!(WireError::check_integer(limits::INTEGER), Ok(()));
        assert!(WireError::check_integer(limits::INTEGER + 1).is_err());
    }

    #[test]
    fn each_error_has_the_code_that_peers_are_told() {
        let large = WireError::check("text", 1, 0).unwrap_err();
        assert_eq!(large.code(), Code::TooLarge);
        assert_eq!(WireError::Malformed("").code(), Code::Malformed);
        assert_eq!(WireError::UnknownMessage(9).code(), Code::UnknownMessage);
        assert_eq!(WireError::OutOfOrder("").code(), Code::OutOfOrder);
    }
}
