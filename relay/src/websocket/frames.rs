//! What of QMux the relay looks at in what it writes itself (draft-ietf-quic-qmux-02): how far group streams are.

/// STREAM frames as they are written here: with offset and length (RFC 9000, 19.8).
const STREAM: u8 = 0x0e;
const STREAM_FIN: u8 = 0x0f;
/// DATAGRAM frames as they are written here: with length (RFC 9221, 4).
const DATAGRAM: u8 = 0x31;

/// The two lowest bits of the ids of unidirectional streams that servers open (RFC 9000, 2.1).
const OPENED_HERE: u64 = 0x3;

/// A frame that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// Bytes of a group stream.
    Group {
        /// How many such streams were opened before it.
        number: u64,
        /// Where on the stream they end.
        end: u64,
    },
    /// A datagram.
    Datagram,
}

impl Outgoing {
    /// The first frame of a message; `None`: it is another one.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        let (kind, mut rest) = message.split_first()?;
        match *kind {
            STREAM | STREAM_FIN => {
                let id = take_varint(&mut rest)?;
                let offset = take_varint(&mut rest)?;
                let len = take_varint(&mut rest)?;
                (id & OPENED_HERE == OPENED_HERE).then_some(Self::Group {
                    number: id >> 2,
                    end: offset + len,
                })
            }
            DATAGRAM => Some(Self::Datagram),
            _ => None,
        }
    }
}

/// Takes a variable-length integer (RFC 9000, 16).
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let (taken, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    *bytes = rest;
    let rest = taken[1..].iter();
    let value = rest.fold(u64::from(first & 0x3f), |value, byte| {
        value << 8 | u64::from(*byte)
    });
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_stream_is_told_by_its_id_and_its_end_by_offset_and_length() {
        // Stream 3 is the first one that a server opens; the offset takes four bytes.
        let frame = [0x0e, 0x03, 0x80, 0x01, 0x00, 0x00, 0x02, 0xaa, 0xbb];
        let group = |number, end| Some(Outgoing::Group { number, end });
        assert_eq!(Outgoing::of(&frame), group(0, 0x1_0002));
        let finished = [0x0f, 0x40, 0x47, 0x05, 0x00];
        assert_eq!(Outgoing::of(&finished), group(17, 5));
    }

    #[test]
    fn other_frames_are_of_no_group() {
        // The control stream, a reset, and what is cut short.
        for frame in [
            &[0x0e, 0x00, 0x00, 0x01, 0xaa][..],
            &[0x04, 0x03],
            &[0x0e, 0x43],
            &[],
        ] {
            assert_eq!(Outgoing::of(frame), None);
        }
        assert_eq!(Outgoing::of(&[0x31, 0x01, 0xaa]), Some(Outgoing::Datagram));
    }
}
