//! The keys of one peer's media (RFC 3711, RFC 7714), one direction each.

mod open;
mod seal;

use std::sync::Arc;

use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_dtls::state::State;
use rtc_shared::error::Error;
use rtc_srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP, SessionKeys};
use rtc_srtp::protection_profile::ProtectionProfile;

pub(super) use open::Incoming;
pub(super) use seal::Outgoing;

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
    /// Takes the keys out of a finished handshake, which the relay opened where it was the `client`.
    pub(super) fn export(state: &State, client: bool) -> Result<Self, KeysError> {
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
        config.set_session_keys_from_keying_material(material.as_ref(), client)?;
        Ok(Self::of(profile, config.keys))
    }

    /// Keys that were agreed on otherwise.
    pub(super) fn of(profile: ProtectionProfile, keys: SessionKeys) -> Self {
        Self { profile, keys }
    }

    /// The two directions: what the relay sends, and what it receives.
    pub(super) fn contexts(
        self,
        provider: Arc<dyn RTCCryptoProvider>,
    ) -> Result<(Outgoing, Incoming), KeysError> {
        let keys = &self.keys;
        let (key, salt) = (&keys.local_master_key, &keys.local_master_salt);
        let outgoing = Outgoing::new(self.profile, key, salt, provider.crypto())?;
        Ok((outgoing, Incoming::new(self, provider)?))
    }
}
