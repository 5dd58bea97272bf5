//! `bench floor`: what the machine allows.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::show;
use crate::floor::{self, Sealing};
use crate::load::Load;
use crate::process;
use crate::report::columns;
use crate::transport::Srtp;

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
        let mut floors = Vec::new();
        for sealing in [
            Sealing::Quic,
            Sealing::Srtp(Srtp::Gcm),
            Sealing::Srtp(Srtp::Sha1),
        ] {
            floors.push((sealing, floor::measure(&self.load, sealing, cores, time)?));
        }
        let rows: Vec<_> = floors
            .iter()
            .map(|(sealing, floor)| row(*sealing, floor))
            .collect();
        let text = columns("The floor: sealing and UDP GSO alone", &HEADS, &rows);
        let [quic, gcm, sha1] = [0, 1, 2].map(|at| floors[at].1);
        let json = json!({ "quic": quic, "srtp_gcm": gcm, "srtp_sha1": sha1 });
        show(self.json, &json, &text)
    }
}

const HEADS: [&str; 5] = [
    "sealed as",
    "CPU s/Gbit",
    "Gbit/s of one core",
    "sealing a packet (ns)",
    "sending it (ns)",
];

fn row(sealing: Sealing, floor: &floor::Floor) -> Vec<String> {
    vec![
        sealing.name().to_owned(),
        format!("{:.3}", floor.cpu_s_per_gbit),
        format!("{:.1}", floor.gbit_per_core),
        format!("{:.0}", floor.seal_ns),
        format!("{:.0}", floor.send_ns),
    ]
}
