//! What a path carries.
//!
//! Both transports tell a [`Model`] what they send and what comes of it, for every peer: packets
//! sent, acknowledged (and when they had been sent) and lost. It answers how much may be in
//! flight ([`Model::window`]), how fast to send that ([`Model::pacing_rate`]), and what the path
//! carries ([`Model::carries`], unknown as long as it has carried everything it was given). There
//! is no I/O and no clock here: time comes with what happened.
//!
//! A carrier that finds losses itself, as QUIC does, feeds a [`Model`] (`quic/congestion.rs`). One
//! that does not has a [`Flight`], which numbers packets, takes the peer's feedback, feeds the model
//! and paces.
//!
//! docs/NETWORKS.md says how it works, and against what it was chosen.

mod delays;
mod epoch;
mod flight;
mod loss;
mod losses;
mod model;
mod pacer;
mod rival;
mod units;

pub use flight::{Flight, Received};
pub use losses::Losses;
pub use model::{Ack, Mode, Model, RoundTrip};
pub use pacer::Pacer;
pub use units::{Bytes, Rate};
