//! Loads a relay with real sessions and says what it costs.
//!
//! [`fanout`] is one run: a publisher per broadcast, players that check every
//! frame, and a [`report`]. [`sweep`] and [`soak`] are made of such runs;
//! [`churn`] has players come and go; [`halves`] is a run on two machines;
//! [`floor`] measures what the machine allows at best; [`model`] is a cluster on virtual
//! time. The [`commands`] only
//! read options and show results.

pub mod checker;
pub mod churn;
pub mod cli;
pub mod client;
pub mod cluster;
pub mod commands;
pub mod entrance;
pub mod fanout;
pub mod faults;
pub mod floor;
pub mod halves;
pub mod lab;
pub mod lane;
pub mod ledger;
pub mod load;
pub mod model;
pub mod narrow;
pub mod network;
pub mod peer;
pub mod place;
pub mod player;
pub mod process;
pub mod publisher;
pub mod publishers;
pub mod report;
pub mod soak;
pub mod sound;
pub mod source;
pub mod stamp;
pub mod sweep;
pub mod tally;
pub mod target;
pub mod transport;
pub mod whep;
