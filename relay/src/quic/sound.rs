//! Sound in datagrams: what publishers send, and what players are sent (PROTOCOL 9).

use std::time::{Duration, Instant};

use bytes::Bytes;
use steadycast_codec_glue::wire::{SoundPacket, decode_sound, encode_sound, limits};
use wtransport::Connection;

use super::ending::Ending;
use super::endpoint::WAITING_DATAGRAMS;
use crate::allowance::{self, Allowance};
use crate::broadcast::{PublisherSeat, RelayTime};
use crate::delivery::Sounder;
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

/// A frame of sound as datagrams of the sessions that most players have, by how many frames before it are repeated.
/// All players share them.
pub(super) struct Datagrams([Bytes; 1 + limits::SOUND_REPEATS as usize]);

/// The first session of a connection, as HTTP/3 datagrams name it (RFC 9297, 2.1): players have no other.
const FIRST_SESSION: u8 = 0;

/// What makes datagrams of frames.
#[derive(Default)]
pub(super) struct Encoder;

impl Sounder for Encoder {
    type Sound = Datagrams;

    fn sound(&mut self, packet: &SoundPacket) -> Datagrams {
        Datagrams::of(packet)
    }
}

impl Datagrams {
    /// Of a packet with all frames that may be repeated.
    pub(super) fn of(packet: &SoundPacket) -> Self {
        Self(std::array::from_fn(|most| datagram(packet, most)))
    }
}

/// The packet with at most so many repeated frames, those nearest to it, and no more than fit.
fn datagram(packet: &SoundPacket, most: usize) -> Bytes {
    let there = packet.repeats.len();
    (0..=most.min(there))
        .rev()
        .find_map(|repeats| {
            let packet = SoundPacket {
                repeats: packet.repeats[there - repeats..].to_vec(),
                ..packet.clone()
            };
            let encoded = encode_sound(&packet).ok()?;
            Some([&[FIRST_SESSION][..], &encoded].concat().into())
        })
        // What was decoded can be encoded.
        .unwrap_or_default()
}

/// What waits for longer than this is worth nothing any more ...
const STALE: Duration = Duration::from_millis(100);
/// ... where it is so many frames.
const FEW: usize = 3;

/// A player's ear: its end of the connection.
pub(super) struct Ear {
    first_session: bool,
    losses: Losses,
    /// Since when something has been waiting whenever there was more.
    waits: Option<Instant>,
}

impl Ear {
    pub(super) fn of(connection: &Connection) -> Self {
        Self {
            first_session: connection.session_id().into_u64() == u64::from(FIRST_SESSION),
            losses: Losses::default(),
            waits: None,
        }
    }

    /// Sends a frame, unless those before it still wait. Whether it could.
    pub(super) fn hear(
        &mut self,
        connection: &Connection,
        Datagrams(of): &Datagrams,
        now: Instant,
    ) -> bool {
        let quic = connection.quic_connection();
        if self.losses.is_due(now) {
            let path = quic.stats().path;
            self.losses.see(path.sent_packets, path.lost_packets, now);
        }
        let datagram = &of[usize::from(self.losses.repeat())];
        if !self.has_room(quic, datagram.len(), now) {
            return false;
        }
        let sent = match self.first_session {
            true => quic.send_datagram(datagram.clone()).is_ok(),
            false => connection.send_datagram(&datagram[1..]).is_ok(),
        };
        // Where the path takes no datagrams of this size it may take smaller ones.
        sent || self.first_session && quic.send_datagram(of[0].clone()).is_ok()
    }

    fn has_room(&mut self, quic: &quinn::Connection, len: usize, now: Instant) -> bool {
        let waiting = WAITING_DATAGRAMS.saturating_sub(quic.datagram_send_buffer_space());
        if waiting < len {
            self.waits = None;
            return true;
        }
        let waits = *self.waits.get_or_insert(now);
        waiting < FEW * len || now.saturating_duration_since(waits) < STALE
    }
}
