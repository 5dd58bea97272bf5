//! How relays get broadcasts from one another: by the rules of the tree, with those waits that links have.

use std::time::Duration;

use steadycast_relay::cluster::tree::{Asked, Asker, Child, Place, place, stays};
use steadycast_relay::homes::turn;

use super::scene::{REPORTED, Scene};
use super::trees::From;
use super::world::{Answer, Asking, Event, World};

/// Waits before a relay asks again, longer each time.
const FIRST_PAUSE: u64 = 100_000;
const LONGEST_PAUSE: u64 = 5_000_000;
/// How soon a relay looks again for what it knows nobody to have.
const UNKNOWN: Duration = Duration::from_millis(250);

impl World {
    /// A relay begins to look for a broadcast, whatever it did before.
    pub(super) fn look_anew(&mut self, id: usize, relay: usize) {
        let attempt = self.random.next() | 1;
        let Some(here) = self.trees.at_mut(id, relay) else {
            return;
        };
        if here.from == From::Publisher {
            here.from = From::Nobody;
        }
        here.attempt = attempt;
        here.refused = 0;
        here.turn = None;
        self.after(0, Event::Look(id, relay, attempt));
    }

    fn is_attempt(&self, id: usize, relay: usize, attempt: u64) -> bool {
        let here = self.trees.at(id, relay);
        self.relays[relay].lives && here.is_some_and(|here| here.attempt == attempt)
    }

    pub(super) fn look(&mut self, id: usize, relay: usize, attempt: u64) {
        if !self.is_attempt(id, relay, attempt) {
            return;
        }
        let time = self.time();
        let again = Event::Look(id, relay, attempt);
        let unknown = UNKNOWN.as_micros() as u64;
        match self.relays[relay].view.find(&self.ids[id], time) {
            None => self.after(unknown, again),
            // It is the broadcast's home: whoever publishes comes here, or takes it from here.
            Some(found) if found.is_own => {
                if let Some(here) = self.trees.at_mut(id, relay) {
                    here.attempt = 0;
                }
            }
            Some(found) if found.lease.is_none() => match self.turn(id, relay) {
                due if due > self.now => self.at(due, again),
                _ => {
                    self.settle(id, relay);
                    self.after(4 * unknown, again);
                }
            },
            Some(found) => {
                let asked = self.names[&found.relay];
                self.send_ask(Asking {
                    id,
                    asker: relay,
                    asked,
                    attempt,
                });
            }
        }
    }

    /// When it is the relay's turn to claim what a dead one has.
    fn turn(&mut self, id: usize, relay: usize) -> u64 {
        let (now, time) = (self.now, self.time());
        if let Some(due) = self.trees.at(id, relay).and_then(|here| here.turn) {
            return due;
        }
        let there = &self.relays[relay];
        let live = there.view.relays(time);
        let names = live.iter().map(|lease| &lease.relay);
        let due = now + turn(&self.ids[id], &there.name, names).as_micros() as u64;
        if let Some(here) = self.trees.at_mut(id, relay) {
            here.turn = Some(due);
        }
        due
    }

    fn send_ask(&mut self, asking: Asking) {
        self.counts.asks += 1;
        let way = self.way(asking.asker, asking.asked);
        self.after(way, Event::Ask(asking));
    }

    pub(super) fn ask(&mut self, asking: Asking) {
        let Asking {
            id,
            asker,
            asked,
            attempt,
        } = asking;
        if !self.is_attempt(id, asker, attempt) {
            return;
        }
        let way = self.way(asker, asked);
        if !self.relays[asked].lives {
            let reported = REPORTED.as_micros() as u64;
            return self.after(
                reported.saturating_sub(way),
                Event::Report(id, asker, asked),
            );
        }
        let has = self.trees.at(id, asked);
        let has = has.is_some_and(|here| here.from != From::Nobody);
        let answer = match has && !self.trees.comes_through(id, asked, asker) {
            true => self.place(asking),
            false => Answer::No,
        };
        self.after(way, Event::Answer(asking, answer));
    }

    /// What the relay that is asked says, by the rules of the tree.
    fn place(&mut self, asking: Asking) -> Answer {
        let Asking {
            id, asker, asked, ..
        } = asking;
        let Some(here) = self.trees.at(id, asked) else {
            return Answer::No;
        };
        let region = |relay: usize| Scene::name(self.relays[relay].region);
        let there = here.children.iter().copied();
        let there: Vec<_> = there.filter(|child| *child != asker).collect();
        let names: Vec<_> = there.iter().map(|child| region(*child)).collect();
        let children = there.iter().zip(&names).filter_map(|(child, name)| {
            let here = self.trees.at(id, *child)?;
            Some(Child {
                region: Some(name),
                children: here.children.len(),
                behind: here.behind,
                serves: true,
            })
        });
        let children: Vec<_> = children.collect();
        let (from, to) = (region(asker), region(asked));
        let asker_is = Asker {
            region: Some(&from),
            below: self.trees.below(id, asker),
        };
        let asked_is = Asked {
            region: Some(&to),
            links: here.links,
            most: self.scene.children,
        };
        match place(asker_is, asked_is, &children) {
            Place::Here => {
                // Its place is its own from now on.
                self.trees.attach(id, asker, From::Relay(asked));
                Answer::Here
            }
            Place::At(child) => Answer::At(there[child]),
            Place::Nowhere => Answer::Full,
        }
    }

