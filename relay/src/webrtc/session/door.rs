//! How a shard's peers are reached from elsewhere.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Session;
use super::link::Pair;
use crate::broadcast::{AttachError, PublisherSeat};
use crate::shard::{Packet, Remote};
use crate::webrtc::tcp::Arrival;

/// What a shard is told.
pub(in crate::webrtc) enum Command {
    Close(Arc<Session>),
    Restart(Arc<Session>, Pair),
    /// The page of the player of this number asks for a keyframe.
    Plea(u64),
    /// A connection has come for a session of this shard's, or for one whose client has not been seen; it
    /// has this number.
    Adopt(Box<Arrival>, u64),
    /// A connection has ended.
    Lost(Remote),
    /// Whether the publisher of the session of this number may publish.
    Seated(u64, Result<PublisherSeat, AttachError>),
}

/// Where a shard takes packets and commands.
#[derive(Clone)]
pub(in crate::webrtc) struct Door {
    pub(in crate::webrtc) packets: mpsc::Sender<Packet>,
    pub(in crate::webrtc) commands: mpsc::UnboundedSender<Command>,
}
