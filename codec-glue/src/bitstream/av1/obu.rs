use crate::bitstream::BitstreamError;

/// What an OBU holds (AV1 6.2.2), as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObuType {
    /// `OBU_SEQUENCE_HEADER`.
    SequenceHeader,
    /// `OBU_TEMPORAL_DELIMITER`.
    TemporalDelimiter,
    /// `OBU_FRAME_HEADER`.
    FrameHeader,
    /// `OBU_FRAME`: a frame header and its tiles.
    Frame,
    /// `OBU_TILE_LIST`, for large scale tile decoding.
    TileList,
    /// `OBU_PADDING`.
    Padding,
    /// Anything else.
    Other,
}

/// One open bitstream unit (AV1 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obu<'a> {
    /// What it holds.
    pub kind: ObuType,
    /// `temporal_id`, 0 without an extension.
    pub temporal_id: u8,
    /// `spatial_id`, 0 without an extension.
    pub spatial_id: u8,
    /// The header as it stands there: a byte, and the extension's when there is one.
    pub header: &'a [u8],
    /// What follows the header and the size.
    pub payload: &'a [u8],
}

/// The OBUs of a temporal unit; the iterator ends after its first error.
pub fn obus(temporal_unit: &[u8]) -> impl Iterator<Item = Result<Obu<'_>, BitstreamError>> {
    let mut rest = temporal_unit;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // Nothing follows an error.
        let (obu, after) = match next(rest) {
            Ok((obu, after)) => (Ok(obu), after),
            Err(error) => (Err(error), &[][..]),
        };
        rest = after;
        Some(obu)
    })
}

/// Cuts an OBU off bytes that begin with one (AV1 5.3.1).
fn next(bytes: &[u8]) -> Result<(Obu<'_>, &[u8]), BitstreamError> {
    let first = *bytes.first().ok_or(BitstreamError::EndsEarly)?;
    if first & 0x80 != 0 {
        return Err(BitstreamError::Invalid("the forbidden bit of an OBU"));
    }
    let has_extension = first & 0b100 != 0;
    let has_size = first & 0b010 != 0;
    let (header, mut rest) = bytes
        .split_at_checked(1 + usize::from(has_extension))
        .ok_or(BitstreamError::EndsEarly)?;
    let extension = header.get(1).copied().unwrap_or_default();
    // Only the last OBU of a unit may leave its size to the container.
    let mut size = rest.len();
    if has_size {
        (size, rest) = leb128(rest)?;
    }
    let (payload, after) = rest
        .split_at_checked(size)
        .ok_or(BitstreamError::EndsEarly)?;
    let obu = Obu {
        kind: match first >> 3 & 0xf {
            1 => ObuType::SequenceHeader,
            2 => ObuType::TemporalDelimiter,
            3 => ObuType::FrameHeader,
            6 => ObuType::Frame,
            8 => ObuType::TileList,
            15 => ObuType::Padding,
            _ => ObuType::Other,
        },
        temporal_id: extension >> 5,
        spatial_id: extension >> 3 & 0b11,
        header,
        payload,
    };
    Ok((obu, after))
}

/// `leb128()` (AV1 4.10.5): eight bytes at most, 32 bits at most.
pub(crate) fn leb128(bytes: &[u8]) -> Result<(usize, &[u8]), BitstreamError> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value)
                .map_err(|_| BitstreamError::Invalid("an OBU size above 32 bits"))?;
            return Ok((value as usize, &bytes[at + 1..]));
        }
    }
    if bytes.len() < 8 {
        return Err(BitstreamError::EndsEarly);
    }
    Err(BitstreamError::Invalid("an OBU size of more than 8 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Obu<'_>>, BitstreamError> {
        obus(bytes).collect()
    }

    #[test]
    fn obus_with_and_without_extension_and_size_are_cut() {
        let bytes = [0x12, 0, 0x36, 0x48, 2, 0xaa, 0xbb, 0x18, 0xcc];
        let units = all(&bytes).unwrap();
        assert_eq!(units.len(), 3);
        assert_eq!(units[0].kind, ObuType::TemporalDelimiter);
        assert_eq!((units[0].header, units[0].payload), (&[0x12][..], &[][..]));
        let layered = Obu {
            kind: ObuType::Frame,
            temporal_id: 2,
            spatial_id: 1,
            header: &[0x36, 0x48],
            payload: &[0xaa, 0xbb],
        };
        assert_eq!(units[1], layered);
        assert_eq!(units[2].kind, ObuType::FrameHeader);
        assert_eq!(units[2].payload, [0xcc]);
    }

    #[test]
    fn sizes_may_be_padded_but_not_beyond_eight_bytes_or_32_bits() {
        let padded = [0x12, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 7];
        assert_eq!(all(&padded).unwrap()[0].payload, [7]);
        let nine = [0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0];
        assert!(matches!(all(&nine), Err(BitstreamError::Invalid(_))));
        let large = [0x12, 0x80, 0x80, 0x80, 0x80, 0x10];
        assert!(matches!(all(&large), Err(BitstreamError::Invalid(_))));
    }

    #[test]
    fn cuts_and_forbidden_bits_are_refused_and_end_the_iterator() {
        for bytes in [&[0x16][..], &[0x12], &[0x12, 0x80], &[0x12, 1]] {
            assert_eq!(all(bytes), Err(BitstreamError::EndsEarly), "{bytes:?}");
        }
        let mut units = obus(&[0x92, 0, 0x12, 0]);
        assert!(matches!(
            units.next(),
            Some(Err(BitstreamError::Invalid(_)))
        ));
        assert_eq!(units.next(), None);
    }
}
