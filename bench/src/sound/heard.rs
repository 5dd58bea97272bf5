//! What all players of a run have heard together.

use std::cell::RefCell;

use anyhow::Result;
use steadycast_codec_glue::wire::decode_sound;
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::Connection;

use super::ear::{Came, Ear};
use crate::tally::{Tally, Times, times};

/// What healthy players have heard.
#[derive(Debug)]
pub struct Heard {
    /// Frames of the window.
    pub frames: u64,
    /// Frames that never came, between others of the window.
    pub missed: u64,
    /// Times that frames were missing in a row.
    pub gaps: u64,
    /// From capture to arrival.
    pub latency: Times,
    /// Frames of the whole run.
    pub all: u64,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            frames: 0,
            missed: 0,
            gaps: 0,
            latency: times(),
            all: 0,
        }
    }
}

impl Tally {
    /// Counts what a packet brought whose newest frame was captured then, if that is known.
    pub fn hear(&mut self, came: Came, capture_us: Option<u64>, now_us: u64) {
        self.sound.all += came.new;
        let captured = capture_us.unwrap_or(now_us);
        if !self.window.contains(&captured) {
            return;
        }
        self.sound.frames += came.new;
        self.sound.missed += came.missed;
        self.sound.gaps += came.gaps;
        if let Some(capture_us) = capture_us {
            let latency = now_us.saturating_sub(capture_us);
            self.sound.latency.saturating_record(latency);
        }
    }
}

/// Hears what comes until the session ends.
///
/// # Errors
/// With what ended the session, or a datagram that was wrong.
pub async fn listen(
    connection: &Connection,
    tally: &RefCell<Tally>,
    clock: RelayClock,
) -> Result<()> {
    let mut ear = Ear::default();
    let mut epoch = None;
    loop {
        let datagram = connection.receive_datagram().await?;
        let Some(packet) = decode_sound(&datagram)? else {
            continue;
        };
        // Another publisher counts from the beginning.
        if epoch.replace(packet.epoch) != Some(packet.epoch) {
            ear = Ear::default();
        }
        let came = ear.take(packet.sequence.into(), packet.repeats.len() as u64);
        let now = clock.now().as_micros();
        tally.borrow_mut().hear(came, Some(packet.capture_us), now);
    }
}
