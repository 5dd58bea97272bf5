//! Everything at one time, and what happens next.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use steadycast_codec_glue::wire::ResumeSecret;
use steadycast_relay::broadcast::{BroadcastId, RelayTime};
use steadycast_relay::directory::{Found, Lease, Lineage, Mark, Prepared, RelayId, Remedy, View};
use steadycast_relay::placement::packing::Leaver;

use super::engine::Engine;
use super::random::{Popular, Random, mix};
use super::scene::{LEASE, Scene, TIMES};
use super::trees::Trees;

/// When the world begins, in microseconds since the Unix epoch.
const BEGINS: u64 = 1_700_000_000_000_000;

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A relay renews its lease.
    Renew(usize),
    /// Leases end that were not renewed.
    Expire,
    /// A claim comes to the engine.
    Write(usize, usize, Writing),
    /// A relay hears what has become of its write.
    Written(usize, usize, Writing, Outcome),
    /// The relays of a region hear of a revision.
    Told(usize, u64),
    /// A relay has waited for the engine in vain.
    InVain(usize),
    /// A publisher comes to a relay.
    Publish(usize, usize),
    /// A player comes to a broadcast.
    Come(usize, Comer),
    /// A relay begins to look for a broadcast.
    Look(usize, usize, u64),
    /// A relay is asked for one by another.
    Ask(Asking),
    /// It hears the answer.
    Answer(Asking, Answer),
    /// The publisher's picture comes to a relay from another.
    Feed(usize, usize, usize),
    /// A relay hears nothing any more from the one that it gets a broadcast from.
    Silent(usize, usize, usize),
    /// It could not reach that either.
    Report(usize, usize, usize),
    /// Publishers move.
    Moves,
    /// A region is lost.
    Lose,
}

/// A player that comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comer {
    /// The region that it is sent to.
    pub(super) region: usize,
    /// Who comes with it.
    pub(super) leaver: Leaver,
    /// Since when it has had no picture.
    pub(super) since: u64,
    /// Whether its relay had died.
    pub(super) lost: bool,
}

/// One relay asks another for a broadcast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    pub(super) id: usize,
    pub(super) asker: usize,
    pub(super) asked: usize,
    pub(super) attempt: u64,
}

/// What it is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Here,
    At(usize),
    /// It is not there.
    No,
    /// There is no room for it with those behind it.
    Full,
}

/// A write of a relay's.
#[derive(Debug, Clone)]
pub(super) enum Writing {
    /// A publisher's claim, tried for the n-th time, or with 0 a home's.
    Bid(Prepared, u32),
    /// What has to be put right.
    Mend(Remedy),
}

/// What has become of it.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Written(u64),
    Stale(Found),
    Unanswered,
}

pub(super) struct Relay {
    pub(super) name: RelayId,
    pub(super) mark: Mark,
    pub(super) region: usize,
    pub(super) lives: bool,
    pub(super) view: View,
    pub(super) lease: Lease,
    pub(super) players: u64,
    /// Since when it has waited for the engine.
    pub(super) away: bool,
}

/// A broadcast's publisher.
pub(super) struct Publisher {
    pub(super) at: usize,
    pub(super) lineage: Lineage,
    /// It shows its lineage from then on.
    pub(super) resumes: bool,
}

pub(super) struct World {
    pub(super) scene: Scene,
    pub(super) now: u64,
    queue: BinaryHeap<Reverse<Due>>,
    count: u64,
    pub(super) random: Random,
    pub(super) engine: Engine,
    pub(super) relays: Vec<Relay>,
    pub(super) regions: Vec<Vec<usize>>,
    pub(super) names: HashMap<RelayId, usize>,
    pub(super) ids: Vec<BroadcastId>,
    pub(super) numbers: HashMap<BroadcastId, usize>,
    pub(super) publishers: Vec<Publisher>,
    pub(super) trees: Trees,
    pub(super) popular: Popular,
    /// Of each broadcast: the relay that links to it name.
    pub(super) links: Vec<usize>,
    pub(super) counts: Counts,
}

/// What is counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Claims that were written or not, and those among them that give a broadcast a home.
    pub(super) bids: u64,
    pub(super) homes: u64,
    /// Those that came too late.
    pub(super) stale: u64,
    /// Publishers that were told to come again.
    pub(super) refused: u64,
    /// Relays that were let go so that the one they were behind finds a place.
    pub(super) let_go: u64,
    /// Questions for broadcasts between relays.
    pub(super) asks: u64,
}

struct Due {
    at: u64,
    count: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.count).cmp(&(other.at, other.count))
    }
}

