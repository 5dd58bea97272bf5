use super::{AUD, END, FILLER, FU_A, REFERENCE, STAP_A, START, TYPE};
use crate::bitstream::h264::{AvcConfig, Framing, NalType, nal_units};
use crate::rtp::payloads::Writer;
use crate::rtp::{FRAME_UNITS, FrameIn, Numbering, Payloads, RtpError};

/// Payloads of one access unit; before a keyframe's slices stand SPS and PPS.
pub(crate) fn packetize(
    framing: Framing,
    frame: FrameIn<'_>,
    max_payload: usize,
) -> Result<Payloads, RtpError> {
    let in_band = sent_units(framing, frame.payload)?;
    let config;
    let mut units = Vec::new();
    if frame.keyframe && !has_parameter_sets(&in_band)? {
        config = parameter_sets(frame.description)?;
        units.extend(config.sps.iter().chain(&config.pps).map(Vec::as_slice));
    }
    units.extend(in_band);
    if units.is_empty() {
        return Err(RtpError::Empty);
    }
    // One that goes with others has its length before it, and they a header.
    let total: usize = units.iter().map(|unit| unit.len() + 3).sum();
    let mut writer = Writer::new(total, 2, max_payload);
    let mut rest = &units[..];
    while let Some(unit) = rest.first() {
        let together = aggregated(rest, max_payload);
        let (now, later) = rest.split_at(together.max(1));
        if together > 1 {
            aggregate(&mut writer, now);
        } else if unit.len() <= max_payload {
            writer.put(unit);
            writer.end();
        } else {
            fragment(&mut writer, unit, max_payload);
        }
        rest = later;
    }
    Ok(writer.finish(Numbering::default()))
}

/// The units of an access unit that a decoder needs.
fn sent_units(framing: Framing, payload: &[u8]) -> Result<Vec<&[u8]>, RtpError> {
    let mut units = Vec::new();
    for unit in nal_units(payload, framing) {
        let unit = unit?;
        NalType::of(unit)?;
        // Other types are free for everybody's use, RTP's aggregates among them.
        if matches!(unit[0] & TYPE, 1..=23) && !matches!(unit[0] & TYPE, AUD | FILLER) {
            units.push(unit);
        }
        if units.len() > FRAME_UNITS {
            return Err(RtpError::TooLarge);
        }
    }
    Ok(units)
}

fn has_parameter_sets(units: &[&[u8]]) -> Result<bool, RtpError> {
    let (mut sps, mut pps) = (false, false);
    for unit in units {
        match NalType::of(unit)? {
            NalType::Sps => sps = true,
            NalType::Pps => pps = true,
            _ => {}
        }
    }
    Ok(sps && pps)
}

/// Those of an AVC stream's description.
fn parameter_sets(description: &[u8]) -> Result<AvcConfig, RtpError> {
    if description.is_empty() {
        return Err(RtpError::NoParameterSets);
    }
    let config = AvcConfig::parse(description)?;
    if config.sps.is_empty() || config.pps.is_empty() {
        return Err(RtpError::NoParameterSets);
    }
    Ok(config)
}

/// How many of the next units fit together in one STAP-A.
fn aggregated(units: &[&[u8]], max_payload: usize) -> usize {
    let mut room = max_payload - 1;
    units
        .iter()
        .take_while(|unit| {
            let left = room.checked_sub(2 + unit.len());
            room = left.unwrap_or(0);
            left.is_some()
        })
        .count()
}

/// Writes units as one STAP-A (RFC 6184 5.7.1), with the highest NRI among them.
fn aggregate(writer: &mut Writer, units: &[&[u8]]) {
    let reference = units.iter().map(|unit| unit[0] & REFERENCE).max();
    writer.put(&[reference.unwrap_or(0) | STAP_A]);
    for unit in units {
        // It fits in a payload, of which the longest has 65,000 bytes.
        writer.put(&(unit.len() as u16).to_be_bytes());
        writer.put(unit);
    }
    writer.end();
}

