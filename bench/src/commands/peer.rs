//! `bench peer`: the same load against another project's relay, in turns.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::{Progress, SECOND, show};
use crate::load::Load;
use crate::peer::{Side, Sides, picture_flags, program};
use crate::place::{Relay, Where};

/// The projects that can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub enum Which {
    /// moq-relay 0.17, and clients on the crates that it is made of
    MoqRelay,
}

/// The command line of `bench peer`.
#[derive(Debug, Args)]
pub struct Peer {
    /// The other project
    which: Which,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    load: Load,
    /// How often each of the two has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where `make peers` has put the other project's programs
    #[arg(long, default_value = "target/peers/bin", value_name = "DIR")]
    peers: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Peer {
    /// Does it.
    ///
    /// # Errors
    /// When one of the relays cannot be run.
    pub fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        ensure!(self.rounds > 0, "--rounds must be at least 1");
        ensure!(
            self.load.publishers == 1
                && self.load.healthy() == self.load.players
                && !self.load.transport.has_webrtc(),
            "the other project's load has one publisher, and healthy WebTransport players only"
        );
        ensure!(self.place.url.is_none(), "both relays are started here");
        let progress = Progress::new(self.json);
        let mut sides = Sides::default();
        for round in 1..=self.rounds {
            let title = format!("round {round}");
            sides.ours.push(self.ours(&progress, &title)?);
            progress.show(&format!("{title}, moq-relay"), 0, 1);
            sides.theirs.push(self.theirs()?);
        }
        drop(progress);
        show(self.json, &sides, &sides.text("moq-relay", &self.load))
    }

    fn ours(&self, progress: &Progress, title: &str) -> Result<Side> {
        let relay = Relay::at(&self.place)?;
        let report = relay.load(&self.load, SECOND, &|what, done, all| {
            progress.show(&format!("{title}, {what}"), done, all);
        })?;
        Side::read(&serde_json::to_value(report)?)
    }

    fn theirs(&self) -> Result<Side> {
        let client = program(&self.peers, "moq-peer")?;
        let relay = program(&self.peers, "moq-relay")?;
        let load = &self.load;
        let core = self.place.relay_cores.first().copied().unwrap_or(0);
        let output = Command::new(client)
            .arg("fanout")
            .arg("--relay")
            .arg(relay)
            .args(["--relay-core", &core.to_string()])
            .args(["--client-core", &self.place.client_core.to_string()])
            .args(["--players", &load.players.to_string()])
            .args(picture_flags(&load.picture))
            .args(["--seconds", &load.seconds.to_string()])
            .arg("--json")
            .stderr(Stdio::inherit())
            .output()
            .context("running moq-peer")?;
        ensure!(output.status.success(), "moq-peer failed");
        let report: Value = serde_json::from_slice(&output.stdout)?;
        Side::read(&report)
    }
}
