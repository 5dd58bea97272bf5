//! `bench churn`: players that come and go.

use anyhow::{Result, bail, ensure};
use clap::Args;

use super::{Progress, show};
use crate::churn::{self, Traffic};
use crate::load::Picture;
use crate::place::{Relay, Where};
use crate::transport::Transport;

/// The command line of `bench churn`.
#[derive(Debug, Args)]
pub struct Churn {
    #[command(flatten)]
    place: Where,
    /// Players at a time, about: each stays players / rate seconds
    #[arg(long, default_value_t = 200)]
    players: usize,
    /// Players that come per second
    #[arg(long, default_value_t = 20)]
    rate: usize,
    /// How long players come, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    #[command(flatten)]
    transport: Transport,
    #[command(flatten)]
    picture: Picture,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Churn {
    /// Does it.
    ///
    /// # Errors
    /// When there is no relay, a frame was wrong, or the relay keeps players that have left.
    pub fn run(self) -> Result<()> {
        self.picture.check().map_err(anyhow::Error::msg)?;
        let suits = self.picture.check_for(&self.transport);
        suits.map_err(anyhow::Error::msg)?;
        ensure!(self.players > 0, "--players must be at least 1");
        ensure!(
            (1..=10_000).contains(&self.rate),
            "--rate must be from 1 to 10000"
        );
        let traffic = Traffic {
            players: self.players,
            rate: self.rate,
            seconds: self.seconds,
            transport: self.transport,
            picture: self.picture,
        };
        let relay = Relay::at(&self.place)?;
        let progress = Progress::new(self.json);
        let churn = churn::run(
            &traffic,
            relay.target(),
            relay.gauge(),
            &|what, done, all| {
                progress.show(what, done, all);
            },
        )?;
        drop(progress);
        show(self.json, &churn, &churn.text())?;
        if churn.bad > 0 {
            bail!("{} frames were wrong", churn.bad);
        }
        ensure!(
            churn.left_over == 0,
            "the relay still counts {} players",
            churn.left_over
        );
        Ok(())
    }
}
