//! H.264: NAL units in both framings, parameter sets and `avcC` (ITU-T H.264, ISO/IEC 14496-15).

mod avcc;
mod convert;
mod nal;
mod sps;

pub use avcc::{AvcConfig, HighFormat};
pub use convert::{annex_b_to_avc, avc_to_annex_b};
pub use nal::{Framing, LengthSize, NalType, nal_units};
pub use sps::Sps;

use super::{BitstreamError, Facts, Picture};

/// The facts of one H.264 access unit (ITU-T H.264 7.4.1.2.3).
///
/// A keyframe is an IDR picture. Its size and codec come from the access
/// unit's own SPS, which an AVC stream usually keeps in its description:
/// [`AvcConfig::picture`] reads it there.
///
/// # Errors
/// A [`BitstreamError`] when framing or SPS cannot be read, or when there is no picture.
pub fn inspect(payload: &[u8], framing: Framing) -> Result<Facts, BitstreamError> {
    let mut idr = None;
    let mut picture = None;
    for unit in nal_units(payload, framing) {
        let unit = unit?;
        match NalType::of(unit)? {
            NalType::Sps if picture.is_none() => picture = Some(Sps::parse(unit)?.picture()),
            NalType::Idr => idr = Some(true),
            NalType::Slice => idr = idr.or(Some(false)),
            _ => {}
        }
    }
    let keyframe = idr.ok_or(BitstreamError::Invalid("an access unit without slices"))?;
    Ok(Facts {
        keyframe,
        picture: picture.filter(|_: &Picture| keyframe),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUD: [u8; 2] = [0x09, 0xf0];
    const SLICE: [u8; 3] = [0x41, 0x9a, 0x80];
    const IDR: [u8; 3] = [0x65, 0x88, 0x80];

    fn annex_b(units: &[&[u8]]) -> Vec<u8> {
        units
            .iter()
            .flat_map(|unit| [&[0, 0, 0, 1], *unit].concat())
            .collect()
    }

    fn of(units: &[&[u8]]) -> Result<Facts, BitstreamError> {
        inspect(&annex_b(units), Framing::AnnexB)
    }

    #[test]
    fn slices_decide_what_a_picture_is() {
        let key = Facts {
            keyframe: true,
            picture: None,
        };
        assert_eq!(of(&[&AUD, &SLICE]), Ok(Facts::DELTA));
        assert_eq!(of(&[&AUD, &IDR, &IDR]), Ok(key.clone()));
        assert_eq!(of(&[&IDR, &SLICE]), Ok(key));
    }

    #[test]
    fn an_access_unit_has_slices() {
        assert!(matches!(of(&[&AUD]), Err(BitstreamError::Invalid(_))));
        assert!(of(&[]).is_err());
    }

    #[test]
    fn an_sps_of_a_later_picture_makes_no_size() {
        let sps = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4];
        let facts = of(&[&sps, &SLICE]).unwrap();
        assert_eq!(facts, Facts::DELTA);
        assert!(of(&[&sps, &IDR]).unwrap().picture.is_some());
    }
}
