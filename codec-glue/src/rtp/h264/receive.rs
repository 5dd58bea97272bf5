use super::sets::ParameterSets;
use super::{AUD, END, FILLER, FU_A, STAP_A, START, TYPE};
use crate::bitstream::h264::NalType;
use crate::rtp::parts::{Input, Parts, Whole, append};
use crate::rtp::{FRAME_UNITS, RtpError};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// F and NRI of a unit's first byte.
const ALL_BUT_TYPE: u8 = !TYPE;
/// NRI: 0 where no other picture needs this one (`nal_ref_idc`).
const REFERENCE: u8 = 0x60;

/// The NAL units of an access unit, in Annex B.
#[derive(Debug, Default)]
pub(crate) struct Units {
    bytes: Vec<u8>,
    count: usize,
    /// Where the unit begins whose fragments are coming.
    fragmented: Option<usize>,
    seen: Seen,
    /// Of the stream: they may come in packets of their own.
    sets: ParameterSets,
}

/// What an access unit has so far.
#[derive(Debug, Default)]
struct Seen {
    sps: bool,
    pps: bool,
    idr: bool,
    slice: bool,
    /// A slice that others may need.
    reference: bool,
}

impl Parts for Units {
    /// Everything begins an access unit except for what must stand after its first slice.
    ///
    /// After a loss only a delimiter or an SPS does: others may follow a new SPS that was lost.
    fn begins(&self, payload: &[u8], after_loss: bool) -> Result<bool, RtpError> {
        let mut input = Input(payload);
        let mut kind = input.byte()? & TYPE;
        match kind {
            STAP_A => {
                input.take(2)?;
                kind = input.byte()? & TYPE;
            }
            FU_A => {
                let header = input.byte()?;
                if header & START == 0 {
                    return Ok(false);
                }
                kind = header & TYPE;
            }
            _ => {}
        }
        Ok(match kind {
            7 | AUD => true,
            _ if after_loss => false,
            // first_mb_in_slice, an Exp-Golomb code: 0 is a single 1 (ITU-T H.264 7.3.3).
            1 | 2 | 5 => input.byte()? & 0x80 != 0,
            3 | 4 => false,
            _ => true,
        })
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), RtpError> {
        let mut input = Input(payload);
        let header = input.byte()?;
        if header & TYPE == FU_A {
            return self.add_fragment(header, input);
        }
        if self.fragmented.is_some() {
            return Err(RtpError::Malformed("a NAL unit between fragments"));
        }
        match header & TYPE {
            1..=23 => self.add_unit(payload),
            STAP_A => {
                while !input.0.is_empty() {
                    let length = [input.byte()?, input.byte()?];
                    let unit = input.take(u16::from_be_bytes(length).into())?;
                    self.add_unit(unit)?;
                }
                Ok(())
            }
            _ => Err(RtpError::Unsupported("interleaved NAL units")),
        }
    }

    fn finish(&mut self) -> Result<Option<Whole>, RtpError> {
        if self.fragmented.is_some() {
            return Err(RtpError::Malformed("a NAL unit without its last fragment"));
        }
        let mut payload = std::mem::take(&mut self.bytes);
        let seen = std::mem::take(&mut self.seen);
        self.clear();
        if !seen.slice {
            return Ok(None);
        }
        if seen.idr && !(seen.sps && seen.pps) {
            payload = self.with_sets(&payload)?;
        }
        Ok(Some(Whole {
            payload,
            layer: 0,
            disposable: !seen.reference,
        }))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.fragmented = None;
        self.seen = Seen::default();
    }

    fn keep_parameter_set(&mut self, unit: &[u8]) -> Result<(), RtpError> {
        self.sets.keep(NalType::of(unit)?, unit)
    }
}

impl Units {
    fn add_unit(&mut self, unit: &[u8]) -> Result<(), RtpError> {
        let (&header, rest) = unit
            .split_first()
            .ok_or(RtpError::Malformed("a NAL unit of no bytes"))?;
        let begin = self.begin_unit(header)?;
        append(&mut self.bytes, rest)?;
        self.end_unit(begin)
    }

