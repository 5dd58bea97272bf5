//! How players fare on bad networks.
//!
//! A [`trial`] is one condition, one transport and one seed: a relay and a publisher on the clean
//! side of a [`lab`](crate::lab), players behind paths, and sometimes a [`download`] beside them.
//! The player in question may be a [`browser`], and the relay another project's ([`peer`]).
//! [`figures`] are made of when each frame came; [`outcome`] holds them with what the path
//! carried; [`report`] shows many outcomes side by side.

pub mod browser;
mod company;
pub mod download;
pub mod figures;
mod groups;
pub mod outcome;
pub mod peer;
pub mod report;
mod stage;
pub mod trial;
mod viewer;

pub use browser::Browsers;
pub use figures::Figures;
pub use outcome::Outcome;
pub use peer::Peer;
pub use trial::Trial;
