use super::NalType;
use crate::bitstream::bits::BitReader;
use crate::bitstream::{BitstreamError, Picture};

/// What a sequence parameter set says that matters here (ITU-T H.264 7.3.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`.
    pub profile: u8,
    /// The constraint flags and the reserved bits after them.
    pub constraints: u8,
    /// `level_idc`.
    pub level: u8,
    /// `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits per luma sample, 8 to 14.
    pub luma_depth: u8,
    /// Bits per chroma sample, 8 to 14.
    pub chroma_depth: u8,
    /// Width in pixels, cropping applied.
    pub width: u16,
    /// Height in pixels, cropping applied.
    pub height: u16,
}

impl Sps {
    /// Reads an SPS NAL unit, header and emulation prevention included.
    ///
    /// # Errors
    /// A [`BitstreamError`] when it is cut short or breaks the rules.
    pub fn parse(unit: &[u8]) -> Result<Self, BitstreamError> {
        if NalType::of(unit)? != NalType::Sps {
            return Err(BitstreamError::Invalid("a NAL unit that is no SPS"));
        }
        let rbsp = without_emulation_prevention(unit.get(1..).unwrap_or_default());
        let mut bits = BitReader::new(&rbsp);
        let mut byte = || bits.bits(8).map(|byte| byte as u8);
        let (profile, constraints, level) = (byte()?, byte()?, byte()?);
        bounded(&mut bits, 31, "an SPS id above 31")?;
        let format = Format::read(&mut bits, profile)?;
        skip_picture_order(&mut bits)?;
        let (width, height) = size(&mut bits, &format)?;
        Ok(Self {
            profile,
            constraints,
            level,
            chroma_format: format.chroma,
            luma_depth: format.luma_depth,
            chroma_depth: format.chroma_depth,
            width,
            height,
        })
    }

    /// The WebCodecs codec string (RFC 6381 3.3).
    pub fn codec(&self) -> String {
        let Self {
            profile,
            constraints,
            level,
            ..
        } = self;
        format!("avc1.{profile:02X}{constraints:02X}{level:02X}")
    }

    /// Size and codec together.
    pub fn picture(&self) -> Picture {
        Picture {
            width: self.width,
            height: self.height,
            codec: self.codec(),
        }
    }
}

/// Whether the profile's SPS tells its sample format (ITU-T H.264 7.3.2.1.1).
pub(super) fn has_format(profile: u8) -> bool {
    matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    )
}

/// Drops the 3 of every 0, 0, 3 (ITU-T H.264 7.3.1).
fn without_emulation_prevention(payload: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

/// `ue(v)` with a largest value.
fn bounded(
    bits: &mut BitReader<'_>,
    max: u32,
    otherwise: &'static str,
) -> Result<u32, BitstreamError> {
    let value = bits.unsigned_golomb()?;
    if value > max {
        return Err(BitstreamError::Invalid(otherwise));
    }
    Ok(value)
}

struct Format {
    chroma: u8,
    separate_planes: bool,
    luma_depth: u8,
    chroma_depth: u8,
}

impl Format {
    fn read(bits: &mut BitReader<'_>, profile: u8) -> Result<Self, BitstreamError> {
        if !has_format(profile) {
            return Ok(Self {
                chroma: 1,
                separate_planes: false,
                luma_depth: 8,
                chroma_depth: 8,
            });
        }
        let chroma = bounded(bits, 3, "a chroma format above 3")? as u8;
        let separate_planes = chroma == 3 && bits.flag()?;
        let mut depth = || Ok(8 + bounded(bits, 6, "a bit depth above 14")? as u8);
        let (luma_depth, chroma_depth) = (depth()?, depth()?);
        let _lossless = bits.flag()?;
        if bits.flag()? {
            skip_scaling_lists(bits, if chroma == 3 { 12 } else { 8 })?;
        }
        Ok(Self {
            chroma,
            separate_planes,
            luma_depth,
            chroma_depth,
        })
    }

    /// Pixels per step of cropping (ITU-T H.264 7-19 to 7-22), of frames.
    fn crop_unit(&self) -> (u32, u32) {
        match self.chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        }
    }
}

/// Passes over the scaling lists (ITU-T H.264 7.3.2.1.1.1).
fn skip_scaling_lists(bits: &mut BitReader<'_>, lists: u32) -> Result<(), BitstreamError> {
    for list in 0..lists {
        if bits.flag()? {
            skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
        }
    }
    Ok(())
}

