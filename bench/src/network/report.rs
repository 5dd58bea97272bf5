//! Many outcomes side by side: a table, and a page with plots over time.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use steadycast_lab::conditions;

use super::figures::{Figures, Second};
use super::outcome::{Outcome, Who};
use crate::lab::Moment;
use crate::report::columns;
use crate::report::html::{BLUE, ORANGE, line, page, plot};
use crate::sound::SoundFigures;

/// All outcomes of a command.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which they came about.
    pub outcomes: Vec<Outcome>,
}

/// Frames in a second in which none is missing: one may come a little later.
const WHOLE_FPS: u64 = 29;

/// Outcomes that differ by their seed alone.
type Row<'a> = Vec<&'a Outcome>;

const HEADS: [&str; 15] = [
    "path",
    "by",
    "player",
    "delivered/s",
    "shown/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "freeze ms",
    "frozen %",
    "first ms",
    "sent MB",
    "dropped %",
    "again %",
    "lost",
];

const SOUND_HEADS: [&str; 8] = [
    "path",
    "by",
    "player",
    "there s",
    "missing %",
    "gaps",
    "p50 ms",
    "p95 ms",
];

impl Report {
    /// Adds outcomes.
    pub fn add(&mut self, outcomes: Vec<Outcome>) {
        self.outcomes.extend(outcomes);
    }

    /// Of each path and transport the worst of its runs, figure by figure; void runs do not count.
    pub fn text(&self) -> String {
        let rows: Vec<_> = self.rows().iter().filter_map(|row| cells(row)).collect();
        let mut text = columns("Bad networks, the worst of all seeds", &HEADS, &rows);
        let heard: Vec<_> = self
            .rows()
            .iter()
            .filter_map(|row| sound_cells(row))
            .collect();
        if !heard.is_empty() {
            text.push_str(&columns("Their sound", &SOUND_HEADS, &heard));
        }
        let titles: BTreeMap<_, _> = self
            .outcomes
            .iter()
            .map(|outcome| (outcome.condition, outcome.title))
            .collect();
        for (name, title) in titles {
            text.push_str(&format!("\n  {name}: {title}"));
        }
        text.push('\n');
        for remark in self.remarks() {
            text.push_str(&format!("  ! {remark}\n"));
        }
        text
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for outcome in &self.outcomes {
            let known = rows.iter_mut().find(|row| same(row[0], outcome));
            match known {
                Some(row) => row.push(outcome),
                None => rows.push(vec![outcome]),
            }
        }
        rows
    }

    fn remarks(&self) -> Vec<String> {
        let run = |outcome: &Outcome| {
            let Outcome {
                condition,
                transport,
                seed,
                ..
            } = outcome;
            format!("{condition}, {transport}, seed {seed}")
        };
        let mut remarks = Vec::new();
        for outcome in &self.outcomes {
            let run = run(outcome);
            if let Some(why) = &outcome.void {
                remarks.push(format!("{run} is void: {why}"));
            }
            if let Some(why) = &outcome.why_lost {
                remarks.push(format!("{run}: the first session to end early: {why}"));
            }
            remarks.extend(settled(outcome).map(|how| format!("{run}: {how}")));
            if outcome.bad > 0 {
                remarks.push(format!("{run}: {} frames were wrong", outcome.bad));
            }
        }
        let late = self.outcomes.iter().map(|outcome| outcome.lateness.p99_us);
        if let Some(late) = late.max() {
            remarks.push(format!(
                "sound: the emulator was at most {:.2} ms late at p99",
                late as f64 / 1e3
            ));
        }
        remarks
    }

    /// The page: the table, and plots of the first run of each row.
    ///
    /// # Errors
    /// When a plot cannot be drawn.
    pub fn html(&self) -> Result<String> {
        let mut plots = Vec::new();
        for row in self.rows() {
            plots.extend(plots_of(row[0])?);
        }
        Ok(page("Bad networks", &self.text(), &plots))
    }
}

fn plots_of(outcome: &Outcome) -> Result<Vec<String>> {
    let Outcome {
        condition,
        transport,
        player,
        ..
    } = outcome;
    let run = format!("{condition} by {transport}, {player}");
    let run = match outcome.who {
        Who::Free => format!("{run}, those beside"),
        Who::Player | Who::Behind => run,
    };
    let seconds = |value: fn(&Second) -> Option<f64>| {
        let seconds = outcome.figures.seconds.iter();
        let points = seconds.filter_map(|second| Some((second.second as f64, value(second)?)));
        points.collect::<Vec<_>>()
    };
    let shown = seconds(|second| Some(second.shown as f64));
    let delivered = seconds(|second| Some(second.delivered as f64));
    let p50 = seconds(|second| second.p50_ms);
    let max = seconds(|second| second.max_ms);
    let rates = rates(&outcome.moments);
    let queued = queued(&outcome.moments);
    let [sent, dropped] = rates;
    Ok(vec![
        plot(
            &format!("Frames a second, {run}"),
            "second",
            &[
                line("delivered", ORANGE, delivered),
                line("shown", BLUE, shown),
            ],
        )?,
        plot(
            &format!("Delay (ms), {run}"),
            "second",
            &[line("latest", ORANGE, max), line("median", BLUE, p50)],
        )?,
        plot(
            &format!("Into the path (Mbit/s), {run}"),
            "second",
            &[line("sent", BLUE, sent), line("dropped", ORANGE, dropped)],
        )?,
        plot(
            &format!("In its queue (kB), {run}"),
            "second",
            &[line("queued", BLUE, queued)],
        )?,
    ])
}

