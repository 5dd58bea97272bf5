use super::{CONTINUED, CONTINUES, COUNTED, HAS_SIZE, SEQUENCE, leb128_bytes, leb128_len};
use crate::bitstream::av1::{Obu, ObuType, obus};
use crate::rtp::payloads::Writer;
use crate::rtp::{FRAME_UNITS, FrameIn, Numbering, Payloads, RtpError};

/// Payloads of one temporal unit, without delimiters, tile lists and padding (5).
pub(crate) fn packetize(frame: FrameIn<'_>, max_payload: usize) -> Result<Payloads, RtpError> {
    let elements = elements(&frame)?;
    let total: usize = elements.iter().map(Element::len).sum();
    // A length before most elements, and an aggregation header for each payload.
    let mut writer = Writer::new(total + 3 * elements.len(), 1, max_payload);
    let mut rest = Rest {
        elements: &elements,
        offset: 0,
    };
    let mut header = if frame.keyframe { SEQUENCE } else { 0 };
    while !rest.elements.is_empty() {
        if rest.offset > 0 {
            header |= CONTINUES;
        }
        writer.put(&[header]);
        let counted = fill(&mut writer, &mut rest, max_payload - 1);
        let header_byte = &mut writer.current()[0];
        *header_byte |= counted << 4;
        if rest.offset > 0 {
            *header_byte |= CONTINUED;
        }
        writer.end();
        header = 0;
    }
    Ok(writer.finish(Numbering::default()))
}

/// An OBU as it is sent: without its size (AV1 5.3.1, `obu_has_size_field` 0).
struct Element<'a> {
    header: [u8; 2],
    header_len: usize,
    payload: &'a [u8],
}

impl<'a> Element<'a> {
    fn new(obu: &Obu<'a>) -> Self {
        let mut header = [0; 2];
        for (to, from) in header.iter_mut().zip(obu.header) {
            *to = *from;
        }
        header[0] &= !HAS_SIZE;
        Self {
            header,
            header_len: obu.header.len(),
            payload: obu.payload,
        }
    }

    fn len(&self) -> usize {
        self.header_len + self.payload.len()
    }

    /// Writes its bytes from `begin` to `end`.
    fn put(&self, writer: &mut Writer, begin: usize, end: usize) {
        let header = &self.header[..self.header_len];
        writer.put(&header[begin.min(header.len())..end.min(header.len())]);
        let in_payload = |at: usize| at.saturating_sub(header.len());
        writer.put(&self.payload[in_payload(begin)..in_payload(end)]);
    }
}

fn elements<'a>(frame: &FrameIn<'a>) -> Result<Vec<Element<'a>>, RtpError> {
    let mut elements = Vec::new();
    let mut sequence = false;
    for obu in obus(frame.payload) {
        let obu = obu?;
        match obu.kind {
            ObuType::TemporalDelimiter | ObuType::TileList | ObuType::Padding => continue,
            ObuType::SequenceHeader => sequence = true,
            _ => {}
        }
        elements.push(Element::new(&obu));
        if elements.len() > FRAME_UNITS {
            return Err(RtpError::TooLarge);
        }
    }
    if elements.is_empty() {
        return Err(RtpError::Empty);
    }
    if frame.keyframe && !sequence {
        return Err(RtpError::NoSequenceHeader);
    }
    Ok(elements)
}

/// What of a temporal unit is not written yet.
struct Rest<'e, 'a> {
    elements: &'e [Element<'a>],
    /// Bytes of the first element that are.
    offset: usize,
}

/// Fills a payload up, to the last byte as long as there is more, and returns its W.
fn fill(writer: &mut Writer, rest: &mut Rest<'_, '_>, mut room: usize) -> u8 {
    let mut count = 0;
    while room > 0
        && let Some((element, others)) = rest.elements.split_first()
    {
        count += 1;
        let left = element.len() - rest.offset;
        let piece = Piece::choose(left, room, count <= COUNTED, others.is_empty());
        for byte in leb128_bytes(piece.len, piece.length_len) {
            writer.put(&[byte]);
        }
        element.put(writer, rest.offset, rest.offset + piece.len);
        room -= piece.length_len + piece.len;
        if piece.len == left {
            *rest = Rest {
                elements: others,
                offset: 0,
            };
        } else {
            rest.offset += piece.len;
        }
        if piece.length_len == 0 {
            return count as u8;
        }
    }
    0
}

/// As much of an element as goes into a payload.
struct Piece {
    len: usize,
    /// Bytes of the length before it; without it is the last of a payload whose W counts.
    length_len: usize,
}

impl Piece {
    /// Of `left` bytes as many as go well with `room`, which is then never a single byte
    /// as long as something follows: that could hold no element with a length.
    fn choose(left: usize, room: usize, counted: bool, last: bool) -> Self {
        if counted && (last || left >= room) {
            return Self {
                len: left.min(room),
                length_len: 0,
            };
        }
        let length_len = leb128_len(left);
        match room.checked_sub(length_len + left) {
            // A length may be a byte longer than it must (AV1 4.10.5).
            Some(1) if !last => Self {
                len: left,
                length_len: length_len + 1,
            },
            Some(_) => Self {
                len: left,
                length_len,
            },
            None => Self::filling(room),
        }
    }

