//! What came out of it.

use serde::Serialize;

use super::scene::Scene;
use crate::report::columns;
use crate::tally::{Times, times};

/// How long players were without the publisher's picture.
#[derive(Debug)]
pub(super) struct Waits {
    /// Those whose relay had died.
    pub(super) lost: Times,
    /// All others.
    pub(super) other: Times,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            lost: times(),
            other: times(),
        }
    }
}

impl Waits {
    /// So many have waited so long.
    pub(super) fn over(&mut self, micros: u64, count: u64, lost: bool) {
        let which = match lost {
            true => &mut self.lost,
            false => &mut self.other,
        };
        which.saturating_record_n(micros, count);
    }
}

/// A figure of many: the median, 99 of 100, and the largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The median.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of times, in milliseconds.
    pub(super) fn of_times(times: &Times) -> Self {
        let at = |share| times.value_at_quantile(share) as f64 / 1_000.0;
        Self {
            count: times.len(),
            p50: at(0.5),
            p99: at(0.99),
            max: times.max() as f64 / 1_000.0,
        }
    }

    pub(super) fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (all.len() as f64 * share) as usize;
            all.get(place.min(all.len().saturating_sub(1)))
        };
        let at = |share| at(share).copied().unwrap_or_default();
        Self {
            count: all.len() as u64,
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
        }
    }

    fn row(&self, what: &str, digits: usize) -> Vec<String> {
        let number = |value: f64| format!("{value:.digits$}");
        vec![
            what.to_owned(),
            self.count.to_string(),
            number(self.p50),
            number(self.p99),
            number(self.max),
        ]
    }
}

/// What a model has shown.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was played.
    pub scene: Scene,
    /// What each relay sends, in Gbit/s.
    pub egress_gbps: Spread,
    /// What relays send to others of it, in percent.
    pub to_relays_percent: f64,
    /// Of each broadcast: relays that have it.
    pub relays: Spread,
    /// Of each broadcast: copies that its origin sends to other relays.
    pub copies: Spread,
    /// Of each broadcast: copies that go from one region to another.
    pub crossings: Spread,
    /// Of each relay that gets one: links between it and the publisher's.
    pub links: Spread,
    /// From a player that comes to its picture, in ms.
    pub join_ms: Spread,
    /// Without a new picture while a publisher moves, in ms: all players that were touched.
    pub move_ms: Spread,
    /// Without one after the loss of a region, in ms: players whose relay was lost.
    pub lost_ms: Spread,
    /// The same of others whose broadcast came from there.
    pub others_ms: Spread,
    /// Players that were not touched by it at all.
    pub untouched: u64,
    /// Players that have no picture at the end.
    pub without: u64,
    /// What every relay hears of the engine in a second, at rest.
    pub messages_at_rest: f64,
    /// The same in the busiest second.
    pub messages_at_most: u64,
    /// Writes that the engine is asked for in the busiest second.
    pub writes_at_most: u64,
    /// Claims after the loss of the region, those of them that give a broadcast a home, and those that came too late.
    pub claims: [u64; 3],
    /// Questions between relays after it, and relays that had to look for another place.
    pub asks: [u64; 2],
    /// What a relay's copy of the directory takes, in kB.
    pub copy_kb: f64,
}

const HEADS: [&str; 5] = ["", "count", "p50", "p99", "max"];

impl Outcome {
    /// As a table.
    pub fn text(&self) -> String {
        let rows = [
            self.egress_gbps.row("egress of a relay (Gbit/s)", 2),
            self.relays.row("relays that have a broadcast", 0),
            self.copies.row("copies that its origin sends", 0),
            self.crossings.row("copies between regions", 0),
            self.links.row("links to the publisher", 0),
            self.join_ms.row("a player's join (ms)", 0),
            self.move_ms.row("a publisher moves (ms)", 0),
            self.lost_ms.row("region lost: its players (ms)", 0),
            self.others_ms.row("region lost: others (ms)", 0),
        ];
        let title = format!(
            "{} relays, {} players, {} broadcasts",
            self.scene.relays, self.scene.players, self.scene.broadcasts
        );
        let mut text = columns(&title, &HEADS, &rows);
        let [claims, homes, late] = self.claims;
        let [asks, let_go] = self.asks;
        text.push_str(&format!(
            "\n  Of the egress {:.1} % goes to relays. Untouched by the loss: {} players; without a picture at the end: {}.\n  \
             The directory tells each relay {:.0} changes a second at rest, {} at most; the engine is asked for {} writes \
             in a second at most.\n  After the loss: {claims} claims ({homes} for a home, {late} too late), {asks} \
             questions between relays, {let_go} of which were sent to look again.\n  A relay's copy of the directory: \
             {:.0} kB.\n",
            self.to_relays_percent,
            self.untouched,
            self.without,
            self.messages_at_rest,
            self.messages_at_most,
            self.writes_at_most,
            self.copy_kb,
        ));
        text
    }
}
