//! What a relay knows of all relays and claims, and what it holds itself. No sockets and no clock: what the engine
//! says comes in with its revision, and what is to be written is asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::leases::{Leases, Turn};
use super::{
    Bid, Census, Claim, ClaimEpoch, ClaimError, Event, Lease, RelayId, Remembered, Whereabouts,
};
use crate::broadcast::{BroadcastId, RelayTime};

/// How long the claims of a dead relay are kept, so that its publishers can resume elsewhere.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// A relay's copy of the directory, and what it holds.
#[derive(Debug)]
pub struct View {
    own: RelayId,
    /// How long relays have to come back after the engine.
    grace: Duration,
    leases: Leases,
    claims: HashMap<BroadcastId, Entry>,
    /// The newest revision that has come in order.
    position: u64,
    held: HashMap<BroadcastId, Claim>,
    /// The newest epoch that was made here: the next is above it, whatever has been forgotten since.
    newest: Option<ClaimEpoch>,
    /// Bids whose outcome is not known yet.
    under_way: HashMap<BroadcastId, Vec<ClaimEpoch>>,
    /// Broadcasts of which the engine may say something else than is held here.
    amiss: BTreeSet<BroadcastId>,
    /// Since when the engine is away. Meanwhile nobody can renew, so no lease ends.
    away: Option<RelayTime>,
    /// How often claims, or who lives, have changed.
    changes: u64,
}

/// A claim as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The claim.
    pub claim: Claim,
    /// Which value of the key it is.
    pub revision: u64,
}

/// What is known of a broadcast: its claim, if it has one, and the revision over which it can be claimed.
pub type Found = (Option<Claim>, u64);

/// A claim that is to be written over this revision and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The claim.
    pub claim: Claim,
    /// The revision that it is to be over; 0: there is none.
    pub expected: u64,
}

/// What has to be written so that the engine says what is held here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// This claim, over this revision.
    Put(Prepared),
    /// The claim of this revision is taken away.
    Remove(u64),
}

impl View {
    /// What a relay knows before it has heard anything. `grace`: how long relays have to come back after the engine.
    pub fn new(own: RelayId, grace: Duration) -> Self {
        Self {
            own,
            grace,
            leases: Leases::default(),
            claims: HashMap::new(),
            position: 0,
            held: HashMap::new(),
            newest: None,
            under_way: HashMap::new(),
            amiss: BTreeSet::new(),
            away: None,
            changes: 0,
        }
    }

    /// The relay whose copy it is.
    pub fn own(&self) -> &RelayId {
        &self.own
    }

    /// The time by which leases end.
    fn time(&self, now: RelayTime) -> RelayTime {
        self.away.map_or(now, |since| since.min(now))
    }

    /// Where a broadcast is.
    pub fn find(&self, broadcast: &BroadcastId, now: RelayTime) -> Option<Whereabouts> {
        let Entry { claim, .. } = self.claims.get(broadcast)?;
        Some(Whereabouts {
            relay: claim.relay.clone(),
            epoch: claim.epoch,
            lease: self.leases.living(&claim.relay, self.time(now)).cloned(),
            is_own: claim.relay == self.own,
            is_home: claim.home,
        })
    }

    /// The relays that live, by id.
    pub fn relays(&self, now: RelayTime) -> Vec<Arc<Lease>> {
        let mut all: Vec<_> = self.leases.all(self.time(now)).cloned().collect();
        all.sort_by(|a, b| a.relay.cmp(&b.relay));
        all
    }

    /// How much there is.
    pub fn census(&self, now: RelayTime) -> Census {
        Census {
            relays: self.leases.all(self.time(now)).count(),
            own: self.held.len(),
            claims: self.claims.len(),
        }
    }

