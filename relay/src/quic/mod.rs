//! QUIC: what the relay adds to quinn.

pub mod congestion;