    /// A part of a unit (RFC 6184 5.8); some senders have a single one for a small unit.
    fn add_fragment(&mut self, indicator: u8, mut input: Input<'_>) -> Result<(), RtpError> {
        let header = input.byte()?;
        let begin = match (header & START != 0, self.fragmented) {
            (true, None) => self.begin_unit(indicator & ALL_BUT_TYPE | header & TYPE)?,
            (false, Some(begin)) => begin,
            _ => return Err(RtpError::Malformed("fragments of two NAL units")),
        };
        self.fragmented = Some(begin);
        append(&mut self.bytes, input.0)?;
        if header & END != 0 {
            self.fragmented = None;
            self.end_unit(begin)?;
        }
        Ok(())
    }

    fn begin_unit(&mut self, header: u8) -> Result<usize, RtpError> {
        if !matches!(header & TYPE, 1..=23) {
            return Err(RtpError::Malformed("a packet inside a packet"));
        }
        self.count += 1;
        if self.count > FRAME_UNITS {
            return Err(RtpError::TooLarge);
        }
        append(&mut self.bytes, &START_CODE)?;
        append(&mut self.bytes, &[header])?;
        Ok(self.bytes.len() - 1)
    }

    /// Looks at a unit that is whole.
    fn end_unit(&mut self, begin: usize) -> Result<(), RtpError> {
        let unit = &self.bytes[begin..];
        let kind = NalType::of(unit)?;
        match kind {
            NalType::Sps => self.seen.sps = true,
            NalType::Pps => self.seen.pps = true,
            NalType::Idr => self.seen.idr = true,
            _ => {}
        }
        let slice = matches!(kind, NalType::Idr | NalType::Slice);
        self.seen.slice |= slice;
        // Of one picture either all slices are needed or none (ITU-T H.264 7.4.1).
        self.seen.reference |= slice && unit[0] & REFERENCE != 0;
        self.sets.keep(kind, unit)?;
        if matches!(unit[0] & TYPE, AUD | FILLER) {
            self.bytes.truncate(begin - START_CODE.len());
        }
        Ok(())
    }

