//! What strangers may cost.

use std::time::Duration;

use crate::config::Limits;

/// The first version whose sessions know renditions for narrow paths (PROTOCOL 2.10).
pub(super) const WIDTHS_SINCE: u16 = 3;

/// What strangers may cost (the configuration's `[limits]`).
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Sessions in all.
    pub(crate) sessions: usize,
    /// Sessions from one address (IPv6: one /56).
    pub(crate) sessions_per_address: usize,
    /// Handshakes under way; more are refused.
    pub(crate) handshakes: usize,
    /// Handshakes under way above which a client must prove its address first.
    pub(crate) retry_above: usize,
    /// QUIC handshake and WebTransport request must be done by then.
    pub(crate) connect_timeout: Duration,
    /// `Hello` must have come by then.
    pub(crate) hello_timeout: Duration,
    /// A session that nothing was heard of for this long is closed.
    pub(crate) idle_timeout: Duration,
    /// A player that acknowledged nothing for this long, while something was on its way, is closed.
    pub(crate) player_stall: Duration,
    /// Bytes on their way to one player at most.
    pub(crate) player_send_window: u64,
}

impl From<&Limits> for Settings {
    fn from(limits: &Limits) -> Self {
        Self {
            sessions: limits.sessions,
            sessions_per_address: limits.sessions_per_address,
            handshakes: limits.handshakes,
            retry_above: limits.retry_above,
            connect_timeout: limits.connect_timeout,
            hello_timeout: limits.hello_timeout,
            idle_timeout: limits.idle_timeout,
            player_stall: limits.player_stall,
            player_send_window: limits.player_send_window,
        }
    }
}
