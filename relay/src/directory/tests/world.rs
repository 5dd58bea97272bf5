//! An engine of the tests, and relays that follow it.

use std::collections::{BTreeMap, HashMap};

use super::super::view::{Entry, Found, Prepared, Remedy, View};
use super::super::{Bid, Claim, ClaimError, Event, Lease, RelayId};
use super::{LEASE, lease, relay};
use crate::broadcast::{BroadcastId, RelayTime};

/// A write that found another revision than it was to be over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stale;

/// What is written under a key, and until when it stays.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Lease(RelayId, Option<Lease>),
    Claim(BroadcastId, Option<Claim>),
}

/// Keeps values by key and revision, tells everybody of each, and ends those that are not renewed.
#[derive(Debug, Default)]
pub(super) struct Engine {
    log: Vec<Said>,
    claims: BTreeMap<BroadcastId, (u64, Option<Claim>)>,
    leases: HashMap<RelayId, (u64, Option<Lease>, RelayTime)>,
}

impl Engine {
    fn append(&mut self, said: Said) -> u64 {
        self.log.push(said);
        self.log.len() as u64
    }

    pub(super) fn put(
        &mut self,
        id: &BroadcastId,
        claim: Option<Claim>,
        over: u64,
    ) -> Result<u64, Stale> {
        if self.claims.get(id).map_or(0, |(revision, _)| *revision) != over {
            return Err(Stale);
        }
        let revision = self.append(Said::Claim(id.clone(), claim.clone()));
        self.claims.insert(id.clone(), (revision, claim));
        Ok(revision)
    }

    pub(super) fn read(&self, id: &BroadcastId) -> Found {
        match self.claims.get(id) {
            Some((revision, claim)) => (claim.clone(), *revision),
            None => (None, 0),
        }
    }

    fn renew(&mut self, lease: Lease, now: RelayTime) {
        let id = lease.relay.clone();
        let revision = self.append(Said::Lease(id.clone(), Some(lease.clone())));
        self.leases.insert(id, (revision, Some(lease), now + LEASE));
    }

    fn expire(&mut self, now: RelayTime) {
        let over = self.leases.iter();
        let over = over.filter(|(_, (_, lease, until))| lease.is_some() && *until <= now);
        let over: Vec<_> = over.map(|(id, _)| id.clone()).collect();
        for id in over {
            let revision = self.append(Said::Lease(id.clone(), None));
            self.leases.insert(id, (revision, None, now));
        }
    }

    /// It has lost everything, as one that keeps it in memory does.
    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// A relay, and how far it has heard.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) view: View,
    pub(super) reached: bool,
    heard: usize,
    /// A bid that is still on its way to the engine.
    late: Option<(BroadcastId, Prepared)>,
    pub(super) events: Vec<Event>,
}

/// All of them, at one time.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: RelayTime,
    pub(super) engine: Engine,
    pub(super) nodes: Vec<Node>,
}

impl World {
    pub(super) fn new(relays: usize, now: RelayTime) -> Self {
        let node = |number: usize| Node {
            view: View::new(relay(&format!("r{number}")), LEASE),
            reached: false,
            heard: 0,
            late: None,
            events: Vec::new(),
        };
        let mut world = Self {
            now,
            engine: Engine::default(),
            nodes: (0..relays).map(node).collect(),
        };
        (0..relays).for_each(|number| world.heal(number));
        world.settle();
        world
    }

    /// The engine is reached again: everything is looked at anew.
    pub(super) fn heal(&mut self, number: usize) {
        let now = self.now;
        let node = &mut self.nodes[number];
        if std::mem::replace(&mut node.reached, true) {
            return;
        }
        // What waited in the connection is sent now.
        if let Some((id, Prepared { claim, expected })) = node.late.take() {
            let _ = self.engine.put(&id, Some(claim), expected);
        }
        self.look_anew(number);
        let node = &mut self.nodes[number];
        let own = lease(node.view.own().as_str());
        self.engine.renew(own, now);
        node.view.set_away(false, now);
    }

    fn look_anew(&mut self, number: usize) {
        let (engine, now) = (&self.engine, self.now);
        let node = &mut self.nodes[number];
        let claims = engine.claims.iter().filter_map(|(id, (revision, claim))| {
            let claim = claim.clone()?;
            let revision = *revision;
            Some((id.clone(), Entry { claim, revision }))
        });
        let leases = engine.leases.iter();
        let leases =
            leases.map(|(id, (revision, lease, _))| (id.clone(), (*revision, lease.clone())));
        let position = engine.log.len();
        node.events
            .extend(node.view.replace_claims(claims.collect(), position as u64));
        node.events
            .extend(node.view.replace_leases(leases.collect(), now));
        node.heard = position;
    }

