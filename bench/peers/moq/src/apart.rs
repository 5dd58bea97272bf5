//! Publisher and player as processes of their own, for relays that somebody else has started.

use std::io::{LineWriter, Stdout, Write};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::client::client;
use crate::clock::now_us;
use crate::payload::Stamp;
use crate::player::{Notes, Player};
use crate::publisher::{Publisher, Shape};
use crate::tally::Tally;

/// Publishes until it is ended from outside.
///
/// # Errors
/// When the relay cannot be reached, or ends the session.
pub(crate) async fn publish(url: Url, shape: Shape) -> anyhow::Result<()> {
    let client = client(Ipv4Addr::UNSPECIFIED)?;
    let publisher = Publisher::connect(client, url, shape, Arc::new(Tally::new()?)).await?;
    Ok(publisher.run().await?)
}

/// Watches until it is ended from outside, and prints a line for each frame: when it was captured and when it had
/// come, in microseconds since the Unix epoch, and its bytes; or `bad`.
///
/// # Errors
/// When the relay cannot be reached, or the broadcast ends.
pub(crate) async fn watch(url: Url, shape: Shape, max_age: Duration) -> anyhow::Result<()> {
    let player = Player {
        client: client(Ipv4Addr::UNSPECIFIED)?,
        url,
        max_age,
        shape,
        notes: Arc::new(Lines(Mutex::new(LineWriter::new(std::io::stdout())))),
    };
    Ok(player.watch().await?)
}

struct Lines(Mutex<LineWriter<Stdout>>);

impl Notes for Lines {
    fn frame(&self, stamp: Stamp, bytes: usize) {
        self.write(&format!("{} {} {bytes}", stamp.captured_us, now_us()));
    }

    fn bad(&self) {
        self.write("bad");
    }
}

impl Lines {
    fn write(&self, line: &str) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever started this reads to the end, or has gone.
        let _ = writeln!(out, "{line}");
    }
}
