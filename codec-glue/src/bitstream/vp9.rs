//! VP9: the uncompressed header (VP9 specification 6.2).

use super::bits::BitReader;
use super::{BitstreamError, Facts, Picture};

const FRAME_MARKER: u32 = 2;
const SYNC_CODE: u32 = 0x49_8342;
const SRGB: u32 = 7;

/// The facts of one VP9 frame or superframe, of which the first frame counts; the size is that of the
/// last one where it says its own, which is the highest of spatial layers, and what decoders show.
///
/// # Errors
/// A [`BitstreamError`] when the header is cut short or breaks the rules.
pub fn inspect(payload: &[u8]) -> Result<Facts, BitstreamError> {
    let mut facts = first_frame(payload)?;
    if let Some(picture) = &mut facts.picture
        && let Some((width, height)) = last_frame(payload).and_then(size)
    {
        let (family, depth) = (&picture.codec[..8], &picture.codec[10..]);
        picture.codec = format!("{family}{}{depth}", level(width, height));
        (picture.width, picture.height) = (width, height);
    }
    Ok(facts)
}

/// The last frame of a superframe (Annex B) of several.
fn last_frame(payload: &[u8]) -> Option<&[u8]> {
    let marker = *payload.last()?;
    let frames = usize::from(marker & 0b111) + 1;
    let width = usize::from(marker >> 3 & 0b11) + 1;
    let index = payload.len().checked_sub(2 + frames * width)?;
    let (bytes, index) = payload.split_at(index);
    let sizes = index.get(1..index.len() - 1)?;
    if marker >> 5 != 0b110 || index[0] != marker || frames < 2 {
        return None;
    }
    let size = |octets: &[u8]| {
        let octets = octets.iter().rev();
        octets.fold(0usize, |size, octet| size << 8 | usize::from(*octet))
    };
    let begin: usize = sizes.chunks(width).take(frames - 1).map(size).sum();
    bytes.get(begin..).filter(|last| !last.is_empty())
}

/// The size that a frame says of itself: a keyframe, or one that is predicted from frames of other
/// sizes (6.2, `frame_size_with_refs`).
fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let mut bits = BitReader::new(frame);
    let marker = bits.bits(2).ok()?;
    let profile = profile(&mut bits).ok()?;
    let show_existing_frame = bits.flag().ok()?;
    let non_key_frame = bits.flag().ok()?;
    let show_frame = bits.flag().ok()?;
    let error_resilient_mode = bits.flag().ok()?;
    if marker != FRAME_MARKER || show_existing_frame {
        return None;
    }
    if !non_key_frame {
        return first_frame(frame)
            .ok()?
            .picture
            .map(|p| (p.width, p.height));
    }
    let intra_only = !show_frame && bits.flag().ok()?;
    bits.skip(if error_resilient_mode { 0 } else { 2 }).ok()?;
    if intra_only {
        let sync = bits.bits(24).ok()?;
        if profile > 0 {
            color_config(&mut bits, profile).ok()?;
        }
        bits.skip(8).ok()?;
        return frame_size(&mut bits).ok().filter(|_| sync == SYNC_CODE);
    }
    // What is refreshed, and three references with their sign.
    bits.skip(8 + 3 * 4).ok()?;
    for _ in 0..3 {
        if bits.flag().ok()? {
            return None;
        }
    }
    frame_size(&mut bits).ok()
}

fn first_frame(payload: &[u8]) -> Result<Facts, BitstreamError> {
    let mut bits = BitReader::new(payload);
    if bits.bits(2)? != FRAME_MARKER {
        return Err(BitstreamError::Invalid("a VP9 frame without its marker"));
    }
    let profile = profile(&mut bits)?;
    let show_existing_frame = bits.flag()?;
    if show_existing_frame {
        return Ok(Facts::DELTA);
    }
    // An intra-only frame leaves other references as they are: no place to join.
    let non_key_frame = bits.flag()?;
    let _show_frame = bits.flag()?;
    let _error_resilient_mode = bits.flag()?;
    if non_key_frame {
        return Ok(Facts::DELTA);
    }
    if bits.bits(24)? != SYNC_CODE {
        return Err(BitstreamError::Invalid("a VP9 keyframe without sync code"));
    }
    let bit_depth = color_config(&mut bits, profile)?;
    let (width, height) = frame_size(&mut bits)?;
    let level = level(width, height);
    Ok(Facts::keyframe(Picture {
        width,
        height,
        codec: format!("vp09.{profile:02}.{level}.{bit_depth:02}"),
    }))
}

