use std::time::Duration;

/// What strangers may cost (the configuration's `[limits]`).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Sessions in all.
    pub sessions: usize,
    /// Sessions from one address (IPv6: one /56).
    pub sessions_per_address: usize,
    /// Handshakes under way; more are refused.
    pub handshakes: usize,
    /// Handshakes under way above which a client must prove its address first.
    pub retry_above: usize,
    /// QUIC handshake and WebTransport request must be done by then.
    pub connect_timeout: Duration,
    /// `Hello` must have come by then.
    pub hello_timeout: Duration,
    /// A session that nothing was heard of for this long is closed.
    pub idle_timeout: Duration,
    /// A player that took no byte for this long is closed.
    pub player_stall: Duration,
    /// Bytes on their way to one player at most.
    pub player_send_window: u64,
    /// Origins that may open sessions besides the relay's own.
    pub origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions: 20_000,
            sessions_per_address: 2000,
            handshakes: 1024,
            retry_above: 256,
            connect_timeout: Duration::from_secs(5),
            hello_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(15),
            player_stall: Duration::from_secs(10),
            player_send_window: 1 << 20,
            origins: Vec::new(),
        }
    }
}
