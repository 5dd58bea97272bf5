//! Frames with earlier ones beside them (RFC 2198), so that one that is lost comes with the next.

use bytes::{BufMut as _, Bytes};

use super::RtpError;

/// The most frames in one payload; browsers send two or three.
pub const RED_BLOCKS: usize = 16;
/// How much older than the newest an earlier frame may be, in units of the RTP clock: fourteen bits of it.
pub const RED_AGE: u32 = (1 << 14) - 1;
/// The longest earlier frame: ten bits of it.
pub const RED_LENGTH: usize = (1 << 10) - 1;

/// Another block follows this one's header.
const MORE: u8 = 0x80;
/// Bytes of such a header.
const HEADER: usize = 4;

/// A frame in such a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedBlock {
    /// The payload type that it would have alone.
    pub payload_type: u8,
    /// How much earlier than the newest it is, in units of the RTP clock.
    pub age: u32,
    /// The frame; of no bytes where the sender had none.
    pub frame: Bytes,
}

/// Appends a payload: `earlier` frames of the same type with their ages, the oldest first, and the newest. One
/// that is too old or too long is left out.
pub fn write_red<'a>(
    out: &mut Vec<u8>,
    payload_type: u8,
    earlier: impl Iterator<Item = (u32, &'a [u8])> + Clone,
    newest: &[u8],
) {
    let fits = |(age, frame): &(u32, &[u8])| *age <= RED_AGE && frame.len() <= RED_LENGTH;
    let earlier = earlier.filter(fits);
    for (age, frame) in earlier.clone() {
        out.put_u8(MORE | payload_type);
        let both = age << 10 | frame.len() as u32;
        out.put_slice(&both.to_be_bytes()[1..]);
    }
    out.put_u8(payload_type);
    for (_, frame) in earlier {
        out.put_slice(frame);
    }
    out.put_slice(newest);
}

/// Reads a payload: its frames, the oldest first and the newest last.
///
/// # Errors
/// [`RtpError::Malformed`].
pub fn read_red(payload: &Bytes) -> Result<Vec<RedBlock>, RtpError> {
    const SHORT: RtpError = RtpError::Malformed("a redundant payload that ends too early");
    let mut blocks = Vec::new();
    let mut at = 0;
    loop {
        let first = *payload.get(at).ok_or(SHORT)?;
        if first & MORE == 0 {
            at += 1;
            break;
        }
        if blocks.len() + 1 == RED_BLOCKS {
            return Err(RtpError::Malformed("a payload of too many blocks"));
        }
        let header = payload.get(at..at + HEADER).ok_or(SHORT)?;
        let both = u32::from_be_bytes([0, header[1], header[2], header[3]]);
        blocks.push((first & !MORE, both >> 10, (both & 0x3ff) as usize));
        at += HEADER;
    }
    let newest = payload[at - 1];
    let mut frames = Vec::with_capacity(blocks.len() + 1);
    for (payload_type, age, length) in blocks {
        let end = at + length;
        if end > payload.len() {
            return Err(SHORT);
        }
        frames.push(RedBlock {
            payload_type,
            age,
            frame: payload.slice(at..end),
        });
        at = end;
    }
    frames.push(RedBlock {
        payload_type: newest,
        age: 0,
        frame: payload.slice(at..),
    });
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(earlier: &[(u32, &[u8])], newest: &[u8]) -> Bytes {
        let mut out = Vec::new();
        write_red(&mut out, 111, earlier.iter().copied(), newest);
        out.into()
    }

    #[test]
    fn a_payload_stands_as_rfc_2198_has_it() {
        let payload = written(&[(1_920, b"old"), (960, b"older")], b"new");
        let expected = [
            &[0xef, 0x1e, 0x00, 3, 0xef, 0x0f, 0x00, 5, 0x6f][..],
            b"oldoldernew",
        ];
        assert_eq!(payload, expected.concat());
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let long = vec![7; RED_LENGTH + 1];
        let payload = written(&[(RED_AGE + 1, b"ancient"), (960, &long), (1, b"")], b"new");
        let ages: Vec<_> = read_red(&payload).unwrap().iter().map(|b| b.age).collect();
        assert_eq!(ages, [1, 0]);
    }

    #[test]
    fn payloads_that_end_too_early_or_never_are_refused() {
        let whole = written(&[(960, b"older")], b"");
        for end in 0..whole.len() {
            assert!(read_red(&whole.slice(..end)).is_err(), "{end}");
        }
        assert_eq!(read_red(&whole).unwrap()[1].frame, "");
        let endless = Bytes::from([0xef, 0, 0, 0].repeat(RED_BLOCKS));
        assert!(read_red(&endless).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            earlier in proptest::collection::vec(
                (0..=RED_AGE, proptest::collection::vec(any::<u8>(), 0..=RED_LENGTH)),
                0..RED_BLOCKS,
            ),
            newest: Vec<u8>,
        ) {
            let frames: Vec<_> = earlier.iter().map(|(age, frame)| (*age, &frame[..])).collect();
            let read = read_red(&written(&frames, &newest)).unwrap();
            let read: Vec<_> = read.iter().map(|b| (b.age, b.frame.to_vec())).collect();
            let mut expected = earlier;
            expected.push((0, newest));
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn nothing_breaks_it(payload: Vec<u8>) {
            let payload = Bytes::from(payload);
            if let Ok(blocks) = read_red(&payload) {
                let frames: usize = blocks.iter().map(|block| block.frame.len()).sum();
                prop_assert_eq!(frames + 4 * blocks.len() - 3, payload.len());
                prop_assert!(blocks.len() <= RED_BLOCKS);
            }
        }
    }
}