fn profile(bits: &mut BitReader<'_>) -> Result<u32, BitstreamError> {
    let low = bits.bits(1)?;
    let high = bits.bits(1)?;
    let profile = high << 1 | low;
    if profile == 3 && bits.flag()? {
        return Err(BitstreamError::Invalid("a VP9 profile above 3"));
    }
    Ok(profile)
}

/// Reads `color_config` (6.2.2) and returns the bit depth.
fn color_config(bits: &mut BitReader<'_>, profile: u32) -> Result<u32, BitstreamError> {
    let bit_depth = match profile {
        0 | 1 => 8,
        _ if bits.flag()? => 12,
        _ => 10,
    };
    let more_than_420 = profile % 2 == 1;
    if bits.bits(3)? != SRGB {
        let _color_range = bits.flag()?;
        if more_than_420 {
            let subsampling = bits.bits(2)?;
            if subsampling == 0b11 {
                return Err(BitstreamError::Invalid("4:2:0 in a VP9 profile without it"));
            }
            reserved_zero(bits)?;
        }
    } else if more_than_420 {
        reserved_zero(bits)?;
    } else {
        return Err(BitstreamError::Invalid("RGB in a VP9 profile without it"));
    }
    Ok(bit_depth)
}

fn reserved_zero(bits: &mut BitReader<'_>) -> Result<(), BitstreamError> {
    if bits.flag()? {
        return Err(BitstreamError::Invalid("a reserved bit of a VP9 header"));
    }
    Ok(())
}

fn frame_size(bits: &mut BitReader<'_>) -> Result<(u16, u16), BitstreamError> {
    let mut side = || {
        u16::try_from(bits.bits(16)? + 1)
            .map_err(|_| BitstreamError::Invalid("a VP9 picture of 65,536 pixels"))
    };
    Ok((side()?, side()?))
}