    /// Makes a claim that may be written; it is under way until it has [landed](Self::landed) or is
    /// [over](Self::over). `found`: what the engine says, where that is known better than by the copy.
    ///
    /// # Errors
    /// [`ClaimError`]: it may not.
    pub fn prepare(
        &mut self,
        broadcast: &BroadcastId,
        bid: &Bid,
        found: Option<Found>,
        now: RelayTime,
    ) -> Result<Prepared, ClaimError> {
        let copied = || match self.claims.get(broadcast) {
            Some(entry) => (Some(entry.claim.clone()), entry.revision),
            None => (None, 0),
        };
        let (there, expected) = found.unwrap_or_else(copied);
        let time = self.time(now);
        let lineage = bid.over(there.as_ref(), &self.own, |relay| {
            self.leases.is_dead(relay, time)
        })?;
        let known = there.map(|claim| claim.epoch);
        let epoch = ClaimEpoch::after(known.max(self.newest), now);
        self.newest = Some(epoch);
        let claim = Claim {
            relay: self.own.clone(),
            epoch,
            lineage,
            home: *bid == Bid::Home,
        };
        let under_way = self.under_way.entry(broadcast.clone()).or_default();
        under_way.push(claim.epoch);
        Ok(Prepared { claim, expected })
    }

    /// A claim has been written as this revision. It is held now, unless the copy says that somebody has taken it
    /// since.
    ///
    /// # Errors
    /// [`ClaimError::Superseded`].
    pub fn landed(
        &mut self,
        broadcast: &BroadcastId,
        claim: Claim,
        revision: u64,
    ) -> Result<Claim, ClaimError> {
        let stands = match self.claims.get(broadcast) {
            Some(entry) if entry.revision >= revision => entry.claim == claim,
            _ => revision > self.position,
        };
        if stands {
            let known = self.claims.get(broadcast);
            let entry = Entry {
                claim: claim.clone(),
                revision: known.map_or(revision, |known| known.revision.max(revision)),
            };
            self.claims.insert(broadcast.clone(), entry);
            self.held.insert(broadcast.clone(), claim.clone());
            self.changes += 1;
        }
        self.over(broadcast, claim.epoch);
        match stands {
            true => Ok(claim),
            false => Err(ClaimError::Superseded),
        }
    }

    /// A bid is over. One whose outcome nobody knows may have been written all the same, or be written later: it is
    /// taken away then, since nobody holds it.
    pub fn over(&mut self, broadcast: &BroadcastId, epoch: ClaimEpoch) {
        if let Some(epochs) = self.under_way.get_mut(broadcast) {
            epochs.retain(|other| *other != epoch);
            if epochs.is_empty() {
                self.under_way.remove(broadcast);
            }
        }
        self.amiss.insert(broadcast.clone());
    }

    /// Gives a claim back. Nothing happens to one of another epoch.
    pub fn release(&mut self, broadcast: &BroadcastId, epoch: ClaimEpoch) {
        if self
            .held
            .get(broadcast)
            .is_some_and(|held| held.epoch == epoch)
        {
            self.held.remove(broadcast);
            self.amiss.insert(broadcast.clone());
            self.changes += 1;
        }
    }

    /// The engine says in order that a broadcast's claim is this; `None`: it has none.
    pub fn fold(
        &mut self,
        broadcast: BroadcastId,
        revision: u64,
        claim: Option<Claim>,
    ) -> Option<Event> {
        self.position = self.position.max(revision);
        let known = self.claims.get(&broadcast);
        if known.is_some_and(|known| known.revision >= revision) {
            return None;
        }
        self.take(broadcast, claim.map(|claim| Entry { claim, revision }))
    }

    /// The newest revision that has come in order.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How often claims, or who lives, have changed so far.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// What is known, to be remembered.
    pub fn remembered(&self, now: RelayTime) -> Remembered {
        let claims = self.claims.iter();
        let claims = claims.map(|(id, entry)| (id.clone(), entry.claim.clone()));
        let held = self.held.iter();
        Remembered {
            leases: self
                .relays(now)
                .iter()
                .map(|lease| (**lease).clone())
                .collect(),
            claims: claims
                .chain(held.map(|(id, claim)| (id.clone(), claim.clone())))
                .collect(),
            held: self.held.keys().cloned().collect(),
        }
    }

