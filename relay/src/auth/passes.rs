//! Sessions that were let in, each with what let it in, until they end.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, Role};
use tokio::sync::watch;

use super::grant::{Expiry, Grant};
use crate::broadcast::{BroadcastId, RelayTime};

/// Why a session may no longer be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withdrawal {
    /// Its token was good until now.
    #[error("the link was good until now; ask for a new one")]
    Expired,
    /// Its token was taken back.
    #[error("this link was taken back; ask for a new one")]
    Revoked,
    /// This session was ended, whatever its token is good for.
    #[error("the session was ended by whoever runs the broadcast")]
    Kicked,
}

impl Withdrawal {
    /// The code of PROTOCOL 5.
    pub fn code(self) -> Code {
        match self {
            Self::Expired => Code::TokenExpired,
            Self::Revoked => Code::Revoked,
            Self::Kicked => Code::Kicked,
        }
    }
}

/// How sessions reach the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// WebTransport, over QUIC.
    WebTransport,
    /// WebRTC, by WHIP and WHEP.
    WebRtc,
    /// WebSocket, over the TCP port of the pages.
    WebSocket,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebTransport, Self::WebRtc, Self::WebSocket];

    /// Its name in answers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebTransport => "webtransport",
            Self::WebRtc => "webrtc",
            Self::WebSocket => "websocket",
        }
    }
}

/// The circumstances of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// The session's number, by which logs and the API know it: from [`super::Gate::number`].
    pub number: u64,
    /// How it reaches the relay.
    pub transport: Transport,
    /// From where.
    pub from: IpAddr,
    /// Since when.
    pub since: RelayTime,
}

/// A session that was let in, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it may do, and whose it is.
    pub grant: Arc<Grant>,
    /// What it is.
    pub role: Role,
    /// Where it is.
    pub broadcast: BroadcastId,
    /// Its circumstances.
    pub visit: Visit,
}

/// What let a session in. The session keeps it for as long as it lasts, and leaves when it is withdrawn.
pub struct Pass {
    entry: Arc<Entry>,
    passes: Arc<Passes>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) standing: Standing,
    withdrawn: watch::Sender<Option<Withdrawal>>,
}

impl Pass {
    /// The session as others see it.
    pub fn standing(&self) -> &Standing {
        &self.entry.standing
    }

    /// What its token grants, and to whom.
    pub fn grant(&self) -> &Grant {
        &self.entry.standing.grant
    }

    /// The session's number.
    pub fn number(&self) -> u64 {
        self.entry.number()
    }

    /// What the session is.
    pub fn role(&self) -> Role {
        self.entry.standing.role
    }

    /// Where it is.
    pub fn broadcast(&self) -> &BroadcastId {
        &self.entry.standing.broadcast
    }

    /// Why the session has to end, if it has to.
    pub fn withdrawn(&self) -> Option<Withdrawal> {
        *self.entry.withdrawn.borrow()
    }

    /// Resolves when the session has to end. Cancel-safe.
    pub async fn withdrawal(&self) -> Withdrawal {
        let mut withdrawn = self.entry.withdrawn.subscribe();
        let known = withdrawn.wait_for(Option::is_some).await;
        // The entry outlives this, so there always is an answer.
        known
            .ok()
            .and_then(|why| *why)
            .unwrap_or(Withdrawal::Revoked)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.passes.leave(&self.entry);
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

impl Entry {
    fn number(&self) -> u64 {
        self.standing.visit.number
    }

    fn withdraw(&self, why: Withdrawal) {
        self.withdrawn.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert(why);
            first
        });
    }

    /// The second at which it ends by itself, since the Unix epoch.
    fn deadline(&self) -> Option<u64> {
        match self.standing.grant.expiry {
            Expiry::ConnectBy => None,
            Expiry::StayUntil => self.standing.grant.expires,
        }
    }
}

/// All that are out.
#[derive(Debug, Default)]
pub(super) struct Passes(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    out: HashMap<u64, Arc<Entry>>,
    /// Those that end by themselves: when, and which.
    ending: BTreeSet<(u64, u64)>,
}