    pub(super) fn cut(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if std::mem::replace(&mut node.reached, false) {
            node.view.set_away(true, self.now);
        }
    }

    /// The engine has forgotten everything, and everybody has to look anew.
    pub(super) fn forget(&mut self) {
        let reached: Vec<_> = self.nodes.iter().map(|node| node.reached).collect();
        (0..self.nodes.len()).for_each(|number| self.cut(number));
        self.engine.forget();
        for (number, reached) in reached.into_iter().enumerate() {
            if reached {
                self.heal(number);
            }
        }
    }

    /// A relay hears up to so many changes.
    pub(super) fn hear(&mut self, number: usize, most: usize) {
        let node = &mut self.nodes[number];
        if !node.reached {
            return;
        }
        let until = self.engine.log.len().min(node.heard.saturating_add(most));
        while node.heard < until {
            let said = self.engine.log[node.heard].clone();
            node.heard += 1;
            let revision = node.heard as u64;
            node.events.extend(match said {
                Said::Lease(id, lease) => node.view.fold_lease(id, revision, lease, self.now),
                Said::Claim(id, claim) => node.view.fold(id, revision, claim),
            });
        }
    }

    /// A bid, as it goes when the engine answers.
    pub(super) fn bid(
        &mut self,
        number: usize,
        id: &BroadcastId,
        bid: &Bid,
    ) -> Result<Claim, ClaimError> {
        let node = &mut self.nodes[number];
        assert!(
            node.reached,
            "a relay that reaches nothing bids for nothing"
        );
        let mut found = None;
        for _ in 0..5 {
            let Prepared { claim, expected } =
                node.view.prepare(id, bid, found.take(), self.now)?;
            let epoch = claim.epoch;
            match self.engine.put(id, Some(claim.clone()), expected) {
                Ok(revision) => {
                    let landed = node.view.landed(id, claim, revision);
                    node.view.over(id, epoch);
                    return landed;
                }
                Err(Stale) => found = Some(self.engine.read(id)),
            }
            node.view.over(id, epoch);
        }
        Err(ClaimError::Contended)
    }

    /// A bid whose answer is lost: written or not, or written when the relay reaches the engine again.
    pub(super) fn lose_bid(&mut self, number: usize, id: &BroadcastId, bid: &Bid, written: bool) {
        let now = self.now;
        let node = &mut self.nodes[number];
        let Ok(prepared) = node.view.prepare(id, bid, None, now) else {
            return;
        };
        let epoch = prepared.claim.epoch;
        if written {
            let Prepared { claim, expected } = prepared;
            let _ = self.engine.put(id, Some(claim), expected);
        } else {
            node.late = Some((id.clone(), prepared));
        }
        node.view.over(id, epoch);
    }

    /// A relay writes what has to be written.
    pub(super) fn mend(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if !node.reached {
            return;
        }
        for id in node.view.amiss(usize::MAX) {
            let mut found = None;
            while let Some(remedy) = node.view.remedy(&id, found.as_ref(), self.now) {
                let (claim, over) = match &remedy {
                    Remedy::Put(prepared) => (Some(prepared.claim.clone()), prepared.expected),
                    Remedy::Remove(revision) => (None, *revision),
                };
                match self.engine.put(&id, claim, over) {
                    Ok(revision) => {
                        node.view.mended(&id, remedy, revision);
                        break;
                    }
                    Err(Stale) => found = Some(self.engine.read(&id)),
                }
            }
        }
    }

    /// Time passes; those who reach the engine renew their leases.
    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now + std::time::Duration::from_secs(1);
            let reached = self.nodes.iter().filter(|node| node.reached);
            let own: Vec<_> = reached
                .map(|node| lease(node.view.own().as_str()))
                .collect();
            own.into_iter()
                .for_each(|lease| self.engine.renew(lease, self.now));
            self.engine.expire(self.now);
        }
    }

    /// Everybody who can hears everything and writes what has to be written, until nothing changes any more.
    pub(super) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "it does not settle");
            let before = self.engine.log.len();
            for number in 0..self.nodes.len() {
                self.hear(number, usize::MAX);
                self.mend(number);
            }
            if self.engine.log.len() == before {
                return;
            }
        }
    }
}
