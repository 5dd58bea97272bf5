//! Where players go, and what becomes of them when a region is lost.

use super::random::mix;
use super::scene::{APART, MOVED_AFTER, Placement, SILENCE};
use super::trees::From;
use super::world::{Event, World};

/// How often a relay gives others a sign of life.
const HEARTBEAT: std::time::Duration = std::time::Duration::from_millis(250);
/// The region that is lost.
const LOST: usize = 0;
/// What a relay takes of players, against an even share.
const ROOM: f64 = 1.2;

impl World {
    /// A relay for a player of a region.
    pub(super) fn choose(&mut self, id: usize, region: usize) -> usize {
        match self.scene.placement {
            Placement::Spread => {
                let relays = &self.regions[region];
                let [one, two] = [(); 2].map(|()| relays[self.random.below(relays.len())]);
                match self.relays[one].players <= self.relays[two].players {
                    true => one,
                    false => two,
                }
            }
            Placement::Packed => self.first_with_room(id, region),
        }
    }

    fn first_with_room(&mut self, id: usize, region: usize) -> usize {
        let live = self.relays.iter().filter(|relay| relay.lives).count();
        let room = ROOM * self.scene.players as f64 / live as f64;
        let relays = &self.regions[region];
        let (order, full) = self.orders.entry((id, region)).or_insert_with(|| {
            let mut order = relays.clone();
            order.sort_by_key(|relay| mix(id as u64, *relay as u64));
            (order, 0)
        });
        while *full + 1 < order.len() && self.relays[order[*full]].players as f64 >= room {
            *full += 1;
        }
        order[*full]
    }

    pub(super) fn join(&mut self, id: usize, relay: usize, since: u64, lost: bool) {
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
        self.orders.clear();
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
            for _ in 0..here.players {
                let region = self.elsewhere();
                let other = self.choose(id, region);
                self.relays[other].players += 1;
                let delay = self.delay();
                self.after(delay, Event::Join(id, other, self.now, true));
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
