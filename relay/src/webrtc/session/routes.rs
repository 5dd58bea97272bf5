//! Which shard looks after an address, and how shards are reached.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;

use parking_lot::RwLock;

use super::door::{Command, Door};
use crate::shard::Packet;

/// The shards, and the addresses of their peers.
#[derive(Default)]
pub(in crate::webrtc) struct Routes {
    shards: RwLock<Vec<Door>>,
    by_address: RwLock<HashMap<SocketAddr, usize>>,
}

impl Routes {
    /// Makes a shard known; returns its number.
    pub(in crate::webrtc) fn enlist(&self, door: Door) -> usize {
        let mut shards = self.shards.write();
        shards.push(door);
        shards.len() - 1
    }

    /// Records where packets from an address belong. One that is another shard's is taken over only
    /// by a peer that is `surely` there.
    pub(in crate::webrtc) fn settle(&self, address: SocketAddr, shard: usize, surely: bool) {
        match self.by_address.write().entry(address) {
            Entry::Occupied(mut known) if surely => *known.get_mut() = shard,
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(shard);
            }
        }
    }

    /// Forgets an address that is nobody's any more, unless another shard looks after it now.
    pub(in crate::webrtc) fn unsettle(&self, address: SocketAddr, shard: usize) {
        let mut known = self.by_address.write();
        if known.get(&address) == Some(&shard) {
            known.remove(&address);
        }
    }

    /// The shard that looks after an address.
    pub(in crate::webrtc) fn shard_of(&self, address: SocketAddr) -> Option<usize> {
        self.by_address.read().get(&address).copied()
    }

    /// Hands a packet to a shard. One that is this far behind loses it, as on a network.
    pub(in crate::webrtc) fn forward(&self, shard: usize, packet: Packet) {
        if let Some(door) = self.shards.read().get(shard) {
            let _ = door.packets.try_send(packet);
        }
    }

    pub(super) fn command(&self, shard: usize, command: Command) {
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
        let address = "192.0.2.1:50000".parse().unwrap();
        routes.settle(address, 0, true);
        routes.settle(address, 1, true);
        // The first shard hears later that its player has gone from there.
        routes.unsettle(address, 0);
        assert_eq!(routes.shard_of(address), Some(1));
        routes.unsettle(address, 1);
        assert_eq!(routes.shard_of(address), None);
    }

    #[test]
    fn only_a_peer_that_is_surely_there_takes_over_an_address() {
        let routes = Routes::default();
        let address = "192.0.2.1:50000".parse().unwrap();
        routes.settle(address, 0, false);
        routes.settle(address, 1, false);
        assert_eq!(routes.shard_of(address), Some(0));
        routes.settle(address, 1, true);
        assert_eq!(routes.shard_of(address), Some(1));
    }
}
