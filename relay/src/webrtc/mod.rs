//! The WebRTC side: browsers without WebTransport, and standard tools, watch and publish the same
//! frames as RTP (PROTOCOL 8).
//!
//! On webrtc-rs's sans-I/O parts (`rtc`), driven by the shards that also serve QUIC, on the same
//! port: [`Bridge`] is what HTTP opens sessions with, `serve` what brings them their packets.
//! From the socket inward: `ice` (whose packet is it?), `dtls` (which keys?), `srtp`; then
//! `egress` for players or `ingress` for publishers, told by `rtcp` how the packets arrive.

mod arrivals;
mod dtls;
mod egress;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod ice;
mod ingress;
mod reach;
mod rtcp;
mod sdp;
mod serve;
mod session;
mod srtp;
mod tcp;

use steadycast_codec_glue::wire::MediaKind;

pub use crate::delivery::PathNews;
pub use dtls::IdentityError;
pub use egress::{Trial, TrialError};
pub use reach::Reach;
pub use sdp::{Fragment, FragmentError, Offer, OfferError};
pub use session::bridge::{Bridge, Origin, Settings};
pub use session::{Ear, OpenError, Opened, RestartError, Session, SessionId};

pub(crate) use serve::Peers;
pub(crate) use tcp::{Arrival, Guest, may_begin, read_first};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use sdp::offers;

/// Units of a picture's RTP time in a second.
const VIDEO_CLOCK: u32 = MediaKind::Video.rtp_clock_rate();
/// Those of sound (RFC 7587, 4.1).
const SOUND_CLOCK: u32 = 48_000;
