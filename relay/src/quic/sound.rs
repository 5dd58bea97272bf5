//! Sound as players are sent it, in datagrams (PROTOCOL 9).

use std::time::{Duration, Instant};

use bytes::Bytes;
use steadycast_codec_glue::wire::{SoundPacket, limits};
use wtransport::Connection;

use super::endpoint::WAITING_DATAGRAMS;
use crate::delivery::{Place, Sounder, Wait, repeating};
use crate::path::Losses;

/// A frame of sound as datagrams of the sessions that most players have, by how many frames before it are repeated.
/// All players share them.
pub(crate) struct Datagrams([Bytes; 1 + limits::SOUND_REPEATS as usize]);

/// The first session of a connection, as HTTP/3 datagrams name it (RFC 9297, 2.1): players have no other.
const FIRST_SESSION: u8 = 0;

/// What makes datagrams of frames.
#[derive(Default)]
pub(crate) struct Encoder;

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

/// The packet with at most so many repeated frames.
fn datagram(packet: &SoundPacket, most: usize) -> Bytes {
    [&[FIRST_SESSION][..], &repeating(packet, most)]
        .concat()
        .into()
}

/// What waits for longer than this is worth nothing any more ...
const STALE: Duration = Duration::from_millis(100);
/// ... where it is so many frames.
const FEW: usize = 3;

/// A player's ear: its end of the connection.
pub(super) struct Ear {
    first_session: bool,
    losses: Losses,
    wait: Wait,
    /// Since when something has been waiting in the connection whenever there was more.
    held_up: Option<Instant>,
}

impl Ear {
    pub(super) fn of(connection: &Connection) -> Self {
        Self {
            first_session: connection.session_id().into_u64() == u64::from(FIRST_SESSION),
            losses: Losses::default(),
            wait: Wait::default(),
            held_up: None,
        }
    }

    /// Sends a frame, unless those before it still wait. Whether it could.
    pub(super) fn hear(
        &mut self,
        connection: &Connection,
        (Datagrams(of), place): (&Datagrams, Place),
        now: Instant,
    ) -> bool {
        let quic = connection.quic_connection();
        if self.losses.is_due(now) {
            let path = quic.stats().path;
            self.losses.see(path.sent_packets, path.lost_packets, now);
        }
        let Some(repeats) = self.wait.turn(place, self.losses.repeat()) else {
            return true;
        };
        let datagram = &of[usize::from(repeats)];
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
            self.held_up = None;
            return true;
        }
        let held_up = *self.held_up.get_or_insert(now);
        waiting < FEW * len || now.saturating_duration_since(held_up) < STALE
    }
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::wire::decode_sound;

    use super::*;

    fn packet(lens: &[usize]) -> SoundPacket {
        let (newest, before) = lens.split_last().unwrap();
        let frame = |len: &usize| Bytes::from(vec![0xf8; *len]);
        SoundPacket {
            begins: false,
            sealed: false,
            epoch: 1,
            sequence: 9,
            capture_us: 5,
            repeats: before.iter().map(frame).collect(),
            frame: frame(newest),
        }
    }

    /// What each of the datagrams of a packet repeats.
    fn repeats(packet: &SoundPacket) -> [Vec<usize>; 3] {
        let Datagrams(of) = Datagrams::of(packet);
        of.map(|datagram| {
            assert_eq!(datagram[0], FIRST_SESSION);
            let decoded = decode_sound(&datagram.slice(1..)).unwrap().unwrap();
            assert_eq!(decoded.frame, packet.frame);
            decoded.repeats.iter().map(Bytes::len).collect()
        })
    }

    #[test]
    fn a_frame_goes_with_none_one_or_two_before_it() {
        let repeated = repeats(&packet(&[1, 2, 3]));
        assert_eq!(repeated, [vec![], vec![2], vec![1, 2]]);
        assert_eq!(repeats(&packet(&[2, 3])), [vec![], vec![2], vec![2]]);
        assert!(repeats(&packet(&[3])).iter().all(Vec::is_empty));
    }

    #[test]
    fn what_does_not_fit_is_left_out_the_oldest_first() {
        let repeated = repeats(&packet(&[500, 400, 500]));
        assert_eq!(repeated, [vec![], vec![400], vec![400]]);
        assert!(repeats(&packet(&[700, 700])).iter().all(Vec::is_empty));
    }
}