    /// What was known before this relay started. The engine, when it says something, is believed instead; what was held
    /// is held until it says that somebody else has it.
    pub fn recall(&mut self, remembered: Remembered, now: RelayTime) {
        for lease in remembered.leases {
            if lease.relay != self.own {
                self.leases.take(lease.relay.clone(), 0, Some(lease), now);
            }
        }
        for (id, claim) in remembered.claims {
            self.newest = self.newest.max(Some(claim.epoch));
            if claim.relay == self.own && remembered.held.contains(&id) {
                self.held.insert(id.clone(), claim.clone());
            }
            // Over no revision: the engine's own is newer, whichever it is.
            let revision = 0;
            self.claims.insert(id, Entry { claim, revision });
        }
    }

    fn take(&mut self, broadcast: BroadcastId, entry: Option<Entry>) -> Option<Event> {
        self.changes += 1;
        let claim = entry.as_ref().map(|entry| entry.claim.clone());
        let before = match entry {
            Some(entry) => self.claims.insert(broadcast.clone(), entry),
            None => self.claims.remove(&broadcast),
        };
        let before = before.map(|entry| entry.claim);
        let held = self.held.get(&broadcast);
        match (held, claim) {
            (Some(held), Some(claim)) if *held == claim => None,
            // A bid of this relay's: one that is under way, or one of which nobody knew what had become of it.
            (held, Some(claim)) if claim.relay == self.own => {
                let bids = self.under_way.get(&broadcast);
                if bids.is_some_and(|bids| bids.contains(&claim.epoch)) {
                    return None;
                }
                if held.is_some_and(|held| claim.beats(held)) {
                    self.held.insert(broadcast, claim);
                } else {
                    self.amiss.insert(broadcast);
                }
                None
            }
            (Some(held), Some(claim)) if claim.beats(held) => {
                self.held.remove(&broadcast);
                let Claim { relay, epoch, .. } = claim;
                Some(Event::Lost {
                    broadcast,
                    relay,
                    epoch,
                })
            }
            (Some(_), _) => {
                self.amiss.insert(broadcast);
                None
            }
            (None, Some(claim)) if before.as_ref() != Some(&claim) => {
                let Claim { relay, epoch, .. } = claim;
                Some(Event::Moved {
                    broadcast,
                    relay,
                    epoch,
                })
            }
            (None, None) => before.map(|_| Event::Freed(broadcast)),
            (None, Some(_)) => None,
        }
    }

    /// The engine says that these claims are all there are: it is back, and what happened meanwhile is not known, not
    /// even whether it is one that has forgotten everything.
    pub fn replace_claims(
        &mut self,
        all: HashMap<BroadcastId, Entry>,
        position: u64,
    ) -> Vec<Event> {
        self.position = position;
        let gone = self.claims.keys().filter(|id| !all.contains_key(*id));
        let gone: Vec<_> = gone.cloned().collect();
        let gone = gone.into_iter().map(|id| (id, None));
        let there = all.into_iter().map(|(id, entry)| (id, Some(entry)));
        let changes: Vec<_> = gone.chain(there).collect();
        let events = changes
            .into_iter()
            .filter_map(|(id, entry)| self.take(id, entry))
            .collect();
        let unknown = self.held.keys().filter(|id| !self.claims.contains_key(*id));
        self.amiss.extend(unknown.cloned());
        events
    }

    /// The engine says that a relay's lease is this; `None`: it has ended.
    pub fn fold_lease(
        &mut self,
        relay: RelayId,
        revision: u64,
        lease: Option<Lease>,
        now: RelayTime,
    ) -> Option<Event> {
        self.position = self.position.max(revision);
        let now = self.time(now);
        let turn = self.leases.take(relay.clone(), revision, lease, now)?;
        self.changes += 1;
        Some(turned(relay, turn))
    }

    /// The engine says that these leases are all there are.
    pub fn replace_leases(
        &mut self,
        all: HashMap<RelayId, (u64, Option<Lease>)>,
        now: RelayTime,
    ) -> Vec<Event> {
        let turns = self.leases.replace(all, self.time(now), now);
        let events = turns.into_iter();
        events.map(|(relay, turn)| turned(relay, turn)).collect()
    }

    /// The revision over which a relay's lease can be renewed.
    pub fn lease_revision(&self, relay: &RelayId) -> u64 {
        self.leases.revision(relay)
    }

