//! One client's session, once it has said hello; and what all sessions share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, RelayMessage, ResumeSecret, Status};
use tokio_util::sync::CancellationToken;
use wtransport::Connection;

use super::control::{ControlReader, ControlWriter};
use super::ending::{Ending, part};
use super::{Parts, Settings};
use crate::auth::{Gate, Origins, random};
use crate::broadcast::{Broadcast, Registry, RelayTime};
use crate::records::Records;
use crate::shard::RelayClock;

/// What all sessions share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) clock: RelayClock,
    pub(super) registry: Arc<Registry>,
    pub(super) gate: Arc<Gate>,
    pub(super) records: Arc<Records>,
    pub(super) origins: Origins,
    pub(super) shutdown: CancellationToken,
    /// Sessions past their handshake.
    pub(super) established: AtomicUsize,
}

/// A client that has said hello and may be here.
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) connection: Connection,
    pub(super) reader: ControlReader,
    pub(super) writer: ControlWriter,
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) resume: Option<ResumeSecret>,
    /// The version that is spoken (PROTOCOL 2.11).
    pub(super) version: u16,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            settings: parts.settings,
            clock: parts.clock,
            registry: parts.registry,
            gate: parts.gate,
            records: parts.records,
            origins: parts.origins,
            shutdown: parts.shutdown,
            established: AtomicUsize::new(0),
        }
    }

    /// Sessions past their handshake.
    pub(super) fn established(&self) -> usize {
        self.established.load(Ordering::Relaxed)
    }

    /// A secret that nobody can guess.
    pub(super) fn secret(&self) -> Result<ResumeSecret, Ending> {
        random()
            .map(ResumeSecret)
            .map_err(|error| Ending::because(Code::Internal, error))
    }
}

impl Session {
    /// The first message to the client.
    pub(super) fn welcome(
        &self,
        resume: Option<ResumeSecret>,
        heartbeat: Duration,
        status: Status,
        now: RelayTime,
    ) -> RelayMessage {
        RelayMessage::Welcome {
            version: self.version,
            session: self.number,
            broadcast: self.broadcast.id().to_string(),
            resume,
            heartbeat_ms: heartbeat.as_millis() as u32,
            relay_us: now.as_micros(),
            status,
        }
    }

    /// Says goodbye as `ending` wants and closes.
    pub(super) async fn part(mut self, ending: &Ending) {
        part(ending, &mut self.writer, &self.connection, self.number).await;
    }
}
