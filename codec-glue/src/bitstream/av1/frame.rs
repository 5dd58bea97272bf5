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
