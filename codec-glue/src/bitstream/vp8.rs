//! VP8: the frame header that is not entropy-coded (RFC 6386 9.1).

use super::{BitstreamError, Facts, Picture};

const FRAME_TAG: usize = 3;
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

/// The facts of one VP8 frame (RFC 6386 9.1).
///
/// # Errors
/// A [`BitstreamError`] when the header is cut short or breaks the rules.
pub fn inspect(frame: &[u8]) -> Result<Facts, BitstreamError> {
    let (tag, rest) = frame
        .split_first_chunk::<FRAME_TAG>()
        .ok_or(BitstreamError::EndsEarly)?;
    let tag = u32::from_le_bytes([tag[0], tag[1], tag[2], 0]);
    let keyframe = tag & 1 == 0;
    if tag >> 1 & 7 > 3 {
        return Err(BitstreamError::Invalid("a VP8 version above 3"));
    }
    let (picture, compressed) = if keyframe {
        let (picture, compressed) = key_header(rest)?;
        (Some(picture), compressed)
    } else {
        (None, rest)
    };
    let first_partition = (tag >> 5) as usize;
    if first_partition == 0 {
        return Err(BitstreamError::Invalid("a VP8 frame without partition"));
    }
    if first_partition > compressed.len() {
        return Err(BitstreamError::EndsEarly);
    }
    Ok(Facts { keyframe, picture })
}

/// Start code and dimensions, which only a keyframe has, and what follows them.
fn key_header(bytes: &[u8]) -> Result<(Picture, &[u8]), BitstreamError> {
    let (header, compressed) = bytes
        .split_first_chunk::<7>()
        .ok_or(BitstreamError::EndsEarly)?;
    let [a, b, c, size @ ..] = *header;
    if [a, b, c] != START_CODE {
        return Err(BitstreamError::Invalid("a VP8 keyframe without start code"));
    }
    // The two upper bits ask for scaling at display, which nobody does.
    let width = u16::from_le_bytes([size[0], size[1]]) & 0x3fff;
    let height = u16::from_le_bytes([size[2], size[3]]) & 0x3fff;
    if width == 0 || height == 0 {
        return Err(BitstreamError::Invalid("a VP8 picture without size"));
    }
    let picture = Picture {
        width,
        height,
        codec: "vp8".into(),
    };
    Ok((picture, compressed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 0, shown, a first partition of 2 bytes, 320 x 240.
    const KEY: [u8; 12] = [
        0x50, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 0xaa, 0xbb,
    ];

    fn edited(at: usize, byte: u8) -> Result<Facts, BitstreamError> {
        let mut frame = KEY;
        frame[at] = byte;
        inspect(&frame)
    }

    #[test]
    fn a_keyframe_has_its_size() {
        let picture = Picture {
            width: 320,
            height: 240,
            codec: "vp8".into(),
        };
        assert_eq!(inspect(&KEY), Ok(Facts::keyframe(picture)));
    }

    #[test]
    fn scaling_bits_are_no_part_of_the_size() {
        let facts = edited(7, 0xc1).unwrap();
        assert_eq!(facts.picture.unwrap().width, 320);
    }

    #[test]
    fn an_inter_frame_has_no_size() {
        assert_eq!(inspect(&[0x51, 0, 0, 1, 2]), Ok(Facts::DELTA));
    }

    #[test]
    fn every_cut_is_refused() {
        for end in 0..KEY.len() {
            assert_eq!(inspect(&KEY[..end]), Err(BitstreamError::EndsEarly));
        }
    }

    #[test]
    fn broken_headers_are_refused() {
        for (at, byte) in [(0, 0x58), (3, 0x9c), (5, 0), (0, 0x10)] {
            assert!(
                matches!(edited(at, byte), Err(BitstreamError::Invalid(_))),
                "{at}: {byte:#x}"
            );
        }
        let mut empty = KEY;
        empty[8..10].fill(0);
        assert!(inspect(&empty).is_err());
    }
}
