//! What all sessions share, on whatever carrier and shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steadycast_codec_glue::wire::{Code, ResumeSecret};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;
use super::ending::Ending;
use crate::auth::{Gate, Origins, random};
use crate::broadcast::Registry;
use crate::records::Records;
use crate::shard::{Addresses, RelayClock};

/// What sessions work with.
pub(crate) struct Parts {
    /// What strangers may cost.
    pub(crate) settings: Settings,
    /// The relay's clock.
    pub(crate) clock: RelayClock,
    /// The broadcasts.
    pub(crate) registry: Arc<Registry>,
    /// Who says what somebody may do.
    pub(crate) gate: Arc<Gate>,
    /// What becomes of sessions.
    pub(crate) records: Arc<Records>,
    /// Whose pages may open sessions.
    pub(crate) origins: Origins,
    /// Cancelled when every session is to say goodbye.
    pub(crate) shutdown: CancellationToken,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: RelayClock,
    pub(crate) registry: Arc<Registry>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) records: Arc<Records>,
    pub(crate) origins: Origins,
    pub(crate) shutdown: CancellationToken,
    /// How many each address has, handshakes included.
    pub(crate) addresses: Addresses,
    /// Sessions on all shards, handshakes included.
    pub(crate) sessions: TaskTracker,
    /// Sessions past their handshake.
    established: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            settings: parts.settings,
            clock: parts.clock,
            registry: parts.registry,
            gate: parts.gate,
            records: parts.records,
            origins: parts.origins,
            shutdown: parts.shutdown,
            addresses: Addresses::default(),
            sessions: TaskTracker::new(),
            established: AtomicUsize::new(0),
        }
    }

    /// Sessions past their handshake.
    pub(crate) fn established(&self) -> usize {
        self.established.load(Ordering::Relaxed)
    }

    /// Another one is, for as long as this is kept.
    pub(super) fn establish(&self) -> Established<'_> {
        self.established.fetch_add(1, Ordering::Relaxed);
        Established(self)
    }

    /// A secret that nobody can guess.
    pub(super) fn secret(&self) -> Result<ResumeSecret, Ending> {
        random()
            .map(ResumeSecret)
            .map_err(|error| Ending::because(Code::Internal, error))
    }
}

/// A session past its handshake.
pub(super) struct Established<'a>(&'a Shared);

impl Drop for Established<'_> {
    fn drop(&mut self) {
        self.0.established.fetch_sub(1, Ordering::Relaxed);
    }
}