    pub(super) fn answer(&mut self, asking: Asking, answer: Answer) {
        let Asking {
            id,
            asker,
            asked,
            attempt,
        } = asking;
        if !self.is_attempt(id, asker, attempt) {
            return;
        }
        match answer {
            Answer::Here => {
                let fed = self.trees.at(id, asked).is_some_and(|here| here.fed);
                if let Some(here) = self.trees.at_mut(id, asker) {
                    here.attempt = 0;
                }
                match fed && self.relays[asked].lives {
                    true => self.feed(id, asked, asker),
                    false => self.trees.starve(id, asker, self.now),
                }
            }
            Answer::At(child) => self.send_ask(Asking {
                asked: child,
                ..asking
            }),
            Answer::No => self.again(id, asker, attempt),
            Answer::Full => {
                let Some(here) = self.trees.at(id, asker) else {
                    return;
                };
                match here.children.is_empty() {
                    true => self.again(id, asker, attempt),
                    // Without those behind it there may be room: it asks at once.
                    false => {
                        self.let_go(id, asker);
                        self.after(0, Event::Look(id, asker, attempt));
                    }
                }
            }
        }
    }

    fn again(&mut self, id: usize, relay: usize, attempt: u64) {
        let Some(here) = self.trees.at_mut(id, relay) else {
            return;
        };
        let pause = (FIRST_PAUSE << here.refused.min(10)).min(LONGEST_PAUSE);
        here.refused += 1;
        self.after(pause, Event::Look(id, relay, attempt));
    }

    /// Those behind a relay have to look for themselves.
    fn let_go(&mut self, id: usize, relay: usize) {
        let Some(here) = self.trees.at(id, relay) else {
            return;
        };
        for child in here.children.clone() {
            self.counts.let_go += 1;
            self.trees.detach(id, child);
            let way = self.way(relay, child);
            let attempt = self.random.next() | 1;
            if let Some(here) = self.trees.at_mut(id, child) {
                here.attempt = attempt;
            }
            self.trees.starve(id, child, self.now);
            self.after(way, Event::Look(id, child, attempt));
        }
    }

    /// The publisher's picture comes from one relay to another, and goes on from there.
    pub(super) fn feed(&mut self, id: usize, from: usize, to: usize) {
        if from != to {
            let there = self.trees.at(id, to);
            let comes = there.is_some_and(|here| here.from == From::Relay(from));
            let fed = self.trees.at(id, from).is_some_and(|here| here.fed);
            if !comes || !fed || !self.relays[to].lives || !self.relays[from].lives {
                return;
            }
        }
        for child in self.trees.feed(id, to, self.now) {
            let way = self.way(to, child);
            self.after(way, Event::Feed(id, to, child));
        }
    }

    /// Another relay has the broadcast than before. Who got it from where it was goes to where it is.
    pub(super) fn moved(&mut self, id: usize, relay: usize) {
        let time = self.time();
        let holder = self.relays[relay].view.find(&self.ids[id], time);
        let holder = holder.map(|found| self.names[&found.relay]);
        let Some(here) = self.trees.at(id, relay) else {
            return;
        };
        let is_there = match here.from {
            From::Relay(parent) => stays(Some(parent) == holder, here.links),
            From::Publisher => Some(relay) == holder,
            From::Nobody => false,
        };
        if !is_there {
            self.look_anew(id, relay);
        }
    }

    /// Nothing is heard any more from where the broadcast came.
    pub(super) fn silent(&mut self, id: usize, relay: usize, from: usize) {
        let here = self.trees.at(id, relay);
        let comes = here.is_some_and(|here| here.from == From::Relay(from));
        if self.relays[relay].lives && comes {
            self.trees.detach(id, relay);
            self.look_anew(id, relay);
        }
    }

    pub(super) fn report(&mut self, id: usize, relay: usize, dead: usize) {
        let (time, name) = (self.time(), self.relays[dead].name.clone());
        self.relays[relay].view.report_dead(&name, time);
        let here = self.trees.at(id, relay);
        if self.relays[relay].lives && here.is_some_and(|here| here.attempt != 0) {
            self.look_anew(id, relay);
        }
    }
}
