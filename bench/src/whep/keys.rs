//! The keys of a session's media (RFC 3711, RFC 7714).

use anyhow::{Result, bail};
use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_dtls::state::State;
use rtc_shared::error::Error;
use rtc_srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

/// Packets that may come this much out of order.
const WINDOW: usize = 2_048;

/// Both directions.
pub(super) struct Keys {
    outgoing: Context,
    incoming: Context,
}

/// What came of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Packet(BytesMut),
    /// It has come before.
    Again,
    /// It is not the relay's.
    Forged,
}

impl Keys {
    /// Takes the keys out of a finished handshake in which this was the client.
    pub(super) fn export(state: &State, provider: &dyn RTCCryptoProvider) -> Result<Self> {
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
                ProtectionProfile::Aes128CmHmacSha1_80
            }
            other => bail!("the relay takes {other:?}"),
        };
        let mut config = Config {
            profile,
            ..Config::default()
        };
        let length = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        config.set_session_keys_from_keying_material(material.as_ref(), true)?;
        let keys = &config.keys;
        let crypto = provider.crypto();
        Ok(Self {
            outgoing: Context::new(
                &keys.local_master_key,
                &keys.local_master_salt,
                profile,
                None,
                None,
                crypto,
            )?,
            incoming: Context::new(
                &keys.remote_master_key,
                &keys.remote_master_salt,
                profile,
                Some(srtp_replay_protection(WINDOW)),
                Some(srtcp_replay_protection(WINDOW)),
                crypto,
            )?,
        })
    }

    /// Opens an RTP packet.
    pub(super) fn open(&mut self, packet: &[u8]) -> Opened {
        match self.incoming.decrypt_rtp(packet) {
            Ok(packet) => Opened::Packet(packet),
            Err(Error::SrtpSsrcDuplicated(..)) => Opened::Again,
            Err(_) => Opened::Forged,
        }
    }

    /// Opens an RTCP packet.
    pub(super) fn open_control(&mut self, packet: &[u8]) -> Option<BytesMut> {
        self.incoming.decrypt_rtcp(packet).ok()
    }

    /// Protects an RTCP packet.
    pub(super) fn seal_control(&mut self, packet: &[u8]) -> Result<BytesMut> {
        Ok(self.outgoing.encrypt_rtcp(packet)?)
    }
}
