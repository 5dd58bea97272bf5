use crate::bitstream::BitstreamError;

/// How NAL units follow one another in a payload (PROTOCOL 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Start codes between them (ITU-T H.264 Annex B); the description is empty.
    AnnexB,
    /// A length before each, as wide as the description says (ISO/IEC 14496-15 5.3.2).
    Avc(LengthSize),
}

/// Bytes of the length before a NAL unit (ISO/IEC 14496-15 5.3.3.1, `lengthSizeMinusOne`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LengthSize {
    /// One byte.
    One = 1,
    /// Two bytes.
    Two = 2,
    /// Four bytes, as nearly everybody writes.
    Four = 4,
}

impl LengthSize {
    /// The number of bytes.
    pub fn bytes(self) -> usize {
        self as usize
    }
}

/// What a NAL unit holds (ITU-T H.264 Table 7-1), as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalType {
    /// A slice, or its first partition, of a picture that is no IDR picture.
    Slice,
    /// A slice of an IDR picture.
    Idr,
    /// A sequence parameter set.
    Sps,
    /// A picture parameter set.
    Pps,
    /// The extension of a sequence parameter set.
    SpsExtension,
    /// Anything else.
    Other,
}

impl NalType {
    /// The type of a NAL unit.
    ///
    /// # Errors
    /// [`BitstreamError`] when the unit is empty or its forbidden bit is set.
    pub fn of(unit: &[u8]) -> Result<Self, BitstreamError> {
        let header = unit.first().ok_or(BitstreamError::EndsEarly)?;
        if header & 0x80 != 0 {
            return Err(BitstreamError::Invalid("the forbidden bit of a NAL unit"));
        }
        Ok(match header & 0x1f {
            1 | 2 => Self::Slice,
            5 => Self::Idr,
            7 => Self::Sps,
            8 => Self::Pps,
            13 => Self::SpsExtension,
            _ => Self::Other,
        })
    }
}

/// The NAL units of a payload, headers included, without start codes or lengths.
///
/// The iterator ends after its first error. No unit is empty.
pub fn nal_units(
    payload: &[u8],
    framing: Framing,
) -> impl Iterator<Item = Result<&[u8], BitstreamError>> {
    let mut rest = payload;
    let mut begun = false;
    std::iter::from_fn(move || {
        let next = match framing {
            Framing::AnnexB if begun => next_start_coded(rest),
            Framing::AnnexB => first_start_coded(rest),
            Framing::Avc(size) => next_sized(rest, size),
        };
        begun = true;
        // Nothing follows an error.
        let (unit, after) = match next.transpose()? {
            Ok((unit, after)) => (Ok(unit), after),
            Err(error) => (Err(error), &[][..]),
        };
        rest = after;
        Some(unit)
    })
}

type Cut<'a> = Result<Option<(&'a [u8], &'a [u8])>, BitstreamError>;

/// Cuts a unit off bytes that begin with a length.
fn next_sized(bytes: &[u8], size: LengthSize) -> Cut<'_> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (length, after) = bytes
        .split_at_checked(size.bytes())
        .ok_or(BitstreamError::EndsEarly)?;
    let length = length
        .iter()
        .fold(0u32, |length, byte| length << 8 | u32::from(*byte));
    if length == 0 {
        return Err(BitstreamError::Invalid("a NAL unit of no bytes"));
    }
    let cut = after
        .split_at_checked(length as usize)
        .ok_or(BitstreamError::EndsEarly)?;
    Ok(Some(cut))
}

/// Passes over the zeros before the first start code, then cuts off its unit.
fn first_start_coded(bytes: &[u8]) -> Cut<'_> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros < 2 || bytes.get(zeros) != Some(&1) {
        return Err(BitstreamError::Invalid("Annex B without a start code"));
    }
    next_start_coded(&bytes[zeros + 1..])
}

/// Cuts a unit off bytes that begin right after a start code.
fn next_start_coded(bytes: &[u8]) -> Cut<'_> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (unit, after) = match start_code(bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 3..]),
        None => (bytes, &[][..]),
    };
    Ok(Some((without_trailing_zeros(unit)?, after)))
}

/// Zeros before a start code or the end belong to neither unit (ITU-T H.264 B.1).
pub(super) fn without_trailing_zeros(unit: &[u8]) -> Result<&[u8], BitstreamError> {
    let end = unit
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or(BitstreamError::Invalid("a NAL unit of no bytes"))?;
    Ok(&unit[..=end])
}

/// Where the next start code of three bytes begins.
fn start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|three| three == [0, 0, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    type Units<'a> = Result<Vec<&'a [u8]>, BitstreamError>;

    fn annex_b(bytes: &[u8]) -> Units<'_> {
        nal_units(bytes, Framing::AnnexB).collect()
    }

    fn avc(bytes: &[u8], size: LengthSize) -> Units<'_> {
        nal_units(bytes, Framing::Avc(size)).collect()
    }

    #[test]
    fn start_codes_of_both_lengths_and_stray_zeros_are_no_part_of_units() {
        let bytes = [
            0, 0, 0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 7, 0, 0, 3, 1, 0, 0, 0, 1, 8, 5, 0, 0, 0,
        ];
        let units: [&[u8]; 3] = [&[9, 0xf0], &[7, 0, 0, 3, 1], &[8, 5]];
        assert_eq!(annex_b(&bytes).unwrap(), units);
    }

    #[test]
    fn annex_b_begins_with_a_start_code() {
        for bytes in [&[][..], &[0, 0], &[0, 1, 9], &[9, 0, 0, 1, 9], &[0, 0, 2]] {
            assert!(matches!(annex_b(bytes), Err(BitstreamError::Invalid(_))));
        }
    }

    #[test]
    fn units_of_no_bytes_are_refused() {
        assert!(annex_b(&[0, 0, 1, 0, 0, 1, 9]).is_err());
        assert!(annex_b(&[0, 0, 1, 0]).is_err());
        assert!(avc(&[0, 9], LengthSize::One).is_err());
    }

    #[test]
    fn lengths_of_every_width_are_read() {
        let units: [&[u8]; 2] = [&[9, 0xf0], &[5]];
        assert_eq!(avc(&[2, 9, 0xf0, 1, 5], LengthSize::One).unwrap(), units);
        let two = [0, 2, 9, 0xf0, 0, 1, 5];
        assert_eq!(avc(&two, LengthSize::Two).unwrap(), units);
        let four = [0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 1, 5];
        assert_eq!(avc(&four, LengthSize::Four).unwrap(), units);
    }

    #[test]
    fn lengths_beyond_the_payload_are_refused_and_end_the_iterator() {
        let bytes = [0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0];
        let mut units = nal_units(&bytes, Framing::Avc(LengthSize::Four));
        assert_eq!(units.next(), Some(Ok(&[5][..])));
        assert_eq!(units.next(), Some(Err(BitstreamError::EndsEarly)));
        assert_eq!(units.next(), None);
        assert_eq!(avc(&[0], LengthSize::Two), Err(BitstreamError::EndsEarly));
    }

    #[test]
    fn a_forbidden_bit_is_refused() {
        assert_eq!(NalType::of(&[0x67]), Ok(NalType::Sps));
        assert!(NalType::of(&[0xe7]).is_err());
        assert!(NalType::of(&[]).is_err());
    }
}
