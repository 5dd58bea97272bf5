//! Where players go, and what becomes of them when a region is lost.

use steadycast_relay::directory::{Load, Mark};
use steadycast_relay::placement::packing::{Leaver, Taker, pack};

use super::scene::{APART, MOVED_AFTER, Placement, SILENCE};
use super::trees::From;
use super::world::{Comer, Event, World};

/// How often a relay gives others a sign of life.
const HEARTBEAT: std::time::Duration = std::time::Duration::from_millis(250);
/// The region that is lost.
const LOST: usize = 0;
/// Relays that a client knows of (PROTOCOL 2.15).
const KNOWN: usize = 4;

impl World {
    /// A relay for a player; no relay takes more than it may.
    fn choose(&mut self, id: usize, comer: Comer) -> usize {
        let linked = self.links[id];
        match self.scene.placement {
            Placement::Spread => self.less_loaded(comer.region),
            Placement::Linked if self.takes(linked) => linked,
            Placement::Linked if self.relays[linked].lives => {
                self.sent(id, self.relays[linked].region, comer.leaver)
            }
            Placement::Linked | Placement::Packed => self.sent(id, comer.region, comer.leaver),
        }
    }

    fn takes(&self, relay: usize) -> bool {
        let relay = &self.relays[relay];
        relay.lives && relay.players < self.scene.takes
    }

    fn less_loaded(&mut self, region: usize) -> usize {
        let relays = &self.regions[region];
        let [one, two] = [(); 2].map(|()| relays[self.random.below(relays.len())]);
        match self.relays[one].players <= self.relays[two].players {
            true => one,
            false => two,
        }
    }

    /// The first that takes it of those that a relay of this region tells of, by what the leases say.
    fn sent(&mut self, id: usize, region: usize, leaver: Leaver) -> usize {
        let live = self.relays.iter().enumerate();
        let live: Vec<_> = live.filter(|(_, relay)| relay.lives).collect();
        let takers = live.iter().map(|(_, relay)| {
            let load = relay.lease.load;
            Taker::new(relay.mark, relay.region == region, load, false)
        });
        let takers: Vec<_> = takers.collect();
        let broadcast = Mark::of_broadcast(&self.ids[id]);
        let order = pack(broadcast, &takers, leaver, KNOWN);
        let mut told = order.into_iter().map(|at| live[at].0);
        let found = told.find(|relay| self.takes(*relay));
        // Whoever finds all of them full asks again later, when the leases say so.
        found.unwrap_or_else(|| self.less_loaded(region))
    }

    /// What a relay says in its lease that it has to do.
    pub(super) fn load(&self, relay: usize) -> Load {
        let players = self.relays[relay].players;
        Load {
            sessions: players,
            players,
            taken: players,
            most: self.scene.takes,
        }
    }

    pub(super) fn come(&mut self, id: usize, comer: Comer) {
        let relay = self.choose(id, comer);
        self.relays[relay].players += 1;
        self.join(id, relay, comer.since, comer.lost);
    }

    fn join(&mut self, id: usize, relay: usize, since: u64, lost: bool) {
        self.trees.join(id, relay, (since, self.now), lost);
        let here = self.trees.at(id, relay);
        if here.is_some_and(|here| here.from == From::Nobody && here.attempt == 0 && !here.fed) {
            let time = self.time();
            let found = self.relays[relay].view.find(&self.ids[id], time);
            if !found.is_some_and(|found| found.is_own) {
                self.look_anew(id, relay);
            }
        }
    }

    /// All relays of a region die at once.
    pub(super) fn lose_region(&mut self) {
        for relay in &self.regions[LOST] {
            self.relays[*relay].lives = false;
        }
        let election = self.scene.election_ms * 1_000;
        self.engine.loses_its_head(self.now + election);
        for id in 0..self.scene.broadcasts {
            self.cut_off(id);
            self.leave_the_dead(id);
        }
    }

    /// Who got a broadcast from a relay that is dead gets nothing any more, and will notice.
    fn cut_off(&mut self, id: usize) {
        let cut = self
            .trees
            .of(id)
            .filter_map(|(relay, here)| match here.from {
                From::Relay(parent) if self.relays[relay].lives && !self.relays[parent].lives => {
                    Some((relay, parent))
                }
                _ => None,
            });
        for (relay, parent) in cut.collect::<Vec<_>>() {
            self.trees.starve(id, relay, self.now);
            let noticed = SILENCE.as_micros() as u64 + self.random.within(HEARTBEAT);
            self.after(noticed, Event::Silent(id, relay, parent));
        }
    }

    /// Its players and its publisher go to other relays.
    fn leave_the_dead(&mut self, id: usize) {
        for at in 0..self.regions[LOST].len() {
            let relay = self.regions[LOST][at];
            self.trees.detach(id, relay);
            let Some(here) = self.trees.lose(id, relay) else {
                continue;
            };
            for place in 0..here.players {
                let comer = Comer {
                    region: self.elsewhere(),
                    leaver: Leaver {
                        of: here.players,
                        turn: place as f64 / here.players as f64,
                    },
                    since: self.now,
                    lost: true,
                };
                let delay = self.delay();
                self.after(delay, Event::Come(id, comer));
            }
        }
        if !self.relays[self.publishers[id].at].lives {
            let region = self.elsewhere();
            let relays = &self.regions[region];
            let other = relays[self.random.below(relays.len())];
            self.publishers[id].at = other;
            let delay = self.delay();
            self.after(delay, Event::Publish(id, other));
        }
    }

    fn delay(&mut self) -> u64 {
        MOVED_AFTER.as_micros() as u64 + self.random.within(APART)
    }

    fn elsewhere(&mut self) -> usize {
        1 + self.random.below(self.scene.regions - 1)
    }
}
