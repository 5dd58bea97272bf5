//! Connections that come for a session, and end.

use std::time::Instant;

use super::{Arrival, Command, Peers, Remote, Wire};

impl<W: Wire> Peers<W> {
    /// Takes in a connection whose first packet is a check for a session. Where that does not pass, the
    /// connection is closed.
    pub(super) async fn adopt(&mut self, arrival: Arrival, number: u64) {
        // Its client may have come to another shard over UDP meanwhile.
        if self.bridge.shard_of(&arrival) != Some(self.number) {
            return self.bridge.receive(arrival);
        }
        let (bridge, shard) = (self.bridge.clone(), self.number);
        let lost = move |remote| bridge.routes().command(shard, Command::Lost(remote));
        let first = match self.outlet.open(arrival, number, self.inlet.clone(), lost) {
            Ok(first) => first,
            Err(error) => return tracing::debug!(%error, "a connection has ended"),
        };
        let remote = first.from;
        self.receive(first).await;
        match self.by_remote.contains_key(&remote) {
            true => self.outlet.introduce(remote),
            false => {
                tracing::debug!("closed a connection: its check is not its session's");
                self.outlet.close(remote);
            }
        }
    }

    /// A connection has ended, or is of no use any more: its peer is elsewhere.
    pub(super) fn lose(&mut self, remote: Remote) {
        let Some(key) = self.by_remote.get(&remote).copied() else {
            return self.outlet.close(remote);
        };
        self.leave(key, remote);
        self.peers[key].link.lose(remote, Instant::now());
        self.follow(key);
    }

    /// Whether a packet is one of a connection that came for another session than this peer's, if any.
    pub(super) fn is_astray(&self, from: Remote, key: Option<usize>) -> bool {
        let owner = self.by_remote.get(&from).copied();
        from.connection.is_some() && owner.is_some() && owner != key
    }
}
