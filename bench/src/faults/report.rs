//! What players saw of the faults.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Faults;
use super::fault::{Act, Fault, Part};
use super::seen::Seen;
use crate::report::columns;

/// Players whose relay died are back within this, and convergence takes no longer than a lease and this.
const BACK: u64 = 2_000;
const AFTER_LEASE: u64 = 10_000;
/// Two publishers are live for no longer.
const TOLD: u64 = 1_000;
/// Who has nothing to do with a fault is not left without a new picture for longer.
const UNDISTURBED: u64 = 1_000;

/// How a fault concerns a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// Its relay dies.
    Hit,
    /// What it watches comes from what is hit, or through it.
    Behind,
    /// Not at all.
    None,
}

/// How long things took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    pub(super) converged: Duration,
    pub(super) told: Option<Duration>,
    pub(super) stalled: Duration,
}

/// What players saw of one fault.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sight {
    /// Players.
    pub players: usize,
    /// The longest that one saw no new picture, in ms.
    pub gap_ms: u64,
    /// Pictures that they were not shown between two others of the same publisher.
    pub missed: u32,
}

impl Sight {
    fn gap(&self) -> Option<u64> {
        (self.players > 0).then_some(self.gap_ms)
    }
}

/// What came of one fault.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was done, in words.
    pub name: String,
    /// What was done.
    pub act: Act,
    /// To what.
    pub part: Part,
    /// For how long, in ms.
    pub lasted_ms: u64,
    /// Players whose relay died.
    pub hit: Sight,
    /// Those whose picture came from there, or through what was cut.
    pub behind: Sight,
    /// All others.
    pub others: Sight,
    /// From healing until everybody's picture was new, at every relay.
    pub converged_ms: u64,
    /// After how long a publisher was told that another has taken over.
    pub told_ms: Option<u64>,
    /// The longest that this program was not run although it wanted to: players and publishers are late by that.
    pub stalled_ms: u64,
    /// New pictures that all players saw.
    pub pictures: u32,
    /// Sessions that ended although nothing had happened to their relay.
    pub lost: Vec<String>,
    /// Frames that could not be decoded.
    pub broken: u32,
    /// Pictures of an older publisher, captured later than 1 s after a newer one had been let in.
    pub outdated: u32,
    /// Players that were told that there is no such broadcast.
    pub ended: u32,
    /// What relays said instead of letting somebody in, why publishers went, and how often.
    pub refused: BTreeMap<String, usize>,
}

impl Outcome {
    pub(super) fn of(
        fault: &Fault,
        (seen, hosts): (&[Seen], Vec<String>),
        concern: impl Fn(usize) -> Concern,
        took: Took,
    ) -> Self {
        let ms = |time: Duration| time.as_millis() as u64;
        let sight = |which: Concern| {
            let some = seen.iter().enumerate();
            let some = some.filter(|(number, _)| concern(*number) == which);
            some.fold(Sight::default(), |sight, (_, seen)| Sight {
                players: sight.players + 1,
                gap_ms: sight.gap_ms.max(ms(seen.gap)),
                missed: sight.missed + seen.missed,
            })
        };
        let sum = |of: fn(&Seen) -> u32| seen.iter().map(of).sum();
        let mut refused = BTreeMap::new();
        let players = seen.iter().flat_map(|seen| seen.refused.iter());
        for why in players.chain(&hosts) {
            *refused.entry(why.clone()).or_default() += 1;
        }
        Self {
            name: fault.to_string(),
            act: fault.kind.0,
            part: fault.kind.1,
            lasted_ms: ms(fault.lasts),
            hit: sight(Concern::Hit),
            behind: sight(Concern::Behind),
            others: sight(Concern::None),
            converged_ms: ms(took.converged),
            told_ms: took.told.map(ms),
            stalled_ms: ms(took.stalled),
            pictures: sum(|seen| seen.pictures),
            lost: seen.iter().flat_map(|seen| seen.lost.clone()).collect(),
            broken: sum(|seen| seen.broken),
            outdated: sum(|seen| seen.outdated),
            ended: sum(|seen| seen.ended),
            refused,
        }
    }

