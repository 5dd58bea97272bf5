//! Leases and claims: what each relay writes, and what it hears of the others, by the relay's own rules.

use std::time::Duration;

use steadycast_relay::directory::{Bid, Event as Told, Found, Prepared, Remedy};

use super::engine::Said;
use super::scene::{ASKS_AGAIN, ENGINE, LEASE, Scene, TIMES};
use super::trees::From;
use super::world::{Event, Outcome, World, Writing};

/// How soon a renewal is tried again.
const AGAIN: u64 = 500_000;
/// How often a claim is tried over what was read anew.
const TRIES: u32 = 5;

impl World {
    /// One way between a relay and the engine.
    fn way_to_engine(&self, relay: usize) -> u64 {
        Scene::way(self.relays[relay].region, self.scene.engine())
    }

    /// How long one write takes the engine.
    fn each(&self) -> u64 {
        1_000_000 / self.scene.engine_writes.max(1)
    }

    pub(super) fn renew(&mut self, relay: usize) {
        if !self.relays[relay].lives {
            return;
        }
        let way = self.way_to_engine(relay);
        let each = self.each();
        let Some(done) = self.engine.takes(self.now + way, each) else {
            let waited = u64::try_from(ENGINE.as_micros()).unwrap_or(u64::MAX);
            self.after(waited, Event::InVain(relay));
            return;
        };
        self.relays[relay].lease.load = self.load(relay);
        let lease = self.relays[relay].lease.clone();
        let until = self.time() + LEASE;
        let revision = self.engine.renew(relay, lease, until);
        self.tell(revision, done);
        if std::mem::take(&mut self.relays[relay].away) {
            let time = self.time();
            self.relays[relay].view.set_away(false, time);
        }
        let jitter = 0.9 + 0.2 * self.random.unit();
        let next = (LEASE / 3).mul_f64(jitter).as_micros() as u64;
        self.after(next, Event::Renew(relay));
        self.mend(relay);
    }

    pub(super) fn in_vain(&mut self, relay: usize) {
        let time = self.time();
        let there = &mut self.relays[relay];
        if there.lives {
            there.away = true;
            there.view.set_away(true, time);
            self.after(AGAIN, Event::Renew(relay));
        }
    }

    pub(super) fn expire(&mut self) {
        // While nobody leads it, it ends none.
        let each = self.each();
        if let Some(done) = self.engine.takes(self.now, each) {
            for revision in self.engine.expire(self.time()) {
                self.tell(revision, done);
            }
        }
        self.after(1_000_000, Event::Expire);
    }

    fn tell(&mut self, revision: u64, written: u64) {
        let engine = self.scene.engine();
        *self.engine.told.entry(written / 1_000_000).or_default() += 1;
        for region in 0..self.scene.regions {
            let heard = written + Scene::way(engine, region);
            self.at(heard, Event::Told(region, revision));
        }
    }

    /// A publisher comes to a relay, which claims the broadcast.
    pub(super) fn publish(&mut self, id: usize, relay: usize) {
        if self.publishers[id].at == relay && self.relays[relay].lives {
            self.claim(id, relay, None, 1);
        }
    }

    fn claim(&mut self, id: usize, relay: usize, found: Option<Found>, tries: u32) {
        let publisher = &self.publishers[id];
        let shown = publisher.resumes.then_some(publisher.lineage);
        let bid = Bid::Publisher {
            shown,
            fresh: publisher.lineage,
        };
        let again = ASKS_AGAIN.as_micros() as u64;
        let time = self.time();
        let there = &mut self.relays[relay];
        if there.away || tries > TRIES {
            self.counts.refused += 1;
            self.after(again, Event::Publish(id, relay));
            return;
        }
        match there.view.prepare(&self.ids[id], &bid, found, time) {
            Ok(prepared) => self.send(relay, id, Writing::Bid(prepared, tries)),
            Err(_) => {
                self.counts.refused += 1;
                self.after(again, Event::Publish(id, relay));
            }
        }
    }

    /// The relay gives the broadcast a home, for nobody that lives has it.
    pub(super) fn settle(&mut self, id: usize, relay: usize) {
        let time = self.time();
        let there = &mut self.relays[relay];
        if there.away {
            return;
        }
        let bid = there.view.prepare(&self.ids[id], &Bid::Home, None, time);
        if let Ok(prepared) = bid {
            self.counts.homes += 1;
            self.send(relay, id, Writing::Bid(prepared, 0));
        }
    }

    fn send(&mut self, relay: usize, id: usize, writing: Writing) {
        self.counts.bids += 1;
        let way = self.way_to_engine(relay);
        self.after(way, Event::Write(relay, id, writing));
    }

    pub(super) fn write(&mut self, relay: usize, id: usize, writing: Writing) {
        let way = self.way_to_engine(relay);
        let each = self.each();
        let Some(done) = self.engine.takes(self.now, each) else {
            let waited = ENGINE.as_micros() as u64;
            let heard = Event::Written(relay, id, writing, Outcome::Unanswered);
            self.after(waited.saturating_sub(way), heard);
            return;
        };
        let (claim, over) = match &writing {
            Writing::Bid(Prepared { claim, expected }, _)
            | Writing::Mend(Remedy::Put(Prepared { claim, expected })) => {
                (Some(claim.clone()), *expected)
            }
            Writing::Mend(Remedy::Remove(revision)) => (None, *revision),
        };
        let outcome = match self.engine.put(id, claim, over) {
            Some(revision) => {
                self.tell(revision, done);
                Outcome::Written(revision)
            }
            None => {
                self.counts.stale += 1;
                Outcome::Stale(self.engine.read(id))
            }
        };
        // What is there instead is read by a question of its own.
        let ways = if matches!(outcome, Outcome::Stale(_)) {
            3
        } else {
            1
        };
        self.at(
            done + ways * way,
            Event::Written(relay, id, writing, outcome),
        );
    }

