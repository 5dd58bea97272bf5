//! How a shard's peers are reached from elsewhere.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Session;
use super::link::Pair;
use crate::shard::Packet;

/// What HTTP wants of a shard.
pub(in crate::webrtc) enum Command {
    Close(Arc<Session>),
    Restart(Arc<Session>, Pair),
}

/// Where a shard takes packets and commands.
#[derive(Clone)]
pub(in crate::webrtc) struct Door {
    pub(in crate::webrtc) packets: mpsc::Sender<Packet>,
    pub(in crate::webrtc) commands: mpsc::UnboundedSender<Command>,
}
