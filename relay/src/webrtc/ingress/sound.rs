//! A publisher's sound: its packets in order, with earlier frames from beside later ones, numbered as players
//! count them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc_rtp::header::Header;
use steadycast_codec_glue::rtp::{Ordered, Packet, Placed, Reorder, ReorderConfig, read_red};
use steadycast_codec_glue::wire::{limits, opus_duration_us};

use crate::webrtc::SOUND_CLOCK;
use crate::webrtc::sdp::Opus;

/// A source that has been silent for so long makes way for another.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a packet is waited for that may only be late, or may be sent again: what follows waits with it.
const LATE: Duration = Duration::from_millis(30);
const SENT_AGAIN: Duration = Duration::from_millis(100);
/// The longest packet of silence: nothing is played for it (RFC 7587, 3.1.3).
const SILENT: usize = 2;

/// A frame of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voiced {
    /// The source that it is of.
    pub(super) ssrc: u32,
    pub(super) timestamp: u32,
    /// Its number; those of frames that were lost are left out.
    pub(super) sequence: u32,
    /// Nothing before it is missing: it is the first, or follows a silence.
    pub(super) begins: bool,
    pub(super) frame: Bytes,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is not sound, or not of the source that is taken.
    Other,
    /// It is; `new`: it has not come before.
    Sound { new: bool },
    /// It is the first of a source that is taken from now on.
    Another(u32),
}

/// The sound of one publisher.
pub(super) struct Intake {
    opus: u8,
    red: Option<u8>,
    config: ReorderConfig,
    source: Option<Source>,
    count: Count,
}

struct Source {
    ssrc: u32,
    heard: Instant,
    reorder: Reorder,
}

/// The numbers of frames.
#[derive(Debug, Default)]
struct Count {
    next: u32,
    /// The timestamp that a frame has if nothing was silent before it.
    expected: Option<u32>,
    /// How long the last frame was, in units of the RTP clock.
    length: u32,
}

impl Intake {
    pub(super) fn new(opus: &Opus) -> Self {
        let patience = match opus.has_nack() {
            true => SENT_AGAIN,
            false => LATE,
        };
        Self {
            opus: opus.payload_type,
            red: opus.red.map(|red| red.payload_type),
            config: ReorderConfig {
                packets: 128,
                bytes: 64 << 10,
                asks: if opus.has_nack() { 2 } else { 0 },
                patience,
                ..ReorderConfig::default()
            },
            source: None,
            count: Count::default(),
        }
    }

    /// Whether packets of this type are sound.
    pub(super) fn carries(&self, kind: u8) -> bool {
        kind == self.opus || Some(kind) == self.red
    }

    /// Takes a packet, if it is one of sound.
    pub(super) fn take(
        &mut self,
        header: &Header,
        payload: &Bytes,
        arrival: Duration,
        now: Instant,
    ) -> Taken {
        let kind = header.payload_type;
        if !self.carries(kind) {
            return Taken::Other;
        }
        let silent = |source: &Source| now.saturating_duration_since(source.heard) >= SILENCE;
        let another = match &self.source {
            Some(source) if source.ssrc == header.ssrc => false,
            Some(source) if !silent(source) => return Taken::Other,
            _ => true,
        };
        if another {
            self.count.begin();
            self.source = Some(Source {
                ssrc: header.ssrc,
                heard: now,
                reorder: Reorder::new(self.config),
            });
        }
        let Some(source) = &mut self.source else {
            return Taken::Other;
        };
        source.heard = now;
        let packet = Packet {
            sequence: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: payload.clone(),
            arrival,
        };
        let new = match kind == self.opus {
            true => source.reorder.push(packet) != Placed::Old,
            false => source.push_redundant(packet, self.opus),
        };
        match another {
            true => Taken::Another(header.ssrc),
            false => Taken::Sound { new },
        }
    }

    /// Takes out what is in order, as frames.
    pub(super) fn drain(&mut self, elapsed: Duration) -> Vec<Voiced> {
        let Some(source) = &mut self.source else {
            return Vec::new();
        };
        let mut frames = Vec::new();
        while let Some(ordered) = source.reorder.pop(elapsed) {
            match ordered {
                Ordered::Packet(packet) => frames.extend(self.count.frame(source.ssrc, packet)),
                Ordered::Lost { count, .. } => self.count.lost(count),
                Ordered::Restarted => self.count.begin(),
            }
        }
        frames
    }

    /// The packets to ask for again.
    pub(super) fn asks(&mut self, elapsed: Duration) -> Vec<u16> {
        let source = self.source.as_mut();
        source.map_or_else(Vec::new, |source| source.reorder.asks(elapsed))
    }

    /// When its source was heard last.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.source.as_ref().map(|source| source.heard)
    }
}

