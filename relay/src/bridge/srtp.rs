//! The keys of one peer's media (RFC 3711, RFC 7714), one direction each.

use bytes::BytesMut;
use rtc::crypto::RTCCryptoProvider;
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
        let out = Context::new(
            &keys.local_master_key,
            &keys.local_master_salt,
            self.profile,
            None,
            None,
            crypto,
        )?;
        let incoming = Context::new(
            &keys.remote_master_key,
            &keys.remote_master_salt,
            self.profile,
            Some(srtp_replay_protection(REPLAY_WINDOW)),
            Some(srtcp_replay_protection(REPLAY_WINDOW)),
            crypto,
        )?;
        Ok((Outgoing(out), Incoming(incoming)))
    }
}

/// What protects packets to a peer.
pub(super) struct Outgoing(Context);

impl Outgoing {
    /// Protects an RTP packet, whose header is given again.
    pub(super) fn rtp(
        &mut self,
        packet: &[u8],
        header: &rtc::rtp::Header,
    ) -> Result<BytesMut, Error> {
        self.0.encrypt_rtp_with_header(packet, header)
    }

    /// Protects an RTCP packet.
    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.0.encrypt_rtcp(packet)
    }
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
