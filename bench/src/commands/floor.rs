//! `bench floor`: what the machine allows.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::show;
use crate::floor;
use crate::load::Load;
use crate::process;
use crate::report::table;

/// The command line of `bench floor`.
#[derive(Debug, Args)]
pub struct Floor {
    #[command(flatten)]
    load: Load,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Floor {
    /// Does it.
    ///
    /// # Errors
    /// When packets cannot be sent.
    pub fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        let cores = (process::cores() > 1).then_some((0, 1));
        let time = Duration::from_secs(self.load.seconds.min(3));
        let floor = floor::measure(&self.load, cores, time)?;
        let rows = [
            ("CPU s per Gbit", format!("{:.3}", floor.cpu_s_per_gbit)),
            ("Gbit/s of one core", format!("{:.1}", floor.gbit_per_core)),
            ("sealing a packet", format!("{:.0} ns", floor.seal_ns)),
            ("sending a packet", format!("{:.0} ns", floor.send_ns)),
        ];
        let text = table("The floor: AES-128-GCM and UDP GSO alone", &rows);
        show(self.json, &floor, &text)
    }
}
