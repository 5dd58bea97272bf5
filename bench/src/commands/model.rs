//! `bench model`: many relays and very many players on virtual time.

use anyhow::Result;
use clap::Args;

use super::show;
use crate::model::{Scene, play};

/// The command line of `bench model`.
#[derive(Debug, Args)]
pub struct Model {
    #[command(flatten)]
    scene: Scene,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Model {
    /// Plays it.
    ///
    /// # Errors
    /// When it cannot be played.
    pub fn run(self) -> Result<()> {
        let outcome = play(self.scene)?;
        show(self.json, &outcome, &outcome.text())
    }
}
