//! The client's side of DTLS (RFC 5764).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, default_provider};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::keys::Keys;
use crate::transport::Srtp;

/// How long a flight waits for an answer before it is sent again.
const FLIGHT: Duration = Duration::from_millis(500);
/// The endpoint names its peer by an address; there is one peer.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// The certificate that all players of a process show, and what they offer.
pub(super) struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    config: Arc<HandshakeConfig>,
    fingerprint: String,
}

impl Identity {
    /// Makes a certificate.
    pub(super) fn generate(srtp: Srtp) -> Result<Self> {
        let provider = default_provider()?;
        let certificate =
            Certificate::generate_self_signed(["bench".to_owned()], provider.crypto())?;
        let der = certificate.certificate.first().context("no certificate")?;
        let fingerprint = fingerprint(der, provider.as_ref())?;
        let mut profiles = vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80];
        if srtp == Srtp::Gcm {
            profiles.push(SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm);
        }
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider.clone())
            .with_certificates(vec![certificate])
            .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
            .with_srtp_protection_profiles(profiles)
            // The relay's fingerprint is compared with its answer's instead.
            .with_insecure_skip_verify(true)
            .with_flight_interval(FLIGHT)
            .build(true, Some(PEER))?;
        Ok(Self {
            provider,
            config: Arc::new(config),
            fingerprint,
        })
    }

    pub(super) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.provider
    }

    /// What an offer says of the certificate.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// SHA-256 as SDP writes it (RFC 8122, 5).
fn fingerprint(der: &[u8], provider: &dyn RTCCryptoProvider) -> Result<String> {
    let hash = provider.crypto().hash(HashAlgorithm::Sha256, der)?;
    let octets: Vec<_> = hash.iter().map(|octet| format!("{octet:02X}")).collect();
    Ok(octets.join(":"))
}

/// A handshake under way.
pub(super) struct Handshake<'a> {
    identity: &'a Identity,
    endpoint: Endpoint,
    /// The fingerprint of the relay's certificate.
    expected: &'a str,
}

impl<'a> Handshake<'a> {
    /// Says hello; what is to be sent is to be polled.
    pub(super) fn begin(identity: &'a Identity, expected: &'a str, now: Instant) -> Result<Self> {
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
        endpoint.connect(now, PEER, identity.config.clone(), None)?;
        Ok(Self {
            identity,
            endpoint,
            expected,
        })
    }

    /// Takes a datagram; gives the keys when it was the last that was needed.
    pub(super) fn take(&mut self, datagram: &[u8], now: Instant) -> Result<Option<Keys>> {
        let read = self
            .endpoint
            .read(now, PEER, None, BytesMut::from(datagram))?;
        let complete = |event: &EndpointEvent| matches!(event, EndpointEvent::HandshakeComplete);
        if read.iter().any(complete) {
            return self.keys().map(Some);
        }
        Ok(None)
    }

    fn keys(&self) -> Result<Keys> {
        let state = self.endpoint.get_connection_state(PEER);
        let state = state.context("a handshake that nobody had")?;
        let provider = self.identity.provider();
        let shown = state.peer_certificates.first().context("no certificate")?;
        ensure!(
            fingerprint(shown, provider.as_ref())? == self.expected,
            "the relay has another certificate than it says"
        );
        Keys::export(state, provider.as_ref())
    }

    /// The next datagram for the relay.
    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        Some(self.endpoint.poll_transmit()?.message)
    }

    /// Sends a flight again where its answer is late.
    pub(super) fn pass_time(&mut self, now: Instant) -> Result<()> {
        Ok(self.endpoint.handle_timeout(PEER, now)?)
    }
}