/// Writes a unit as FU-As (RFC 6184 5.8); it is too long for one.
fn fragment(writer: &mut Writer, unit: &[u8], max_payload: usize) {
    let indicator = unit[0] & REFERENCE | FU_A;
    let kind = unit[0] & TYPE;
    let parts = unit[1..].chunks(max_payload - 2);
    let last = parts.len() - 1;
    for (number, part) in parts.enumerate() {
        let start = if number == 0 { START } else { 0 };
        let end = if number == last { END } else { 0 };
        writer.put(&[indicator, start | end | kind]);
        writer.put(part);
        writer.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::BitstreamError;
    use crate::bitstream::h264::LengthSize;

    const SPS: [u8; 4] = [0x67, 0x42, 0xc0, 0x1f];
    const PPS: [u8; 3] = [0x68, 0xce, 0x3c];
    const SEI: [u8; 3] = [0x06, 0x05, 0x80];
    const AUD_UNIT: [u8; 2] = [0x09, 0xf0];
    const AVCC: [u8; 18] = [
        1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 1, 0, 3, 0x68, 0xce, 0x3c,
    ];
    const AVC: Framing = Framing::Avc(LengthSize::Four);

    fn slice(kind: u8, len: usize) -> Vec<u8> {
        let mut unit = vec![0x88; len];
        unit[0] = kind;
        unit
    }

    fn annex_b(units: &[&[u8]]) -> Vec<u8> {
        let coded = |unit: &&[u8]| [&[0, 0, 0, 1], *unit].concat();
        units.iter().flat_map(coded).collect()
    }

    fn avc(units: &[&[u8]]) -> Vec<u8> {
        let sized = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes(), *unit].concat();
        units.iter().flat_map(sized).collect()
    }

    fn of(
        framing: Framing,
        keyframe: bool,
        payload: &[u8],
        description: &[u8],
    ) -> Result<Vec<Vec<u8>>, RtpError> {
        let frame = FrameIn {
            keyframe,
            payload,
            description,
            size: None,
        };
        let payloads = packetize(framing, frame, 64)?;
        Ok(payloads.iter().map(<[u8]>::to_vec).collect())
    }

    fn sets_together() -> Vec<u8> {
        [&[0x78, 0, 4][..], &SPS, &[0, 3], &PPS].concat()
    }

    #[test]
    fn a_large_unit_is_fragmented_and_small_ones_before_it_travel_together() {
        let idr = slice(0x65, 130);
        let unit = annex_b(&[&AUD_UNIT, &SPS, &PPS, &idr]);
        let expected = [
            sets_together(),
            [&[0x7c, 0x85], &idr[1..63]].concat(),
            [&[0x7c, 0x05], &idr[63..125]].concat(),
            [&[0x7c, 0x45], &idr[125..]].concat(),
        ];
        assert_eq!(of(Framing::AnnexB, true, &unit, &[]), Ok(expected.into()));
    }

    #[test]
    fn a_description_s_parameter_sets_stand_before_a_keyframe_and_nowhere_else() {
        let idr = slice(0x65, 64);
        let expected = vec![sets_together(), idr.clone()];
        assert_eq!(of(AVC, true, &avc(&[&idr]), &AVCC), Ok(expected.clone()));
        let in_band = avc(&[&SPS, &PPS, &idr]);
        assert_eq!(of(AVC, true, &in_band, &AVCC), Ok(expected));
        let delta = slice(0x41, 60);
        assert_eq!(
            of(AVC, false, &avc(&[&delta]), &AVCC),
            Ok(vec![delta.clone()])
        );
        // All of a small picture is one payload.
        let small = slice(0x65, 40);
        let one = [&sets_together()[..], &[0, 40], &small].concat();
        assert_eq!(of(AVC, true, &avc(&[&small]), &AVCC), Ok(vec![one]));
    }

    #[test]
    fn a_keyframe_without_parameter_sets_is_refused() {
        let idr = annex_b(&[&SPS, &slice(0x65, 9)]);
        let missing = Err(RtpError::NoParameterSets);
        assert_eq!(of(Framing::AnnexB, true, &idr, &[]), missing);
        let empty = [1, 0x42, 0xc0, 0x1f, 0xff, 0xe0, 0];
        let idr = avc(&[&slice(0x65, 9)]);
        assert_eq!(of(AVC, true, &idr, &empty), missing);
        assert_eq!(
            of(AVC, true, &idr, &AVCC[..9]),
            Err(BitstreamError::EndsEarly.into())
        );
    }

    #[test]
    fn delimiters_fillers_and_types_of_rtp_s_own_are_left_out() {
        let slice = slice(0x41, 9);
        let unit = annex_b(&[&AUD_UNIT, &[0x0c, 0xff], &[0x78, 1], &[0x1c, 1], &slice]);
        assert_eq!(of(Framing::AnnexB, false, &unit, &[]), Ok(vec![slice]));
        let nothing = annex_b(&[&AUD_UNIT]);
        assert_eq!(
            of(Framing::AnnexB, false, &nothing, &[]),
            Err(RtpError::Empty)
        );
    }

    #[test]
    fn sei_is_kept_and_an_aggregate_has_the_highest_reference() {
        let slice = slice(0x41, 5);
        let unit = annex_b(&[&SEI, &slice]);
        let expected = [&[0x58, 0, 3][..], &SEI, &[0, 5], &slice].concat();
        assert_eq!(of(Framing::AnnexB, false, &unit, &[]), Ok(vec![expected]));
    }

    #[test]
    fn slices_end_their_runs_and_small_ones_share_a_payload() {
        let (large, small) = (slice(0x41, 66), slice(0x41, 30));
        let unit = annex_b(&[&large, &small, &small, &large]);
        let payloads = of(Framing::AnnexB, false, &unit, &[]).unwrap();
        let lengths: Vec<_> = payloads.iter().map(Vec::len).collect();
        assert_eq!(lengths, [64, 5, 30, 30, 64, 5]);
        let unit = annex_b(&[&small[..20], &small[..20], &large]);
        let payloads = of(Framing::AnnexB, false, &unit, &[]).unwrap();
        let lengths: Vec<_> = payloads.iter().map(Vec::len).collect();
        assert_eq!(lengths, [45, 64, 5]);
    }

    #[test]
    fn broken_framings_and_endless_units_are_refused() {
        for (framing, payload) in [
            (Framing::AnnexB, &[9, 0, 0, 1][..]),
            (Framing::AnnexB, &[0, 0, 1, 0xe5, 1]),
            (AVC, &[0, 0, 0, 0]),
            (AVC, &[0, 0, 0, 9, 1]),
        ] {
            let error = of(framing, false, payload, &[]).unwrap_err();
            assert!(matches!(error, RtpError::Bitstream(_)), "{payload:?}");
        }
        let many = [1, 0x41].repeat(FRAME_UNITS);
        let one = Framing::Avc(LengthSize::One);
        assert!(of(one, false, &many, &[]).is_ok());
        let more = [&many[..], &[1, 0x41]].concat();
        assert_eq!(of(one, false, &more, &[]), Err(RtpError::TooLarge));
    }

    #[test]
    fn a_description_must_hold_both_parameter_sets() {
        let idr = avc(&[&slice(0x65, 9)]);
        let no_pps = [&[1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 4][..], &SPS, &[0]].concat();
        let no_sps = [&[1, 0x42, 0xc0, 0x1f, 0xff, 0xe0, 1, 0, 3][..], &PPS].concat();
        for description in [no_pps, no_sps] {
            let refused = of(AVC, true, &idr, &description);
            assert_eq!(refused, Err(RtpError::NoParameterSets), "{description:?}");
        }
    }

    #[test]
    fn an_aggregate_may_fill_a_payload_to_its_last_byte() {
        let lengths = |units: &[&[u8]]| -> Vec<usize> {
            let payloads = of(Framing::AnnexB, false, &annex_b(units), &[]).unwrap();
            payloads.iter().map(Vec::len).collect()
        };
        let (one, other) = (slice(0x41, 29), slice(0x41, 30));
        assert_eq!(lengths(&[&one, &other]), [64]);
        assert_eq!(lengths(&[&other, &other]), [30, 30]);
        assert_eq!(lengths(&[&slice(0x41, 65)]), [64, 4]);
    }
}
