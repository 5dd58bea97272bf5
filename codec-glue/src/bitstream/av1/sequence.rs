use crate::bitstream::BitstreamError;
use crate::bitstream::bits::BitReader;

/// What a sequence header says that matters here (AV1 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceHeader {
    /// `seq_profile`: 0 Main, 1 High, 2 Professional.
    pub profile: u8,
    /// `seq_level_idx` of the first operating point.
    pub level: u8,
    /// `seq_tier` of the first operating point: high instead of main.
    pub high_tier: bool,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// `max_frame_width_minus_1 + 1`.
    pub max_width: u32,
    /// `max_frame_height_minus_1 + 1`.
    pub max_height: u32,
    /// What frame headers need.
    pub(super) frames: FrameFields,
}

/// Which fields a frame header has, and how wide they are (AV1 5.9.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FrameFields {
    pub(super) reduced_still_picture: bool,
    pub(super) width_bits: u32,
    pub(super) height_bits: u32,
    /// 0 when frames have no id.
    pub(super) frame_id_bits: u32,
    pub(super) order_hint_bits: u32,
    pub(super) screen_content_tools: Choice,
    pub(super) integer_mv: Choice,
    /// 0 when shown frames have no time.
    pub(super) presentation_time_bits: u32,
    pub(super) decoder_model: Option<DecoderModel>,
}

/// A tool that is off or on for the sequence, or as each frame says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Choice {
    #[default]
    Off,
    On,
    Frame,
}

/// The fields of `decoder_model_info` that frames depend on (AV1 5.5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecoderModel {
    pub(super) removal_time_bits: u32,
    /// `operating_point_idc` of those that have the model.
    pub(super) operating_points: Vec<u32>,
    delay_bits: u32,
}

impl SequenceHeader {
    /// Reads the payload of a sequence header OBU.
    ///
    /// # Errors
    /// A [`BitstreamError`] when it is cut short or breaks the rules.
    pub fn parse(payload: &[u8]) -> Result<Self, BitstreamError> {
        let bits = &mut BitReader::new(payload);
        let profile = bits.bits(3)? as u8;
        if profile > 2 {
            return Err(BitstreamError::Invalid("an AV1 profile above 2"));
        }
        let _still_picture = bits.flag()?;
        let mut frames = FrameFields {
            reduced_still_picture: bits.flag()?,
            ..FrameFields::default()
        };
        let (level, high_tier) = if frames.reduced_still_picture {
            (bits.bits(5)? as u8, false)
        } else {
            operating_points(bits, &mut frames)?
        };
        let (max_width, max_height) = frame_size(bits, &mut frames)?;
        tools(bits, &mut frames)?;
        let bit_depth = bit_depth(bits, profile)?;
        Ok(Self {
            profile,
            level,
            high_tier,
            bit_depth,
            max_width,
            max_height,
            frames,
        })
    }

    /// The WebCodecs codec string (AV1 ISOBMFF binding 5).
    pub fn codec(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        let Self {
            profile,
            level,
            bit_depth,
            ..
        } = self;
        format!("av01.{profile}.{level:02}{tier}.{bit_depth:02}")
    }
}

/// From `timing_info_present_flag` to the last operating point; the first one's level and tier.
fn operating_points(
    bits: &mut BitReader<'_>,
    frames: &mut FrameFields,
) -> Result<(u8, bool), BitstreamError> {
    let mut model = None;
    if bits.flag()? {
        let equal_picture_interval = timing_info(bits)?;
        if bits.flag()? {
            let (read, presentation_time_bits) = decoder_model_info(bits)?;
            model = Some(read);
            if !equal_picture_interval {
                frames.presentation_time_bits = presentation_time_bits;
            }
        }
    }
    let initial_display_delay = bits.flag()?;
    let count = bits.bits(5)? + 1;
    let mut first = None;
    for _ in 0..count {
        let level_and_tier = operating_point(bits, model.as_mut(), initial_display_delay)?;
        first.get_or_insert(level_and_tier);
    }
    frames.decoder_model = model;
    first.ok_or(BitstreamError::Invalid("no operating point"))
}

fn operating_point(
    bits: &mut BitReader<'_>,
    model: Option<&mut DecoderModel>,
    initial_display_delay: bool,
) -> Result<(u8, bool), BitstreamError> {
    let idc = bits.bits(12)?;
    let level = bits.bits(5)? as u8;
    let high_tier = level > 7 && bits.flag()?;
    if let Some(model) = model
        && bits.flag()?
    {
        model.operating_points.push(idc);
        // Two buffer delays and the low-delay flag (AV1 5.5.5).
        bits.skip(2 * model.delay_bits + 1)?;
    }
    if initial_display_delay && bits.flag()? {
        bits.skip(4)?;
    }
    Ok((level, high_tier))
}

/// Reads `timing_info` (AV1 5.5.3) and returns `equal_picture_interval`.
fn timing_info(bits: &mut BitReader<'_>) -> Result<bool, BitstreamError> {
    bits.skip(64)?;
    let equal_picture_interval = bits.flag()?;
    if equal_picture_interval {
        bits.skip_uvlc()?;
    }
    Ok(equal_picture_interval)
}

/// Reads `decoder_model_info` (AV1 5.5.4), and the width of presentation times.
fn decoder_model_info(bits: &mut BitReader<'_>) -> Result<(DecoderModel, u32), BitstreamError> {
    let delay_bits = bits.bits(5)? + 1;
    bits.skip(32)?;
    let removal_time_bits = bits.bits(5)? + 1;
    let presentation_time_bits = bits.bits(5)? + 1;
    let model = DecoderModel {
        removal_time_bits,
        operating_points: Vec::new(),
        delay_bits,
    };
    Ok((model, presentation_time_bits))
}

