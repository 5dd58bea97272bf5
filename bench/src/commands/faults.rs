//! `bench faults`: a cluster of processes under faults.

use anyhow::{Result, ensure};
use clap::Args;
use tokio::runtime;

use super::{remark, show};
use crate::faults::Faults;

/// The command line of `bench faults`.
#[derive(Debug, Args)]
pub struct Fault {
    #[command(flatten)]
    faults: Faults,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Fault {
    /// Runs it.
    ///
    /// # Errors
    /// When something is not as it should be.
    pub fn run(self) -> Result<()> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let told = |outcome: &crate::faults::Outcome| remark(&outcome.line());
        let report = runtime.block_on(self.faults.run(told))?;
        show(self.json, &report, &report.text())?;
        let complaints = report.complaints();
        ensure!(
            complaints.is_empty(),
            "{} things are not as they should be",
            complaints.len()
        );
        Ok(())
    }
}
