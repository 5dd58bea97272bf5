//! `bench sweep`: the most players that one relay serves in time.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::{Output, Progress, SECOND, remark};
use crate::load::Load;
use crate::place::{Relay, Where};
use crate::report::{Report, sweep_html};
use crate::sweep::{self, Search};

/// The command line of `bench sweep`.
#[derive(Debug, Args)]
#[command(mut_arg("players", |players| {
    players
        .long("from")
        .value_name("PLAYERS")
        .help("Players to begin with")
        .default_value("100")
}))]
pub struct Sweep {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    load: Load,
    /// While runs pass, the next has this many times the players
    #[arg(long, default_value_t = 1.5)]
    step_factor: f64,
    /// What 99 of 100 frames may take, in milliseconds
    #[arg(long, default_value_t = 50)]
    bound_ms: u64,
    #[command(flatten)]
    output: Output,
}

impl Sweep {
    /// Does it.
    ///
    /// # Errors
    /// When there is no relay.
    pub fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        ensure!(self.step_factor > 1.0, "--step-factor must be above 1");
        let bound = Duration::from_millis(self.bound_ms);
        let mut search = Search::new(self.load.players, self.step_factor);
        let (mut runs, mut saturated) = (Vec::new(), false);
        while let Some(players) = search.next_try().filter(|_| !saturated) {
            let report = self.attempt(players)?;
            search.learn(
                players,
                report
                    .as_ref()
                    .is_some_and(|report| sweep::passes(report, bound)),
            );
            saturated = report.as_ref().is_some_and(Report::client_is_saturated);
            runs.extend(report);
        }
        let found = sweep::Sweep::of(&search, bound, saturated, runs);
        let text = found.text();
        self.output.page(|| sweep_html(&found.runs, &text))?;
        self.output.show(&found, &text)
    }

    /// A run with a relay of its own; none when the relay could not bear it.
    fn attempt(&self, players: usize) -> Result<Option<Report>> {
        let relay = Relay::at(&self.place)?;
        let load = Load {
            players,
            ..self.load.clone()
        };
        let progress = Progress::new(self.output.json);
        let title = format!("{players}:");
        let report = relay.load(&load, SECOND, &|what, done, all| {
            progress.show(&format!("{title} {what}"), done, all);
        });
        drop(progress);
        match report {
            Ok(report) => Ok(Some(report)),
            Err(error) => {
                remark(&format!("{players} players: {error:#}"));
                Ok(None)
            }
        }
    }
}
