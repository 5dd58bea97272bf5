//! What may be read of a datagram before there are keys: until then anybody who knows the peer's
//! address can write in its name.

/// Content types (RFC 5246, 6.2.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
/// Bytes of a record's header (RFC 6347, 4.1): type, version, epoch, sequence number, length.
const HEADER: usize = 13;

/// The records of a datagram that a handshake is made of, and those that only who has the keys can
/// have written. Alerts in plain text are not among them: forged, they would end an association that
/// somebody else has begun; true, they come from one who does not go on in any case.
///
/// Those in plain text are numbered anew, by `number`: a forged one with a number far ahead would make
/// all others repetitions of long ago. Handshake messages have numbers of their own.
pub(super) fn of_a_handshake(datagram: &[u8], number: &mut u32) -> Vec<u8> {
    let mut kept = Vec::with_capacity(datagram.len());
    let mut rest = datagram;
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let Some((body, after)) = after.split_at_checked(length) else {
            break;
        };
        let protected = header[3..5] != [0, 0];
        let wanted = match header[0] {
            HANDSHAKE => !body.is_empty(),
            CHANGE_CIPHER_SPEC => body == [1],
            _ => false,
        };
        let mut header = *header;
        if !protected && wanted {
            header[5..7].fill(0);
            header[7..11].copy_from_slice(&number.to_be_bytes());
            *number = number.saturating_add(1);
        }
        if protected || wanted {
            kept.extend_from_slice(&header);
            kept.extend_from_slice(body);
        }
        rest = after;
    }
    kept
}

/// `ecPublicKey` (RFC 5480, 2.1.1); the curve follows.
const EC_PUBLIC_KEY: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The curve of an elliptic key in a certificate that stands in a datagram, where no browser takes
/// it (RFC 8827, 6.5): its name, or what its identifier begins with.
pub(super) fn foreign_curve(datagram: &[u8]) -> Option<&'static str> {
    let at = datagram
        .windows(EC_PUBLIC_KEY.len())
        .position(|window| window == EC_PUBLIC_KEY)?;
    let curve = datagram.get(at + EC_PUBLIC_KEY.len()..)?;
    let (&[0x06, length], identifier) = curve.split_first_chunk::<2>()? else {
        return None;
    };
    match identifier.get(..length.into())? {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] | [0x2b, 0x81, 0x04, 0x00, 0x22] => None,
        [0x2b, 0x81, 0x04, 0x00, 0x21] => Some("P-224"),
        [0x2b, 0x81, 0x04, 0x00, 0x23] => Some("P-521"),
        [0x2b, 0x81, 0x04, 0x00, 0x0a] => Some("secp256k1"),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01] => Some("P-192"),
        _ => Some("a curve of another family"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let header = [
            kind,
            0xfe,
            0xfd,
            0,
            epoch,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            body.len() as u8,
        ];
        [&header[..], body].concat()
    }

    #[test]
    fn what_anybody_can_write_is_left_out() {
        let mut good = [
            record(22, 0, &[1, 2, 3]),
            record(20, 0, &[1]),
            record(21, 1, &[9; 20]),
        ];
        // The number that it gets.
        good[1][10] = 1;
        for bad in [
            record(21, 0, &[2, 40]),
            record(21, 0, &[1, 0]),
            record(23, 0, &[7]),
            record(20, 0, &[2]),
            record(22, 0, &[]),
            record(63, 0, &[1]),
        ] {
            let mixed = [&bad[..], &good[0], &bad, &good[1], &good[2], &bad].concat();
            assert_eq!(of_a_handshake(&mixed, &mut 0), good.concat());
            assert!(of_a_handshake(&bad, &mut 0).is_empty());
        }
    }

    #[test]
    fn curves_that_no_browser_takes_have_a_name() {
        let key = |curve: &[u8]| {
            let length = curve.len() as u8;
            [
                &[1, 2, 3][..],
                &EC_PUBLIC_KEY,
                &[0x06, length],
                curve,
                &[0; 60],
            ]
            .concat()
        };
        let p224 = [0x2b, 0x81, 0x04, 0x00, 0x21];
        assert_eq!(foreign_curve(&key(&p224)), Some("P-224"));
        let p256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        assert_eq!(foreign_curve(&key(&p256)), None);
        assert_eq!(foreign_curve(&EC_PUBLIC_KEY), None);
        assert_eq!(foreign_curve(&[0; 100]), None);
        for end in 0..20 {
            foreign_curve(&key(&p256)[..end]);
        }
    }
}