    /// A relay was seen dead.
    pub fn report_dead(&mut self, relay: &RelayId, now: RelayTime) -> Option<Event> {
        let now = self.time(now);
        let lived = self.leases.report(relay, now);
        lived.then(|| Event::Went(relay.clone()))
    }

    /// Whether the engine is away. While it is, what was known last stays.
    pub fn set_away(&mut self, away: bool, now: RelayTime) {
        match away {
            true => {
                self.away.get_or_insert(now);
            }
            false => {
                self.away = None;
                self.leases.settle(now, now + self.grace);
            }
        }
    }

    /// Lets time pass for what nobody asks for any more.
    pub fn sweep(&mut self, now: RelayTime) {
        let now = self.time(now);
        let Some(before) = now
            .as_micros()
            .checked_sub(FORGOTTEN_AFTER.as_micros() as u64)
        else {
            return;
        };
        let before = RelayTime::from_micros(before);
        let is_old = |claim: &Claim| {
            let since = self.leases.dead_since(&claim.relay, now);
            since.is_some_and(|since| since < before)
        };
        let old = self.claims.iter();
        let old = old.filter(|(_, entry)| is_old(&entry.claim));
        let old: Vec<_> = old.map(|(id, _)| id.clone()).collect();
        self.amiss.extend(old);
        self.leases.forget(before);
    }

    /// Broadcasts that may need a remedy, which are looked at by that.
    pub fn amiss(&mut self, most: usize) -> Vec<BroadcastId> {
        let some: Vec<_> = self.amiss.iter().take(most).cloned().collect();
        for id in &some {
            self.amiss.remove(id);
        }
        some
    }

    /// Whether any broadcast may need a remedy.
    pub fn is_amiss(&self) -> bool {
        !self.amiss.is_empty()
    }

    /// A remedy has failed: the broadcast is to be looked at again.
    pub fn still_amiss(&mut self, broadcast: BroadcastId) {
        self.amiss.insert(broadcast);
    }

    /// What has to be written about a broadcast; `None`: all is well, or a bid is about to decide.
    pub fn remedy(
        &self,
        broadcast: &BroadcastId,
        found: Option<&Found>,
        now: RelayTime,
    ) -> Option<Remedy> {
        if self.under_way.contains_key(broadcast) {
            return None;
        }
        let (there, revision) = match found {
            Some((claim, revision)) => (claim.as_ref(), *revision),
            None => {
                let entry = self.claims.get(broadcast);
                let revision = entry.map_or(0, |entry| entry.revision);
                (entry.map(|entry| &entry.claim), revision)
            }
        };
        match (self.held.get(broadcast), there) {
            (Some(held), Some(there)) if there == held || there.beats(held) => None,
            (Some(held), _) => Some(Remedy::Put(Prepared {
                claim: held.clone(),
                expected: revision,
            })),
            (None, Some(there)) if there.relay == self.own || self.is_forgotten(there, now) => {
                Some(Remedy::Remove(revision))
            }
            (None, _) => None,
        }
    }

    fn is_forgotten(&self, claim: &Claim, now: RelayTime) -> bool {
        let now = self.time(now);
        let since = self.leases.dead_since(&claim.relay, now);
        since.is_some_and(|since| now.since(since) > FORGOTTEN_AFTER)
    }

    /// A remedy has been written as this revision.
    pub fn mended(&mut self, broadcast: &BroadcastId, remedy: Remedy, revision: u64) {
        if let Remedy::Put(Prepared { claim, .. }) = remedy
            && revision > self.position
        {
            let known = self.claims.get(broadcast);
            if known.is_none_or(|known| known.revision < revision) {
                self.claims
                    .insert(broadcast.clone(), Entry { claim, revision });
            }
        }
    }

    /// The claim that this relay holds of a broadcast.
    pub fn held(&self, broadcast: &BroadcastId) -> Option<&Claim> {
        self.held.get(broadcast)
    }
}

fn turned(relay: RelayId, turn: Turn) -> Event {
    match turn {
        Turn::Came => Event::Came(relay),
        Turn::Went => Event::Went(relay),
    }
}
