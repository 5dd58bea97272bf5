//! The wire: control messages, frames, sound, limits and codes (PROTOCOL 2 to 5, 9, 11, 12).
//!
//! Everything here is a pure function of bytes. Decoders are fed by strangers:
//! they check every length before they trust it and fail with a [`WireError`].

mod code;
mod codec;
mod colour;
mod control;
mod error;
mod frame;
mod group;
pub mod limits;
mod message;
mod sound;
mod variants;
mod version;

pub use code::Code;
pub use codec::{
    CodecKind, CodecSet, MediaKind, Rendition, Service, Serving, TrackId, WantedTrack,
};
pub use colour::{Colour, MATRICES, PRIMARIES, TRANSFERS};
pub use control::{decode_client, decode_relay, encode_client, encode_relay};
pub use error::WireError;
pub use frame::{DecoderConfig, FrameHeader, GROUP_STREAM, HEADER_LEN};
pub use group::GroupOrder;
pub use message::{
    Branch, ClientMessage, Hop, Phase, RelayMessage, ResumeSecret, Role, Status, TrackGroup,
};
pub use sound::{
    SoundCodec, SoundFormat, SoundPacket, decode_sound, encode_sound, opus_duration_us,
};
pub use version::{MIN_VERSION, PAUSES, RELAYS, SEALS, SKIPPABLE, SOUNDS, VERSION, agree};
