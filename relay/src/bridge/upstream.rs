//! A peer that publishes (WHIP).

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use steadycast_codec_glue::wire::Code;

use super::sdp::Offer;
use crate::broadcast::{AttachError, Broadcast, RelayTime};

/// A publisher's side of the bridge.
pub(super) struct Upstream {
    broadcast: Arc<Broadcast>,
}

/// Why a publisher's session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum UpstreamError {
    #[error("not yet")]
    NotYet,
}

impl UpstreamError {
    pub(super) fn code(self) -> Code {
        Code::Internal
    }
}

impl Upstream {
    pub(super) fn new(_offer: &Offer, _ssrc: u32, broadcast: &Arc<Broadcast>) -> Self {
        Self { broadcast: broadcast.clone() }
    }

    pub(super) fn attach(&mut self, _now: RelayTime) -> Result<(), AttachError> {
        Ok(())
    }

    pub(super) fn take(&mut self, _packet: Bytes, _now: (Instant, RelayTime)) -> Result<(), UpstreamError> {
        Err(UpstreamError::NotYet)
    }

    pub(super) fn take_control(&mut self, _packet: &[u8], _now: RelayTime) {}

    pub(super) fn poll_control(&mut self) -> Option<Vec<u8>> {
        None
    }

    pub(super) fn news(&mut self) -> Result<(), Code> {
        self.broadcast.ended().map_or(Ok(()), Err)
    }

    pub(super) fn pass_time(&mut self, _now: (Instant, RelayTime)) -> Result<(), UpstreamError> {
        Ok(())
    }

    pub(super) fn leave(self, _code: Code) {}
}
