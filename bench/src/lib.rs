//! Loads a relay with real sessions and says what it costs.
//!
//! [`fanout`] is one run: a publisher per broadcast, players that check every
//! frame, and a [`report`]. The other commands are made of such runs, except
//! [`floor`], which measures what the machine allows at best.

pub mod cli;
pub mod client;
pub mod fanout;
pub mod floor;
pub mod ledger;
pub mod load;
pub mod player;
pub mod process;
pub mod publisher;
pub mod report;
pub mod source;
pub mod tally;
pub mod target;