impl Passes {
    /// Gives one out.
    pub(super) fn give(self: &Arc<Self>, standing: Standing) -> Pass {
        let entry = Arc::new(Entry {
            standing,
            withdrawn: watch::Sender::new(None),
        });
        let mut table = self.0.lock();
        if let Some(deadline) = entry.deadline() {
            table.ending.insert((deadline, entry.number()));
        }
        table.out.insert(entry.number(), entry.clone());
        drop(table);
        Pass {
            entry,
            passes: self.clone(),
        }
    }

    fn leave(&self, entry: &Entry) {
        let mut table = self.0.lock();
        table.out.remove(&entry.number());
        if let Some(deadline) = entry.deadline() {
            table.ending.remove(&(deadline, entry.number()));
        }
    }

    /// Withdraws those that are meant; gives how many.
    pub(super) fn withdraw(&self, why: Withdrawal, meant: impl Fn(&Standing) -> bool) -> usize {
        let table = self.0.lock();
        let meant = table.out.values().filter(|entry| meant(&entry.standing));
        meant.map(|entry| entry.withdraw(why)).count()
    }

    /// How many of those that are out are meant.
    pub(super) fn count(&self, meant: impl Fn(&Standing) -> bool) -> usize {
        let table = self.0.lock();
        let meant = table.out.values().filter(|entry| meant(&entry.standing));
        meant.count()
    }

    /// Withdraws those whose tokens end by `now`, in seconds since the Unix epoch.
    pub(super) fn end(&self, now: u64) {
        let mut table = self.0.lock();
        while let Some((deadline, number)) = table.ending.first().copied()
            && deadline <= now
        {
            table.ending.pop_first();
            if let Some(entry) = table.out.get(&number) {
                entry.withdraw(Withdrawal::Expired);
            }
        }
    }

    /// How many are out.
    pub(super) fn len(&self) -> usize {
        self.0.lock().out.len()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn give(passes: &Arc<Passes>, expires: u64, expiry: Expiry) -> Pass {
        let grant = Grant {
            expires: Some(expires),
            expiry,
            ..Grant::of_the_admin_key()
        };
        passes.give(Standing {
            grant: Arc::new(grant),
            role: Role::Player,
            broadcast: "main".parse().unwrap(),
            visit: Visit {
                number: passes.len() as u64,
                transport: Transport::WebRtc,
                from: Ipv4Addr::LOCALHOST.into(),
                since: RelayTime::default(),
            },
        })
    }

    #[tokio::test]
    async fn only_what_was_to_stay_until_then_ends_with_its_token() {
        let passes = Arc::new(Passes::default());
        let [connect, stay, longer] = [
            (5, Expiry::ConnectBy),
            (5, Expiry::StayUntil),
            (6, Expiry::StayUntil),
        ]
        .map(|(expires, expiry)| give(&passes, expires, expiry));
        passes.end(4);
        assert_eq!(stay.withdrawn(), None);
        passes.end(5);
        assert_eq!(stay.withdrawal().await, Withdrawal::Expired);
        assert_eq!((connect.withdrawn(), longer.withdrawn()), (None, None));
        drop(longer);
        passes.end(7);
        assert_eq!(passes.len(), 2);
    }

    #[tokio::test]
    async fn the_first_reason_stands_and_who_waits_hears_it() {
        let passes = Arc::new(Passes::default());
        let pass = give(&passes, 0, Expiry::ConnectBy);
        let waiting = pass.withdrawal();
        assert_eq!(passes.withdraw(Withdrawal::Kicked, |_| true), 1);
        passes.withdraw(Withdrawal::Revoked, |_| true);
        assert_eq!(waiting.await, Withdrawal::Kicked);
        assert_eq!(pass.withdrawn(), Some(Withdrawal::Kicked));
    }

    #[test]
    fn nothing_is_left_of_sessions_that_are_over() {
        let passes = Arc::new(Passes::default());
        drop(give(&passes, 9, Expiry::StayUntil));
        let table = passes.0.lock();
        assert!(table.out.is_empty() && table.ending.is_empty());
    }
}
