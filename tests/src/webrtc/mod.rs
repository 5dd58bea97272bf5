//! WebRTC clients on an implementation of their own (`str0m`), so that what the relay says is
//! judged by somebody else.

mod connection;
mod network;
mod peer;
mod player;
mod publisher;
mod rogue;
pub mod rtcp;
pub mod rtp;
mod session;

pub use connection::Connection;
pub use network::framed;
pub use peer::{Peer, Rtp};
pub use player::{Frame, OPUS, Player, RED, Sound};
pub use publisher::{Publisher, RawRtp};
pub use rogue::Rogue;
pub use rtc_srtp::protection_profile::ProtectionProfile;
pub use session::{Endpoint, Session, SoundOffer};