    /// An access unit behind the parameter sets that it lacks.
    fn with_sets(&self, access_unit: &[u8]) -> Result<Vec<u8>, RtpError> {
        let mut payload = Vec::new();
        for set in self.sets.all() {
            append(&mut payload, &START_CODE)?;
            append(&mut payload, set)?;
        }
        if payload.is_empty() {
            return Err(RtpError::NoParameterSets);
        }
        append(&mut payload, access_unit)?;
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::BitstreamError;

    const SPS: [u8; 5] = [0x67, 0x42, 0xc0, 0x1f, 0xda];
    const PPS: [u8; 3] = [0x68, 0xce, 0x3c];
    const SEI: [u8; 3] = [0x06, 0x05, 0x80];
    const IDR: [u8; 3] = [0x65, 0x88, 0x84];
    const SLICE: [u8; 3] = [0x41, 0x9a, 0x80];

    fn annex_b(units: &[&[u8]]) -> Vec<u8> {
        let coded = |unit: &&[u8]| [&START_CODE, *unit].concat();
        units.iter().flat_map(coded).collect()
    }

    fn next(units: &mut Units, payloads: &[&[u8]]) -> Result<Option<Vec<u8>>, RtpError> {
        for payload in payloads {
            units.add(payload)?;
        }
        Ok(units.finish()?.map(|whole| whole.payload))
    }

    fn of(payloads: &[&[u8]]) -> Result<Option<Vec<u8>>, RtpError> {
        next(&mut Units::default(), payloads)
    }

    #[test]
    fn units_travel_alone_together_and_in_fragments() {
        let sets = [&[0x78, 0, 5][..], &SPS, &[0, 3], &PPS].concat();
        let payloads = [
            &sets[..],
            &SEI,
            &[0x7c, 0x85, 0x88],
            &[0x7c, 0x05, 0x84],
            &[0x7c, 0x45, 7],
        ];
        let expected = annex_b(&[&SPS, &PPS, &SEI, &[0x65, 0x88, 0x84, 7]]);
        assert_eq!(of(&payloads), Ok(Some(expected)));
        assert_eq!(
            of(&[&[0x5c, 0xc1, 0x9a]]),
            Ok(Some(annex_b(&[&[0x41, 0x9a]])))
        );
    }

    #[test]
    fn delimiters_and_fillers_are_dropped() {
        let payloads = [&[0x09, 0xf0][..], &SLICE, &[0x0c, 0xff, 0x80]];
        assert_eq!(of(&payloads), Ok(Some(annex_b(&[&SLICE]))));
    }

    #[test]
    fn the_newest_parameter_sets_stand_before_a_keyframe_that_lacks_them() {
        let mut units = Units::default();
        let newer = [0x67, 0x42, 0xc0, 0x20, 0xda];
        let second = [0x68, 0x40];
        assert_eq!(next(&mut units, &[&SPS, &PPS]), Ok(None));
        assert_eq!(next(&mut units, &[&newer, &second]), Ok(None));
        let expected = annex_b(&[&newer, &PPS, &second, &IDR]);
        assert_eq!(next(&mut units, &[&IDR]), Ok(Some(expected)));
        assert_eq!(next(&mut units, &[&SLICE]), Ok(Some(annex_b(&[&SLICE]))));
        let own = annex_b(&[&SPS, &PPS, &IDR]);
        assert_eq!(next(&mut units, &[&SPS, &PPS, &IDR]), Ok(Some(own)));
    }

    #[test]
    fn parameter_sets_may_stand_outside_of_the_stream() {
        let mut units = Units::default();
        for set in [&SPS[..], &PPS] {
            units.keep_parameter_set(set).unwrap();
        }
        let expected = annex_b(&[&SPS, &PPS, &IDR]);
        assert_eq!(next(&mut units, &[&IDR]), Ok(Some(expected)));
        assert!(units.keep_parameter_set(&[]).is_err());
    }

    #[test]
    fn a_picture_that_no_other_needs_says_so() {
        let disposable = |payload: &[u8]| {
            let mut units = Units::default();
            units.add(payload).unwrap();
            units.finish().unwrap().unwrap().disposable
        };
        assert!(!disposable(&SLICE));
        assert!(disposable(&[0x01, 0x9a, 0x80]));
    }

    #[test]
    fn a_keyframe_without_parameter_sets_is_refused() {
        for payloads in [&[&IDR[..]][..], &[&SPS, &IDR], &[&PPS, &IDR]] {
            assert_eq!(of(payloads), Err(RtpError::NoParameterSets));
        }
    }

    #[test]
    fn parameter_sets_have_limits() {
        let mut long = [SPS.to_vec(), vec![1; 4091]].concat();
        assert_eq!(of(&[&long]), Ok(None));
        long.push(1);
        assert_eq!(of(&[&long]), Err(RtpError::TooLarge));
        let invalid = BitstreamError::Invalid("the id of a parameter set").into();
        // ue(32), ue(256)
        assert_eq!(of(&[&[0x67, 0x42, 0, 0x1f, 0x04, 0x20]]), Err(invalid));
        assert_eq!(of(&[&[0x68, 0x00, 0x80, 0x80]]), Err(invalid));
        assert_eq!(of(&[&[0x68]]), Err(BitstreamError::EndsEarly.into()));
    }

    #[test]
    fn only_what_may_stand_first_begins() {
        let begins = |payload: &[u8]| Units::default().begins(payload, false);
        for payload in [
            &SPS[..],
            &SLICE,
            &[0x09, 0xf0],
            &[0x78, 0, 1, 0x67],
            &[0x7c, 0x85, 0x88],
        ] {
            assert_eq!(begins(payload), Ok(true), "{payload:?}");
        }
        for payload in [
            &[0x41, 0x4a][..],   // a later slice
            &[0x43, 0x9a],       // partition B
            &[0x7c, 0x05, 0x88], // a later fragment
            &[0x7c, 0x85, 0x48], // the first one of a later slice
            &[0x58, 0, 2, 0x41, 0x4a],
        ] {
            assert_eq!(begins(payload), Ok(false), "{payload:?}");
        }
        let after_loss = |payload: &[u8]| Units::default().begins(payload, true);
        for payload in [&SPS[..], &[0x09, 0xf0], &[0x78, 0, 1, 0x67]] {
            assert_eq!(after_loss(payload), Ok(true), "{payload:?}");
        }
        for payload in [&PPS[..], &SEI, &IDR, &[0x7c, 0x85, 0x88]] {
            assert_eq!(after_loss(payload), Ok(false), "{payload:?}");
        }
        for payload in [&[][..], &[0x41], &[0x78, 0], &[0x7c], &[0x7c, 0x85]] {
            assert!(begins(payload).is_err(), "{payload:?}");
        }
    }

    #[test]
    fn broken_payloads_are_refused() {
        let malformed: [&[&[u8]]; 10] = [
            &[&[0x78, 0, 9, 0x41]],                // a length beyond the payload
            &[&[0x78, 0]],                         // a cut length
            &[&[0x78, 0, 0]],                      // a unit of no bytes
            &[&[0x78, 0, 2, 0x78, 0]],             // an aggregate in an aggregate
            &[&[0x7c, 0x9c, 1]],                   // fragments of fragments
            &[&[0x7c]],                            // no FU header
            &[&[0x7c, 0x05, 1]],                   // no first fragment
            &[&[0x7c, 0x85, 1], &[0x7c, 0x85, 1]], // two first fragments
            &[&[0x7c, 0x85, 1], &SLICE],           // a unit in between
            &[&[0x7c, 0x85, 1]],                   // no last fragment
        ];
        for payloads in malformed {
            let error = of(payloads).unwrap_err();
            assert!(matches!(error, RtpError::Malformed(_)), "{payloads:?}");
        }
        for kind in [0, 25, 26, 27, 29, 30, 31] {
            let error = of(&[&[kind, 0, 1, 0x41]]).unwrap_err();
            assert!(matches!(error, RtpError::Unsupported(_)), "{kind}");
        }
        assert!(of(&[&[0xe1, 0x9a]]).is_err());
    }

    #[test]
    fn a_frame_has_its_limits() {
        let many = [&[0x18][..], &[0, 1, 0x41].repeat(FRAME_UNITS)].concat();
        assert!(of(&[&many]).is_ok());
        assert_eq!(of(&[&many, &SLICE]), Err(RtpError::TooLarge));
        let long = [&[0x5c, 0x01][..], &[1; 65_000]].concat();
        let mut units = Units::default();
        units.add(&[0x5c, 0x81, 0x9a]).unwrap();
        let added = (0..65).find_map(|_| units.add(&long).err());
        assert_eq!(added, Some(RtpError::TooLarge));
    }

    #[test]
    fn all_slices_of_a_picture_are_kept_and_say_together_whether_it_is_needed() {
        let disposable = |payloads: &[&[u8]]| {
            let mut units = Units::default();
            for payload in payloads {
                units.add(payload).unwrap();
            }
            let whole = units.finish().unwrap().unwrap();
            assert_eq!(whole.payload, annex_b(payloads));
            whole.disposable
        };
        let unneeded = [0x01, 0x9a, 0x80];
        assert!(!disposable(&[&SLICE, &SLICE]));
        assert!(!disposable(&[&SLICE, &SLICE, &SLICE]));
        assert!(disposable(&[&unneeded, &unneeded]));
        // Parameter sets are always marked as needed, which says nothing of the picture.
        assert!(disposable(&[&SPS, &PPS, &unneeded]));
    }

    #[test]
    fn nothing_is_left_of_an_access_unit_that_was_dropped() {
        let mut units = Units::default();
        units
            .add(&[&[0x18][..], &[0, 1, 0x41].repeat(FRAME_UNITS)].concat())
            .unwrap();
        units.clear();
        assert_eq!(next(&mut units, &[&PPS]), Ok(None));
        units.add(&[0x7c, 0x85, 0x88]).unwrap();
        units.clear();
        assert_eq!(next(&mut units, &[&SLICE]), Ok(Some(annex_b(&[&SLICE]))));
    }

    #[test]
    fn the_ids_of_parameter_sets_go_up_to_the_last() {
        // ue(31), ue(255)
        let sps = [0x67, 0x42, 0, 0x1f, 0x04, 0x00, 0x80];
        let pps = [0x68, 0x00, 0x80, 0x00, 0x80];
        let expected = annex_b(&[&sps, &pps, &IDR]);
        let mut units = Units::default();
        assert_eq!(next(&mut units, &[&sps, &pps]), Ok(None));
        assert_eq!(next(&mut units, &[&IDR]), Ok(Some(expected)));
    }
}