/// The lowest level, times ten, whose pictures are this large.
///
/// A VP9 stream does not name its level, and the rate that would raise it is
/// not in the header either (VP9 levels: luma picture size, largest side).
fn level(width: u16, height: u16) -> u32 {
    const LEVELS: [(u32, u32, u32); 9] = [
        (10, 36_864, 512),
        (11, 73_728, 768),
        (20, 122_880, 960),
        (21, 245_760, 1_344),
        (30, 552_960, 2_048),
        (31, 983_040, 2_752),
        (40, 2_228_224, 4_160),
        (50, 8_912_896, 8_384),
        (60, 35_651_584, 16_832),
    ];
    let (width, height) = (u32::from(width), u32::from(height));
    LEVELS
        .iter()
        .find(|&&(_, size, side)| width * height <= size && width.max(height) <= side)
        .map_or(62, |&(level, ..)| level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::packed;

    const SYNC: &str = "01001001 10000011 01000010";
    /// 1280 x 720.
    const SIZE: &str = "0000010011111111 0000001011001111";

    /// Profile bits, then what the colour needs.
    fn key(profile: &str, color: &str) -> Result<Facts, BitstreamError> {
        inspect(&packed(&format!(
            "10 {profile} 0 0 1 0 {SYNC} {color} {SIZE}"
        )))
    }

    fn codec(profile: &str, color: &str) -> String {
        let picture = key(profile, color).unwrap().picture.unwrap();
        assert_eq!((picture.width, picture.height), (1280, 720));
        picture.codec
    }

    #[test]
    fn every_profile_has_its_colour_and_depth() {
        assert_eq!(codec("00", "001 0"), "vp09.00.31.08");
        assert_eq!(codec("10", "001 0 00 0"), "vp09.01.31.08");
        assert_eq!(codec("10", "111 0"), "vp09.01.31.08");
        assert_eq!(codec("01", "0 001 0"), "vp09.02.31.10");
        assert_eq!(codec("01", "1 001 0"), "vp09.02.31.12");
        assert_eq!(codec("11 0", "1 001 1 01 0"), "vp09.03.31.12");
        assert_eq!(codec("11 0", "0 111 0"), "vp09.03.31.10");
    }

    #[test]
    fn broken_keyframes_are_refused() {
        for (profile, color) in [
            ("11 1", "0 001 0 00 0"), // a fifth profile
            ("00", "111"),            // RGB in profile 0
            ("10", "001 0 11 0"),     // 4:2:0 in profile 1
            ("10", "001 0 00 1"),     // reserved
            ("10", "111 1"),          // reserved
        ] {
            assert!(
                matches!(key(profile, color), Err(BitstreamError::Invalid(_))),
                "{profile} {color}"
            );
        }
        let no_sync = packed("10 00 0 0 1 0 01001001 10000011 01000011");
        assert!(matches!(inspect(&no_sync), Err(BitstreamError::Invalid(_))));
        assert!(matches!(inspect(&[0]), Err(BitstreamError::Invalid(_))));
    }

    #[test]
    fn a_side_of_65_536_pixels_is_refused() {
        let sides = "1111111111111111 0000000000000000";
        let frame = packed(&format!("10 00 0 0 1 0 {SYNC} 001 0 {sides}"));
        assert!(matches!(inspect(&frame), Err(BitstreamError::Invalid(_))));
    }

    #[test]
    fn frames_that_show_or_predict_are_no_keyframes() {
        for frame in [
            "10 00 1 000",
            "10 00 0 1 1 0",
            "10 11 0 1 000",
            "10 00 0 1 0 0 1",
        ] {
            assert_eq!(inspect(&packed(frame)), Ok(Facts::DELTA), "{frame}");
        }
    }

    /// Frames and their index, with sizes of two bytes.
    fn superframe(frames: &[&[u8]]) -> Vec<u8> {
        let marker = 0b1100_1000 | (frames.len() as u8 - 1);
        let sizes = frames
            .iter()
            .flat_map(|frame| (frame.len() as u16).to_le_bytes());
        let index = [marker].into_iter().chain(sizes).chain([marker]);
        frames
            .iter()
            .copied()
            .flatten()
            .copied()
            .chain(index)
            .collect()
    }

    #[test]
    fn the_highest_of_spatial_layers_has_the_size() {
        let small = "0000000000111111 0000000000101111";
        let key = packed(&format!("10 00 0 0 1 0 {SYNC} 001 0 {small}"));
        // Predicted, of no reference's size.
        let upper = packed(&format!(
            "10 00 0 1 1 0 00 00000000 {} 000 {SIZE}",
            "0000".repeat(3)
        ));
        let same = packed(&format!("10 00 0 1 1 0 00 00000000 {} 1", "0000".repeat(3)));
        let size = |payload: &[u8]| {
            let picture = inspect(payload).unwrap().picture.unwrap();
            (picture.width, picture.height, picture.codec)
        };
        let level_31 = (1280, 720, "vp09.00.31.08".to_owned());
        let level_10 = (64, 48, "vp09.00.10.08".to_owned());
        assert_eq!(size(&superframe(&[&key, &upper])), level_31);
        assert_eq!(size(&superframe(&[&key, &same])), level_10);
        assert_eq!(size(&key), level_10);
        // What looks like an index and is none.
        assert_eq!(size(&[&key[..], &[0xc9]].concat()), level_10);
    }

    #[test]
    fn every_cut_is_refused() {
        let frame = packed(&format!("10 00 0 0 1 0 {SYNC} 001 0 {SIZE}"));
        for end in 0..frame.len() {
            assert_eq!(inspect(&frame[..end]), Err(BitstreamError::EndsEarly));
        }
    }

    #[test]
    fn a_level_fits_area_and_side() {
        assert_eq!(level(128, 96), 10);
        assert_eq!(level(600, 10), 11);
        assert_eq!(level(1920, 1080), 40);
        assert_eq!(level(3840, 2160), 50);
        assert_eq!(level(65_535, 65_535), 62);
    }
}