fn skip_scaling_list(bits: &mut BitReader<'_>, size: u32) -> Result<(), BitstreamError> {
    let mut last = 8;
    for _ in 0..size {
        let delta = bits.signed_golomb()?;
        if !(-128..=127).contains(&delta) {
            return Err(BitstreamError::Invalid("a scaling delta beyond a byte"));
        }
        last = (last + delta) & 0xff;
        if last == 0 {
            // The rest of the list repeats what came before.
            break;
        }
    }
    Ok(())
}

/// From `log2_max_frame_num_minus4` to `gaps_in_frame_num_value_allowed_flag`.
fn skip_picture_order(bits: &mut BitReader<'_>) -> Result<(), BitstreamError> {
    bounded(bits, 12, "a frame number of more than 16 bits")?;
    match bounded(bits, 2, "a picture order type above 2")? {
        0 => {
            bounded(bits, 12, "a picture order count of more than 16 bits")?;
        }
        1 => {
            let _always_zero = bits.flag()?;
            bits.signed_golomb()?;
            bits.signed_golomb()?;
            let cycle = bounded(bits, 255, "a picture order cycle above 255")?;
            for _ in 0..cycle {
                bits.signed_golomb()?;
            }
        }
        _ => {}
    }
    let _reference_frames = bounded(bits, 16, "more than 16 reference frames")?;
    let _gaps_allowed = bits.flag()?;
    Ok(())
}

/// From `pic_width_in_mbs_minus1` to the cropping rectangle.
fn size(bits: &mut BitReader<'_>, format: &Format) -> Result<(u16, u16), BitstreamError> {
    // 4,095 macroblocks are 65,520 pixels, the most that fits.
    const MOST: u32 = 4094;
    let width = 16 * (1 + bounded(bits, MOST, "a picture too wide")?);
    let map_units = 16 * (1 + bounded(bits, MOST, "a picture too high")?);
    let frames_only = bits.flag()?;
    if !frames_only {
        let _adaptive = bits.flag()?;
    }
    let _direct_inference = bits.flag()?;
    // A map unit of a stream with fields is one field's.
    let fields = if frames_only { 1 } else { 2 };
    let mut crop = [0; 4];
    if bits.flag()? {
        for side in &mut crop {
            *side = bounded(bits, 0xffff, "a crop beyond the picture")?;
        }
    }
    let [left, right, top, bottom] = crop;
    let (x, y) = if format.separate_planes {
        (1, 1)
    } else {
        format.crop_unit()
    };
    Ok((
        cropped(width, x * (left + right))?,
        cropped(map_units * fields, y * fields * (top + bottom))?,
    ))
}

