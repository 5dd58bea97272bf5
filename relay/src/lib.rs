//! The Steadycast relay.
pub mod broadcast;
