//! SFrame (RFC 9605) in its cipher suite 4, `AES_128_GCM_SHA256_128`.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::OpenError;

const SUITE: [u8; 2] = [0, 4];
const KEY_LABEL: &[u8] = b"SFrame 1.0 Secret key ";
const SALT_LABEL: &[u8] = b"SFrame 1.0 Secret salt ";
const KEY_LEN: usize = 16;
const TAG_LEN: usize = 16;
/// Bytes by which a ciphertext is longer than what is in it, at most.
pub const OVERHEAD: usize = 1 + 8 + 8 + TAG_LEN;

/// What stands before a ciphertext (RFC 9605, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// KID: whose key this is.
    pub(super) key_id: u64,
    /// CTR: which frame under that key.
    pub(super) counter: u64,
}

impl Header {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut out = vec![0];
        let key_id = field(self.key_id, &mut out);
        let counter = field(self.counter, &mut out);
        out[0] = key_id << 4 | counter;
        out
    }

    /// The header, and what follows it. Numbers in more bytes than they need are refused: a frame has one form.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), OpenError> {
        const SHORT: OpenError = OpenError::Malformed("it ends within its header");
        let (&config, rest) = bytes.split_first().ok_or(SHORT)?;
        let (key_id, rest) = number(config >> 4, rest).ok_or(SHORT)?;
        let (counter, rest) = number(config & 0xf, rest).ok_or(SHORT)?;
        let header = Self { key_id, counter };
        if !bytes.starts_with(&header.encode()) {
            return Err(OpenError::Malformed(
                "a number that is longer than it has to be",
            ));
        }
        Ok((header, rest))
    }
}

/// Writes a number that does not fit into its half of the config byte; gives that half.
fn field(number: u64, out: &mut Vec<u8>) -> u8 {
    if number < 8 {
        return number as u8;
    }
    let skipped = number.leading_zeros() as usize / 8;
    out.extend_from_slice(&number.to_be_bytes()[skipped..]);
    8 | (7 - skipped) as u8
}

fn number(half: u8, bytes: &[u8]) -> Option<(u64, &[u8])> {
    if half < 8 {
        return Some((half.into(), bytes));
    }
    let (number, rest) = bytes.split_at_checked(usize::from(half & 7) + 1)?;
    let number = number
        .iter()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    Some((number, rest))
}

/// What is derived from a base key for one key id (RFC 9605, 4.4.2).
pub(super) struct Key {
    key_id: u64,
    aead: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

impl Key {
    pub(super) fn derive(base_key: &[u8], key_id: u64) -> Result<Self, Unspecified> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(base_key);
        let key: [u8; KEY_LEN] = expand(&secret, KEY_LABEL, key_id)?;
        Ok(Self {
            key_id,
            aead: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?),
            salt: expand(&secret, SALT_LABEL, key_id)?,
        })
    }

    /// Seals `plaintext`; never twice for one `counter`.
    pub(super) fn seal(
        &self,
        counter: u64,
        metadata: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        let key_id = self.key_id;
        let mut out = Header { key_id, counter }.encode();
        let aad = Aad::from([&out, metadata].concat());
        let mut sealed = plaintext.to_vec();
        self.aead
            .seal_in_place_append_tag(self.nonce(counter), aad, &mut sealed)?;
        out.append(&mut sealed);
        Ok(out)
    }

    /// What is in `sealed`, which follows a header of this counter.
    pub(super) fn open(
        &self,
        counter: u64,
        metadata: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let key_id = self.key_id;
        let header = Header { key_id, counter }.encode();
        let aad = Aad::from([&header, metadata].concat());
        let mut opened = sealed.to_vec();
        let len = self
            .aead
            .open_in_place(self.nonce(counter), aad, &mut opened)
            .map_err(|_| OpenError::Forged)?
            .len();
        opened.truncate(len);
        Ok(opened)
    }

    fn nonce(&self, counter: u64) -> Nonce {
        let mut nonce = self.salt;
        let (_, low) = nonce.split_at_mut(NONCE_LEN - 8);
        for (byte, with) in low.iter_mut().zip(counter.to_be_bytes()) {
            *byte ^= with;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const LEN: usize>(
    secret: &Prk,
    label: &[u8],
    key_id: u64,
) -> Result<[u8; LEN], Unspecified> {
    let mut out = [0; LEN];
    secret
        .expand(&[label, &key_id.to_be_bytes(), &SUITE], Length(LEN))?
        .fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(hex: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    /// RFC 9605, appendix C.3.
    #[test]
    fn the_vector_of_the_rfc() {
        let base_key: Vec<u8> = (0..16).collect();
        let (metadata, plaintext) = (b"IETF SFrame WG", b"draft-ietf-sframe-enc");
        let sealed = unhex(concat!(
            "9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0",
            "b091c07018ce4adb34eb"
        ));
        let key = Key::derive(&base_key, 0x123).unwrap();
        assert_eq!(key.salt.to_vec(), unhex("75234edefe07819026751816"));
        assert_eq!(key.seal(0x4567, metadata, plaintext), Ok(sealed.clone()));
        let (header, rest) = Header::decode(&sealed).unwrap();
        assert_eq!((header.key_id, header.counter), (0x123, 0x4567));
        assert_eq!(
            key.open(0x4567, metadata, rest).as_deref(),
            Ok(&plaintext[..])
        );
    }

    #[test]
    fn whatever_is_changed_does_not_open() {
        let key = Key::derive(&[7; 32], 9).unwrap();
        let sealed = key.seal(300, b"meta", b"a picture").unwrap();
        let (_, body) = Header::decode(&sealed).unwrap();
        assert_eq!(
            key.open(300, b"meta", body).as_deref(),
            Ok(&b"a picture"[..])
        );
        assert_eq!(key.open(301, b"meta", body), Err(OpenError::Forged));
        assert_eq!(key.open(300, b"mete", body), Err(OpenError::Forged));
        assert_eq!(key.open(300, b"meta", &body[1..]), Err(OpenError::Forged));
        assert_eq!(key.open(300, b"meta", &[]), Err(OpenError::Forged));
        let other = Key::derive(&[7; 32], 10).unwrap();
        assert_eq!(other.open(300, b"meta", body), Err(OpenError::Forged));
    }

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        for (key_id, counter, bytes) in [
            (0, 0, &[0x00][..]),
            (7, 7, &[0x77]),
            (8, 7, &[0x87, 8]),
            (7, 0xff, &[0x78, 0xff]),
            (0x100, 0x1_0000, &[0x9a, 1, 0, 1, 0, 0]),
            (u64::MAX, u64::MAX, &[0xff; 17]),
        ] {
            let header = Header { key_id, counter };
            assert_eq!(header.encode(), bytes);
            assert_eq!(Header::decode(bytes), Ok((header, &[][..])));
            for end in 0..bytes.len() {
                assert!(Header::decode(&bytes[..end]).is_err());
            }
        }
        assert!(Header::decode(&[0x80, 7]).is_err());
        assert!(Header::decode(&[0x09, 0, 0xff]).is_err());
    }
}
