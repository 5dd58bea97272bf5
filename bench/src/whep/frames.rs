//! Packets in order as frames: what a decoder would get (RFC 7741).

use crate::checker::Seen;
use crate::stamp::{self, Stamp};
use crate::tally::Fault;

use super::rtp::Head;

/// The descriptor that the relay writes: its flags, and a picture id of 15 bits.
pub(super) const DESCRIPTOR: usize = 4;
const FLAGS: u8 = 0x80;
const START: u8 = 0x10;

/// Puts one player's frames together, without keeping their bytes.
#[derive(Default)]
pub(super) struct Frames {
    open: Option<Open>,
    /// The picture id of the last frame.
    picture: Option<u16>,
    /// Nothing can be decoded before the next keyframe.
    lost: bool,
}

/// A frame whose last packet has not come.
struct Open {
    time: u32,
    picture: u16,
    stamp: Stamp,
    crc: crc32fast::Hasher,
    bytes: usize,
}

/// Whether a packet with this payload is the first of its frame.
pub(super) fn begins(payload: &[u8]) -> bool {
    payload.first().is_some_and(|flags| flags & START != 0)
}

impl Frames {
    /// Takes the next packet; gives the frame that it ends.
    pub(super) fn take(&mut self, head: &Head, payload: &[u8]) -> Result<Option<Seen>, Fault> {
        let (descriptor, part) = payload.split_at_checked(DESCRIPTOR).ok_or(Fault::Broken)?;
        let starts = descriptor[0] & START != 0;
        let picture = u16::from_be_bytes([descriptor[2], descriptor[3]]) & 0x7fff;
        if descriptor[0] & !START != FLAGS || descriptor[1] != 0x80 {
            return Err(Fault::Broken);
        }
        if starts {
            self.start(head, picture, part)?;
        } else if self.lost {
            return Ok(None);
        }
        let Some(open) = &mut self.open else {
            // Without its keyframe, a frame is worth nothing.
            return if self.lost {
                Ok(None)
            } else {
                Err(Fault::NoKeyframe)
            };
        };
        if (open.time, open.picture) != (head.time, picture) {
            return Err(Fault::OutOfOrder);
        }
        open.crc.update(part);
        open.bytes += part.len();
        Ok(head
            .marker
            .then(|| self.open.take().map(Open::seen))
            .flatten())
    }

    fn start(&mut self, head: &Head, picture: u16, part: &[u8]) -> Result<(), Fault> {
        let stamp = Stamp::of(part.get(..stamp::LEN).ok_or(Fault::Unknown)?);
        let stamp = stamp.ok_or(Fault::Unknown)?;
        // What is on its way may be cut for a newer keyframe, and for nothing else.
        if self.open.take().is_some() && !stamp.keyframe {
            return Err(Fault::Broken);
        }
        let follows = |last: u16| (last + 1) & 0x7fff == picture;
        if !self.lost && !self.picture.is_none_or(follows) {
            return Err(Fault::OutOfOrder);
        }
        self.picture = Some(picture);
        self.lost &= !stamp.keyframe;
        if !self.lost {
            self.open = Some(Open {
                time: head.time,
                picture,
                stamp,
                crc: crc32fast::Hasher::new(),
                bytes: 0,
            });
        }
        Ok(())
    }

    /// Whether nothing can be decoded before the next keyframe.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Packets were lost for good.
    pub(super) fn lose(&mut self) {
        self.open = None;
        self.lost = true;
    }
}

impl Open {
    fn seen(self) -> Seen {
        Seen {
            capture_us: self.stamp.capture_us,
            place: None,
            keyframe: self.stamp.keyframe,
            crc: self.crc.finalize(),
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use steadycast_codec_glue::bitstream::Codec;
    use steadycast_codec_glue::rtp::{FrameIn, packetize};

    use super::*;

    /// A frame's packets, as the relay makes them.
    fn packets(picture: u16, capture_us: u64, keyframe: bool) -> Vec<(Head, Vec<u8>)> {
        let stamp = Stamp {
            keyframe,
            capture_us,
        };
        let payload = stamp.put(&Bytes::from(vec![9; 200]));
        let frame = FrameIn {
            keyframe,
            payload: &payload,
            description: &[],
            size: None,
        };
        let payloads = packetize(Codec::Vp8, frame, 104).unwrap();
        let parts = payloads.iter().map(|part| {
            let mut part = part.to_vec();
            payloads.numbering().write(&mut part, picture, 0);
            part
        });
        let head = |marker| Head {
            kind: 96,
            marker,
            sequence: 0,
            time: capture_us as u32,
            ssrc: 7,
            wide: None,
            payload: 0..0,
        };
        let last = payloads.len() - 1;
        parts
            .enumerate()
            .map(|(at, part)| (head(at == last), part))
            .collect()
    }

    fn feed(frames: &mut Frames, packets: &[(Head, Vec<u8>)]) -> Result<Option<Seen>, Fault> {
        let mut last = Ok(None);
        for (head, part) in packets {
            last = frames.take(head, part);
            last?;
        }
        last
    }

    #[test]
    fn a_frame_is_seen_with_its_last_packet() {
        let mut frames = Frames::default();
        let whole = packets(7, 1_000, true);
        let seen = feed(&mut frames, &whole).unwrap().unwrap();
        assert_eq!((seen.capture_us, seen.keyframe), (1_000, true));
        assert_eq!(seen.bytes, 200);
        let seen = feed(&mut frames, &packets(8, 1_010, false)).unwrap();
        assert!(seen.is_some());
    }

    #[test]
    fn a_frame_is_cut_for_a_keyframe_and_for_nothing_else() {
        for keyframe in [true, false] {
            let mut frames = Frames::default();
            let cut = packets(7, 1_000, true);
            feed(&mut frames, &cut[..1]).unwrap();
            let next = feed(&mut frames, &packets(8, 1_010, keyframe));
            assert_eq!(next.is_ok_and(|seen| seen.is_some()), keyframe);
        }
    }

    #[test]
    fn a_picture_left_out_shows_unless_it_was_lost() {
        let mut frames = Frames::default();
        feed(&mut frames, &packets(7, 1_000, true)).unwrap();
        let later = packets(9, 1_020, false);
        assert_eq!(feed(&mut frames, &later), Err(Fault::OutOfOrder));
        frames.lose();
        assert_eq!(feed(&mut frames, &packets(10, 1_030, false)), Ok(None));
        let keyframe = packets(11, 1_040, true);
        assert!(feed(&mut frames, &keyframe).unwrap().is_some());
        assert_eq!(feed(&mut frames, &keyframe[1..]), Err(Fault::NoKeyframe));
    }
}
