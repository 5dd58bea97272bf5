//! Two frames of sound in one datagram: where very many listen, every other frame waits for the next one, which
//! brings it along as one that it repeats; or it goes with a picture, where one goes out before. So a frame costs half or less,
//! and players need 20 ms more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use steadycast_codec_glue::wire::{SoundPacket, limits};

/// From so many listeners of a broadcast on frames go in pairs ...
const MANY: u32 = 256;
/// ... until they are fewer than this.
const FEW: u32 = 192;
/// How long a frame waits for the next one: a little longer than that should take.
const PATIENCE: Duration = Duration::from_millis(30);

/// What a frame is to those that are handed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It goes at once.
    Alone,
    /// The next one brings it along: who misses nothing then waits for that.
    First,
    /// It brings the one before it along for those who have waited.
    Second,
    /// It was a first one, and a picture goes out before the next one comes, or that does not bring it along: it goes to
    /// those who have waited.
    Left,
}

/// Which frames wait for which.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    on: bool,
    /// A frame for which others wait, and until when.
    first: Option<(Arc<SoundPacket>, Instant)>,
    next: VecDeque<(Arc<SoundPacket>, Place)>,
}

impl Pairs {
    /// So many listen to the broadcast.
    pub(super) fn fit(&mut self, listeners: u32) {
        self.on = match self.on {
            true => listeners >= FEW,
            false => listeners >= MANY,
        };
    }

    /// Takes the next frame.
    pub(super) fn push(&mut self, packet: Arc<SoundPacket>, now: Instant) {
        if let Some((first, _)) = self.first.take() {
            if is_next(&first, &packet) {
                self.next.push_back((packet, Place::Second));
                return;
            }
            self.next.push_back((first, Place::Left));
        }
        let place = match self.on {
            true => Place::First,
            false => Place::Alone,
        };
        if self.on {
            self.first = Some((packet.clone(), now + PATIENCE));
        }
        self.next.push_back((packet, place));
    }

    /// What is to be handed out next.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Arc<SoundPacket>, Place)> {
        if let Some((first, _)) = self.first.take_if(|(_, due)| *due <= now) {
            self.next.push_back((first, Place::Left));
        }
        self.next.pop_front()
    }

    /// When a frame has waited for long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.first.as_ref().map(|(_, due)| *due)
    }
}

/// Whether a packet repeats the frame of the one before it, and has room for that.
fn is_next(first: &SoundPacket, packet: &SoundPacket) -> bool {
    /// What a datagram has beside two frames (PROTOCOL 9.3).
    const BESIDE: usize = 20;
    !packet.repeats.is_empty()
        && BESIDE + first.frame.len() + packet.frame.len() <= limits::SOUND_DATAGRAM
        && packet.epoch == first.epoch
        && packet.sequence == first.sequence.wrapping_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u32, repeats: usize) -> Arc<SoundPacket> {
        Arc::new(SoundPacket {
            begins: repeats == 0,
            sealed: false,
            epoch: 1,
            sequence,
            capture_us: 0,
            repeats: vec![vec![1].into(); repeats],
            frame: vec![1].into(),
        })
    }

    fn places(pairs: &mut Pairs, now: Instant) -> Vec<(u32, Place)> {
        std::iter::from_fn(|| pairs.pop(now))
            .map(|(packet, place)| (packet.sequence, place))
            .collect()
    }

    fn many() -> Pairs {
        let mut pairs = Pairs::default();
        pairs.fit(MANY);
        pairs
    }

    #[test]
    fn where_few_listen_every_frame_goes_alone() {
        let mut pairs = Pairs::default();
        pairs.fit(MANY - 1);
        let now = Instant::now();
        pairs.push(packet(1, 0), now);
        pairs.push(packet(2, 1), now);
        assert_eq!(
            places(&mut pairs, now),
            [(1, Place::Alone), (2, Place::Alone)]
        );
        assert_eq!(pairs.due(), None);
    }

    #[test]
    fn where_many_listen_every_other_frame_brings_one_along() {
        let mut pairs = many();
        pairs.fit(FEW);
        let now = Instant::now();
        for sequence in 1..5 {
            pairs.push(packet(sequence, 1), now);
        }
        assert_eq!(
            places(&mut pairs, now),
            [
                (1, Place::First),
                (2, Place::Second),
                (3, Place::First),
                (4, Place::Second)
            ]
        );
        pairs.fit(FEW - 1);
        pairs.push(packet(5, 1), now);
        assert_eq!(places(&mut pairs, now), [(5, Place::Alone)]);
    }

    #[test]
    fn a_frame_that_none_follows_soon_goes_to_those_who_have_waited() {
        let mut pairs = many();
        let now = Instant::now();
        pairs.push(packet(1, 1), now);
        assert_eq!(places(&mut pairs, now), [(1, Place::First)]);
        let due = pairs.due().unwrap();
        assert_eq!(places(&mut pairs, due), [(1, Place::Left)]);
        assert_eq!(pairs.due(), None);
    }

    #[test]
    fn a_frame_that_the_next_one_does_not_repeat_goes_before_it() {
        let now = Instant::now();
        for next in [packet(2, 0), packet(3, 1)] {
            let mut pairs = many();
            pairs.push(packet(1, 1), now);
            pairs.push(next.clone(), now);
            assert_eq!(
                places(&mut pairs, now),
                [
                    (1, Place::First),
                    (1, Place::Left),
                    (next.sequence, Place::First)
                ]
            );
        }
    }
}
