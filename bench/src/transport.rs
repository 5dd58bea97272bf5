//! By what players watch.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// By what players watch.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub struct Transport {
    /// By what players watch; with `both`, every second one by WebRTC
    #[arg(long, value_enum, default_value_t = Choice::Webtransport)]
    pub transport: Choice,
    /// How media of WebRTC players is protected
    #[arg(long, value_enum, default_value_t = Srtp::Gcm)]
    pub srtp: Srtp,
}

/// What `--transport` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// A WebTransport session each
    Webtransport,
    /// A WHEP session each
    Webrtc,
    /// A WebSocket session each
    Websocket,
    /// Both kinds
    Both,
}

/// What `--srtp` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Srtp {
    /// By AEAD_AES_128_GCM: it is offered, as browsers do, and the relay takes it
    Gcm,
    /// By SRTP_AES128_CM_HMAC_SHA1_80: nothing else is offered
    Sha1,
}

/// By what one player watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// WebTransport.
    WebTransport,
    /// WebRTC.
    WebRtc,
    /// WebSocket.
    WebSocket,
}

impl Transport {
    /// By what the player of this number watches.
    pub fn way(&self, player: usize) -> Way {
        match self.transport {
            Choice::Webtransport => Way::WebTransport,
            Choice::Webrtc => Way::WebRtc,
            Choice::Websocket => Way::WebSocket,
            Choice::Both if player.is_multiple_of(2) => Way::WebTransport,
            Choice::Both => Way::WebRtc,
        }
    }

    /// Whether any player watches by WebRTC.
    pub fn has_webrtc(&self) -> bool {
        matches!(self.transport, Choice::Webrtc | Choice::Both)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let srtp = match self.srtp {
            Srtp::Gcm => "AES-GCM",
            Srtp::Sha1 => "HMAC-SHA1",
        };
        match self.transport {
            Choice::Webtransport => write!(f, "WebTransport"),
            Choice::Websocket => write!(f, "WebSocket"),
            Choice::Webrtc => write!(f, "WebRTC ({srtp})"),
            Choice::Both => write!(f, "WebTransport and WebRTC ({srtp})"),
        }
    }
}
