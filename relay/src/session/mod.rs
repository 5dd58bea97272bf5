//! A client's session, the same on every carrier that has streams.
//!
//! A carrier's room accepts a connection, checks its path and its origin, and hands it to [`Local::serve`] as a
//! [`Link`]: streams, datagrams, an end. From there on all carriers are served by the same code: the hello and who may
//! come in (`greet`), control messages (`control`), what players are told (`player`) and what moves their frames
//! (`deliver`), what publishers bring (`publisher`, `group_reader`, `sound`), relays that serve others what they get here (`relay`), how a session ends and how its client
//! hears of it (`ending`). What is sent to a player is decided in [`crate::delivery`], and leaves by the link's own
//! [`crate::delivery::Carrier`].

mod arrivals;
mod audience;
mod control;
mod deliver;
mod elsewhere;
mod ending;
mod framed;
mod greet;
mod greeted;
mod group_reader;
mod link;
mod local;
mod player;
mod publisher;
mod relay;
mod settings;
mod shared;
mod sound;

pub(crate) use arrivals::Count;
pub(crate) use elsewhere::{About, Answer, Child, Comer, Elsewhere, NotHere};
pub(crate) use framed::{Framed, ReadError};
pub(crate) use group_reader::{GroupError, GroupReader, Part};
pub(crate) use link::{CutOff, Input, Link, Output, Player};
pub(crate) use local::Local;
pub(crate) use settings::Settings;
pub(crate) use shared::{Parts, Port, Shared};
