//! A WebRTC player on a path of the lab, on virtual time: everything from the broadcast's cache to
//! the player's frames is the relay's own, but the sockets.

mod publisher;
mod tables;
#[path = "../../../../tests/path/tcp.rs"]
#[allow(dead_code, reason = "others count what it carried")]
mod tcp;
mod tests;
mod viewer;
mod world;

use publisher::Publisher;
use viewer::{Seen, Viewer};
use world::World;
