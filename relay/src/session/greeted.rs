//! A client that has said hello.

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{RelayMessage, ResumeSecret, Status};

use super::control::{ControlReader, ControlWriter};
use super::ending::{Ending, part};
use super::link::Link;
use crate::broadcast::{Broadcast, RelayTime};

/// A client that has said hello and may be here.
pub(super) struct Session<L: Link> {
    pub(super) number: u64,
    pub(super) link: L,
    pub(super) reader: ControlReader<L::Input>,
    pub(super) writer: ControlWriter<L::Output>,
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) resume: Option<ResumeSecret>,
    /// The version that is spoken (PROTOCOL 2.11).
    pub(super) version: u16,
}

impl<L: Link> Session<L> {
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
        part(ending, &mut self.writer, &self.link, self.number).await;
    }
}