impl Source {
    /// Takes a packet with earlier frames beside its own: those that are missing come with it. True when it has not
    /// come before.
    fn push_redundant(&mut self, packet: Packet, opus: u8) -> bool {
        let Ok(mut blocks) = read_red(&packet.payload) else {
            return false;
        };
        let Some(newest) = blocks.pop().filter(|block| block.payload_type == opus) else {
            return false;
        };
        let own = Packet {
            payload: newest.frame,
            ..packet.clone()
        };
        let new = self.reorder.push(own) != Placed::Old;
        for (before, block) in (1..).zip(blocks.into_iter().rev()) {
            let sequence = packet.sequence.wrapping_sub(before);
            if block.payload_type == opus && !block.frame.is_empty() && self.reorder.lacks(sequence)
            {
                self.reorder.push(Packet {
                    sequence,
                    timestamp: packet.timestamp.wrapping_sub(block.age),
                    marker: false,
                    payload: block.frame,
                    arrival: packet.arrival,
                });
            }
        }
        new
    }
}

impl Count {
    /// The next frame is the first of what counts anew.
    fn begin(&mut self) {
        self.expected = None;
    }

    /// So many packets are lost: frames, as long as the last one.
    fn lost(&mut self, count: u16) {
        let count = u32::from(count);
        self.next = self.next.wrapping_add(count);
        let length = self.length.wrapping_mul(count);
        self.expected = self.expected.map(|expected| expected.wrapping_add(length));
    }

    /// The frame of a packet. What says nothing, or is none, makes the next one begin: markers are no help, since
    /// some tools set them on all packets.
    fn frame(&mut self, ssrc: u32, packet: Packet) -> Option<Voiced> {
        let Packet {
            payload, timestamp, ..
        } = packet;
        let length = opus_duration_us(&payload).map(units);
        let Some(length) = length.filter(|_| payload.len() > SILENT) else {
            self.begin();
            return None;
        };
        let late = |expected: u32| timestamp.wrapping_sub(expected) as i32;
        let begins = self
            .expected
            .is_none_or(|expected| late(expected) >= length as i32);
        self.expected = Some(timestamp.wrapping_add(length));
        self.length = length;
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        // One that no datagram holds is missing like one that was lost.
        (payload.len() <= limits::SOUND_FRAME).then_some(Voiced {
            ssrc,
            timestamp,
            sequence,
            begins,
            frame: payload,
        })
    }
}