impl World {
    pub(super) fn new(scene: Scene) -> Result<Self> {
        let mut random = Random::new(scene.seed);
        let relays = (0..scene.relays).map(|number| relay(&scene, number));
        let relays = relays.collect::<Result<Vec<_>>>()?;
        let ids = (0..scene.broadcasts).map(|number| {
            let bytes = mix(scene.seed, number as u64).to_be_bytes();
            let mut random = [0; 10];
            random[..8].copy_from_slice(&bytes);
            BroadcastId::from_random(random)
        });
        let ids: Vec<_> = ids.collect();
        let publishers = (0..scene.broadcasts).map(|number| Publisher {
            at: random.below(scene.relays),
            lineage: lineage(number),
            resumes: false,
        });
        let publishers: Vec<_> = publishers.collect();
        let links = publishers.iter().map(|publisher| publisher.at).collect();
        let names = relays.iter().enumerate();
        let names = names.map(|(number, relay)| (relay.name.clone(), number));
        let regions = (0..scene.regions).map(|region| {
            let relays = (0..scene.relays).filter(|relay| scene.region(*relay) == region);
            relays.collect()
        });
        let mut world = Self {
            now: 0,
            queue: BinaryHeap::new(),
            count: 0,
            engine: Engine::default(),
            regions: regions.collect(),
            names: names.collect(),
            numbers: ids.iter().cloned().zip(0..).collect(),
            ids,
            publishers,
            trees: Trees::new(scene.relays, scene.broadcasts),
            popular: Popular::new(scene.broadcasts),
            links,
            counts: Counts::default(),
            relays,
            random,
            scene,
        };
        world.plan();
        Ok(world)
    }

    /// What happens whatever else does.
    fn plan(&mut self) {
        for relay in 0..self.scene.relays {
            let at = self.random.within(Duration::from_secs(1));
            self.at(at, Event::Renew(relay));
        }
        self.at(1_000_000, Event::Expire);
        for id in 0..self.scene.broadcasts {
            let at = TIMES.claims + self.random.within(Duration::from_secs(8));
            self.at(at, Event::Publish(id, self.publishers[id].at));
        }
        for player in 0..self.scene.players {
            let id = self.popular.choose(&mut self.random);
            let since = TIMES.players + self.random.within(Duration::from_secs(16));
            let comer = Comer {
                region: player % self.scene.regions,
                leaver: Leaver { of: 1, turn: 0.0 },
                since,
                lost: false,
            };
            self.at(since, Event::Come(id, comer));
        }
        self.at(TIMES.moves, Event::Moves);
        self.at(TIMES.lost, Event::Lose);
    }

    /// Has something happen at that time, or now where that has passed.
    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.count += 1;
        self.queue.push(Reverse(Due {
            at: at.max(self.now),
            count: self.count,
            event,
        }));
    }

    /// Has something happen after that.
    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.at(self.now + delay, event);
    }

    /// The time as relays know it.
    pub(super) fn time(&self) -> RelayTime {
        RelayTime::from_micros(BEGINS + self.now)
    }

    /// One way between two relays.
    pub(super) fn way(&self, from: usize, to: usize) -> u64 {
        Scene::way(self.relays[from].region, self.relays[to].region)
    }

    /// Lets everything happen until then.
    pub(super) fn run(&mut self, until: u64) {
        while self.queue.peek().is_some_and(|due| due.0.at <= until) {
            if let Some(Reverse(due)) = self.queue.pop() {
                self.now = due.at;
                self.happens(due.event);
            }
        }
        self.now = until;
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Renew(relay) => self.renew(relay),
            Event::Expire => self.expire(),
            Event::Write(relay, id, writing) => self.write(relay, id, writing),
            Event::Written(relay, id, writing, outcome) => {
                self.written(relay, id, writing, outcome);
            }
            Event::Told(region, revision) => self.told(region, revision),
            Event::InVain(relay) => self.in_vain(relay),
            Event::Publish(id, relay) => self.publish(id, relay),
            Event::Come(id, comer) => self.come(id, comer),
            Event::Look(id, relay, attempt) => self.look(id, relay, attempt),
            Event::Ask(asking) => self.ask(asking),
            Event::Answer(asking, answer) => self.answer(asking, answer),
            Event::Feed(id, from, to) => self.feed(id, from, to),
            Event::Silent(id, relay, from) => self.silent(id, relay, from),
            Event::Report(id, relay, dead) => self.report(id, relay, dead),
            Event::Moves => self.moves(),
            Event::Lose => self.lose_region(),
        }
    }
}

fn lineage(number: usize) -> Lineage {
    let mut secret = [0; 16];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    Lineage::of(&ResumeSecret(secret))
}

fn relay(scene: &Scene, number: usize) -> Result<Relay> {
    let name: RelayId = format!("relay-{number}").parse()?;
    let region = scene.region(number);
    let host = format!("{number}.{}.example.org", Scene::name(region));
    let lease = serde_json::from_value(json!({
        "relay": name,
        "run": BEGINS,
        "links": format!("{host}:4434"),
        "pages": format!("https://{host}"),
        "region": Scene::name(region),
        "seconds": LEASE.as_secs(),
    }))?;
    Ok(Relay {
        view: View::new(name.clone(), LEASE),
        mark: Mark::of_relay(&name),
        name,
        region,
        lives: true,
        lease,
        players: 0,
        away: false,
    })
}