/// From `frame_width_bits_minus_1` to the frame ids.
fn frame_size(
    bits: &mut BitReader<'_>,
    frames: &mut FrameFields,
) -> Result<(u32, u32), BitstreamError> {
    frames.width_bits = bits.bits(4)? + 1;
    frames.height_bits = bits.bits(4)? + 1;
    let width = bits.bits(frames.width_bits)? + 1;
    let height = bits.bits(frames.height_bits)? + 1;
    if !frames.reduced_still_picture && bits.flag()? {
        let delta_bits = bits.bits(4)? + 2;
        frames.frame_id_bits = bits.bits(3)? + delta_bits + 1;
        if frames.frame_id_bits > 16 {
            return Err(BitstreamError::Invalid("AV1 frame ids above 16 bits"));
        }
    }
    Ok((width, height))
}

/// From `use_128x128_superblock` to `enable_restoration`.
fn tools(bits: &mut BitReader<'_>, frames: &mut FrameFields) -> Result<(), BitstreamError> {
    const SUPERBLOCK_AND_INTRA_TOOLS: u32 = 3;
    const INTER_TOOLS: u32 = 4;
    const SUPERRES_CDEF_RESTORATION: u32 = 3;
    bits.skip(SUPERBLOCK_AND_INTRA_TOOLS)?;
    if frames.reduced_still_picture {
        frames.screen_content_tools = Choice::Frame;
        frames.integer_mv = Choice::Frame;
        return bits.skip(SUPERRES_CDEF_RESTORATION);
    }
    bits.skip(INTER_TOOLS)?;
    let enable_order_hint = bits.flag()?;
    if enable_order_hint {
        bits.skip(2)?;
    }
    frames.screen_content_tools = choice(bits)?;
    frames.integer_mv = match frames.screen_content_tools {
        Choice::Off => Choice::Frame,
        _ => choice(bits)?,
    };
    if enable_order_hint {
        frames.order_hint_bits = bits.bits(3)? + 1;
    }
    bits.skip(SUPERRES_CDEF_RESTORATION)
}

/// `seq_choose_*`, or the value it leaves to the sequence.
fn choice(bits: &mut BitReader<'_>) -> Result<Choice, BitstreamError> {
    if bits.flag()? {
        return Ok(Choice::Frame);
    }
    Ok(if bits.flag()? {
        Choice::On
    } else {
        Choice::Off
    })
}

/// The start of `color_config` (AV1 5.5.2).
fn bit_depth(bits: &mut BitReader<'_>, profile: u8) -> Result<u8, BitstreamError> {
    let high_bit_depth = bits.flag()?;
    Ok(match (profile, high_bit_depth) {
        (_, false) => 8,
        (2, true) if bits.flag()? => 12,
        (_, true) => 10,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::packed;

    /// 16 x 8 pixels in four bits each, no frame ids.
    const SIZE: &str = "0011 0011 1111 0111 0";
    /// No tool is on, screen content is left to frames.
    const TOOLS: &str = "000 0000 0 1 1 000";

    /// A sequence header without timing and delays.
    fn header(profile: &str, points: &str, size: &str, depth: &str) -> Vec<u8> {
        packed(&format!(
            "{profile} 0 0 0 0 {points} {size} {TOOLS} {depth} 0000"
        ))
    }

    /// One operating point of this level, with its tier where there is one.
    fn point(level_and_tier: &str) -> String {
        format!("00000 000000000000 {level_and_tier}")
    }

    fn codec(profile: &str, points: &str, depth: &str) -> String {
        let sequence = SequenceHeader::parse(&header(profile, points, SIZE, depth)).unwrap();
        assert_eq!((sequence.max_width, sequence.max_height), (16, 8));
        sequence.codec()
    }

    #[test]
    fn profile_level_tier_and_depth_make_the_codec() {
        assert_eq!(codec("000", &point("00111"), "0"), "av01.0.07M.08");
        assert_eq!(codec("000", &point("01000 0"), "1"), "av01.0.08M.10");
        assert_eq!(codec("001", &point("01101 1"), "1"), "av01.1.13H.10");
        assert_eq!(codec("010", &point("11111 1"), "1 0"), "av01.2.31H.10");
        assert_eq!(codec("010", &point("00000"), "1 1"), "av01.2.00M.12");
    }

    #[test]
    fn the_first_operating_point_counts() {
        let points = "00001 000100000011 01001 1 000100000001 00101";
        assert_eq!(codec("000", points, "0"), "av01.0.09H.08");
    }

    #[test]
    fn values_beyond_their_range_are_refused() {
        let ids_of_17_bits = "0011 0011 1111 0111 1 1110 000";
        for (profile, size) in [("011", SIZE), ("000", ids_of_17_bits)] {
            let bytes = header(profile, &point("00000"), size, "0");
            assert!(matches!(
                SequenceHeader::parse(&bytes),
                Err(BitstreamError::Invalid(_))
            ));
        }
    }

    #[test]
    fn every_cut_before_the_depth_is_refused() {
        let whole = header("000", &point("00000"), SIZE, "0");
        for end in 0..whole.len() - 1 {
            assert_eq!(
                SequenceHeader::parse(&whole[..end]),
                Err(BitstreamError::EndsEarly),
                "cut after {end}"
            );
        }
    }
}
