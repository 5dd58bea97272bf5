//! What of a client's WebSocket is agreed on before it is one (RFC 6455, 4; RFC 8441).

use axum::extract::ws::WebSocketUpgrade;
use qmux::{Config, Protocol, Version};

use super::transport::{LONGEST_MESSAGE, READ_BUFFER, WRITE_BUFFER};
use crate::session::Settings;

/// The subprotocol: which QMux, and what is spoken in it (PROTOCOL 10.1).
pub(crate) const SUBPROTOCOL: &str = "qmux-02.steadycast";
const VERSION: Version = Version::QMux02;
const APPLICATION: &str = "steadycast";

/// Groups that a client may have open at once: QMux says so before anybody knows whether it is a publisher.
const GROUPS: u64 = 64;
/// The control stream, and one more so that a client's mistake is seen.
const CONTROL_STREAMS: u64 = 2;
/// Bytes of each that may wait to be read: a keyframe of text at once, or 20 Mbit/s over 100 ms. All together have no
/// bound of their own: qmux 0.6.6 gives nothing back of what was not read of a stream that is reset, so that it would be
/// used up in the end, and with it the session.
const WINDOW: u64 = 256 << 10;
const ALL: u64 = 1 << 60;
/// The same of a control stream, which is read slowly (PROTOCOL 2.6) and each byte of which may come by itself.
const CONTROL_WINDOW: u64 = 8 << 10;
/// A datagram of sound (PROTOCOL 9.3), and what says that it is one.
const DATAGRAM: u64 = 1_200;

/// The bounds of messages and of what waits to be read and written.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // One that is a little longer is answered by who reads it; of others no more than this is kept.
        .max_message_size(4 * LONGEST_MESSAGE)
        .max_frame_size(4 * LONGEST_MESSAGE)
        .protocols([SUBPROTOCOL])
}

/// What the relay tells a client of what it may send.
pub(super) fn terms(settings: &Settings) -> Config {
    let mut config = Config::new(VERSION);
    config.protocol = Protocol::Negotiated(APPLICATION.to_owned());
    config.max_streams_uni = GROUPS;
    config.max_streams_bidi = CONTROL_STREAMS;
    config.max_data = ALL;
    config.max_stream_data_uni = WINDOW;
    config.max_stream_data_bidi_remote = CONTROL_WINDOW;
    config.max_stream_data_bidi_local = CONTROL_WINDOW;
    config.max_datagram_frame_size = DATAGRAM;
    config.max_record_size = LONGEST_MESSAGE as u64;
    config.max_idle_timeout = settings.idle_timeout.as_millis() as u64;
    config.handshake_timeout = settings.connect_timeout;
    // Pongs tell the round trip, and more often.
    config.rtt_interval = std::time::Duration::ZERO;
    config
}