/// A time in units of the RTP clock.
fn units(micros: u32) -> u32 {
    micros / 1_000 * (SOUND_CLOCK / 1_000) + micros % 1_000 * (SOUND_CLOCK / 1_000) / 1_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use steadycast_codec_glue::rtp::write_red;
    use steadycast_codec_glue::wire::Role;

    use super::*;
    use crate::webrtc::offers;
    use crate::webrtc::sdp::Offer;

    const MS: Duration = Duration::from_millis(1);
    /// The payload types in OBS's offer, with one of redundant frames beside it.
    const OPUS: u8 = 111;
    const RED: u8 = 63;
    /// Of CELT, one frame of 20 ms; and how long that is.
    const TOC: u8 = 31 << 3;
    const FRAME: u32 = 960;

    fn intake() -> Intake {
        let red = "opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111";
        let offer = offers::of("obs-publisher")
            .replace("SAVPF 111\n", "SAVPF 111 63\n")
            .replace("opus/48000/2", red);
        let offer = Offer::parse(&offer, Role::Publisher).unwrap();
        Intake::new(offer.opus().unwrap())
    }

    fn frame(number: u16) -> Vec<u8> {
        vec![TOC, number as u8, 7]
    }

    /// Packets that arrive, and what comes of them.
    struct Scene {
        intake: Intake,
        begin: Instant,
        elapsed: Duration,
        source: u32,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                intake: intake(),
                begin: Instant::now(),
                elapsed: Duration::ZERO,
                source: 5,
            }
        }

        fn take(&mut self, kind: u8, number: u16, timestamp: u32, payload: Vec<u8>) -> Taken {
            let header = Header {
                payload_type: kind,
                sequence_number: number,
                timestamp,
                ssrc: self.source,
                // As some tools have it.
                marker: true,
                ..Header::default()
            };
            let now = self.begin + self.elapsed;
            self.intake
                .take(&header, &payload.into(), self.elapsed, now)
        }

        /// The packet of this number, without silence before it.
        fn packet(&mut self, number: u16) {
            self.take(OPUS, number, u32::from(number) * FRAME, frame(number));
        }

        /// The same with so many frames beside its own.
        fn redundant(&mut self, number: u16, beside: u16) {
            let earlier: Vec<_> = (1..=beside)
                .rev()
                .map(|before| (u32::from(before) * FRAME, frame(number - before)))
                .collect();
            let mut payload = Vec::new();
            let frames = earlier.iter().map(|(age, frame)| (*age, &frame[..]));
            write_red(&mut payload, OPUS, frames, &frame(number));
            self.take(RED, number, u32::from(number) * FRAME, payload);
        }

        fn pass(&mut self, time: Duration) {
            self.elapsed += time;
        }

        /// Numbers of frames, those on the wire and their own, and whether each begins.
        fn heard(&mut self) -> Vec<(u32, u8, bool)> {
            let voiced = self.intake.drain(self.elapsed);
            let seen = voiced.iter().map(|voiced| {
                assert_eq!(voiced.timestamp % FRAME, 0);
                (voiced.sequence, voiced.frame[1], voiced.begins)
            });
            seen.collect()
        }
    }

    #[test]
    fn frames_come_in_order_and_the_first_one_begins() {
        let mut scene = Scene::new();
        for number in [10, 12, 11] {
            scene.packet(number);
        }
        let heard = scene.heard();
        assert_eq!(heard, [(0, 10, true), (1, 11, false), (2, 12, false)]);
    }

    #[test]
    fn what_is_lost_is_not_waited_for_and_leaves_its_number_out() {
        let mut scene = Scene::new();
        scene.packet(10);
        scene.packet(13);
        assert_eq!(scene.heard(), [(0, 10, true)]);
        scene.pass(LATE);
        assert_eq!(scene.heard(), [(3, 13, false)]);
        scene.packet(12);
        assert_eq!(scene.heard(), [], "nobody hears an older one");
    }

    #[test]
    fn what_is_lost_comes_with_the_next_packet_where_it_is_beside_it() {
        let mut scene = Scene::new();
        scene.redundant(10, 0);
        scene.redundant(13, 2);
        let heard = scene.heard();
        let expected = [
            (0, 10, true),
            (1, 11, false),
            (2, 12, false),
            (3, 13, false),
        ];
        assert_eq!(heard, expected);
        scene.redundant(14, 2);
        assert_eq!(scene.heard(), [(4, 14, false)], "and only then");
    }

    #[test]
    fn a_silence_that_was_not_sent_is_no_loss() {
        let mut scene = Scene::new();
        scene.packet(10);
        scene.take(OPUS, 11, 11 * FRAME, vec![TOC, 0]);
        scene.take(OPUS, 12, 31 * FRAME, vec![TOC]);
        scene.take(OPUS, 13, 50 * FRAME, frame(13));
        assert_eq!(scene.heard(), [(0, 10, true), (1, 13, true)]);
        // Or nothing at all was sent of it.
        scene.take(OPUS, 14, 90 * FRAME, frame(14));
        assert_eq!(scene.heard(), [(2, 14, true)]);
    }

    #[test]
    fn frames_of_any_length_follow_one_another() {
        let mut scene = Scene::new();
        // Of SILK, 60 ms; of CELT, 2.5 ms.
        let long = vec![3 << 3, 1, 7];
        let short = vec![16 << 3, 2, 7];
        scene.take(OPUS, 1, 0, long);
        scene.take(OPUS, 2, 2_880, short.clone());
        scene.take(OPUS, 3, 3_000, short);
        let voiced = scene.intake.drain(scene.elapsed);
        let begins: Vec<_> = voiced.iter().map(|voiced| voiced.begins).collect();
        assert_eq!(begins, [true, false, false]);
    }

    #[test]
    fn what_is_no_frame_or_too_long_is_left_out() {
        let mut scene = Scene::new();
        scene.packet(1);
        let long = [vec![TOC], vec![7; limits::SOUND_FRAME]].concat();
        scene.take(OPUS, 2, 2 * FRAME, long);
        scene.packet(3);
        scene.take(OPUS, 4, 4 * FRAME, vec![TOC | 3, 0, 7]);
        scene.take(OPUS, 5, 5 * FRAME, Vec::new());
        scene.packet(6);
        let expected = [(0, 1, true), (2, 3, false), (3, 6, true)];
        assert_eq!(scene.heard(), expected);
    }

    #[test]
    fn another_source_is_taken_when_the_first_is_silent() {
        let mut scene = Scene::new();
        scene.packet(1);
        scene.source = 6;
        assert_eq!(scene.take(OPUS, 700, 0, frame(2)), Taken::Other);
        scene.pass(SILENCE);
        assert_eq!(scene.take(OPUS, 701, 0, frame(3)), Taken::Another(6));
        assert_eq!(scene.heard(), [(0, 3, true)]);
        assert_eq!(scene.take(96, 1, 0, frame(4)), Taken::Other, "no sound");
    }

    proptest! {
        #[test]
        fn whatever_comes_numbers_rise_and_frames_are_frames(
            packets in proptest::collection::vec(
                (any::<bool>(), 0u16..8, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..24)),
                0..80,
            ),
        ) {
            let mut scene = Scene::new();
            let (mut number, mut newest) = (0u16, None);
            for (red, step, time, payload) in packets {
                number = number.wrapping_add(step);
                let kind = if red { RED } else { OPUS };
                scene.take(kind, number, u32::from(time) * FRAME, payload);
                scene.pass(MS * u32::from(step));
                for voiced in scene.intake.drain(scene.elapsed) {
                    prop_assert!(Some(voiced.sequence) > newest);
                    prop_assert!(opus_duration_us(&voiced.frame).is_some());
                    newest = Some(voiced.sequence);
                }
            }
        }
    }
}
