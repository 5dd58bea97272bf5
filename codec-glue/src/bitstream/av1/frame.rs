use super::sequence::{Choice, FrameFields};
use super::{Obu, SequenceHeader};
use crate::bitstream::BitstreamError;
use crate::bitstream::bits::BitReader;

const KEY_FRAME: u32 = 0;

/// What the start of a frame header says (AV1 5.9.2).
pub(super) struct FrameStart {
    /// A key frame that is shown.
    pub(super) keyframe: bool,
    /// Width and height of a keyframe, before any render size; `None` without a sequence header.
    pub(super) size: Option<(u16, u16)>,
}

impl FrameStart {
    const DELTA: Self = Self {
        keyframe: false,
        size: None,
    };

    /// Reads the header of a frame or frame header OBU.
    pub(super) fn read(
        obu: &Obu<'_>,
        sequence: Option<&SequenceHeader>,
    ) -> Result<Self, BitstreamError> {
        let mut bits = BitReader::new(obu.payload);
        if !sequence.is_some_and(|s| s.frames.reduced_still_picture) {
            let show_existing_frame = bits.flag()?;
            if show_existing_frame {
                return Ok(Self::DELTA);
            }
            let frame_type = bits.bits(2)?;
            let show_frame = bits.flag()?;
            if frame_type != KEY_FRAME || !show_frame {
                return Ok(Self::DELTA);
            }
        }
        let size = sequence
            .map(|sequence| keyframe_size(&mut bits, obu, sequence))
            .transpose()?;
        Ok(Self {
            keyframe: true,
            size,
        })
    }
}

/// From after `show_frame` to `frame_size`, as shown key frames have it.
fn keyframe_size(
    bits: &mut BitReader<'_>,
    obu: &Obu<'_>,
    sequence: &SequenceHeader,
) -> Result<(u16, u16), BitstreamError> {
    let fields = &sequence.frames;
    if !fields.reduced_still_picture {
        bits.skip(fields.presentation_time_bits)?;
    }
    let _disable_cdf_update = bits.flag()?;
    let screen_content = chosen(bits, fields.screen_content_tools)?;
    if screen_content {
        chosen(bits, fields.integer_mv)?;
    }
    bits.skip(fields.frame_id_bits)?;
    let size_override = !fields.reduced_still_picture && bits.flag()?;
    bits.skip(fields.order_hint_bits)?;
    skip_removal_times(bits, obu, fields)?;
    let (width, height) = if size_override {
        (
            bits.bits(fields.width_bits)? + 1,
            bits.bits(fields.height_bits)? + 1,
        )
    } else {
        (sequence.max_width, sequence.max_height)
    };
    if width > sequence.max_width || height > sequence.max_height {
        return Err(BitstreamError::Invalid("an AV1 frame above its sequence"));
    }
    let side = |pixels| {
        u16::try_from(pixels)
            .map_err(|_| BitstreamError::Invalid("an AV1 picture of 65,536 pixels"))
    };
    Ok((side(width)?, side(height)?))
}

fn chosen(bits: &mut BitReader<'_>, choice: Choice) -> Result<bool, BitstreamError> {
    match choice {
        Choice::Off => Ok(false),
        Choice::On => Ok(true),
        Choice::Frame => bits.flag(),
    }
}

/// `buffer_removal_time` of each operating point that the frame belongs to.
fn skip_removal_times(
    bits: &mut BitReader<'_>,
    obu: &Obu<'_>,
    fields: &FrameFields,
) -> Result<(), BitstreamError> {
    let Some(model) = &fields.decoder_model else {
        return Ok(());
    };
    let present = bits.flag()?;
    if !present {
        return Ok(());
    }
    for &idc in &model.operating_points {
        let in_temporal_layer = idc >> obu.temporal_id & 1 == 1;
        let in_spatial_layer = idc >> (obu.spatial_id + 8) & 1 == 1;
        if idc == 0 || (in_temporal_layer && in_spatial_layer) {
            bits.skip(model.removal_time_bits)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ObuType;
    use super::*;
    use crate::bitstream::bits::packed;

    /// A sequence of pictures up to 16 x 8, with frame ids and order hints.
    fn sequence() -> SequenceHeader {
        SequenceHeader {
            profile: 0,
            level: 0,
            high_tier: false,
            bit_depth: 8,
            max_width: 16,
            max_height: 8,
            frames: FrameFields {
                width_bits: 5,
                height_bits: 5,
                frame_id_bits: 3,
                order_hint_bits: 2,
                screen_content_tools: Choice::Frame,
                integer_mv: Choice::Frame,
                ..FrameFields::default()
            },
        }
    }

    /// The size in a header that goes on like this after `show_frame`.
    fn size(rest: &str, sequence: &SequenceHeader) -> Result<Option<(u16, u16)>, BitstreamError> {
        let payload = packed(&format!("0 00 1 {rest}"));
        let obu = Obu {
            kind: ObuType::Frame,
            temporal_id: 0,
            spatial_id: 0,
            header: &[0x32],
            payload: &payload,
        };
        FrameStart::read(&obu, Some(sequence)).map(|start| start.size)
    }

    #[test]
    fn a_keyframe_is_as_large_as_its_sequence_or_as_it_says() {
        assert_eq!(size("0 0 101 0 11", &sequence()), Ok(Some((16, 8))));
        assert_eq!(
            size("0 1 0 101 1 11 00111 00001", &sequence()),
            Ok(Some((8, 2)))
        );
    }

    #[test]
    fn a_keyframe_larger_than_its_sequence_is_refused() {
        assert!(matches!(
            size("0 0 101 1 11 10000 00001", &sequence()),
            Err(BitstreamError::Invalid(_))
        ));
    }

    #[test]
    fn a_side_of_65_536_pixels_is_refused() {
        let wide = SequenceHeader {
            max_width: 0x1_0000,
            ..sequence()
        };
        assert!(matches!(
            size("0 0 101 0 11", &wide),
            Err(BitstreamError::Invalid(_))
        ));
    }

    #[test]
    fn a_header_cut_before_its_size_is_refused() {
        assert_eq!(
            size("0 0 101 1 11 00", &sequence()),
            Err(BitstreamError::EndsEarly)
        );
    }
}
