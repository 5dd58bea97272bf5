//! A session with its client.

use std::sync::Arc;

use steadycast_codec_glue::wire::{Code, Role};

use super::Session;
use super::link::Link;
use crate::broadcast::PlayerSeat;
use crate::shard::AddressShare;
use crate::webrtc::egress::sender::Sender;
use crate::webrtc::egress::sound::SoundSender;
use crate::webrtc::ingress::upstream::Upstream;

/// A session with its client.
pub(in crate::webrtc) struct Peer {
    pub(in crate::webrtc) session: Arc<Session>,
    pub(in crate::webrtc) link: Link,
    pub(in crate::webrtc) side: Side,
    /// What it takes of its network's share.
    pub(in crate::webrtc) _share: AddressShare,
}

/// What a peer is here for.
pub(in crate::webrtc) enum Side {
    /// It will watch once it has connected.
    Expected(Box<Newcomer>),
    /// It watches, under this key of its broadcast's channel.
    Player(usize),
    Publisher(Box<Upstream>),
}

/// A player that has not connected yet.
pub(in crate::webrtc) struct Newcomer {
    pub(in crate::webrtc) seat: PlayerSeat,
    pub(in crate::webrtc) sender: Sender,
    /// Where it takes sound.
    pub(in crate::webrtc) sound: Option<SoundSender>,
}

impl Side {
    pub(in crate::webrtc) fn role(&self) -> Role {
        match self {
            Self::Expected(_) | Self::Player(_) => Role::Player,
            Self::Publisher(_) => Role::Publisher,
        }
    }
}

impl Peer {
    /// Gives up the seat of one that has not come; `code` is recorded as the reason.
    pub(in crate::webrtc) fn leave(self, code: Code) {
        if let Side::Expected(newcomer) = self.side {
            newcomer.seat.leave(code);
        }
    }
}
