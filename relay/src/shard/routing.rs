//! Which shard a packet belongs to.
//!
//! The system spreads clients over the shards' sockets by their addresses
//! (SO_REUSEPORT). A client whose address changes, because its NAT or network
//! did, may reach another shard than the one that holds its session; the
//! connection id tells which that is, and the packet is handed over.

use std::io::IoSliceMut;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use quinn::udp::RecvMeta;
use quinn::{ConnectionId, ConnectionIdGenerator};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::mpsc;

/// The length of the relay's connection ids (RFC 9000, 5.1).
const ID_LEN: usize = 8;
/// Packets that may wait for a shard; more are lost, as on a network.
const WAITING: usize = 1_024;
/// Packets with a long header begin like this (RFC 9000, 17.2): they open a connection.
const LONG_HEADER: u8 = 0x80;

/// Packets from one address that reached the wrong shard.
pub(crate) struct Stray {
    pub(crate) bytes: Bytes,
    pub(crate) meta: RecvMeta,
}

/// One shard's place among the others.
pub(crate) struct Routing {
    number: usize,
    shards: Arc<[mpsc::Sender<Stray>]>,
    strays: Mutex<mpsc::Receiver<Stray>>,
}

/// The places of `count` shards.
pub(crate) fn places(count: usize) -> Vec<Routing> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(WAITING)).unzip();
    let shards: Arc<[_]> = senders.into();
    let place = |(number, strays)| Routing {
        number,
        shards: Arc::clone(&shards),
        strays: Mutex::new(strays),
    };
    receivers.into_iter().enumerate().map(place).collect()
}

impl Routing {
    /// What makes the connection ids of this shard.
    pub(crate) fn ids(&self) -> ShardIds {
        ShardIds {
            number: self.number,
            shards: self.shards.len(),
            random: SystemRandom::new(),
        }
    }

    /// Packets that others have received for this shard.
    pub(crate) fn poll_stray(&self, cx: &mut Context<'_>) -> Poll<Stray> {
        if self.shards.len() < 2 {
            return Poll::Pending;
        }
        match self.strays.lock().poll_recv(cx) {
            Poll::Ready(Some(stray)) => Poll::Ready(stray),
            _ => Poll::Pending,
        }
    }

    /// Hands over what belongs to others and moves the rest to the front; returns how many stay.
    pub(crate) fn keep_own(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
        received: usize,
    ) -> usize {
        if self.shards.len() < 2 {
            return received;
        }
        let mut kept = 0;
        for at in 0..received {
            match owner(&bufs[at], self.shards.len()) {
                Some(shard) if shard != self.number => {
                    let bytes = Bytes::copy_from_slice(&bufs[at][..meta[at].len]);
                    let meta = meta[at];
                    // A shard that is this far behind loses them, as on a network.
                    let _ = self.shards[shard].try_send(Stray { bytes, meta });
                }
                _ => {
                    bufs.swap(kept, at);
                    meta.swap(kept, at);
                    kept += 1;
                }
            }
        }
        kept
    }
}

/// The shard that made the connection id of a packet; `None` for one that opens a connection.
fn owner(packet: &[u8], shards: usize) -> Option<usize> {
    match packet {
        [flags, id, ..] if flags & LONG_HEADER == 0 => Some(usize::from(*id) % shards),
        _ => None,
    }
}

/// Random connection ids that tell their shard, and nothing else.
#[derive(Clone)]
pub(crate) struct ShardIds {
    number: usize,
    shards: usize,
    random: SystemRandom,
}

impl ConnectionIdGenerator for ShardIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_LEN];
        // Without randomness from the system no session could be opened either.
        let _ = self.random.fill(&mut id);
        id[0] = stamped(id[0], self.number, self.shards);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        ID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// The byte nearest to `random` that leaves `number` when divided by `shards`, both at most 128.
fn stamped(random: u8, number: usize, shards: usize) -> u8 {
    let random = usize::from(random);
    let stamped = random - random % shards + number;
    let within = if stamped > usize::from(u8::MAX) {
        stamped - shards
    } else {
        stamped
    };
    within as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_shard() {
        for shards in [1, 2, 3, 7, 128] {
            for place in places(shards) {
                let number = place.number;
                for random in 0..=u8::MAX {
                    let stamp = usize::from(stamped(random, number, shards));
                    assert_eq!(stamp % shards, number, "{random} {number} {shards}");
                }
                let id = place.ids().generate_cid();
                let packet = [&[0x40], &id[..]].concat();
                assert_eq!(owner(&packet, shards), Some(number));
            }
        }
    }

    #[test]
    fn packets_that_open_a_connection_stay_where_they_came() {
        assert_eq!(owner(&[0xc0, 0, 0, 0, 1], 2), None);
        assert_eq!(owner(&[], 2), None);
    }

    #[tokio::test]
    async fn strays_reach_their_shard() {
        let mut places = places(2);
        let (second, first) = (places.remove(1), places.remove(0));
        let (mut own, mut other) = ([0x40, 4, 9], [0x40, 5, 7]);
        let mut bufs = [IoSliceMut::new(&mut other), IoSliceMut::new(&mut own)];
        let mut meta = [RecvMeta {
            len: 3,
            ..RecvMeta::default()
        }; 2];
        assert_eq!(first.keep_own(&mut bufs, &mut meta, 2), 1);
        assert_eq!(bufs[0][2], 9);
        let stray = std::future::poll_fn(|cx| second.poll_stray(cx)).await;
        assert_eq!(&stray.bytes[..], [0x40, 5, 7]);
    }
}
