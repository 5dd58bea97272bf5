//! What a ClientHello says of media keys, before anybody answers it.

use bytes::Bytes;

/// The handshake message types and extensions that matter (RFC 6347, 4.3.2; RFC 5764, 4.1.1).
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const USE_SRTP: u16 = 14;
const AEAD_AES_128_GCM: u16 = 7;

/// The most fragments of a hello that are waited for; one with large key shares has two.
const FRAGMENTS: usize = 4;

/// A ClientHello on its way, in fragments.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Hello {
    held: Vec<Bytes>,
    message: Vec<u8>,
}

/// What a hello says, and the datagrams that it came in.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::webrtc) struct Heard {
    /// Whether it offers AEAD_AES_128_GCM (RFC 7714).
    ///
    /// Peers name it last, since it makes packets longer, and DTLS goes by their order: a server
    /// that wants it must accept nothing else.
    pub(in crate::webrtc) gcm: bool,
    pub(in crate::webrtc) datagrams: Vec<Bytes>,
}

impl Hello {
    /// Takes the next datagram; gives what the hello says once it is whole, or is none.
    pub(in crate::webrtc) fn push(&mut self, datagram: &[u8]) -> Option<Heard> {
        self.held.push(Bytes::copy_from_slice(datagram));
        let whole = match fragment(datagram) {
            Some(fragment) if fragment.offset == self.message.len() => {
                self.message.extend_from_slice(fragment.body);
                self.message.len() >= fragment.length
            }
            // Out of order, or something else: no need to understand it.
            _ => true,
        };
        (whole || self.held.len() == FRAGMENTS).then(|| Heard {
            gcm: offers_gcm(&self.message),
            datagrams: std::mem::take(&mut self.held),
        })
    }
}

/// Whether a datagram is made of DTLS records, to its last byte (RFC 6347, 4.1).
pub(in crate::webrtc) fn are_records(datagram: &[u8]) -> bool {
    let mut rest = Reader(datagram);
    while !rest.0.is_empty() {
        if rest.record().is_none() {
            return false;
        }
    }
    !datagram.is_empty()
}

/// Part of a ClientHello.
struct Fragment<'a> {
    length: usize,
    offset: usize,
    body: &'a [u8],
}

/// The fragment of a ClientHello that a datagram begins with (RFC 6347, 4.1 and 4.2.2).
fn fragment(datagram: &[u8]) -> Option<Fragment<'_>> {
    let mut record = Reader(datagram);
    let kind = record.u8()?;
    // Version, epoch, sequence number.
    record.skip(10)?;
    let mut message = record.vector16()?;
    let message_kind = message.u8()?;
    let length = message.number(3)?;
    // The message's number.
    message.skip(2)?;
    let (offset, here) = (message.number(3)?, message.number(3)?);
    let body = message.take(here)?;
    let hello = kind == HANDSHAKE && message_kind == CLIENT_HELLO;
    hello.then_some(Fragment {
        length,
        offset,
        body,
    })
}

fn offers_gcm(message: &[u8]) -> bool {
    let profiles = || {
        let mut extensions = extensions(message)?;
        while let Some(kind) = extensions.u16() {
            let mut body = extensions.vector16()?;
            if kind == USE_SRTP {
                return body.vector16();
            }
        }
        None
    };
    let Some(mut profiles) = profiles() else {
        return false;
    };
    std::iter::from_fn(|| profiles.u16()).any(|profile| profile == AEAD_AES_128_GCM)
}

fn extensions(message: &[u8]) -> Option<Reader<'_>> {
    let mut message = Reader(message);
    // Version and random, session id, cookie, cipher suites, compression methods.
    message.skip(34)?;
    message.vector8()?;
    message.vector8()?;
    message.vector16()?;
    message.vector8()?;
    message.vector16()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    fn number(&mut self, octets: usize) -> Option<usize> {
        let octets = self.take(octets)?;
        Some(
            octets
                .iter()
                .fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
        )
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.number(2).map(|number| number as u16)
    }

    /// Passes a record.
    fn record(&mut self) -> Option<()> {
        let (kind, major) = (self.u8()?, self.u8()?);
        // Minor version, epoch, sequence number.
        self.skip(9)?;
        self.vector16()?;
        (matches!(kind, 20..=23) && major == 0xfe).then_some(())
    }

    fn vector8(&mut self) -> Option<Reader<'a>> {
        let length = self.number(1)?;
        self.take(length).map(Reader)
    }

    fn vector16(&mut self) -> Option<Reader<'a>> {
        let length = self.number(2)?;
        self.take(length).map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(profiles: &[u16]) -> Vec<u8> {
        let list: Vec<u8> = profiles.iter().flat_map(|p| p.to_be_bytes()).collect();
        let mut srtp = (list.len() as u16).to_be_bytes().to_vec();
        srtp.extend(list);
        srtp.push(0);
        let mut extensions = vec![0, 23, 0, 0];
        extensions.extend(USE_SRTP.to_be_bytes());
        extensions.extend((srtp.len() as u16).to_be_bytes());
        extensions.extend(srtp);
        let mut message = vec![0; 34];
        message.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        message.extend((extensions.len() as u16).to_be_bytes());
        message.extend(extensions);
        message
    }

    /// The bytes of `message` from `offset` on, `here` of them at most, as a datagram.
    fn datagram(message: &[u8], offset: usize, here: usize) -> Vec<u8> {
        let body = &message[offset..message.len().min(offset + here)];
        let three = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
        let mut record = vec![CLIENT_HELLO];
        record.extend(three(message.len()));
        record.extend([0, 0]);
        record.extend(three(offset));
        record.extend(three(body.len()));
        record.extend(body);
        let mut datagram = vec![HANDSHAKE, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        datagram.extend((record.len() as u16).to_be_bytes());
        datagram.extend(record);
        datagram
    }

    fn gcm(profiles: &[u16]) -> bool {
        let whole = datagram(&message(profiles), 0, usize::MAX >> 1);
        Hello::default().push(&whole).unwrap().gcm
    }

    #[test]
    fn gcm_is_found_wherever_it_stands() {
        assert!(gcm(&[7]) && gcm(&[1, 8, 7]));
        assert!(!gcm(&[1, 8]) && !gcm(&[]));
    }

    #[test]
    fn a_hello_in_fragments_is_waited_for() {
        let message = message(&[1, 7]);
        let (first, second) = (datagram(&message, 0, 40), datagram(&message, 40, 100));
        let mut hello = Hello::default();
        assert_eq!(hello.push(&first), None);
        let heard = hello.push(&second).unwrap();
        assert!(heard.gcm);
        assert_eq!(heard.datagrams, [first, second]);
    }

    #[test]
    fn what_is_no_hello_is_not_waited_for() {
        let message = message(&[1, 7]);
        assert!(
            Hello::default()
                .push(&datagram(&message, 40, 100))
                .is_some()
        );
        assert!(Hello::default().push(&[HANDSHAKE, 1, 2]).is_some());
        let mut hello = Hello::default();
        let pushed = (0..FRAGMENTS).map(|at| hello.push(&datagram(&message, at, 1)));
        assert_eq!(pushed.flatten().count(), 1);
    }

    proptest! {
        #[test]
        fn no_hello_breaks_it(cut in 0usize..120, at in 0usize..120, value: u8) {
            let mut datagram = datagram(&message(&[1, 7]), 0, 1_000);
            let len = datagram.len();
            datagram[at % len] = value;
            Hello::default().push(&datagram[..cut % len]);
        }
    }
}
