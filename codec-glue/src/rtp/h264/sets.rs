use std::collections::BTreeMap;

use crate::bitstream::bits::BitReader;
use crate::bitstream::{BitstreamError, h264::NalType};
use crate::rtp::RtpError;
use crate::wire::limits;

/// The newest parameter sets of a stream, by their ids (ITU-T H.264 7.4.1.2.1).
#[derive(Debug, Default)]
pub(super) struct ParameterSets {
    sps: BTreeMap<u32, Vec<u8>>,
    pps: BTreeMap<u32, Vec<u8>>,
}

impl ParameterSets {
    /// Keeps a unit that is an SPS or a PPS, instead of an older one.
    ///
    /// Together they may be as long as a decoder config, which holds them (PROTOCOL 4.2).
    pub(super) fn keep(&mut self, kind: NalType, unit: &[u8]) -> Result<(), RtpError> {
        // The profile and level of an SPS stand before its id; none of this can be escaped.
        let (sets, before, most) = match kind {
            NalType::Sps => (&mut self.sps, 4, 31),
            NalType::Pps => (&mut self.pps, 1, 255),
            _ => return Ok(()),
        };
        let mut bits = BitReader::new(unit.get(before..).unwrap_or_default());
        let id = bits.unsigned_golomb()?;
        if id > most {
            return Err(BitstreamError::Invalid("the id of a parameter set").into());
        }
        sets.insert(id, unit.to_vec());
        if self.len() > limits::CONFIG_MAX.into() {
            *self = Self::default();
            return Err(RtpError::TooLarge);
        }
        Ok(())
    }

    /// All of them, SPS first; none unless there are both.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        let both = !self.sps.is_empty() && !self.pps.is_empty();
        let sets = self.sps.values().chain(self.pps.values());
        sets.filter(move |_| both).map(Vec::as_slice)
    }

    fn len(&self) -> usize {
        self.sps
            .values()
            .chain(self.pps.values())
            .map(Vec::len)
            .sum()
    }
}
