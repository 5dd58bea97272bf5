//! The Steadycast relay.
