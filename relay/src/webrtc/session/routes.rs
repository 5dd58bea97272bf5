//! Which shard looks after a client's place, and how shards are reached.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::RwLock;

use super::door::{Command, Door};
use crate::shard::{Packet, Remote};

/// The shards, and where their peers are.
#[derive(Default)]
pub(in crate::webrtc) struct Routes {
    shards: RwLock<Vec<Door>>,
    by_remote: RwLock<HashMap<Remote, usize>>,
}

impl Routes {
    /// Makes a shard known; returns its number.
    pub(in crate::webrtc) fn enlist(&self, door: Door) -> usize {
        let mut shards = self.shards.write();
        shards.push(door);
        shards.len() - 1
    }

    /// Records where packets from there belong. One that is another shard's is taken over only
    /// by a peer that is `surely` there.
    pub(in crate::webrtc) fn settle(&self, remote: Remote, shard: usize, surely: bool) {
        match self.by_remote.write().entry(remote) {
            Entry::Occupied(mut known) if surely => *known.get_mut() = shard,
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(shard);
            }
        }
    }

    /// Forgets an address that is nobody's any more, unless another shard looks after it now.
    pub(in crate::webrtc) fn unsettle(&self, remote: Remote, shard: usize) {
        let mut known = self.by_remote.write();
        if known.get(&remote) == Some(&shard) {
            known.remove(&remote);
        }
    }

    /// The shard that looks after an address.
    pub(in crate::webrtc) fn shard_of(&self, remote: Remote) -> Option<usize> {
        self.by_remote.read().get(&remote).copied()
    }

    /// Hands a packet to a shard. One that is this far behind loses it, as on a network.
    pub(in crate::webrtc) fn forward(&self, shard: usize, packet: Packet) {
        if let Some(door) = self.shards.read().get(shard) {
            let _ = door.packets.try_send(packet);
        }
    }

    /// How many shards there are.
    pub(super) fn shards(&self) -> usize {
        self.shards.read().len()
    }

    /// Tells a shard something.
    pub(in crate::webrtc) fn command(&self, shard: usize, command: Command) {
        if let Some(door) = self.shards.read().get(shard) {
            // A shard that has ended has no sessions.
            let _ = door.commands.send(command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_went_over_to_another_shard_is_not_forgotten_for_it() {
        let routes = Routes::default();
        let remote = Remote::udp("192.0.2.1:50000".parse().unwrap());
        routes.settle(remote, 0, true);
        routes.settle(remote, 1, true);
        // The first shard hears later that its player has gone from there.
        routes.unsettle(remote, 0);
        assert_eq!(routes.shard_of(remote), Some(1));
        routes.unsettle(remote, 1);
        assert_eq!(routes.shard_of(remote), None);
    }

    #[test]
    fn only_a_peer_that_is_surely_there_takes_over_an_address() {
        let routes = Routes::default();
        let remote = Remote::udp("192.0.2.1:50000".parse().unwrap());
        routes.settle(remote, 0, false);
        routes.settle(remote, 1, false);
        assert_eq!(routes.shard_of(remote), Some(0));
        routes.settle(remote, 1, true);
        assert_eq!(routes.shard_of(remote), Some(1));
    }
}