    /// In one line.
    pub fn line(&self) -> String {
        let sight = |of: &Sight| match of.players {
            0 => "-".to_owned(),
            players => format!("{players} {} ms ({} missed)", of.gap_ms, of.missed),
        };
        let mut line = format!(
            "{}, {} ms: hit {}, behind {}, others {}; all well after {} ms; {} pictures, lost {}, broken {}, outdated {}, \
             ended {}, stalled for {} ms",
            self.name,
            self.lasted_ms,
            sight(&self.hit),
            sight(&self.behind),
            sight(&self.others),
            self.converged_ms,
            self.pictures,
            self.lost.len(),
            self.broken,
            self.outdated,
            self.ended,
            self.stalled_ms,
        );
        if let Some(told) = self.told_ms {
            line.push_str(&format!(", told after {told} ms"));
        }
        for (why, times) in &self.refused {
            line.push_str(&format!(", {times} times {why}"));
        }
        for why in &self.lost {
            line.push_str(&format!(", {why}"));
        }
        line
    }

    /// What is not as it should be, where leases last so long.
    fn complaints(&self, lease_ms: u64) -> Vec<&'static str> {
        let all = [
            (self.broken > 0, "frames could not be decoded"),
            (self.outdated > 0, "two publishers were live"),
            (self.ended > 0, "the broadcast was lost"),
            (
                !self.lost.is_empty(),
                "sessions were lost where nothing died",
            ),
            (self.hit.gap_ms > BACK, "players were not back in time"),
            (
                self.others.gap_ms > UNDISTURBED || self.others.missed > 0,
                "players were disturbed that had nothing to do with it",
            ),
            (
                self.told_ms > Some(TOLD),
                "a publisher was not told in time",
            ),
            (
                self.converged_ms > lease_ms + AFTER_LEASE,
                "it took too long to converge",
            ),
        ];
        let bad = all.into_iter().filter(|(bad, _)| *bad);
        bad.map(|(_, what)| what).collect()
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

const HEADS: [&str; 12] = [
    "fault",
    "times",
    "hit (ms)",
    "behind (ms)",
    "others (ms)",
    "all well (ms)",
    "told (ms)",
    "pictures",
    "lost",
    "broken",
    "outdated",
    "stalled (ms)",
];

impl Report {
    pub(super) fn new(settings: Faults, outcomes: Vec<Outcome>) -> Self {
        Self { settings, outcomes }
    }

    /// What is not as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let lease_ms = self.settings.lease * 1_000;
        let outcomes = self.outcomes.iter().enumerate();
        let complaints = outcomes.flat_map(|(number, one)| {
            let bad = one.complaints(lease_ms).into_iter();
            bad.map(move |what| format!("{}: {}: {what}", number + 1, one.name))
        });
        complaints.collect()
    }

    /// As a table, by kinds.
    pub fn text(&self) -> String {
        let mut kinds: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &self.outcomes {
            kinds.entry(&outcome.name).or_default().push(outcome);
        }
        let rows: Vec<_> = kinds.iter().map(|(name, all)| row(name, all)).collect();
        let title = format!(
            "{} faults, {} relays, {} broadcasts, {} players: the longest of each",
            self.outcomes.len(),
            self.settings.relays,
            self.settings.broadcasts,
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
    let sum = |of: fn(&Outcome) -> usize| all.iter().map(|one| of(one)).sum::<usize>().to_string();
    vec![
        name.to_owned(),
        all.len().to_string(),
        most(|one| one.hit.gap()),
        most(|one| one.behind.gap()),
        most(|one| one.others.gap()),
        most(|one| Some(one.converged_ms)),
        most(|one| one.told_ms),
        sum(|one| one.pictures as usize),
        sum(|one| one.lost.len()),
        sum(|one| one.broken as usize),
        sum(|one| one.outdated as usize),
        most(|one| Some(one.stalled_ms)),
    ]
}
