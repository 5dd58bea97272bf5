//! AV1: OBUs, the sequence header and the start of frame headers (AV1 specification 5).

mod frame;
mod obu;
mod sequence;

pub(crate) use obu::leb128;
pub use obu::{Obu, ObuType, obus};
pub use sequence::SequenceHeader;

use super::{BitstreamError, Facts, Picture};
use frame::FrameStart;

/// The facts of one AV1 temporal unit in the low-overhead format (AV1 5.2).
///
/// A keyframe is a key frame that is shown; the first frame of the unit counts.
/// Its size and codec come from the sequence header before it; with spatial layers it is the size of
/// the highest, which decoders show.
///
/// # Errors
/// A [`BitstreamError`] when an OBU cannot be read, or when there is no frame.
pub fn inspect(temporal_unit: &[u8]) -> Result<Facts, BitstreamError> {
    let mut sequence = None;
    for obu in obus(temporal_unit) {
        let obu = obu?;
        match obu.kind {
            ObuType::SequenceHeader => sequence = Some(SequenceHeader::parse(obu.payload)?),
            ObuType::Frame | ObuType::FrameHeader => {
                let facts = facts(&obu, sequence.as_ref())?;
                return match sequence.filter(|_| facts.keyframe && is_layered(temporal_unit)) {
                    Some(sequence) => highest(facts, &sequence),
                    None => Ok(facts),
                };
            }
            _ => {}
        }
    }
    Err(BitstreamError::Invalid("a temporal unit without frames"))
}

/// Whether frames of higher spatial layers stand in a unit.
fn is_layered(temporal_unit: &[u8]) -> bool {
    obus(temporal_unit).any(|obu| obu.is_ok_and(|obu| obu.spatial_id > 0))
}

fn highest(facts: Facts, sequence: &SequenceHeader) -> Result<Facts, BitstreamError> {
    let side = |pixels| {
        u16::try_from(pixels)
            .map_err(|_| BitstreamError::Invalid("an AV1 picture of 65,536 pixels"))
    };
    let (width, height) = (side(sequence.max_width)?, side(sequence.max_height)?);
    let picture = facts.picture.map(|picture| Picture {
        width,
        height,
        ..picture
    });
    Ok(Facts { picture, ..facts })
}

fn facts(obu: &Obu<'_>, sequence: Option<&SequenceHeader>) -> Result<Facts, BitstreamError> {
    let start = FrameStart::read(obu, sequence)?;
    let picture = sequence.zip(start.size).map(|(sequence, size)| Picture {
        width: size.0,
        height: size.1,
        codec: sequence.codec(),
    });
    Ok(Facts {
        keyframe: start.keyframe,
        picture,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELIMITER: [u8; 2] = [0x12, 0];

    #[test]
    fn a_temporal_unit_has_a_frame() {
        for unit in [&[][..], &DELIMITER] {
            assert!(matches!(inspect(unit), Err(BitstreamError::Invalid(_))));
        }
    }

    #[test]
    fn without_a_sequence_header_only_the_type_is_known() {
        let frame = |first: u8| inspect(&[0x12, 0, 0x32, 1, first]);
        let key = Facts {
            keyframe: true,
            picture: None,
        };
        assert_eq!(frame(0b0001_0000), Ok(key)); // key frame, shown
        assert_eq!(frame(0b0000_0000), Ok(Facts::DELTA)); // key frame, for later
        assert_eq!(frame(0b0011_0000), Ok(Facts::DELTA)); // inter frame
        assert_eq!(frame(0b0101_0000), Ok(Facts::DELTA)); // intra-only frame
        assert_eq!(frame(0b1000_0000), Ok(Facts::DELTA)); // an earlier frame is shown
    }
}
