//! `bench publish`: the sending half of a run.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::say;
use crate::halves;
use crate::load::Picture;
use crate::target::Target;

/// The command line of `bench publish`.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints the broadcast's id and play token as one line of JSON, publishes until it is told to end \
(SIGINT or SIGTERM), and ends the broadcast.")]
pub struct Publish {
    /// The relay, as in http://192.0.2.1:4433
    #[arg(long)]
    url: String,
    /// The relay's admin key
    #[arg(long, env = "STEADYCAST_SERVER_ADMIN_KEY", hide_env_values = true)]
    admin_key: String,
    #[command(flatten)]
    picture: Picture,
}

impl Publish {
    /// Does it.
    ///
    /// # Errors
    /// When the relay cannot be reached, refuses, or ends the session.
    pub fn run(self) -> Result<()> {
        self.picture.check().map_err(anyhow::Error::msg)?;
        let target = Target::find(&self.url, &self.admin_key)?;
        halves::publish(&target, &self.picture, |broadcast| {
            say(&json!({ "id": broadcast.id, "play_token": broadcast.play_token }).to_string());
            Ok(())
        })
    }
}
