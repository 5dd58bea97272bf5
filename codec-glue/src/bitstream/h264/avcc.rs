use super::sps::has_format;
use super::{Framing, LengthSize, NalType, Sps, nal_units};
use crate::bitstream::{BitstreamError, Picture};

/// An `AVCDecoderConfigurationRecord`: the description of an AVC stream (ISO/IEC 14496-15 5.3.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvcConfig {
    /// `AVCProfileIndication`.
    pub profile: u8,
    /// `profile_compatibility`: the SPS's constraint flags.
    pub compatibility: u8,
    /// `AVCLevelIndication`.
    pub level: u8,
    /// Bytes of the length before every NAL unit of the stream.
    pub length_size: LengthSize,
    /// The sequence parameter sets, 31 at most; NAL units.
    pub sps: Vec<Vec<u8>>,
    /// The picture parameter sets, 255 at most; NAL units.
    pub pps: Vec<Vec<u8>>,
    /// What High profiles add to the record, where it is there.
    pub high: Option<HighFormat>,
}

/// The end of the record of High profiles (ISO/IEC 14496-15 5.3.3.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HighFormat {
    /// `chroma_format`, 0 to 3.
    pub chroma_format: u8,
    /// Bits per luma sample, 8 to 14.
    pub luma_depth: u8,
    /// Bits per chroma sample, 8 to 14.
    pub chroma_depth: u8,
    /// The SPS extensions; NAL units.
    pub sps_extensions: Vec<Vec<u8>>,
}

const VERSION: u8 = 1;
const MOST_SPS: usize = 31;
const MOST_PPS: usize = 255;
const TOO_MANY: BitstreamError = BitstreamError::Invalid("too many parameter sets");

impl AvcConfig {
    /// Reads a WebCodecs description.
    ///
    /// # Errors
    /// A [`BitstreamError`] when it is cut short or breaks the rules.
    pub fn parse(description: &[u8]) -> Result<Self, BitstreamError> {
        let mut input = Input(description);
        let [version, profile, compatibility, level, length, sps_count] = input.array()?;
        if version != VERSION {
            return Err(BitstreamError::Invalid("an avcC of another version"));
        }
        let length_size = match length & 0b11 {
            0 => LengthSize::One,
            1 => LengthSize::Two,
            3 => LengthSize::Four,
            _ => return Err(BitstreamError::Invalid("NAL lengths of three bytes")),
        };
        let sps = input.parameter_sets(sps_count & 0x1f, NalType::Sps)?;
        let [pps_count] = input.array()?;
        let pps = input.parameter_sets(pps_count, NalType::Pps)?;
        // Old writers leave this out, and other profiles may have room for the unknown.
        let high = if has_format(profile) && !input.0.is_empty() {
            Some(HighFormat::read(&mut input)?)
        } else {
            None
        };
        Ok(Self {
            profile,
            compatibility,
            level,
            length_size,
            sps,
            pps,
            high,
        })
    }

    /// Makes a record from the parameter sets of an Annex B keyframe; lengths are of four bytes.
    ///
    /// # Errors
    /// A [`BitstreamError`] when the framing is broken, or SPS or PPS are
    /// missing, unreadable or too many.
    pub fn from_annex_b(access_unit: &[u8]) -> Result<Self, BitstreamError> {
        let mut sps = ParameterSets::default();
        let mut pps = ParameterSets::default();
        let mut sps_extensions = ParameterSets::default();
        for unit in nal_units(access_unit, Framing::AnnexB) {
            let unit = unit?;
            match NalType::of(unit)? {
                NalType::Sps => sps.add(unit, MOST_SPS)?,
                NalType::Pps => pps.add(unit, MOST_PPS)?,
                NalType::SpsExtension => sps_extensions.add(unit, MOST_PPS)?,
                _ => {}
            }
        }
        let first = sps
            .units
            .first()
            .ok_or(BitstreamError::Invalid("a keyframe without SPS"))?;
        if pps.units.is_empty() {
            return Err(BitstreamError::Invalid("a keyframe without PPS"));
        }
        let parsed = Sps::parse(first)?;
        let high = has_format(parsed.profile).then_some(HighFormat {
            chroma_format: parsed.chroma_format,
            luma_depth: parsed.luma_depth,
            chroma_depth: parsed.chroma_depth,
            sps_extensions: sps_extensions.units,
        });
        Ok(Self {
            profile: parsed.profile,
            compatibility: parsed.constraints,
            level: parsed.level,
            length_size: LengthSize::Four,
            sps: sps.units,
            pps: pps.units,
            high,
        })
    }

