//! What players are sent, and when, whatever carries it.
//!
//! A [`Channel`] is one broadcast's players on one shard, over one kind of [`Carrier`]. Most
//! players have everything that there is, and so get the same next: they move **together**, the
//! cache is asked once for all of them. A player whose carrier cannot take all at once goes on
//! **alone**, so that it delays nobody, until it has everything again. A channel does no I/O and
//! has no clock: a carrier sends without waiting, time enters as a [`Moment`], and whoever drives
//! the channel calls [`Channel::advance`] until there is nothing to do, and again when a frame has
//! come ([`Channel::wake`]), a carrier can take more ([`Channel::ready`]) or time has passed
//! ([`Channel::pass_time`], due at [`Channel::deadline`]).
//!
//! Sound goes before pictures: each frame is handed to all players that **listen**, now or never, and nothing is kept
//! for those whose carriers have no room for it.
//!
//! [`Moment`]: crate::broadcast::Moment

mod alone;
mod carrier;
mod channel;
mod cohort;
mod extent;
mod filler;
mod given;
mod listeners;
mod news;
mod pairs;
mod pieces;
mod reception;
mod repeats;
mod timers;
mod wakes;

#[cfg(test)]
mod tests;

pub use given::Given;
pub use news::PathNews;
pub use reception::{Reception, Version};

pub(crate) use carrier::{Carrier, Gone, Packer, Rush, Sent, Sounder, Unwritten};
pub(crate) use channel::{Channel, Limits};
pub(crate) use extent::Extent;
pub(crate) use filler::Filler;
pub(crate) use pairs::Place;
pub(crate) use pieces::Pieces;
pub(crate) use repeats::{Wait, repeating};
pub(crate) use wakes::Wakes;
