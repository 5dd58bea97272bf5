//! What goes out.

use bytes::BytesMut;
use rtc_crypto::{
    AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoError, HmacAlgorithm, Mac, RTCCrypto,
    StreamCipher, StreamCipherAlgorithm,
};
use rtc_shared::error::Error;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

/// What protects packets to a peer: RTP where it lies, for it is most of what the relay does; RTCP
/// by webrtc-rs's context.
pub(in crate::webrtc) struct Outgoing {
    sealer: Sealer,
    /// Of each source, the highest index that was used.
    counts: Vec<(u32, u64)>,
    control: Context,
}

/// A packet's index: its sequence number and, above that, how often those have wrapped (RFC 3711,
/// 3.3.1). There are no more under the same keys.
const INDEXES: u64 = 1 << 48;

impl Outgoing {
    pub(super) fn new(
        profile: ProtectionProfile,
        key: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, Error> {
        Ok(Self {
            sealer: Sealer::new(profile, key, salt, crypto)?,
            counts: Vec::new(),
            control: Context::new(key, salt, profile, None, None, crypto)?,
        })
    }

    /// Protects an RTP packet that ends `bytes`, where its header, `header` bytes long, begins at
    /// `begin`. One that is sent again must be the very same.
    pub(in crate::webrtc) fn rtp(
        &mut self,
        bytes: &mut Vec<u8>,
        begin: usize,
        header: usize,
    ) -> Result<(), Error> {
        let fixed: Option<&[u8; 12]> = bytes.get(begin..).and_then(|packet| packet.first_chunk());
        let Some([_, _, high, low, .., a, b, c, d]) = fixed else {
            return Err(Error::ErrHeaderSizeInsufficient);
        };
        let ssrc = [*a, *b, *c, *d];
        let sequence = u16::from_be_bytes([*high, *low]);
        let index = self.index(u32::from_be_bytes(ssrc), sequence)?;
        self.sealer.seal(bytes, begin, header, ssrc, index)
    }

    /// The index of a packet of a source.
    fn index(&mut self, ssrc: u32, sequence: u16) -> Result<u64, Error> {
        let known = self.counts.iter_mut().find(|(known, _)| *known == ssrc);
        let Some((_, newest)) = known else {
            self.counts.push((ssrc, sequence.into()));
            return Ok(sequence.into());
        };
        let ahead = sequence.wrapping_sub(*newest as u16) as i16;
        let index = newest.wrapping_add_signed(ahead.into());
        if index >= INDEXES {
            return Err(Error::ErrExceededMaxPackets);
        }
        *newest = index.max(*newest);
        Ok(index)
    }

    /// Protects an RTCP packet.
    pub(in crate::webrtc) fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.control.encrypt_rtcp(packet)
    }
}

/// A cipher with its keys, for RTP.
enum Sealer {
    Gcm {
        cipher: Box<dyn AeadCipher>,
        salt: [u8; 12],
    },
    CmSha1 {
        cipher: Box<dyn StreamCipher>,
        mac: Box<dyn Mac>,
        salt: [u8; 14],
    },
}

/// What is taken from the master key and salt (RFC 3711, 4.3.2).
#[derive(Clone, Copy)]
enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

const GCM_TAG: usize = 16;
const SHA1: usize = 20;
/// What of an HMAC-SHA1 is sent (RFC 3711, 5.2).
const SHA1_TAG: usize = 10;

impl Sealer {
    fn new(
        profile: ProtectionProfile,
        master: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, Error> {
        let failed = |error: CryptoError| Error::Crypto(error.to_string());
        let mut key = [0; 32];
        let key = &mut key[..master.len()];
        derive(Label::Encryption, master, salt, crypto, key).map_err(failed)?;
        let algorithm = match profile {
            ProtectionProfile::AeadAes128Gcm => AeadAlgorithm::Aes128Gcm,
            ProtectionProfile::AeadAes256Gcm => AeadAlgorithm::Aes256Gcm,
            _ => {
                let (mut mac, mut session_salt) = ([0; SHA1], [0; 14]);
                derive(Label::Authentication, master, salt, crypto, &mut mac).map_err(failed)?;
                derive(Label::Salt, master, salt, crypto, &mut session_salt).map_err(failed)?;
                let cipher = crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, key);
                return Ok(Self::CmSha1 {
                    cipher: cipher.map_err(failed)?,
                    mac: crypto.new_hmac(HmacAlgorithm::Sha1, &mac).map_err(failed)?,
                    salt: session_salt,
                });
            }
        };
        let mut session_salt = [0; 12];
        derive(Label::Salt, master, salt, crypto, &mut session_salt).map_err(failed)?;
        Ok(Self::Gcm {
            cipher: crypto.new_aead(algorithm, key).map_err(failed)?,
            salt: session_salt,
        })
    }