    /// The record's bytes: a WebCodecs description.
    ///
    /// # Errors
    /// [`BitstreamError::Invalid`] when there are more parameter sets, or
    /// longer ones, than the record has room for.
    pub fn encode(&self) -> Result<Vec<u8>, BitstreamError> {
        let sps_count = count(&self.sps, MOST_SPS)?;
        let pps_count = count(&self.pps, MOST_PPS)?;
        let length_size = self.length_size.bytes() as u8 - 1;
        let mut out = vec![
            VERSION,
            self.profile,
            self.compatibility,
            self.level,
            0xfc | length_size,
            0xe0 | sps_count,
        ];
        write_sets(&mut out, &self.sps)?;
        out.push(pps_count);
        write_sets(&mut out, &self.pps)?;
        if let Some(high) = &self.high {
            out.push(0xfc | high.chroma_format & 0b11);
            out.push(0xf8 | high.luma_depth.wrapping_sub(8) & 0b111);
            out.push(0xf8 | high.chroma_depth.wrapping_sub(8) & 0b111);
            out.push(count(&high.sps_extensions, MOST_PPS)?);
            write_sets(&mut out, &high.sps_extensions)?;
        }
        Ok(out)
    }

    /// Size and codec of the stream.
    ///
    /// # Errors
    /// A [`BitstreamError`] when there is no SPS or the first cannot be read.
    pub fn picture(&self) -> Result<Picture, BitstreamError> {
        let sps = self
            .sps
            .first()
            .ok_or(BitstreamError::Invalid("an avcC without SPS"))?;
        Ok(Sps::parse(sps)?.picture())
    }
}

impl HighFormat {
    fn read(input: &mut Input<'_>) -> Result<Self, BitstreamError> {
        let [chroma, luma_depth, chroma_depth, extensions] = input.array()?;
        let depth = |byte: u8| match 8 + (byte & 0b111) {
            15.. => Err(BitstreamError::Invalid("a bit depth above 14")),
            depth => Ok(depth),
        };
        Ok(Self {
            chroma_format: chroma & 0b11,
            luma_depth: depth(luma_depth)?,
            chroma_depth: depth(chroma_depth)?,
            sps_extensions: input.parameter_sets(extensions, NalType::SpsExtension)?,
        })
    }
}

/// The part of a record that was not read yet.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BitstreamError> {
        let (array, rest) = self
            .0
            .split_first_chunk()
            .ok_or(BitstreamError::EndsEarly)?;
        self.0 = rest;
        Ok(*array)
    }

    fn parameter_sets(&mut self, count: u8, kind: NalType) -> Result<Vec<Vec<u8>>, BitstreamError> {
        let mut sets = Vec::new();
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(self.array()?));
            let (set, rest) = self
                .0
                .split_at_checked(length)
                .ok_or(BitstreamError::EndsEarly)?;
            if NalType::of(set)? != kind {
                return Err(BitstreamError::Invalid("an avcC with a foreign NAL unit"));
            }
            sets.push(set.to_vec());
            self.0 = rest;
        }
        Ok(sets)
    }
}

/// The parameter sets of one kind in an access unit.
#[derive(Default)]
struct ParameterSets {
    units: Vec<Vec<u8>>,
    /// Those that were there, repeats included.
    seen: usize,
}

impl ParameterSets {
    /// Adds a parameter set, unless an encoder has repeated it.
    fn add(&mut self, unit: &[u8], most: usize) -> Result<(), BitstreamError> {
        // Repeats count too, so that no access unit makes this slow.
        self.seen += 1;
        if self.seen > most {
            return Err(TOO_MANY);
        }
        if !self.units.iter().any(|set| set == unit) {
            self.units.push(unit.to_vec());
        }
        Ok(())
    }
}

fn count(sets: &[Vec<u8>], most: usize) -> Result<u8, BitstreamError> {
    u8::try_from(sets.len())
        .ok()
        .filter(|_| sets.len() <= most)
        .ok_or(TOO_MANY)
}

