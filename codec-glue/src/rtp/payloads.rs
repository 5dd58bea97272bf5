use std::ops::Index;

use bytes::Bytes;

/// The RTP payloads of one frame, in one buffer that all players share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payloads {
    /// One payload after another.
    bytes: Bytes,
    /// Where each ends; never empty, always rising.
    ends: Box<[u32]>,
    numbering: Numbering,
}

impl Payloads {
    /// How many there are; one at least.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a frame has at least one payload"
    )]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The length of all together, in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The payload at `index`; the last one ends its picture and is sent with the marker bit.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let begin = match index {
            0 => 0,
            _ => *self.ends.get(index - 1)?,
        };
        self.bytes.get(begin as usize..end as usize)
    }

    /// All of them, in the order of sending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator {
        (0..self.len()).map(|index| &self[index])
    }

    /// Where each player's own numbers go.
    pub fn numbering(&self) -> Numbering {
        self.numbering
    }
}

impl Index<usize> for Payloads {
    type Output = [u8];

    /// # Panics
    /// When there are not so many.
    fn index(&self, index: usize) -> &[u8] {
        match self.get(index) {
            Some(payload) => payload,
            None => panic!("payload {index} of {}", self.len()),
        }
    }
}

/// Where a player's picture id and `TL0PICIDX` stand: offsets in every payload of the frame.
///
/// Players get some frames and miss others, but each must see these numbers
/// without gaps (RFC 7741 4.2, RFC 9628 4.2): whoever sends writes them into
/// its copy of the payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbering {
    /// Of the two bytes of the picture id, which has 15 bits below a 1.
    pub picture_id: Option<usize>,
    /// Of the byte of `TL0PICIDX`, the count of base layer frames. All are sent as such.
    pub tl0_pic_idx: Option<usize>,
    /// Of two bytes like those of the picture id in the frame's first payload alone: what puts packets
    /// together keeps picture ids to itself.
    pub number: Option<usize>,
}

impl Numbering {
    /// Writes the numbers that the frame has for one player into a copy of a payload.
    ///
    /// Both count every frame that the player is sent, and wrap.
    pub fn write(self, payload: &mut [u8], picture_id: u16, tl0_pic_idx: u8) {
        let picture = self.picture_id.and_then(|at| payload.get_mut(at..at + 2));
        if let Some(bytes) = picture {
            bytes.copy_from_slice(&(LONG_ID | picture_id).to_be_bytes());
        }
        let index = self.tl0_pic_idx.and_then(|at| payload.get_mut(at));
        if let Some(byte) = index {
            *byte = tl0_pic_idx;
        }
    }

    /// Writes what stands in the first payload alone into a copy of that.
    pub fn write_first(self, payload: &mut [u8], picture_id: u16) {
        let number = self.number.and_then(|at| payload.get_mut(at..at + 2));
        if let Some(bytes) = number {
            bytes.copy_from_slice(&(LONG_ID | picture_id).to_be_bytes());
        }
    }
}

/// The bit before a picture id of 15 bits instead of 7 (M).
pub(super) const LONG_ID: u16 = 0x8000;

/// Payloads being written.
pub(super) struct Writer {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Writer {
    /// Room for so many bytes in payloads of at most `max_payload`, of which each has so much else
    /// before them. More is taken when that was not enough.
    pub(super) fn new(bytes: usize, before: usize, max_payload: usize) -> Self {
        let payloads = bytes.div_ceil(max_payload - before);
        Self {
            bytes: Vec::with_capacity(bytes + payloads * before),
            ends: Vec::with_capacity(payloads),
        }
    }

    /// Adds bytes to the payload that is being written.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends the payload that is being written.
    pub(super) fn end(&mut self) {
        // Frames are below 4 MiB, and no header is larger than what it carries.
        self.ends.push(self.bytes.len() as u32);
    }

    /// The payload that is being written, so far.
    pub(super) fn current(&mut self) -> &mut [u8] {
        let begin = self.ends.last().map_or(0, |end| *end as usize);
        &mut self.bytes[begin..]
    }

    /// All payloads that were ended.
    pub(super) fn finish(self, numbering: Numbering) -> Payloads {
        Payloads {
            bytes: self.bytes.into(),
            ends: self.ends.into(),
            numbering,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Payloads {
        let mut writer = Writer::new(6, 1, 3);
        for part in [&[1, 2, 3][..], &[4, 5], &[6]] {
            writer.put(part);
            writer.end();
        }
        writer.finish(Numbering::default())
    }

    #[test]
    fn payloads_are_cut_where_they_end() {
        let payloads = three();
        let all: Vec<_> = payloads.iter().collect();
        assert_eq!(all, [&[1, 2, 3][..], &[4, 5], &[6]]);
        assert_eq!((payloads.len(), payloads.byte_len()), (3, 6));
        assert_eq!(&payloads[1], [4, 5]);
        assert_eq!(payloads.get(3), None);
    }

    #[test]
    fn numbers_go_where_they_belong_and_nowhere_else() {
        let both = Numbering {
            picture_id: Some(1),
            tl0_pic_idx: Some(4),
            number: None,
        };
        let mut payload = [0; 6];
        both.write(&mut payload, 0x1234, 0x56);
        assert_eq!(payload, [0, 0x92, 0x34, 0, 0x56, 0]);
        let mut short = [7, 7];
        both.write(&mut short, 1, 1);
        Numbering::default().write(&mut short, 1, 1);
        assert_eq!(short, [7, 7]);
    }

    #[test]
    fn a_picture_id_wraps_below_the_bit_that_makes_it_long() {
        let id = Numbering {
            picture_id: Some(0),
            tl0_pic_idx: None,
            number: None,
        };
        let mut payload = [0; 3];
        id.write(&mut payload, 0x8001, 9);
        assert_eq!(payload, [0x80, 0x01, 0]);
    }
}