    /// Encrypts the packet's payload and appends its tag.
    fn seal(
        &mut self,
        bytes: &mut Vec<u8>,
        begin: usize,
        header: usize,
        ssrc: [u8; 4],
        index: u64,
    ) -> Result<(), Error> {
        let failed = |error: CryptoError| Error::Crypto(error.to_string());
        let index = index.to_be_bytes();
        match self {
            // Two zero bytes, source, index (RFC 7714, 8.1).
            Self::Gcm { cipher, salt } => {
                let mut nonce = *salt;
                xor(&mut nonce[2..6], &ssrc);
                xor(&mut nonce[6..], &index[2..]);
                let (head, body) = bytes[begin..].split_at_mut(header);
                let mut tag = [0; GCM_TAG];
                cipher
                    .seal_in_place(&nonce, head, body, &mut tag)
                    .map_err(failed)?;
                bytes.extend_from_slice(&tag);
            }
            // Four zero bytes, source, index, and the counter of blocks (RFC 3711, 4.1.1).
            Self::CmSha1 { cipher, mac, salt } => {
                let mut counter = [0; 16];
                counter[..14].copy_from_slice(salt);
                xor(&mut counter[4..8], &ssrc);
                xor(&mut counter[8..14], &index[2..]);
                let packet = &mut bytes[begin..];
                cipher
                    .apply_keystream(&counter, &mut packet[header..])
                    .map_err(failed)?;
                let mut tag = [0; SHA1];
                let wraps = &index[2..6];
                mac.sign(&[packet, wraps], &mut tag).map_err(failed)?;
                bytes.extend_from_slice(&tag[..SHA1_TAG]);
            }
        }
        Ok(())
    }
}

fn xor(bytes: &mut [u8], with: &[u8]) {
    for (byte, with) in bytes.iter_mut().zip(with) {
        *byte ^= with;
    }
}

/// Derives a session key: the master key's AES in counter mode, at a place that the label names
/// (RFC 3711, 4.3.1 and 4.3.3; RFC 6188 and RFC 7714, 11 for other lengths).
fn derive(
    label: Label,
    master: &[u8],
    salt: &[u8],
    crypto: &dyn RTCCrypto,
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let algorithm = match master.len() {
        32 => BlockCipherAlgorithm::Aes256,
        _ => BlockCipherAlgorithm::Aes128,
    };
    for (number, part) in out.chunks_mut(16).enumerate() {
        let mut block = [0; 16];
        xor(&mut block, salt);
        block[7] ^= label as u8;
        block[15] = number as u8;
        crypto.block_encrypt(algorithm, master, &mut block)?;
        part.copy_from_slice(&block[..part.len()]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rtc_crypto::default_provider;

    use super::*;

    const HEADER: usize = 12;

    fn packet(ssrc: u32, sequence: u16, payload: usize) -> Vec<u8> {
        let mut packet = vec![0x80, 96];
        packet.extend(sequence.to_be_bytes());
        packet.extend([1, 2, 3, 4]);
        packet.extend(ssrc.to_be_bytes());
        packet.extend((0..payload).map(|byte| byte as u8));
        packet
    }

    /// A master key and a salt.
    fn keys(profile: ProtectionProfile) -> (Vec<u8>, Vec<u8>) {
        let bytes = |len: usize, begin: u8| (0..len as u8).map(|at| begin ^ (at * 7)).collect();
        (
            bytes(profile.key_len(), 0x5a),
            bytes(profile.salt_len(), 0xc3),
        )
    }

    #[test]
    fn packets_are_those_of_webrtc_rs_to_the_byte() {
        let provider = default_provider().unwrap();
        for profile in [
            ProtectionProfile::AeadAes128Gcm,
            ProtectionProfile::AeadAes256Gcm,
            ProtectionProfile::Aes128CmHmacSha1_80,
        ] {
            let (key, salt) = &keys(profile);
            let mut theirs =
                Context::new(key, salt, profile, None, None, provider.crypto()).unwrap();
            let mut ours = Outgoing::new(profile, key, salt, provider.crypto()).unwrap();
            // Of two sources, with gaps, several times around.
            for number in 0..300_u32 {
                for ssrc in [7, 8] {
                    let plain = packet(ssrc, (number * 997 + ssrc) as u16, number as usize);
                    let mut bytes = [&[9; 5], &plain[..]].concat();
                    ours.rtp(&mut bytes, 5, HEADER).unwrap();
                    assert_eq!(bytes[5..], theirs.encrypt_rtp(&plain).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_packet_that_is_sent_again_is_the_same() {
        let profile = ProtectionProfile::AeadAes128Gcm;
        let provider = default_provider().unwrap();
        let (key, salt) = keys(profile);
        let mut outgoing = Outgoing::new(profile, &key, &salt, provider.crypto()).unwrap();
        let mut seal = |sequence| {
            let mut bytes = packet(7, sequence, 50);
            outgoing.rtp(&mut bytes, 0, HEADER).unwrap();
            bytes
        };
        let first = seal(65_535);
        let wrapped = seal(0);
        assert_eq!(seal(65_535), first);
        assert_eq!(seal(0), wrapped);
    }
}
