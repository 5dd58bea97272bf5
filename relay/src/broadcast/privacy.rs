//! Whether what publishers send has to be sealed (PROTOCOL 12).

use std::sync::atomic::{AtomicBool, Ordering};

use super::PublishError;

/// Whether a broadcast is private: then its publishers send only what is sealed, and else nothing that is.
#[derive(Debug)]
pub(super) enum Privacy {
    /// Its maker has said so.
    Known {
        /// It is.
        private: bool,
    },
    /// It comes from another relay, which sees to it.
    Elsewhere {
        /// What has come is sealed.
        private: AtomicBool,
    },
}

impl Privacy {
    /// Of a broadcast of another relay.
    pub(super) fn elsewhere() -> Self {
        Self::Elsewhere {
            private: AtomicBool::new(false),
        }
    }

    /// Whether it is private, as far as is known.
    pub(super) fn is_private(&self) -> bool {
        match self {
            Self::Known { private } => *private,
            Self::Elsewhere { private } => private.load(Ordering::Relaxed),
        }
    }

    /// Looks at what a publisher sends.
    ///
    /// # Errors
    /// [`PublishError::Clear`] and [`PublishError::Sealed`].
    pub(super) fn admit(&self, sealed: bool) -> Result<(), PublishError> {
        match self {
            Self::Known { private: true } if !sealed => Err(PublishError::Clear),
            Self::Known { private: false } if sealed => Err(PublishError::Sealed),
            Self::Known { .. } => Ok(()),
            Self::Elsewhere { private } => {
                private.fetch_or(sealed, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}
