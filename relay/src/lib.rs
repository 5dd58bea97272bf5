//! The Steadycast relay.
pub mod broadcast;
pub mod transport;
