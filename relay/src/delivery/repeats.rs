//! Frames of sound that datagrams repeat, where the path loses some, or where very many listen.

use bytes::Bytes;
use steadycast_codec_glue::wire::{SoundPacket, encode_sound};

use super::pairs::Place;

/// The packet with at most so many repeated frames, those nearest to it, and no more than fit.
pub(crate) fn repeating(packet: &SoundPacket, most: usize) -> Bytes {
    let there = packet.repeats.len();
    (0..=most.min(there))
        .rev()
        .find_map(|repeats| {
            let packet = SoundPacket {
                repeats: packet.repeats[there - repeats..].to_vec(),
                ..packet.clone()
            };
            encode_sound(&packet).ok()
        })
        // What was decoded can be encoded.
        .unwrap_or_default()
}

/// Whether a player has a frame still to come that it waits for.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    waits: bool,
}

impl Wait {
    /// How many frames a datagram repeats for a player on whose path so many are to be, when it is the turn of this
    /// frame; `None`: it is sent none now.
    pub(crate) fn turn(&mut self, place: Place, repeat: u8) -> Option<u8> {
        // On a path that loses all frames go at once, for each repeats those before it.
        let begins = place == Place::First && repeat == 0;
        let waited = std::mem::replace(&mut self.waits, begins);
        match place {
            Place::First if begins => None,
            Place::Left if !waited => None,
            Place::Second if waited => Some(repeat.max(1)),
            Place::Alone | Place::First | Place::Second | Place::Left => Some(repeat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_for_a_frame_gets_it_with_the_next_one_or_by_itself() {
        let mut wait = Wait::default();
        assert_eq!(wait.turn(Place::First, 0), None);
        assert_eq!(wait.turn(Place::Second, 0), Some(1));
        assert_eq!(wait.turn(Place::First, 0), None);
        assert_eq!(wait.turn(Place::Left, 0), Some(0));
        assert_eq!(wait.turn(Place::Alone, 0), Some(0));
    }

    #[test]
    fn who_has_not_waited_gets_each_frame_once() {
        // It has come after the first one.
        let mut wait = Wait::default();
        assert_eq!(wait.turn(Place::Second, 0), Some(0));
        // On a path that loses nobody waits.
        for place in [Place::First, Place::Second, Place::First] {
            assert_eq!(wait.turn(place, 1), Some(1));
        }
        assert_eq!(wait.turn(Place::Left, 1), None);
        // It had waited before the path lost anything.
        assert_eq!(wait.turn(Place::First, 0), None);
        assert_eq!(wait.turn(Place::Second, 2), Some(2));
    }
}