/// How soon a stream is as before, where the path changes and changes back.
fn settled(outcome: &Outcome) -> Option<String> {
    let changes = conditions::named(outcome.condition)?.ways.down.changes;
    let (first, last) = (changes.first()?.at.as_secs(), changes.last()?.at.as_secs());
    Some(match outcome.figures.settled(first, last, WHOLE_FPS) {
        Some(seconds) => format!("as before {seconds} s after the path is"),
        None => "not as before again".to_owned(),
    })
}

fn same(a: &Outcome, b: &Outcome) -> bool {
    (a.condition, a.transport, &a.player, a.who) == (b.condition, b.transport, &b.player, b.who)
}

/// Whose figures are in a row.
fn subject(row: &Row<'_>) -> Option<Vec<String>> {
    let first = row.first()?;
    let name = match first.who {
        Who::Free => format!("{}, beside", first.condition),
        Who::Player | Who::Behind => first.condition.to_owned(),
    };
    Some(vec![name, first.transport.to_owned(), first.player.clone()])
}

/// What was heard; none where nobody listened.
fn sound_cells(row: &Row<'_>) -> Option<Vec<String>> {
    let valid = row.iter().filter(|outcome| outcome.void.is_none());
    let heard = valid.filter_map(|outcome| outcome.sound);
    let worst = heard.reduce(SoundFigures::worse)?;
    let whole = |ms: Option<f64>| ms.map_or("?".to_owned(), |ms| format!("{ms:.0}"));
    let mut cells = subject(row)?;
    cells.extend([
        format!("{:.1}", worst.there_ms / 1e3),
        format!("{:.2}", 100.0 * worst.missing),
        worst.gaps.to_string(),
        whole(worst.p50_ms),
        whole(worst.p95_ms),
    ]);
    Some(cells)
}

fn cells(row: &Row<'_>) -> Option<Vec<String>> {
    let valid = || row.iter().filter(|outcome| outcome.void.is_none());
    let mut cells = subject(row)?;
    let Some(worst) = Figures::worst(valid().map(|outcome| &outcome.figures)) else {
        cells.push("void".to_owned());
        return Some(cells);
    };
    let most = |value: fn(&Outcome) -> f64| valid().map(|it| value(it)).fold(0.0, f64::max);
    let share = |part: u64, all: u64| 100.0 * part as f64 / all.max(1) as f64;
    let dropped = valid().map(|it| share(it.traffic.dropped_bytes, it.traffic.sent_bytes));
    let again = valid().filter_map(|it| Some((it.traffic.again_bytes?, it.traffic.sent_bytes)));
    let again = again.map(|(part, all)| share(part, all)).reduce(f64::max);
    let whole = |value: f64| format!("{value:.0}");
    let tenths = |value: f64| format!("{value:.1}");
    cells.extend([
        tenths(worst.delivered_fps),
        tenths(worst.shown_fps),
        whole(worst.p50_ms),
        whole(worst.p95_ms),
        whole(worst.p99_ms),
        whole(worst.longest_freeze_ms),
        tenths(100.0 * worst.frozen),
        worst.first_picture_ms.map_or("never".to_owned(), whole),
        tenths(most(|it| it.traffic.sent_bytes as f64 / 1e6)),
        tenths(dropped.fold(0.0, f64::max)),
        again.map_or("?".to_owned(), tenths),
        valid().map(|it| it.sessions_lost).sum::<u64>().to_string(),
    ]);
    Some(cells)
}

/// Mbit/s that were sent and dropped from one moment to the next.
fn rates(moments: &[Moment]) -> [Vec<(f64, f64)>; 2] {
    let rate = |value: fn(&Moment) -> u64| {
        // Half a second at a time: single frames are not to be seen.
        let pairs = moments.iter().zip(moments.iter().skip(5)).step_by(5);
        let points = pairs.map(|(before, after)| {
            let bits = (value(after) - value(before)) as f64 * 8.0;
            let time_ms = (after.at_ms - before.at_ms).max(1) as f64;
            (after.at_ms as f64 / 1e3, bits / time_ms / 1e3)
        });
        points.collect()
    };
    [
        rate(|moment| moment.offered_bytes),
        rate(|moment| moment.dropped_bytes),
    ]
}

fn queued(moments: &[Moment]) -> Vec<(f64, f64)> {
    let points = moments.iter();
    points
        .map(|moment| (moment.at_ms as f64 / 1e3, moment.queued_bytes as f64 / 1e3))
        .collect()
}
