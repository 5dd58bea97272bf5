//! Packets on a stream of bytes, each with its length before it in two bytes (RFC 4571, 2).

use bytes::{Buf, Bytes, BytesMut};

/// The longest packet that is taken: as long as any network's that carries Ethernet frames.
pub(in crate::webrtc) const LONGEST: usize = 9_000;
/// Bytes of a length.
pub(super) const LENGTH: usize = 2;

/// A packet that is longer than any network carries: whoever sends it sends no packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a packet of {0} bytes")]
pub(in crate::webrtc) struct TooLong(pub(super) usize);

/// Finds the packets in what has come so far.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Frames {
    pub(super) buffer: BytesMut,
}

impl Frames {
    /// Takes bytes as they come.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(in crate::webrtc) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet, where all of it is there.
    ///
    /// # Errors
    /// [`TooLong`]; nothing that follows can be understood.
    pub(in crate::webrtc) fn next(&mut self) -> Result<Option<Bytes>, TooLong> {
        let Some((length, _)) = self.buffer.split_first_chunk::<LENGTH>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > LONGEST {
            return Err(TooLong(length));
        }
        if self.buffer.len() < LENGTH + length {
            return Ok(None);
        }
        self.buffer.advance(LENGTH);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// Appends a packet with its length. None of the relay's is longer than a length can say; one that
/// were is left out.
pub(super) fn append(packet: &[u8], out: &mut Vec<u8>) {
    let Ok(length) = u16::try_from(packet.len()) else {
        return;
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(packet);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_out_as_they_went_in_however_the_stream_is_cut() {
        let packets: [&[u8]; 4] = [b"one", b"", &[7; LONGEST], b"four"];
        let mut stream = Vec::new();
        packets
            .iter()
            .for_each(|packet| append(packet, &mut stream));
        for cut in [1, 2, 3, 5, 1_000, stream.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for bytes in stream.chunks(cut) {
                frames.push(bytes);
                while let Some(packet) = frames.next().unwrap() {
                    found.push(packet);
                }
            }
            assert_eq!(found, packets, "in pieces of {cut}");
            assert!(frames.buffer.is_empty());
        }
    }

    #[test]
    fn a_length_that_no_packet_has_is_refused_before_anything_is_kept_for_it() {
        let mut frames = Frames::default();
        frames.push(&(LONGEST as u16 + 1).to_be_bytes());
        assert_eq!(frames.next(), Err(TooLong(LONGEST + 1)));
    }
}