    pub(super) fn written(&mut self, relay: usize, id: usize, writing: Writing, outcome: Outcome) {
        if !self.relays[relay].lives {
            return;
        }
        match writing {
            Writing::Bid(prepared, tries) => {
                self.bid_is_over(relay, id, (prepared, tries), outcome)
            }
            Writing::Mend(remedy) => match outcome {
                Outcome::Written(revision) => {
                    let view = &mut self.relays[relay].view;
                    view.mended(&self.ids[id], remedy, revision);
                }
                Outcome::Stale(found) => self.mend_one(relay, id, Some(&found)),
                Outcome::Unanswered => {
                    let view = &mut self.relays[relay].view;
                    view.still_amiss(self.ids[id].clone());
                }
            },
        }
    }

    fn bid_is_over(
        &mut self,
        relay: usize,
        id: usize,
        (prepared, tries): (Prepared, u32),
        outcome: Outcome,
    ) {
        let is_publisher = tries > 0;
        let epoch = prepared.claim.epoch;
        let view = &mut self.relays[relay].view;
        let landed = match outcome {
            Outcome::Written(revision) => {
                let landed = view.landed(&self.ids[id], prepared.claim, revision);
                landed.is_ok()
            }
            _ => false,
        };
        view.over(&self.ids[id], epoch);
        let comes_here = self.publishers[id].at == relay;
        match outcome {
            _ if landed && is_publisher && comes_here => self.begin(id, relay),
            _ if landed => {
                if let Some(here) = self.trees.at_mut(id, relay) {
                    here.attempt = 0;
                }
            }
            Outcome::Stale(found) if is_publisher => {
                self.claim(id, relay, Some(found), tries + 1);
            }
            _ if is_publisher => {
                let again = ASKS_AGAIN.as_micros() as u64;
                self.after(again, Event::Publish(id, relay));
            }
            _ => {}
        }
        self.mend(relay);
    }

    /// The publisher is at the relay that has the claim.
    fn begin(&mut self, id: usize, relay: usize) {
        let publisher = &mut self.publishers[id];
        publisher.resumes = true;
        for other in 0..self.relays.len() {
            // Where it was it has stopped.
            if other != relay
                && let Some(here) = self.trees.at_mut(id, other)
                && here.from == From::Publisher
            {
                here.from = From::Nobody;
                self.trees.starve(id, other, self.now);
            }
        }
        self.trees.begin(id, relay).attempt = 0;
        self.trees.attach(id, relay, From::Publisher);
        self.feed(id, relay, relay);
    }

    pub(super) fn told(&mut self, region: usize, revision: u64) {
        let said = self.engine.said(revision).clone();
        let relays = std::mem::take(&mut self.regions[region]);
        for relay in &relays {
            if self.relays[*relay].lives {
                self.hear(*relay, revision, &said);
            }
        }
        self.regions[region] = relays;
    }

    fn hear(&mut self, relay: usize, revision: u64, said: &Said) {
        let time = self.time();
        let event = match said {
            Said::Lease(of, lease) => {
                let name = self.relays[*of].name.clone();
                let view = &mut self.relays[relay].view;
                view.fold_lease(name, revision, lease.clone(), time)
            }
            Said::Claim(id, claim) => {
                let id = self.ids[*id].clone();
                self.relays[relay].view.fold(id, revision, claim.clone())
            }
        };
        match event {
            Some(Told::Lost { broadcast, .. }) => {
                let id = self.numbers[&broadcast];
                // The publisher has gone already where it has moved.
                self.trees.starve(id, relay, self.now);
                self.look_anew(id, relay);
            }
            Some(Told::Moved { broadcast, .. }) => self.moved(self.numbers[&broadcast], relay),
            _ => {}
        }
        self.mend(relay);
    }

    /// Has the engine say what is held at a relay.
    fn mend(&mut self, relay: usize) {
        if self.relays[relay].away || !self.relays[relay].view.is_amiss() {
            return;
        }
        for id in self.relays[relay].view.amiss(usize::MAX) {
            self.mend_one(relay, self.numbers[&id], None);
        }
    }

    fn mend_one(&mut self, relay: usize, id: usize, found: Option<&Found>) {
        let time = self.time();
        let view = &self.relays[relay].view;
        if let Some(remedy) = view.remedy(&self.ids[id], found, time) {
            self.send(relay, id, Writing::Mend(remedy));
        }
    }

    /// Publishers go to another relay, so many in a second.
    pub(super) fn moves(&mut self) {
        for _ in 0..self.scene.moves {
            let id = self.random.below(self.scene.broadcasts);
            let relay = self.random.below(self.scene.relays);
            let at = self.random.within(Duration::from_secs(1));
            if self.publishers[id].at != relay {
                self.publishers[id].at = relay;
                self.after(at, Event::Publish(id, relay));
            }
        }
        // What they cause is over before the region is lost.
        if self.now + 6_000_000 < TIMES.lost {
            self.after(1_000_000, Event::Moves);
        }
    }
}
