//! `bench fanout`: one load and its report.

use anyhow::{Result, bail};
use clap::Args;

use super::{Output, Progress, SECOND};
use crate::load::Load;
use crate::place::{Relay, Where};
use crate::report::html;

/// The command line of `bench fanout`.
#[derive(Debug, Args)]
pub struct Fanout {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    output: Output,
}

impl Fanout {
    /// Does it.
    ///
    /// # Errors
    /// When there is no relay, or a frame was wrong.
    pub fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        let relay = Relay::at(&self.place)?;
        let floor = relay.floor(&self.load)?;
        let progress = Progress::new(self.output.json);
        let mut report = relay.load(&self.load, SECOND, &|what, done, all| {
            progress.show(what, done, all);
        })?;
        drop(progress);
        report.floor_cpu_s_per_gbit = floor.map(|floor| floor.cpu_s_per_gbit);
        self.output.page(|| html(&report))?;
        self.output.show(&report, &report.text())?;
        if report.bad > 0 {
            bail!("{} frames were wrong", report.bad);
        }
        Ok(())
    }
}
