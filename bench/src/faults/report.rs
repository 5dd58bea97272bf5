//! What players saw of the faults.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Faults;
use super::fault::{Act, Fault, Part, name};
use super::watcher::Seen;
use crate::report::columns;

/// Players whose relay died are back within this, and convergence takes no longer than a lease and this.
const BACK: u64 = 2_000;
const AFTER_LEASE: u64 = 10_000;
/// Two publishers are live for no longer.
const TOLD: u64 = 1_000;

/// What came of one fault.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was done.
    pub act: Act,
    /// To what.
    pub part: Part,
    /// For how long, in ms.
    pub lasted_ms: u64,
    /// The longest that a player whose relay died saw no new picture.
    pub hit_gap_ms: Option<u64>,
    /// The same of the others.
    pub gap_ms: u64,
    /// From healing until everybody's picture was new, at every relay.
    pub converged_ms: u64,
    /// After how long a publisher was told that another has taken over.
    pub told_ms: Option<u64>,
    /// Sessions that ended although nothing had happened to their relay.
    pub lost: Vec<String>,
    /// Frames that could not be decoded.
    pub broken: u32,
    /// Pictures of an older publisher, captured later than 1 s after a newer one had been let in.
    pub outdated: u32,
    /// Players that were told that there is no such broadcast.
    pub ended: u32,
}

impl Outcome {
    pub(super) fn of(
        fault: &Fault,
        seen: &[Seen],
        hit: impl Fn(usize) -> bool,
        converged: Duration,
        told_ms: Option<u64>,
    ) -> Self {
        let ms = |time: Duration| time.as_millis() as u64;
        let gaps = |which: bool| {
            let some = seen.iter().enumerate();
            let some = some.filter(|(number, _)| hit(*number) == which);
            some.map(|(_, seen)| ms(seen.gap)).max()
        };
        Self {
            act: fault.act,
            part: fault.part,
            lasted_ms: ms(fault.lasts),
            hit_gap_ms: gaps(true),
            gap_ms: gaps(false).unwrap_or_default(),
            converged_ms: ms(converged),
            told_ms,
            lost: seen.iter().flat_map(|seen| seen.lost.clone()).collect(),
            broken: seen.iter().map(|seen| seen.broken).sum(),
            outdated: seen.iter().map(|seen| seen.outdated).sum(),
            ended: seen.iter().map(|seen| seen.ended).sum(),
        }
    }

    /// What was done, in words.
    pub fn name(&self) -> String {
        name(self.act, self.part)
    }

    /// In one line.
    pub fn line(&self) -> String {
        let hit = self.hit_gap_ms.map_or("-".to_owned(), |ms| ms.to_string());
        format!(
            "{:<24} {:>6} ms: without a new picture {hit}/{} ms, all well after {} ms, sessions lost {}, broken {}, \
             outdated {}, ended {}",
            self.name(),
            self.lasted_ms,
            self.gap_ms,
            self.converged_ms,
            self.lost.len(),
            self.broken,
            self.outdated,
            self.ended,
        )
    }
}

/// What came of all of them.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was run.
    pub settings: Faults,
    /// Each fault.
    pub outcomes: Vec<Outcome>,
}

const HEADS: [&str; 9] = [
    "fault",
    "times",
    "its players (ms)",
    "others (ms)",
    "all well (ms)",
    "told (ms)",
    "lost",
    "broken",
    "outdated",
];

impl Report {
    pub(super) fn new(settings: Faults, outcomes: Vec<Outcome>) -> Self {
        Self { settings, outcomes }
    }

    /// What is not as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let lease = self.settings.lease * 1_000;
        let complaints = self.outcomes.iter().enumerate().flat_map(|(number, one)| {
            let bad = [
                (one.broken > 0, "frames could not be decoded"),
                (one.outdated > 0, "two publishers were live"),
                (one.ended > 0, "the broadcast was lost"),
                (
                    !one.lost.is_empty(),
                    "sessions were lost where nothing died",
                ),
                (one.hit_gap_ms > Some(BACK), "players were not back in time"),
                (one.told_ms > Some(TOLD), "a publisher was not told in time"),
                (
                    one.converged_ms > lease + AFTER_LEASE,
                    "it took too long to converge",
                ),
            ];
            let bad = bad.into_iter().filter(|(bad, _)| *bad);
            bad.map(move |(_, what)| format!("{}: {}: {what}", number + 1, one.name()))
        });
        complaints.collect()
    }

    /// As a table, by kinds.
    pub fn text(&self) -> String {
        let mut kinds: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &self.outcomes {
            kinds.entry(outcome.name()).or_default().push(outcome);
        }
        let rows: Vec<_> = kinds.iter().map(|(name, all)| row(name, all)).collect();
        let title = format!(
            "{} faults, {} relays, {} players: the longest of each",
            self.outcomes.len(),
            self.settings.relays,
            self.settings.players,
        );
        let mut text = columns(&title, &HEADS, &rows);
        for complaint in self.complaints() {
            text.push_str(&format!("\n  {complaint}"));
        }
        text.push('\n');
        text
    }
}

fn row(name: &str, all: &[&Outcome]) -> Vec<String> {
    let most = |of: fn(&Outcome) -> Option<u64>| {
        let most = all.iter().filter_map(|one| of(one)).max();
        most.map_or("-".to_owned(), |most| most.to_string())
    };
    vec![
        name.to_owned(),
        all.len().to_string(),
        most(|one| one.hit_gap_ms),
        most(|one| Some(one.gap_ms)),
        most(|one| Some(one.converged_ms)),
        most(|one| one.told_ms),
        all.iter()
            .map(|one| one.lost.len())
            .sum::<usize>()
            .to_string(),
        all.iter().map(|one| one.broken).sum::<u32>().to_string(),
        all.iter().map(|one| one.outdated).sum::<u32>().to_string(),
    ]
}
