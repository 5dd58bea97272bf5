//! What a ClientHello says of media keys, before anybody answers it.

/// The handshake message types and extensions that matter (RFC 6347, 4.3.2; RFC 5764, 4.1.1).
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const USE_SRTP: u16 = 14;
const AEAD_AES_128_GCM: u16 = 7;

/// Whether a datagram is a ClientHello that offers AEAD_AES_128_GCM (RFC 7714).
///
/// Peers name it last, since it makes packets longer, and DTLS goes by their order: a server
/// that wants it must accept nothing else. A hello in fragments is taken for one without.
pub(super) fn offers_gcm(datagram: &[u8]) -> bool {
    let profiles = |datagram| {
        let mut extensions = extensions(datagram)?;
        while let Some(kind) = extensions.u16() {
            let mut body = extensions.vector16()?;
            if kind == USE_SRTP {
                return body.vector16();
            }
        }
        None
    };
    let Some(mut profiles) = profiles(datagram) else {
        return false;
    };
    std::iter::from_fn(|| profiles.u16()).any(|profile| profile == AEAD_AES_128_GCM)
}

fn extensions(datagram: &[u8]) -> Option<Reader<'_>> {
    let mut record = Reader(datagram);
    let kind = record.u8()?;
    // Version, epoch, sequence number.
    record.skip(10)?;
    let mut message = record.vector16()?;
    let message_kind = message.u8()?;
    let length = message.u24()?;
    message.skip(2)?;
    let (offset, here) = (message.u24()?, message.u24()?);
    if kind != HANDSHAKE || message_kind != CLIENT_HELLO || offset != 0 || here != length {
        return None;
    }
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

    fn u24(&mut self) -> Option<usize> {
        self.number(3)
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

    fn hello(profiles: &[u16]) -> Vec<u8> {
        let list: Vec<u8> = profiles.iter().flat_map(|p| p.to_be_bytes()).collect();
        let mut srtp = (list.len() as u16).to_be_bytes().to_vec();
        srtp.extend(list);
        srtp.push(0);
        let mut extensions = vec![0, 23, 0, 0];
        extensions.extend(USE_SRTP.to_be_bytes());
        extensions.extend((srtp.len() as u16).to_be_bytes());
        extensions.extend(srtp);
        let mut body = vec![0; 34];
        body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        let length = (body.len() as u32).to_be_bytes();
        let mut message = vec![CLIENT_HELLO];
        message.extend(&length[1..]);
        message.extend([0; 5]);
        message.extend(&length[1..]);
        message.extend(body);
        let mut record = vec![HANDSHAKE, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        record.extend((message.len() as u16).to_be_bytes());
        record.extend(message);
        record
    }

    #[test]
    fn gcm_is_found_wherever_it_stands() {
        assert!(offers_gcm(&hello(&[7])));
        assert!(offers_gcm(&hello(&[1, 8, 7])));
        assert!(!offers_gcm(&hello(&[1, 8])));
        assert!(!offers_gcm(&hello(&[])));
    }

    proptest! {
        #[test]
        fn no_hello_breaks_it(cut in 0usize..120, at in 0usize..120, value: u8) {
            let mut datagram = hello(&[1, 7]);
            let len = datagram.len();
            datagram[at % len] = value;
            offers_gcm(&datagram[..cut % len]);
        }
    }
}