fn cropped(side: u32, crop: u32) -> Result<u16, BitstreamError> {
    side.checked_sub(crop)
        .filter(|side| *side > 0)
        .and_then(|side| u16::try_from(side).ok())
        .ok_or(BitstreamError::Invalid("a crop that leaves no picture"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::packed;

    /// `ue(v)` of a small number.
    fn ue(value: u32) -> String {
        let width = (value + 1).ilog2() as usize;
        format!("{}{:b}", "0".repeat(width), value + 1)
    }

    /// An SPS NAL unit: profile and format, then picture order, then size and crop.
    fn unit(profile: u8, format: &str, order: &str, size: &str) -> Vec<u8> {
        let id = ue(0);
        let rest = packed(&format!("{id} {format} {order} {size} 0 1"));
        [&[0x67, profile, 0xc0, 31][..], &rest].concat()
    }

    /// Frame numbers of 4 bits, order type 2, one reference frame, no gaps.
    const ORDER: &str = "1 011 010 0";

    /// Frames only, no crop: width and height in macroblocks.
    fn plain(width: u32, height: u32) -> String {
        format!("{} {} 1 1 0", ue(width - 1), ue(height - 1))
    }

    /// Frames only, cropped by this many units at left, right, top and bottom.
    fn cropped(width: u32, height: u32, crop: [u32; 4]) -> String {
        let crop = crop.map(ue).concat();
        format!("{} {} 1 1 1 {crop}", ue(width - 1), ue(height - 1))
    }

    fn size(unit: &[u8]) -> Result<(u16, u16), BitstreamError> {
        Sps::parse(unit).map(|sps| (sps.width, sps.height))
    }

    fn invalid(unit: &[u8]) -> bool {
        matches!(Sps::parse(unit), Err(BitstreamError::Invalid(_)))
    }

    #[test]
    fn profile_constraints_and_level_make_the_codec() {
        let sps = Sps::parse(&unit(66, "", ORDER, &plain(20, 15))).unwrap();
        assert_eq!((sps.width, sps.height), (320, 240));
        assert_eq!(sps.codec(), "avc1.42C01F");
        assert_eq!((sps.chroma_format, sps.luma_depth), (1, 8));
    }

    #[test]
    fn a_crop_counts_in_chroma_samples() {
        let crop = [1, 2, 3, 4];
        let of = |format: &str| size(&unit(100, format, ORDER, &cropped(10, 10, crop)));
        let (eight_bits, flags) = ("1 1", "0 0");
        let format = |chroma: &str| format!("{chroma} {eight_bits} {flags}");
        assert_eq!(of(&format("1")), Ok((157, 153))); // monochrome
        assert_eq!(of(&format("010")), Ok((154, 146))); // 4:2:0
        assert_eq!(of(&format("011")), Ok((154, 153))); // 4:2:2
        assert_eq!(of(&format("00100 0")), Ok((157, 153))); // 4:4:4
        assert_eq!(of(&format("00100 1")), Ok((157, 153))); // in separate planes
    }

    #[test]
    fn a_crop_that_leaves_nothing_is_refused() {
        for crop in [[40, 40, 0, 0], [0, 0, 81, 0], [65_535; 4]] {
            assert!(invalid(&unit(66, "", ORDER, &cropped(10, 10, crop))));
        }
        let most = [0, 79, 0, 79];
        assert_eq!(
            size(&unit(66, "", ORDER, &cropped(10, 10, most))),
            Ok((2, 2))
        );
    }

    #[test]
    fn fields_double_height_and_crop() {
        let fields = format!(
            "{} {} 0 0 1 1 {}",
            ue(9),
            ue(4),
            [0, 0, 0, 2].map(ue).concat()
        );
        assert_eq!(size(&unit(66, "", ORDER, &fields)), Ok((160, 152)));
    }

    #[test]
    fn every_order_of_pictures_is_passed_over() {
        let reference = "010 0";
        let type_0 = format!("1 1 {} {reference}", ue(4));
        let type_1 = format!("1 010 1 00101 011 {} 010 1 011 {reference}", ue(3));
        for order in [type_0, type_1] {
            assert_eq!(size(&unit(66, "", &order, &plain(20, 15))), Ok((320, 240)));
        }
    }

    #[test]
    fn scaling_lists_are_passed_over() {
        // The first list ends at once (delta -8), the second has 16 deltas of 0.
        let lists = format!("1 {} 1 {} 000000", "000010001", "1".repeat(16));
        let format = format!("010 1 1 0 1 {lists}");
        assert_eq!(
            size(&unit(100, &format, ORDER, &plain(20, 15))),
            Ok((320, 240))
        );
        let huge = format!("010 1 1 0 1 1 {}", ue(1000));
        assert!(invalid(&unit(100, &huge, ORDER, &plain(20, 15))));
    }

    #[test]
    fn values_beyond_their_range_are_refused() {
        let size = plain(20, 15);
        assert!(invalid(&unit(100, &ue(4), ORDER, &size)), "chroma format");
        let deep = format!("010 {} 1 0 0", ue(7));
        assert!(invalid(&unit(100, &deep, ORDER, &size)), "bit depth");
        for (name, order) in [
            ("frame number", format!("{} 011 010 0", ue(13))),
            ("order type", format!("1 {} 010 0", ue(3))),
            ("order count", format!("1 1 {} 010 0", ue(13))),
            ("order cycle", format!("1 010 0 1 1 {} 0", ue(256))),
            ("references", format!("1 011 {} 0", ue(17))),
        ] {
            assert!(invalid(&unit(66, "", &order, &size)), "{name}");
        }
        assert!(invalid(&unit(66, "", ORDER, &plain(4096, 1))), "width");
        assert!(invalid(&unit(66, "", ORDER, &plain(1, 4096))), "height");
        assert!(invalid(&[0x68, 66, 0xc0, 31, 0xff]), "type");
    }

    #[test]
    fn every_cut_before_the_size_is_refused() {
        let whole = unit(66, "", ORDER, &plain(20, 15));
        for end in 1..whole.len() - 1 {
            let cut = Sps::parse(&whole[..end]);
            assert_eq!(cut, Err(BitstreamError::EndsEarly), "cut after {end}");
        }
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        assert_eq!(
            without_emulation_prevention(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3, 0, 3]),
            [0, 0, 1, 0, 0, 0, 0, 3, 0, 3]
        );
    }
}
