//! `bench watch`: the receiving half of a run.

use anyhow::{Result, bail, ensure};
use clap::Args;

use super::{Progress, show};
use crate::halves::{self, Audience};
use crate::target::{Broadcast, Target};

/// The command line of `bench watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks order and that streams begin with keyframes, but not what is in a frame. Latency is this \
machine's clock less the publisher's: it assumes that the two are synchronised.")]
pub struct Watch {
    /// The relay, as in http://192.0.2.1:4433
    #[arg(long)]
    url: String,
    /// What `bench publish` has printed
    #[arg(long)]
    play_token: String,
    /// The broadcast's id, for players by WebRTC
    #[arg(long, value_name = "ID")]
    broadcast: Option<String>,
    #[command(flatten)]
    audience: Audience,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Watch {
    /// Does it.
    ///
    /// # Errors
    /// When the relay cannot be reached, or a frame was wrong.
    pub fn run(self) -> Result<()> {
        let audience = &self.audience;
        ensure!(audience.players > 0, "--players must be at least 1");
        ensure!(audience.seconds > 0, "--seconds must be at least 1");
        ensure!(audience.ramp > 0, "--ramp must be at least 1");
        ensure!(
            self.broadcast.is_some() || !audience.transport.has_webrtc(),
            "give the --broadcast for players by WebRTC"
        );
        let broadcast = Broadcast {
            id: self.broadcast.unwrap_or_default(),
            publish_token: String::new(),
            play_token: self.play_token,
        };
        // Watching takes the play token alone.
        let target = Target::find(&self.url, "")?;
        let progress = Progress::new(self.json);
        let watched = halves::watch(&target, &broadcast, audience, &|what, done, all| {
            progress.show(what, done, all);
        })?;
        drop(progress);
        show(self.json, &watched, &watched.text())?;
        if watched.bad > 0 {
            bail!("{} frames were wrong", watched.bad);
        }
        Ok(())
    }
}
