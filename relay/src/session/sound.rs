//! Sound of publishers, as it comes in datagrams (PROTOCOL 9).

use std::time::Instant;

use bytes::Bytes;
use steadycast_codec_glue::wire::decode_sound;

use super::ending::Ending;
use crate::allowance::{self, Allowance};
use crate::broadcast::{PublisherSeat, RelayTime};
use crate::path::Losses;

/// What comes of a publisher's sound.
pub(super) struct Intake {
    allowance: Allowance,
    losses: Losses,
    newest: Option<u32>,
    sent: u64,
    lost: u64,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            allowance: allowance::SOUND,
            losses: Losses::default(),
            newest: None,
            sent: 0,
            lost: 0,
        }
    }
}

impl Intake {
    /// How many earlier frames the publisher is to repeat.
    pub(super) fn repeat(&self) -> u8 {
        self.losses.repeat()
    }

    /// Takes a datagram.
    pub(super) fn take(
        &mut self,
        datagram: &Bytes,
        seat: &PublisherSeat,
        now: RelayTime,
    ) -> Result<(), Ending> {
        let instant = Instant::now();
        if !self.allowance.is_left(instant) {
            seat.drop_sound();
            return Ok(());
        }
        self.allowance.spend(instant);
        let packet =
            decode_sound(datagram).map_err(|error| Ending::because(error.code(), error))?;
        let Some(packet) = packet else {
            return Ok(());
        };
        self.count(packet.sequence, instant);
        seat.publish_sound(packet, now)
            .map_err(|error| Ending::because(error.code(), error))
    }

    /// Counts what the way to the relay loses: of datagrams, whatever repeats their frames.
    fn count(&mut self, sequence: u32, now: Instant) {
        match self.newest {
            Some(newest) if sequence <= newest => self.lost = self.lost.saturating_sub(1),
            newest => {
                let passed = newest.map_or(1, |newest| u64::from(sequence - newest));
                self.sent += passed;
                self.lost += passed - 1;
                self.newest = Some(sequence);
            }
        }
        if self.losses.is_due(now) {
            self.losses.see(self.sent, self.lost, now);
        }
    }
}
