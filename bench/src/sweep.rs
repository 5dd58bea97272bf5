//! The search for the most players that are served in time.

use std::time::Duration;

use serde::Serialize;

use crate::report::{Report, columns};

/// The most players that a search tries: what [`OwnRelay`](crate::process::OwnRelay) lets one
/// broadcast have.
const MOST: usize = 10_000;
/// The search ends when what passed and what failed are this close, as a share of the latter.
const CLOSE: f64 = 0.05;

/// A search: upwards by a factor while runs pass, then by halves between what passed and what
/// failed.
#[derive(Debug, Clone)]
pub struct Search {
    from: usize,
    factor: f64,
    passed: usize,
    failed: Option<usize>,
}

impl Search {
    /// Begins with `from` players and takes `factor` times as many while that passes.
    pub fn new(from: usize, factor: f64) -> Self {
        Self {
            from,
            factor,
            passed: 0,
            failed: None,
        }
    }

    /// The number of players to try next; none when the search is over.
    pub fn next_try(&self) -> Option<usize> {
        match (self.passed, self.failed) {
            (0, None) => Some(self.from.min(MOST)),
            (passed, None) => {
                let more = (passed as f64 * self.factor).ceil() as usize;
                let next = more.max(passed + 1).min(MOST);
                (next > passed).then_some(next)
            }
            (passed, Some(failed)) => {
                let between = (passed + failed) / 2;
                let apart = (failed - passed) as f64 > failed as f64 * CLOSE;
                (apart && between > passed).then_some(between)
            }
        }
    }

    /// Takes what came of a try.
    pub fn learn(&mut self, players: usize, passed: bool) {
        if passed {
            self.passed = players;
        } else {
            self.failed = Some(players);
        }
    }

    /// The most players that passed; 0 when none did.
    pub fn most(&self) -> usize {
        self.passed
    }
}

/// Whether a run is good enough: every player and every frame, and 99 of 100 frames in time.
pub fn passes(report: &Report, bound: Duration) -> bool {
    let in_time = u128::from(report.p99_us) <= bound.as_micros();
    report.ready == report.players && report.is_whole() && in_time
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The bound lies between what passed and what failed.
    Found,
    /// The client was as busy as it can be: it, not the relay, is what was measured.
    ClientSaturated,
    /// All that may be tried passed.
    NoneFailed,
}

/// What a sweep found.
#[derive(Debug, Serialize)]
pub struct Sweep {
    /// The most players that were served in time.
    pub most_players: usize,
    /// The bound on the latency of 99 of 100 frames, in milliseconds.
    pub bound_ms: u64,
    /// Why it ended.
    pub ended: Ending,
    /// The runs, by players.
    pub runs: Vec<Report>,
}

impl Sweep {
    /// The result of a search and its runs.
    pub fn of(search: &Search, bound: Duration, saturated: bool, mut runs: Vec<Report>) -> Self {
        runs.sort_by_key(|report| report.players);
        Self {
            most_players: search.most(),
            bound_ms: bound.as_millis() as u64,
            ended: match (saturated, search.failed) {
                (true, _) => Ending::ClientSaturated,
                (false, Some(_)) => Ending::Found,
                (false, None) => Ending::NoneFailed,
            },
            runs,
        }
    }

    /// The result for people.
    pub fn text(&self) -> String {
        let mut heads = vec![
            "players",
            "delivered %",
            "p50 ms",
            "p99 ms",
            "relay cores",
            "client cores",
            "CPU s/Gbit",
            "kB/player",
        ];
        if self.runs.iter().any(|run| run.sound.is_some()) {
            heads.extend(["heard %", "sound p95 ms", "us/sound"]);
        }
        let rows: Vec<_> = self.runs.iter().map(cells).collect();
        let title = format!("p99 within {} ms, every frame delivered", self.bound_ms);
        format!("{}\n{}\n", columns(&title, &heads, &rows), self.verdict())
    }

    fn verdict(&self) -> String {
        let most = self.most_players;
        match self.ended {
            Ending::Found => format!("{most} players are served in time, to within 5 %"),
            Ending::NoneFailed => format!("{most} players are served in time; no more were tried"),
            Ending::ClientSaturated => format!(
                "stopped: this client used all that it could have of its core, so that it, and \
                 not the relay, was measured. At least {most} players are served in time"
            ),
        }
    }
}

fn cells(report: &Report) -> Vec<String> {
    let share = |part: u64, all: u64| format!("{:.3}", 100.0 * part as f64 / all.max(1) as f64);
    let mut cells = vec![
        report.players.to_string(),
        share(report.frames, report.expected),
        format!("{:.2}", report.p50_us as f64 / 1e3),
        format!("{:.2}", report.p99_us as f64 / 1e3),
        format!("{:.2}", report.relay_cores),
        format!("{:.2}", report.client_cores),
        format!("{:.3}", report.cpu_s_per_gbit),
        format!("{:.1}", report.rss_kb_per_player),
    ];
    if let Some(sound) = &report.sound {
        cells.extend([
            share(sound.frames, sound.expected),
            format!("{:.2}", sound.p95_us as f64 / 1e3),
            format!("{:.2}", sound.cpu_us),
        ]);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a relay that serves so many; returns what was tried.
    fn search(from: usize, factor: f64, serves: usize) -> (Search, Vec<usize>) {
        let mut search = Search::new(from, factor);
        let mut tried = Vec::new();
        while let Some(players) = search.next_try() {
            assert!(tried.len() < 100, "{tried:?}");
            tried.push(players);
            search.learn(players, players <= serves);
        }
        (search, tried)
    }

    #[test]
    fn it_goes_up_by_the_factor_and_then_by_halves() {
        let (search, tried) = search(100, 1.5, 300);
        assert_eq!(tried, [100, 150, 225, 338, 281, 309, 295]);
        assert_eq!(search.most(), 295);
    }

    #[test]
    fn whatever_the_relay_serves_is_found_to_within_a_twentieth() {
        for serves in (1..2_000).step_by(7) {
            let (search, _) = search(100, 1.5, serves);
            let most = search.most();
            assert!(most <= serves);
            assert!(
                serves - most <= 1.max(serves / 18),
                "{most} instead of {serves}"
            );
        }
    }

    #[test]
    fn a_relay_that_serves_nobody_and_one_that_serves_everybody_end_the_search() {
        assert_eq!(search(100, 1.5, 0).0.most(), 0);
        assert_eq!(search(100, 1.9, MOST * 2).0.most(), MOST);
    }
}
