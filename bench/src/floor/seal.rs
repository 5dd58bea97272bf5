//! How packets are sealed: as QUIC's, or as SRTP's.

use anyhow::{Result, anyhow, ensure};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rtc::crypto::default_provider;
use rtc::rtp::Header;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;

use crate::transport::Srtp;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// QUIC packets, by AES-128-GCM.
    Quic,
    /// RTP packets.
    Srtp(Srtp),
}

impl Sealing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quic => "QUIC's packets, AES-128-GCM",
            Self::Srtp(Srtp::Gcm) => "SRTP, AES-128-GCM",
            Self::Srtp(Srtp::Sha1) => "SRTP, AES-128-CM, HMAC-SHA1",
        }
    }
}

/// Seals packets, one behind the other.
pub(super) enum Sealer {
    Quic(Box<LessSafeKey>, u64),
    Srtp(Box<Media>),
}

/// A QUIC packet where the path takes 1500 bytes of IP, its header before what is sealed (flags,
/// connection id, packet number), and what GCM adds.
const QUIC_PACKET: usize = 1452;
const QUIC_HEAD: usize = 11;
const GCM_TAG: usize = 16;

/// What the relay puts into an RTP packet, and the header before it with one extension.
const RTP_PAYLOAD: usize = 1_156;
const RTP_HEAD: usize = 20;

/// One receiver's media.
pub(super) struct Media {
    context: Context,
    header: Header,
    tag: usize,
    plain: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(sealing: Sealing) -> Result<Self> {
        let (profile, tag) = match sealing {
            Sealing::Quic => {
                let key = UnboundKey::new(&AES_128_GCM, &[7; 16])
                    .map_err(|_| anyhow!("a key of another length"))?;
                return Ok(Self::Quic(Box::new(LessSafeKey::new(key)), 0));
            }
            Sealing::Srtp(Srtp::Gcm) => (ProtectionProfile::AeadAes128Gcm, 16),
            Sealing::Srtp(Srtp::Sha1) => (ProtectionProfile::Aes128CmHmacSha1_80, 10),
        };
        let (key, salt) = (vec![7; profile.key_len()], vec![7; profile.salt_len()]);
        let provider = default_provider()?;
        let context = Context::new(&key, &salt, profile, None, None, provider.crypto())?;
        let header = Header {
            version: 2,
            payload_type: 96,
            ssrc: 7,
            // Counted as part of the header, which is not encrypted: as long as an extension.
            csrc: vec![0; (RTP_HEAD - 12) / 4],
            ..Header::default()
        };
        Ok(Self::Srtp(Box::new(Media {
            context,
            header,
            tag,
            plain: vec![0; RTP_HEAD + RTP_PAYLOAD],
        })))
    }

    /// Bytes of a full packet.
    pub(super) fn packet(&self) -> usize {
        match self {
            Self::Quic(..) => QUIC_PACKET,
            Self::Srtp(media) => RTP_HEAD + RTP_PAYLOAD + media.tag,
        }
    }

    /// Seals a packet with part of what is `left`, at the beginning of `out`; returns its length.
    pub(super) fn seal(&mut self, left: &mut usize, out: &mut [u8]) -> Result<usize> {
        match self {
            Self::Quic(key, sealed) => {
                let payload = (QUIC_PACKET - QUIC_HEAD - GCM_TAG).min(*left);
                *left -= payload;
                *sealed += 1;
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&sealed.to_be_bytes());
                let (head, rest) = out.split_at_mut(QUIC_HEAD);
                let nonce = Nonce::assume_unique_for_key(nonce);
                let (aad, body) = (Aad::from(&*head), &mut rest[..payload]);
                let done = key.seal_in_place_separate_tag(nonce, aad, body);
                ensure!(done.is_ok(), "sealing failed");
                Ok(QUIC_HEAD + payload + GCM_TAG)
            }
            Self::Srtp(media) => media.seal(left, out),
        }
    }
}

impl Media {
    fn seal(&mut self, left: &mut usize, out: &mut [u8]) -> Result<usize> {
        let payload = RTP_PAYLOAD.min(*left);
        *left -= payload;
        self.header.sequence_number = self.header.sequence_number.wrapping_add(1);
        let plain = &self.plain[..RTP_HEAD + payload];
        let sealed = self.context.encrypt_rtp_with_header(plain, &self.header)?;
        out[..sealed.len()].copy_from_slice(&sealed);
        Ok(sealed.len())
    }
}
