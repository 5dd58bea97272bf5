//! `bench soak`: one load for a long time.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::{Output, Progress};
use crate::load::Load;
use crate::place::{Relay, Where};
use crate::report::soak_html;
use crate::soak;

/// From one look at the relay to the next.
const EVERY: Duration = Duration::from_secs(10);

/// The command line of `bench soak`.
#[derive(Debug, Args)]
#[command(mut_arg("seconds", |minutes| {
    minutes
        .long("minutes")
        .value_name("MINUTES")
        .help("How long to measure, in minutes")
        .default_value("60")
}))]
pub struct Soak {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    output: Output,
}

impl Soak {
    /// Does it.
    ///
    /// # Errors
    /// When there is no relay, or its process is not known.
    pub fn run(self) -> Result<()> {
        // What the command line calls minutes.
        let seconds = self.load.seconds.saturating_mul(60);
        let load = Load {
            seconds,
            ..self.load
        };
        load.check().map_err(anyhow::Error::msg)?;
        let relay = Relay::at(&self.place)?;
        ensure!(relay.gauge().is_some(), "give the relay's --relay-pid");
        let progress = Progress::new(self.output.json);
        let report = relay.load(&load, EVERY, &|what, done, all| {
            progress.show(what, done, all);
        })?;
        drop(progress);
        let soak = soak::Soak::of(report);
        let text = soak.text();
        self.output.page(|| soak_html(&soak.samples, &text))?;
        self.output.show(&soak, &text)
    }
}