    /// A piece whose length makes it fill the room.
    fn filling(room: usize) -> Self {
        let mut length_len = 1;
        while leb128_len(room - length_len) > length_len {
            length_len += 1;
        }
        Self {
            len: room - length_len,
            length_len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Obus;
    use super::*;
    use crate::bitstream::BitstreamError;
    use crate::rtp::parts::Parts;

    const DELIMITER: [u8; 2] = [0x12, 0];
    const SEQUENCE_OBU: [u8; 5] = [0x0a, 3, 0xa, 0xb, 0xc];

    fn of(keyframe: bool, payload: &[u8], max: usize) -> Result<Vec<Vec<u8>>, RtpError> {
        let frame = FrameIn {
            keyframe,
            payload,
            description: &[],
            size: None,
        };
        let payloads = packetize(frame, max)?;
        Ok(payloads.iter().map(<[u8]>::to_vec).collect())
    }

    /// A frame OBU with this many bytes of payload.
    fn frame(len: usize) -> Vec<u8> {
        let mut obu = vec![0x32, len as u8 & 0x7f | 0x80, (len >> 7) as u8];
        obu.resize(3 + len, 0x55);
        obu
    }

    #[test]
    fn a_keyframe_begins_a_sequence_and_is_cut_where_payloads_end() {
        let unit = [&DELIMITER[..], &SEQUENCE_OBU, &frame(120)].concat();
        let expected = [
            [&[0x68, 4, 0x08, 0xa, 0xb, 0xc, 0x30][..], &[0x55; 57]].concat(),
            [&[0x90][..], &[0x55; 63]].concat(),
        ];
        assert_eq!(of(true, &unit, 64), Ok(expected.into()));
        let unit = [&DELIMITER[..], &frame(150)].concat();
        let expected = [
            [&[0x50, 0x30][..], &[0x55; 62]].concat(),
            [&[0xd0][..], &[0x55; 63]].concat(),
            [&[0x90][..], &[0x55; 25]].concat(),
        ];
        assert_eq!(of(false, &unit, 64), Ok(expected.into()));
    }

    #[test]
    fn up_to_three_obus_are_counted_and_more_have_lengths() {
        let tile = [0x22, 1, 7];
        let three = [&DELIMITER, &tile[..], &tile, &tile].concat();
        let expected = vec![0x30, 2, 0x20, 7, 2, 0x20, 7, 0x20, 7];
        assert_eq!(of(false, &three, 64), Ok(vec![expected]));
        let four = [&three[..], &tile].concat();
        let expected = [&[0x00][..], &[2, 0x20, 7].repeat(4)].concat();
        assert_eq!(of(false, &four, 64), Ok(vec![expected]));
    }

    #[test]
    fn what_players_need_not_see_is_left_out_and_extensions_stay() {
        let unit = [
            0x12, 0, 0x42, 1, 9, 0x7a, 2, 9, 9, 0x36, 0x28, 1, 7, 0x2a, 1, 8,
        ];
        let expected = vec![0x20, 3, 0x34, 0x28, 7, 0x28, 8];
        assert_eq!(of(false, &unit, 64), Ok(vec![expected]));
        assert_eq!(of(false, &DELIMITER, 64), Err(RtpError::Empty));
    }

    #[test]
    fn a_size_may_be_left_to_the_end_of_the_unit() {
        let unit = [0x12, 0, 0x30, 1, 2, 3];
        assert_eq!(of(false, &unit, 64), Ok(vec![vec![0x10, 0x30, 1, 2, 3]]));
    }

    #[test]
    fn broken_units_are_refused() {
        let early = Err(BitstreamError::EndsEarly.into());
        for unit in [&[0x32, 9, 1][..], &[0x36], &[0x32, 0x80]] {
            assert_eq!(of(false, unit, 64), early, "{unit:?}");
        }
        let unit = [&DELIMITER[..], &frame(9)].concat();
        assert_eq!(of(true, &unit, 64), Err(RtpError::NoSequenceHeader));
        let many = [0x22, 0].repeat(FRAME_UNITS + 1);
        assert_eq!(of(false, &many, 64), Err(RtpError::TooLarge));
        assert!(of(false, &many[2..], 64).is_ok());
    }

    /// Every combination of room and rest near the edges of lengths.
    #[test]
    fn payloads_are_full_whatever_the_sizes() {
        for max in [64, 128, 129, 130, 131, 132, 200] {
            for (count, first) in (0..6).flat_map(|count| (0..200).map(move |len| (count, len))) {
                let small = [0x22, 0x81, 0, 7].repeat(count);
                let unit = [&small[..], &frame(first), &small, &frame(200)].concat();
                let payloads = of(false, &unit, max).unwrap();
                let (last, full) = payloads.split_last().unwrap();
                assert!(last.len() <= max && last.len() > 1);
                assert!(
                    full.iter().all(|payload| payload.len() == max),
                    "{max} {count} {first}"
                );
                assert_eq!(back(&payloads), elements_of(&unit), "{max} {count} {first}");
            }
        }
    }

    fn back(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut obus = Obus::default();
        for payload in payloads {
            obus.add(payload).unwrap();
        }
        elements_of(&obus.finish().unwrap().unwrap().payload[2..])
    }

    fn elements_of(unit: &[u8]) -> Vec<Vec<u8>> {
        let payloads = obus(unit).map(|obu| obu.unwrap().payload.to_vec());
        payloads.collect()
    }
}
