//! What is read off the world at some moments.

use std::mem::take;

use anyhow::Result;
use steadycast_relay::directory::{Bid, Claim, Lease, Prepared, View};

use super::outcome::{Outcome, Spread};
use super::scene::{LEASE, TIMES};
use super::trees::From;
use super::world::{Counts, World};
use crate::process::Gauge;

/// Copies of the directory that are made to see what one takes.
const COPIES: u64 = 16;
const SECOND: u64 = 1_000_000;

impl World {
    /// How everything stands when everybody has come.
    pub(super) fn counted(&mut self, copy_kb: f64) -> Outcome {
        let (mut sent, mut links) = (vec![[0_u64; 2]; self.scene.relays], Vec::new());
        let (mut relays, mut copies, mut crossings) = (Vec::new(), Vec::new(), Vec::new());
        for id in 0..self.scene.broadcasts {
            let mut crosses = 0;
            for (relay, here) in self.trees.of(id) {
                sent[relay][0] += here.players;
                sent[relay][1] += here.children.len() as u64;
                match here.from {
                    From::Relay(parent) => {
                        links.push(here.links as f64);
                        crosses +=
                            usize::from(self.scene.region(parent) != self.scene.region(relay));
                    }
                    From::Publisher => copies.push(here.children.len() as f64),
                    From::Nobody => {}
                }
            }
            crossings.push(crosses as f64);
            relays.push(self.trees.of(id).count() as f64);
        }
        let [players, children] = sent.iter().fold([0, 0], |sum, [players, children]| {
            [sum[0] + players, sum[1] + children]
        });
        let gbps = |copies: u64| copies as f64 * self.scene.kbps as f64 / 1e6;
        let egress = sent
            .iter()
            .map(|[players, children]| gbps(players + children));
        let at_rest = self.heard(TIMES.counted - 5 * SECOND, TIMES.counted);
        Outcome {
            egress_gbps: Spread::of(egress.collect()),
            to_relays_percent: 100.0 * children as f64 / (players + children).max(1) as f64,
            relays: Spread::of(relays),
            copies: Spread::of(copies),
            crossings: Spread::of(crossings),
            links: Spread::of(links),
            join_ms: Spread::of_times(&take(&mut self.trees.waits).other),
            move_ms: Spread::default(),
            lost_ms: Spread::default(),
            others_ms: Spread::default(),
            untouched: 0,
            without: 0,
            messages_at_rest: at_rest as f64 / 5.0,
            messages_at_most: 0,
            writes_at_most: 0,
            claims: [0; 3],
            asks: [0; 2],
            copy_kb,
            scene: self.scene.clone(),
        }
    }

    /// Publishers have moved.
    pub(super) fn moved_publishers(&mut self, outcome: &mut Outcome) {
        outcome.move_ms = Spread::of_times(&take(&mut self.trees.waits).other);
        self.counts = Counts::default();
    }

    /// A region was lost.
    pub(super) fn recovered(&mut self, outcome: &mut Outcome) {
        let waits = take(&mut self.trees.waits);
        outcome.lost_ms = Spread::of_times(&waits.lost);
        outcome.others_ms = Spread::of_times(&waits.other);
        outcome.without = self.trees.waiting();
        let touched = outcome.lost_ms.count + outcome.others_ms.count + outcome.without;
        outcome.untouched = (self.scene.players as u64).saturating_sub(touched);
        let seconds = (0..TIMES.end / SECOND).map(|second| second * SECOND);
        let most = seconds
            .map(|second| self.heard(second, second + SECOND))
            .max();
        outcome.messages_at_most = most.unwrap_or_default();
        let after = self.engine.asked.iter();
        let after = after.filter(|(second, _)| **second >= TIMES.lost / SECOND);
        outcome.writes_at_most = after.map(|(_, asked)| *asked).max().unwrap_or_default();
        let Counts {
            bids,
            homes,
            stale,
            let_go,
            asks,
            ..
        } = self.counts;
        outcome.claims = [bids, homes, stale];
        outcome.asks = [asks, let_go];
    }

    /// Changes that the engine tells of in that time.
    fn heard(&self, from: u64, to: u64) -> u64 {
        let seconds = from / SECOND..to / SECOND;
        seconds
            .filter_map(|second| self.engine.told.get(&second))
            .sum()
    }

    /// What a copy of the directory takes, as relays make it of what they are told.
    pub(super) fn copy_kb(&self) -> Result<f64> {
        let time = self.time();
        let leases = self.relays.iter().map(|relay| &relay.lease);
        let leases = leases.map(serde_json::to_vec);
        let leases = leases.collect::<Result<Vec<_>, _>>()?;
        let claims = self
            .ids
            .iter()
            .zip(&self.publishers)
            .map(|(id, publisher)| {
                let fresh = publisher.lineage;
                let bid = Bid::Publisher { shown: None, fresh };
                let mut view = View::new(self.relays[publisher.at].name.clone(), LEASE);
                let Prepared { claim, .. } = view.prepare(id, &bid, None, time)?;
                anyhow::Ok(serde_json::to_vec(&claim)?)
            });
        let claims = claims.collect::<Result<Vec<_>>>()?;
        let gauge = Gauge::own();
        let before = gauge.rss_kb()?;
        let copies = (0..COPIES).map(|_| self.copy(&leases, &claims));
        let copies = copies.collect::<Result<Vec<_>>>()?;
        let after = gauge.rss_kb()?;
        drop(copies);
        Ok(after.saturating_sub(before) as f64 / COPIES as f64)
    }

    fn copy(&self, leases: &[Vec<u8>], claims: &[Vec<u8>]) -> Result<View> {
        let time = self.time();
        let mut view = View::new(self.relays[0].name.clone(), LEASE);
        for lease in leases {
            let lease: Lease = serde_json::from_slice(lease)?;
            let revision = view.position() + 1;
            view.fold_lease(lease.relay.clone(), revision, Some(lease), time);
        }
        for (id, claim) in self.ids.iter().zip(claims) {
            let claim: Claim = serde_json::from_slice(claim)?;
            let revision = view.position() + 1;
            view.fold(id.clone(), revision, Some(claim));
        }
        Ok(view)
    }
}
