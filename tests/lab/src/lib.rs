//! Bad networks, made up from a seed.
//!
//! A [`Link`] is one direction of a way through the network: it takes packets, and gives those
//! that come through, each when it arrives. It has no sockets and no clock: the caller says what
//! time it is, so that the same model serves tests on virtual time and an emulator that carries
//! real packets. A [`Path`] is two links. [`conditions`] has the networks that Steadycast is
//! measured on, by name.

pub mod conditions;
pub mod counters;
mod dice;
pub mod link;
pub mod loss;
pub mod path;
pub mod shape;

pub use conditions::Condition;
pub use counters::Counters;
pub use link::{Arrival, Fate, Link, Reason};
pub use loss::Loss;
pub use path::{Path, Ways};
pub use shape::{Change, Course, Rate, Shape};
