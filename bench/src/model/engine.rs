//! The engine on virtual time: values by key and revision, in one order, each taken over the revision that was read and
//! no other, and leases that end by themselves.

use std::collections::HashMap;

use steadycast_relay::broadcast::RelayTime;
use steadycast_relay::directory::{Claim, Found, Lease};

/// What is written under a key.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// A relay's lease; `None`: it has ended.
    Lease(usize, Option<Lease>),
    /// A broadcast's claim.
    Claim(usize, Option<Claim>),
}

/// Broadcasts and relays go by their numbers.
#[derive(Debug, Default)]
pub(super) struct Engine {
    log: Vec<Said>,
    claims: HashMap<usize, (u64, Option<Claim>)>,
    leases: HashMap<usize, RelayTime>,
    /// When what has come so far will have been written.
    busy_until: u64,
    /// Until when it takes nothing, since the server that led it has gone.
    headless_until: u64,
    /// Writes that came, by the second.
    pub(super) asked: HashMap<u64, u64>,
    /// Changes that it has told of, by the second.
    pub(super) told: HashMap<u64, u64>,
}

impl Engine {
    /// When a write that comes now will have been done, each taking so long; `None`: never, for nobody leads.
    pub(super) fn takes(&mut self, now: u64, each: u64) -> Option<u64> {
        *self.asked.entry(now / 1_000_000).or_default() += 1;
        if now < self.headless_until {
            return None;
        }
        self.busy_until = self.busy_until.max(now) + each;
        Some(self.busy_until)
    }

    /// Nobody leads it until then.
    pub(super) fn loses_its_head(&mut self, until: u64) {
        self.headless_until = until;
    }

    fn append(&mut self, said: Said) -> u64 {
        self.log.push(said);
        self.log.len() as u64
    }

    /// What was written as this revision.
    pub(super) fn said(&self, revision: u64) -> &Said {
        &self.log[revision as usize - 1]
    }

    /// Writes a claim; `None`: the revision is another.
    pub(super) fn put(&mut self, id: usize, claim: Option<Claim>, over: u64) -> Option<u64> {
        if self.claims.get(&id).map_or(0, |(revision, _)| *revision) != over {
            return None;
        }
        let revision = self.append(Said::Claim(id, claim.clone()));
        self.claims.insert(id, (revision, claim));
        Some(revision)
    }

    /// What is written of a broadcast.
    pub(super) fn read(&self, id: usize) -> Found {
        match self.claims.get(&id) {
            Some((revision, claim)) => (claim.clone(), *revision),
            None => (None, 0),
        }
    }

    /// Writes a lease.
    pub(super) fn renew(&mut self, relay: usize, lease: Lease, until: RelayTime) -> u64 {
        self.leases.insert(relay, until);
        self.append(Said::Lease(relay, Some(lease)))
    }

    /// Ends leases that were not renewed in time.
    pub(super) fn expire(&mut self, now: RelayTime) -> Vec<u64> {
        let over = self.leases.iter().filter(|(_, until)| **until <= now);
        let mut over: Vec<_> = over.map(|(relay, _)| *relay).collect();
        over.sort_unstable();
        let ended = over.into_iter().map(|relay| {
            self.leases.remove(&relay);
            self.append(Said::Lease(relay, None))
        });
        ended.collect()
    }
}
