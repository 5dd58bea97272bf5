//! The keys of one peer's media (RFC 3711, RFC 7714), one direction each.

use bytes::BytesMut;
use rtc::crypto::{
    AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoError, HmacAlgorithm, Mac, RTCCrypto,
    RTCCryptoProvider, StreamCipher, StreamCipherAlgorithm,
};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::dtls::state::State;
use rtc::shared::error::Error;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP, SessionKeys};
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;

/// Packets that may come this much out of order.
const REPLAY_WINDOW: usize = 1024;

/// What a handshake has agreed on.
#[derive(Debug)]
pub(super) struct Keys {
    profile: ProtectionProfile,
    keys: SessionKeys,
}

/// A handshake's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    /// There is no protection that both know.
    #[error("no SRTP protection profile")]
    Profile,
    /// They do not come out of the handshake.
    #[error("SRTP keys: {0}")]
    Export(#[from] Error),
}

impl Keys {
    /// Takes the keys out of a finished handshake in which the relay was the server.
    pub(super) fn export(state: &State) -> Result<Self, KeysError> {
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => ProtectionProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
                ProtectionProfile::Aes128CmHmacSha1_80
            }
            _ => return Err(KeysError::Profile),
        };
        let mut config = Config {
            profile,
            ..Config::default()
        };
        let length = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        config.set_session_keys_from_keying_material(material.as_ref(), false)?;
        Ok(Self::of(profile, config.keys))
    }

    /// Keys that were agreed on otherwise.
    pub(super) fn of(profile: ProtectionProfile, keys: SessionKeys) -> Self {
        Self { profile, keys }
    }

    /// The two directions: what the relay sends, and what it receives.
    pub(super) fn contexts(
        &self,
        provider: &dyn RTCCryptoProvider,
    ) -> Result<(Outgoing, Incoming), KeysError> {
        let crypto = provider.crypto();
        let keys = &self.keys;
        let outgoing = Outgoing {
            sealer: Sealer::new(
                self.profile,
                &keys.local_master_key,
                &keys.local_master_salt,
                crypto,
            )?,
            counts: Vec::new(),
            control: Context::new(
                &keys.local_master_key,
                &keys.local_master_salt,
                self.profile,
                None,
                None,
                crypto,
            )?,
        };
        let incoming = Context::new(
            &keys.remote_master_key,
            &keys.remote_master_salt,
            self.profile,
            Some(srtp_replay_protection(REPLAY_WINDOW)),
            Some(srtcp_replay_protection(REPLAY_WINDOW)),
            crypto,
        )?;
        Ok((outgoing, Incoming(incoming)))
    }
}

/// What protects packets to a peer: RTP where it lies, for it is most of what the relay does; RTCP
/// by webrtc-rs's context.
pub(super) struct Outgoing {
    sealer: Sealer,
    /// Of each source, the highest index that was used.
    counts: Vec<(u32, u64)>,
    control: Context,
}

/// A packet's index: its sequence number and, above that, how often those have wrapped (RFC 3711,
/// 3.3.1). There are no more under the same keys.
const INDEXES: u64 = 1 << 48;

impl Outgoing {
    /// Protects an RTP packet that ends `bytes`, where its header, `header` bytes long, begins at
    /// `begin`. One that is sent again must be the very same.
    pub(super) fn rtp(
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
    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
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

/// What opens packets from a peer.
pub(super) struct Incoming(Context);

impl Incoming {
    /// Opens an RTP packet.
    pub(super) fn rtp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.0.decrypt_rtp(packet)
    }

    /// Opens an RTCP packet.
    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.0.decrypt_rtcp(packet)
    }
}

#[cfg(test)]
mod tests {
    use rtc::crypto::default_provider;

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

    fn keys(profile: ProtectionProfile) -> SessionKeys {
        let bytes = |len: usize, begin: u8| (0..len as u8).map(|at| begin ^ (at * 7)).collect();
        SessionKeys {
            local_master_key: bytes(profile.key_len(), 0x5a),
            local_master_salt: bytes(profile.salt_len(), 0xc3),
            remote_master_key: bytes(profile.key_len(), 0x11),
            remote_master_salt: bytes(profile.salt_len(), 0x22),
        }
    }

    #[test]
    fn packets_are_those_of_webrtc_rs_to_the_byte() {
        let provider = default_provider().unwrap();
        for profile in [
            ProtectionProfile::AeadAes128Gcm,
            ProtectionProfile::AeadAes256Gcm,
            ProtectionProfile::Aes128CmHmacSha1_80,
        ] {
            let keys = keys(profile);
            let (key, salt) = (&keys.local_master_key, &keys.local_master_salt);
            let mut theirs =
                Context::new(key, salt, profile, None, None, provider.crypto()).unwrap();
            let (mut ours, _) = Keys::of(profile, keys.clone())
                .contexts(provider.as_ref())
                .unwrap();
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
        let keys = Keys::of(profile, keys(profile));
        let (mut outgoing, _) = keys.contexts(provider.as_ref()).unwrap();
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
