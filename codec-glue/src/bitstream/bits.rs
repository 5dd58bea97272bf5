use super::BitstreamError;

/// Bits from most to least significant, as all four codecs write their headers.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken so far.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, BitstreamError> {
        let byte = self
            .bytes
            .get(self.at / 8)
            .ok_or(BitstreamError::EndsEarly)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// An unsigned integer of `count` bits, at most 32.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, BitstreamError> {
        debug_assert!(count <= 32);
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// Passes over bits that say nothing of interest.
    pub(crate) fn skip(&mut self, count: u32) -> Result<(), BitstreamError> {
        self.at = self.at.saturating_add(count as usize);
        if self.at > self.bytes.len() * 8 {
            return Err(BitstreamError::EndsEarly);
        }
        Ok(())
    }

    /// Exp-Golomb `ue(v)` (ITU-T H.264 9.1), at most 2^32 - 2.
    pub(crate) fn unsigned_golomb(&mut self) -> Result<u32, BitstreamError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return Err(BitstreamError::Invalid("an Exp-Golomb code above 32 bits"));
            }
        }
        let suffix = self.bits(zeros)?;
        Ok((1u32 << zeros) - 1 + suffix)
    }

    /// Exp-Golomb `se(v)` (ITU-T H.264 9.1.1).
    pub(crate) fn signed_golomb(&mut self) -> Result<i32, BitstreamError> {
        let code = self.unsigned_golomb()?;
        // Below 2^31, because the code is below 2^32 - 1.
        let magnitude = code.div_ceil(2) as i32;
        Ok(if code % 2 == 1 { magnitude } else { -magnitude })
    }

    /// Passes over `uvlc()` (AV1 4.10.3), which has no suffix after 32 zeros or more.
    pub(crate) fn skip_uvlc(&mut self) -> Result<(), BitstreamError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros < 32 {
            self.skip(zeros)?;
        }
        Ok(())
    }
}

/// Bits as text, spaces ignored, filled up with zeros to whole bytes.
#[cfg(test)]
pub(super) fn packed(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
    bits.chunks(8)
        .map(|chunk| {
            let byte = chunk.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
            byte << (8 - chunk.len())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_most_significant_first_and_across_bytes() {
        let mut bits = BitReader::new(&[0b1010_0001, 0b1000_0000]);
        assert_eq!(bits.flag(), Ok(true));
        assert_eq!(bits.bits(3), Ok(0b010));
        assert_eq!(bits.bits(5), Ok(0b00011));
        assert_eq!(bits.skip(7), Ok(()));
        assert_eq!(bits.flag(), Err(BitstreamError::EndsEarly));
    }

    #[test]
    fn all_32_bits_fit() {
        let mut bits = BitReader::new(&[0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(bits.bits(32), Ok(0xdead_beef));
        assert_eq!(bits.bits(0), Ok(0));
        assert_eq!(bits.bits(1), Err(BitstreamError::EndsEarly));
        assert_eq!(bits.skip(u32::MAX), Err(BitstreamError::EndsEarly));
    }

    #[test]
    fn golomb_codes_are_those_of_table_9_2() {
        let codes = packed("1 010 011 00100 00101 00110 00111 0001000");
        let mut bits = BitReader::new(&codes);
        for expected in 0..8 {
            assert_eq!(bits.unsigned_golomb(), Ok(expected));
        }
        let mut bits = BitReader::new(&codes);
        for expected in [0, 1, -1, 2, -2] {
            assert_eq!(bits.signed_golomb(), Ok(expected));
        }
    }

    #[test]
    fn the_longest_golomb_codes_neither_overflow_nor_run_on() {
        // 31 zeros, a one, 31 ones.
        let mut longest = vec![0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe];
        assert_eq!(BitReader::new(&longest).unsigned_golomb(), Ok(u32::MAX - 1));
        assert_eq!(BitReader::new(&longest).signed_golomb(), Ok(-i32::MAX));
        longest.insert(0, 0);
        assert!(matches!(
            BitReader::new(&longest).unsigned_golomb(),
            Err(BitstreamError::Invalid(_))
        ));
        assert_eq!(
            BitReader::new(&[0, 0]).unsigned_golomb(),
            Err(BitstreamError::EndsEarly)
        );
    }

    #[test]
    fn a_uvlc_ends_where_its_suffix_does() {
        // 001 and two bits, then a one.
        let mut bits = BitReader::new(&[0b0010_0100]);
        assert_eq!(bits.skip_uvlc(), Ok(()));
        assert_eq!(bits.flag(), Ok(true));
        // 32 zeros and a one, then a one.
        let mut bits = BitReader::new(&[0, 0, 0, 0, 0b1100_0000]);
        assert_eq!(bits.skip_uvlc(), Ok(()));
        assert_eq!(bits.flag(), Ok(true));
        assert_eq!(
            BitReader::new(&[0; 6]).skip_uvlc(),
            Err(BitstreamError::EndsEarly)
        );
    }
}