fn write_sets(out: &mut Vec<u8>, sets: &[Vec<u8>]) -> Result<(), BitstreamError> {
    for set in sets {
        let length = u16::try_from(set.len())
            .map_err(|_| BitstreamError::Invalid("a parameter set above 64 KiB"))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(set);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Baseline, 320 x 240.
    const SPS: [u8; 8] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4];
    const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
    const IDR: [u8; 3] = [0x65, 0x88, 0x80];

    fn annex_b(units: &[&[u8]]) -> Vec<u8> {
        units
            .iter()
            .flat_map(|unit| [&[0, 0, 1], *unit].concat())
            .collect()
    }

    fn invalid<T>(result: &Result<T, BitstreamError>) -> bool {
        matches!(result, Err(BitstreamError::Invalid(_)))
    }

    #[test]
    fn a_keyframe_s_parameter_sets_make_a_record() {
        let config = AvcConfig::from_annex_b(&annex_b(&[&SPS, &PPS, &SPS, &IDR])).unwrap();
        let expected = [
            &[1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 8][..],
            &SPS,
            &[1, 0, 4],
            &PPS,
        ]
        .concat();
        assert_eq!(config.encode().as_deref(), Ok(&expected[..]));
        assert_eq!(AvcConfig::parse(&expected), Ok(config.clone()));
        let picture = config.picture().unwrap();
        assert_eq!((picture.width, picture.height), (320, 240));
        assert_eq!(picture.codec, "avc1.42C01F");
    }

    #[test]
    fn a_keyframe_without_parameter_sets_makes_none() {
        assert!(invalid(&AvcConfig::from_annex_b(&annex_b(&[&PPS, &IDR]))));
        assert!(invalid(&AvcConfig::from_annex_b(&annex_b(&[&SPS, &IDR]))));
    }

    #[test]
    fn parameter_sets_without_number_are_refused() {
        let mut units = vec![&SPS[..]; MOST_SPS];
        units.push(&PPS);
        assert!(AvcConfig::from_annex_b(&annex_b(&units)).is_ok());
        units.push(&SPS);
        assert!(invalid(&AvcConfig::from_annex_b(&annex_b(&units))));
        let mut config = AvcConfig::from_annex_b(&annex_b(&units[1..])).unwrap();
        config.sps = vec![SPS.to_vec(); MOST_SPS + 1];
        assert!(invalid(&config.encode()));
        config.sps = vec![vec![0x67; 1 << 16]];
        assert!(invalid(&config.encode()));
    }

    #[test]
    fn broken_records_are_refused() {
        let good = [1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68];
        assert!(AvcConfig::parse(&good).is_ok());
        for (at, byte) in [(0, 2), (4, 0xfe), (8, 0x68), (8, 0xe7), (12, 0x67)] {
            let mut bad = good;
            bad[at] = byte;
            assert!(invalid(&AvcConfig::parse(&bad)), "{at}: {byte:#x}");
        }
        for end in 0..good.len() {
            let cut = AvcConfig::parse(&good[..end]);
            assert_eq!(cut, Err(BitstreamError::EndsEarly), "cut after {end}");
        }
    }

    #[test]
    fn high_profiles_may_tell_their_format() {
        let old = [1, 100, 0, 31, 0xff, 0xe0, 0];
        assert_eq!(AvcConfig::parse(&old).unwrap().high, None);
        let new = [&old[..], &[0xfe, 0xfa, 0xf9, 1, 0, 1, 0x6d]].concat();
        let config = AvcConfig::parse(&new).unwrap();
        let expected = HighFormat {
            chroma_format: 2,
            luma_depth: 10,
            chroma_depth: 9,
            sps_extensions: vec![vec![0x6d]],
        };
        assert_eq!(config.high, Some(expected));
        assert_eq!(config.encode(), Ok(new));
        let deep = [&old[..], &[0xfc, 0xff, 0xf8, 0]].concat();
        assert!(invalid(&AvcConfig::parse(&deep)));
        assert!(AvcConfig::parse(&[&old[..], &[0xfc]].concat()).is_err());
    }

    #[test]
    fn a_record_without_sps_has_no_picture() {
        let config = AvcConfig::parse(&[1, 0x42, 0, 31, 0xff, 0xe0, 0]).unwrap();
        assert!(invalid(&config.picture()));
    }
}
