//! How packets are sealed: as QUIC's, or as SRTP's.

use anyhow::Result;
use rtc_crypto::{
    AeadAlgorithm, AeadCipher, HmacAlgorithm, Mac, StreamCipher, StreamCipherAlgorithm,
    default_provider,
};

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
            Self::Srtp(Srtp::Sha1) => "SRTP, AES-128-CM and HMAC-SHA1",
        }
    }

    /// Bytes of a full packet: where the path takes 1500 bytes of IP, and what the relay makes.
    pub(super) fn packet(self) -> usize {
        match self {
            Self::Quic => 1_452,
            Self::Srtp(_) => 1_156 + self.head() + self.tag(),
        }
    }

    /// Of them, those before what is sealed: flags, connection id and packet number; or an RTP header
    /// with an extension.
    fn head(self) -> usize {
        match self {
            Self::Quic => 11,
            Self::Srtp(_) => 20,
        }
    }

    /// Of them, those behind it.
    fn tag(self) -> usize {
        match self {
            Self::Quic | Self::Srtp(Srtp::Gcm) => GCM_TAG,
            Self::Srtp(Srtp::Sha1) => SHA1_TAG,
        }
    }
}

const GCM_TAG: usize = 16;
/// What of an HMAC-SHA1 is sent, and all of it.
const SHA1_TAG: usize = 10;
const SHA1: usize = 20;

/// Seals packets, by what the relay's own ciphers are made of.
pub(super) struct Sealer {
    sealing: Sealing,
    cipher: Cipher,
    pub(super) sealed: u64,
}

enum Cipher {
    Gcm(Box<dyn AeadCipher>),
    CmSha1(Box<dyn StreamCipher>, Box<dyn Mac>),
}

impl Sealer {
    pub(super) fn new(sealing: Sealing) -> Result<Self> {
        let provider = default_provider()?;
        let crypto = provider.crypto();
        let key = [7; SHA1];
        let cipher = match sealing {
            Sealing::Quic | Sealing::Srtp(Srtp::Gcm) => {
                Cipher::Gcm(crypto.new_aead(AeadAlgorithm::Aes128Gcm, &key[..16])?)
            }
            Sealing::Srtp(Srtp::Sha1) => Cipher::CmSha1(
                crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &key[..16])?,
                crypto.new_hmac(HmacAlgorithm::Sha1, &key)?,
            ),
        };
        Ok(Self {
            sealing,
            cipher,
            sealed: 0,
        })
    }

    /// Seals a packet with part of what is `left`, at the beginning of `out`; returns its length.
    pub(super) fn seal(&mut self, left: &mut usize, out: &mut [u8]) -> Result<usize> {
        let (head, tag) = (self.sealing.head(), self.sealing.tag());
        let payload = (self.sealing.packet() - head - tag).min(*left);
        *left -= payload;
        self.sealed += 1;
        let (packet, rest) = out.split_at_mut(head + payload);
        let count = self.sealed.to_be_bytes();
        match &mut self.cipher {
            Cipher::Gcm(cipher) => {
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&count);
                let (head, body) = packet.split_at_mut(head);
                cipher.seal_in_place(&nonce, head, body, &mut rest[..tag])?;
            }
            Cipher::CmSha1(cipher, mac) => {
                let mut counter = [0; 16];
                counter[6..14].copy_from_slice(&count);
                cipher.apply_keystream(&counter, &mut packet[head..])?;
                let mut whole = [0; SHA1];
                mac.sign(&[packet, &count[..4]], &mut whole)?;
                rest[..tag].copy_from_slice(&whole[..tag]);
            }
        }
        Ok(head + payload + tag)
    }
}
