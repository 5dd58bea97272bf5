//! The sessions by name: whose client has not come yet, and which shard has the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::door::Command;
use super::link::Pair;
use super::peer::Peer;
use super::routes::Routes;
use super::{RestartError, Session, SessionId};
use crate::shard::{Crowd, Ticket};
use crate::webrtc::ice::{Check, Credentials, Ufrag};

/// Whose a check is.
pub(in crate::webrtc) enum Owner {
    /// A client that has not been seen before: it is the asking shard's from now on.
    Newcomer(Box<Peer>),
    /// Another shard's.
    Shard(usize),
    Nobody,
}

enum Holder {
    /// Nobody has seen its client yet.
    Waiting(Box<Peer>, Instant, Ticket),
    Shard(usize),
}

/// All sessions.
#[derive(Default)]
pub(super) struct Table {
    holders: HashMap<Ufrag, Holder>,
    sessions: HashMap<SessionId, Arc<Session>>,
    /// Those of the holders that wait.
    strangers: Crowd<Ufrag>,
}

impl Table {
    /// Sessions, those included whose client has not come yet.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Nothing is left of any session.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.sessions.is_empty()
    }

    pub(super) fn get(&self, id: &SessionId) -> Option<&Arc<Session>> {
        self.sessions.get(id)
    }

    /// Waits for the client of a session until then. Where more than `most` are waited for, gives the
    /// one that has to make way.
    pub(super) fn wait_for(
        &mut self,
        peer: Box<Peer>,
        network: IpAddr,
        until: Instant,
        most: usize,
    ) -> Option<Box<Peer>> {
        let session = peer.session.clone();
        let ufrag = session.ice.lock().current.ufrag.clone();
        let (ticket, crowding) = self.strangers.enter(network, ufrag.clone(), most);
        let holder = Holder::Waiting(peer, until, ticket);
        self.holders.insert(ufrag, holder);
        self.sessions.insert(session.id.clone(), session);
        self.give_up(&crowding?)
    }

    /// Forgets a session whose client is not waited for any longer.
    fn give_up(&mut self, ufrag: &Ufrag) -> Option<Box<Peer>> {
        if let Holder::Shard(_) = self.holders.get(ufrag)? {
            return None;
        }
        let Holder::Waiting(peer, _, ticket) = self.holders.remove(ufrag)? else {
            return None;
        };
        self.strangers.leave(ticket);
        self.sessions.remove(&peer.session.id);
        Some(peer)
    }

    /// Forgets sessions whose client has not come in time, and such of broadcasts that ended.
    pub(super) fn give_up_late(&mut self, now: Instant) -> Vec<Peer> {
        self.give_up_those(|peer, until| until <= now || peer.session.has_to_end().is_some())
    }

    /// Forgets all sessions whose client has not come.
    pub(super) fn give_up_all(&mut self) -> Vec<Peer> {
        self.give_up_those(|_, _| true)
    }

    fn give_up_those(&mut self, over: impl Fn(&Peer, Instant) -> bool) -> Vec<Peer> {
        let those = |(ufrag, holder): (&Ufrag, &Holder)| match holder {
            Holder::Waiting(peer, until, _) => over(peer, *until).then(|| ufrag.clone()),
            Holder::Shard(_) => None,
        };
        let those: Vec<_> = self.holders.iter().filter_map(those).collect();
        those
            .iter()
            .filter_map(|ufrag| self.give_up(ufrag).map(|peer| *peer))
            .collect()
    }

    /// Whose a check is that `shard` does not know.
    pub(super) fn owner(&mut self, check: &mut Check, shard: usize) -> Owner {
        let Some(holder) = self.holders.get(check.ufrag()) else {
            return Owner::Nobody;
        };
        match holder {
            Holder::Shard(other) => return Owner::Shard(*other),
            Holder::Waiting(peer, ..) if peer.link.verify(check).is_err() => return Owner::Nobody,
            Holder::Waiting(..) => {}
        }
        match self.hand_over(check.ufrag(), shard) {
            Some(peer) => Owner::Newcomer(peer),
            None => Owner::Nobody,
        }
    }

    /// The shard of the session that a connection's first check is for; `None` where there is no such
    /// session. One that no shard has is given to any of so many.
    pub(super) fn shard_of(&self, check: &mut Check, shards: usize) -> Option<usize> {
        match self.holders.get(check.ufrag())? {
            Holder::Shard(shard) => Some(*shard),
            Holder::Waiting(peer, ..) => {
                peer.link.verify(check).ok()?;
                let number = usize::try_from(peer.session.number).unwrap_or_default();
                number.checked_rem(shards)
            }
        }
    }

    /// The client of a session has come: it is this shard's from now on.
    pub(super) fn hand_over(&mut self, ufrag: &Ufrag, shard: usize) -> Option<Box<Peer>> {
        let holder = self.holders.get_mut(ufrag)?;
        match std::mem::replace(holder, Holder::Shard(shard)) {
            Holder::Waiting(peer, _, ticket) => {
                self.strangers.leave(ticket);
                Some(peer)
            }
            known @ Holder::Shard(_) => {
                *holder = known;
                None
            }
        }
    }

    /// A session is known by other credentials from now on, and its client by `remote`.
    pub(super) fn restart(
        &mut self,
        session: &Arc<Session>,
        ours: Credentials,
        remote: Credentials,
        routes: &Routes,
    ) -> Result<(), RestartError> {
        let pair = Pair {
            ours: ours.clone(),
            theirs: remote.clone(),
        };
        let mut ice = session.ice.lock();
        let old = &ice.current.ufrag;
        match self.holders.get_mut(old).ok_or(RestartError::Unknown)? {
            Holder::Waiting(peer, _, ticket) => {
                // It was never known by more than one name.
                let _ = peer.link.restart(pair);
                if let Some(known) = self.strangers.get_mut(*ticket) {
                    known.clone_from(&ours.ufrag);
                }
                if let Some(holder) = self.holders.remove(old) {
                    self.holders.insert(ours.ufrag.clone(), holder);
                }
                ice.names.clear();
            }
            Holder::Shard(shard) => {
                let shard = *shard;
                routes.command(shard, Command::Restart(session.clone(), pair));
                let holder = Holder::Shard(shard);
                self.holders.insert(ours.ufrag.clone(), holder);
            }
        }
        ice.names.push(ours.ufrag.clone());
        ice.remote = remote;
        ice.generation += 1;
        ice.current = ours;
        Ok(())
    }

    /// Its page asks for a keyframe: the shard that has it is told; where its client has not come, it lacks none.
    pub(super) fn plead(&self, session: &Session, routes: &Routes) {
        let ufrag = &session.ice.lock().current.ufrag;
        if let Some(Holder::Shard(shard)) = self.holders.get(ufrag) {
            routes.command(*shard, Command::Plea(session.number));
        }
    }

    /// Takes a session out of its client's sight. Gives the peer where it is waited for; a shard that
    /// has it is told.
    pub(super) fn close(&mut self, session: &Arc<Session>, routes: &Routes) -> Option<Box<Peer>> {
        self.sessions.remove(&session.id);
        let ufrag = session.ice.lock().current.ufrag.clone();
        if let Some(Holder::Shard(shard)) = self.holders.get(&ufrag) {
            routes.command(*shard, Command::Close(session.clone()));
        }
        self.give_up(&ufrag)
    }

    /// Forgets a session that is over.
    pub(super) fn forget(&mut self, session: &Session) {
        for ufrag in &session.ice.lock().names {
            self.holders.remove(ufrag);
        }
        self.sessions.remove(&session.id);
    }

    /// A session is not known by this name any more.
    pub(super) fn rename(&mut self, gone: &Ufrag) {
        self.holders.remove(gone);
    }
}
