use super::nal::without_trailing_zeros;
use super::{Framing, LengthSize, nal_units};
use crate::bitstream::BitstreamError;

/// Puts a length of four bytes before each NAL unit instead of a start code.
///
/// Every unit stays, parameter sets too: a decoder with a description does not
/// mind them.
///
/// # Errors
/// A [`BitstreamError`] when the payload is not Annex B or has no units.
pub fn annex_b_to_avc(payload: &[u8]) -> Result<Vec<u8>, BitstreamError> {
    // A start code of three bytes grows by one.
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 16);
    for unit in nal_units(payload, Framing::AnnexB) {
        let unit = unit?;
        let length = u32::try_from(unit.len())
            .map_err(|_| BitstreamError::Invalid("a NAL unit above 4 GiB"))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(unit);
    }
    not_empty(out)
}

/// Puts a start code of four bytes before each NAL unit instead of a length.
///
/// Zeros after a unit, which some encoders count to it, are left out.
///
/// # Errors
/// A [`BitstreamError`] when a length is wrong, or when a unit could not stand
/// in Annex B because it holds a start code or nothing but zeros.
pub fn avc_to_annex_b(payload: &[u8], size: LengthSize) -> Result<Vec<u8>, BitstreamError> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 16);
    for unit in nal_units(payload, Framing::Avc(size)) {
        let unit = without_trailing_zeros(unit?)?;
        if unit.windows(3).any(|three| matches!(three, [0, 0, 0..=2])) {
            return Err(BitstreamError::Invalid("a start code inside a NAL unit"));
        }
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(unit);
    }
    not_empty(out)
}

fn not_empty(payload: Vec<u8>) -> Result<Vec<u8>, BitstreamError> {
    if payload.is_empty() {
        return Err(BitstreamError::Invalid("a payload without NAL units"));
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNEX_B: [u8; 12] = [0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x65, 0x88];
    const AVC: [u8; 12] = [0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 2, 0x65, 0x88];

    #[test]
    fn each_framing_becomes_the_other() {
        assert_eq!(annex_b_to_avc(&ANNEX_B).as_deref(), Ok(&AVC[..]));
        assert_eq!(
            avc_to_annex_b(&AVC, LengthSize::Four).as_deref(),
            Ok(&ANNEX_B[..])
        );
        let short = [2, 9, 0xf0, 2, 0x65, 0x88];
        assert_eq!(
            avc_to_annex_b(&short, LengthSize::One).as_deref(),
            Ok(&ANNEX_B[..])
        );
    }

    #[test]
    fn short_start_codes_and_trailing_zeros_are_accepted() {
        let loose = [0, 0, 1, 9, 0xf0, 0, 0, 0, 0, 1, 0x65, 0x88, 0];
        assert_eq!(annex_b_to_avc(&loose).as_deref(), Ok(&AVC[..]));
    }

    #[test]
    fn units_that_annex_b_cannot_hold_are_refused() {
        for unit in [
            &[9, 0, 0, 1, 5][..],
            &[9, 0, 0, 0, 5],
            &[9, 0, 0, 2],
            &[0, 0],
        ] {
            let payload = [&[unit.len() as u8], unit].concat();
            assert!(
                matches!(
                    avc_to_annex_b(&payload, LengthSize::One),
                    Err(BitstreamError::Invalid(_))
                ),
                "{unit:?}"
            );
        }
        assert_eq!(
            avc_to_annex_b(&[3, 9, 0xf0, 0, 3, 0x65, 0x88, 0], LengthSize::One).as_deref(),
            Ok(&ANNEX_B[..])
        );
        // 0, 0, 3 is what keeps start codes out.
        assert!(avc_to_annex_b(&[5, 9, 0, 0, 3, 1], LengthSize::One).is_ok());
    }

    #[test]
    fn payloads_without_units_are_refused() {
        assert!(annex_b_to_avc(&[]).is_err());
        assert!(annex_b_to_avc(&[0, 0, 0, 1]).is_err());
        assert!(avc_to_annex_b(&[], LengthSize::Four).is_err());
    }
}
