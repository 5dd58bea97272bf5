//! RTP packets, as far as a player reads them (RFC 3550, 5.1).

use std::ops::Range;

use super::sdp::WIDE;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) marker: bool,
    pub(super) sequence: u16,
    pub(super) time: u32,
    /// Whose it is.
    pub(super) ssrc: u32,
    /// The transport-wide number, where there is one.
    pub(super) wide: Option<u16>,
    /// Where the payload is in the packet.
    pub(super) payload: Range<usize>,
}

impl Head {
    /// Reads the header of a packet without padding, which the relay does not send.
    pub(super) fn of(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; 12] = packet.first_chunk()?;
        let sources = usize::from(fixed[0] & 0x0f) * 4;
        let mut begin = fixed.len() + sources;
        let mut wide = None;
        if fixed[0] & 0x10 != 0 {
            let words = packet.get(begin + 2..begin + 4)?;
            let end = begin + 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
            wide = number(packet.get(begin + 4..end)?);
            begin = end;
        }
        (begin <= packet.len()).then_some(Self {
            kind: fixed[1] & 0x7f,
            marker: fixed[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            time: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            wide,
            payload: begin..packet.len(),
        })
    }

    /// The packet that this one brings again (RFC 4588, 4): its number comes before its payload.
    pub(super) fn original(mut self, packet: &[u8]) -> Option<Self> {
        let number = packet.get(self.payload.start..self.payload.start + 2)?;
        self.sequence = u16::from_be_bytes([number[0], number[1]]);
        self.payload.start += 2;
        Some(self)
    }
}

/// A sequence number as it would be without wrapping, near the newest; far from zero where there is none, so that what is
/// older than the first packet has a number too.
pub(super) fn unwrapped(sequence: u16, newest: Option<u64>) -> u64 {
    let newest = newest.unwrap_or((1 << 32) | u64::from(sequence));
    let ahead = sequence.wrapping_sub(newest as u16) as i16;
    newest.wrapping_add_signed(ahead.into())
}

/// The transport-wide number among one-byte extensions (RFC 8285, 4.2).
fn number(mut extensions: &[u8]) -> Option<u16> {
    while let Some((first, rest)) = extensions.split_first() {
        // Padding is a byte of zero.
        let length = if *first == 0 {
            0
        } else {
            usize::from(first & 0x0f) + 1
        };
        let (value, rest) = rest.split_at_checked(length)?;
        if first >> 4 == WIDE {
            return value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        }
        extensions = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_extensions_is_read_to_its_payload() {
        let packet = [
            &[0x90, 0xe1, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7][..],
            &[0xbe, 0xde, 0, 2, 0x12, 1, 2, 3, 0x31, 0x45, 0x67, 0],
            &[0xab, 0xcd, 5],
        ]
        .concat();
        let head = Head::of(&packet).unwrap();
        assert_eq!((head.kind, head.marker), (97, true));
        assert_eq!((head.sequence, head.time, head.ssrc), (0x1234, 9, 7));
        assert_eq!(head.wide, Some(0x4567));
        assert_eq!(packet[head.payload.clone()], [0xab, 0xcd, 5]);
        let original = head.original(&packet).unwrap();
        assert_eq!(original.sequence, 0xabcd);
        assert_eq!(packet[original.payload], [5]);
        assert_eq!(Head::of(&packet[..23]), None);
        assert_eq!(Head::of(&packet[..11]), None);
    }
}
