//! The DTLS association of one peer (RFC 5764): all that it is for is the keys of the media. The
//! relay is the server, but for clients that can only be that themselves.

pub(in crate::webrtc) mod hello;
mod records;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, constant_time_eq, default_provider};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;

use self::hello::{Heard, Hello, are_records};
use self::records::{foreign_curve, of_a_handshake};
use super::srtp::{Keys, KeysError};

/// How long a flight waits for an answer before it is sent again.
const FLIGHT: Duration = Duration::from_millis(250);
/// Datagrams that a peer may take to get done; an honest one needs about ten.
const PATIENCE: u32 = 100;
/// Datagrams of each kind that are looked at afterwards. In plain text a peer repeats its last
/// flight, protected it says goodbye; whatever else there is would only be remembered.
const AFTERWARDS: u32 = 32;
/// Greetings that lead nowhere before the association is given up: anybody can send one in the peer's
/// name.
const HELLOS: u32 = 4;
/// The longest datagram that is looked at, in bytes.
const LONGEST: usize = 4_096;
/// What may protect media, the cheapest first.
const PROFILES: [SrtpProtectionProfile; 3] = [
    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
];
const ECDSA: [CipherSuiteId; 2] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
];
const RSA: [CipherSuiteId; 2] = [
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_256_Cbc_Sha,
];
/// The association names its peer by an address; the real one may change under way.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// The relay's certificate for peers, made anew at each start: peers know it by its fingerprint alone.
pub(super) struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    fingerprint: Fingerprint,
    /// For peers that offer AES-GCM, which costs a third of the alternative.
    gcm: Arc<HandshakeConfig>,
    any: Arc<HandshakeConfig>,
    /// For peers that wait to be greeted.
    active: Arc<HandshakeConfig>,
}

/// Which of the two opens the association: what the relay is, as SDP has it (RFC 8842, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    /// The peer does.
    Passive,
    /// The relay does.
    Active,
}

impl std::fmt::Display for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passive => "passive",
            Self::Active => "active",
        })
    }
}

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("a DTLS certificate cannot be made: {0}")]
pub struct IdentityError(#[from] Error);

impl Identity {
    /// Makes a certificate.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub(super) fn generate() -> Result<Self, IdentityError> {
        let provider = default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let names = ["steadycast".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())?;
        let der = certificate.certificate.first();
        let der = der.ok_or_else(|| Error::Other("an empty certificate".to_owned()))?;
        let value = provider
            .crypto()
            .hash(HashAlgorithm::Sha256, der)
            .map_err(|error| Error::Crypto(error.to_string()))?;
        let builder = |profiles: &[SrtpProtectionProfile], suites: &[CipherSuiteId]| {
            ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_cipher_suites(suites.to_vec())
                .with_srtp_protection_profiles(profiles.to_vec())
                // Its fingerprint is checked against the offer's; there is no authority to ask.
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_insecure_skip_verify(true)
                .with_flight_interval(FLIGHT)
        };
        let passive = |profiles| builder(profiles, &ECDSA).build(false, None).map(Arc::new);
        // The peer's certificate may be of either kind.
        let active = builder(&PROFILES, &[ECDSA, RSA].concat()).build(true, Some(PEER))?;
        Ok(Self {
            fingerprint: Fingerprint(value),
            gcm: passive(&PROFILES[..1])?,
            any: passive(&PROFILES)?,
            active: Arc::new(active),
            provider,
        })
    }

    /// What an answer says of the certificate.
    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.provider
    }
}

/// A certificate's SHA-256, as SDP has it (RFC 8122, 5). Every WebRTC client can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// Reads `sha-256 12:AB:...`; `None` for other hashes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hash, value) = text.trim().split_once(' ')?;
        let octet = |text| u8::from_str_radix(text, 16).ok();
        let value: Vec<u8> = value.trim().split(':').map(octet).collect::<Option<_>>()?;
        let whole = hash.eq_ignore_ascii_case("sha-256") && value.len() == 32;
        whole.then_some(Self(value))
    }

    fn is_of(&self, certificate: &[u8], provider: &dyn RTCCryptoProvider) -> bool {
        let hash = provider.crypto().hash(HashAlgorithm::Sha256, certificate);
        hash.is_ok_and(|hash| constant_time_eq(&hash, &self.0))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha-256 ")?;
        for (at, octet) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

/// Why an association is over before it had keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum DtlsError {
    /// The peer breaks the protocol, or has nothing in common with the relay.
    #[error("DTLS: {0}")]
    Handshake(#[from] Error),
    /// The peer's certificate is not the one that its offer names.
    #[error("the peer has another certificate than it offered")]
    Fingerprint,
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The peer's key is of a kind that is not taken.
    #[error(
        "its certificate is on {0}; RFC 8827 wants P-256 (FFmpeg with GnuTLS: give it one by -cert_file and -key_file)"
    )]
    Curve(&'static str),
    /// The peer takes for ever.
    #[error("the peer does not get done with its handshake")]
    Endless,
}

/// What a datagram has brought.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing that concerns others.
    Nothing,
    /// The keys of the media.
    Established(Box<Keys>),
    /// The peer has left.
    Closed,
}

/// One peer's association.
pub(super) struct Association {
    identity: Arc<Identity>,
    expected: Fingerprint,
    setup: Setup,
    hello: Hello,
    /// Made when the first of the two says hello.
    endpoint: Option<Endpoint>,
    established: bool,
    /// A curve of the peer's certificate that is not taken.
    curve: Option<&'static str>,
    hellos: u32,
    /// Records in plain text so far.
    plain: u32,
    /// Datagrams before the keys were there; afterwards those in plain text, and protected ones.
    taken: [u32; 3],
}

impl Association {
    pub(super) fn new(identity: Arc<Identity>, expected: Fingerprint, setup: Setup) -> Self {
        Self {
            identity,
            expected,
            setup,
            hello: Hello::default(),
            endpoint: None,
            established: false,
            curve: None,
            hellos: 0,
            plain: 0,
            taken: [0; 3],
        }
    }

    /// Says hello where that is the relay's part, now that the peer has a checked address; what is to
    /// be sent is to be polled.
    ///
    /// # Errors
    /// [`DtlsError`]: there will be no keys.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), DtlsError> {
        if self.setup == Setup::Active && self.endpoint.is_none() {
            let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
            let endpoint = self.endpoint.insert(endpoint);
            endpoint.connect(now, PEER, self.identity.active.clone(), None)?;
        }
        Ok(())
    }

    /// Takes a datagram from a checked address.
    ///
    /// # Errors
    /// [`DtlsError`]: there will be no keys. After the handshake nothing is an error.
    pub(super) fn take(&mut self, packet: &[u8], now: Instant) -> Result<Progress, DtlsError> {
        // What is no DTLS at all is as good as lost (RFC 6347, 4.1.2.7).
        if packet.len() > LONGEST || !are_records(packet) || self.has_heard_enough(packet)? {
            return Ok(Progress::Nothing);
        }
        let kept;
        let packet = match self.established {
            true => packet,
            false => {
                kept = of_a_handshake(packet, &mut self.plain);
                self.curve = self.curve.or_else(|| foreign_curve(&kept));
                &kept
            }
        };
        if packet.is_empty() {
            return Ok(Progress::Nothing);
        }
        if let Some(endpoint) = &mut self.endpoint {
            let read = endpoint.read(now, PEER, None, BytesMut::from(packet));
            return self.follow(read);
        }
        let Some(heard) = self.hello.push(packet) else {
            return Ok(Progress::Nothing);
        };
        let begun = self.answer(&heard, now);
        if begun.is_err() {
            (self.endpoint, self.hello) = (None, Hello::default());
            self.hellos += 1;
            if self.hellos < HELLOS {
                return Ok(Progress::Nothing);
            }
        }
        begun
    }

    /// Begins as the server of a peer that has said hello.
    fn answer(&mut self, heard: &Heard, now: Instant) -> Result<Progress, DtlsError> {
        let config = match heard.gcm {
            true => &self.identity.gcm,
            false => &self.identity.any,
        };
        let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, Some(config.clone()));
        let endpoint = self.endpoint.insert(endpoint);
        for datagram in &heard.datagrams {
            // A hello alone establishes nothing.
            endpoint.read(now, PEER, None, BytesMut::from(&datagram[..]))?;
        }
        Ok(Progress::Nothing)
    }

    fn follow(&mut self, read: Result<Vec<EndpointEvent>, Error>) -> Result<Progress, DtlsError> {
        let events = match read {
            Ok(events) => events,
            // Anybody can send nonsense once the address is known.
            Err(_) if self.established => return Ok(Progress::Nothing),
            Err(error) => return Err(self.curve.map_or(error.into(), DtlsError::Curve)),
        };
        let mut progress = Progress::Nothing;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => {
                    progress = Progress::Established(Box::new(self.keys()?));
                    self.established = true;
                }
                EndpointEvent::PeerClosed => return Ok(Progress::Closed),
                // Data channels are not offered.
                _ => {}
            }
        }
        Ok(progress)
    }

    /// Counts a datagram: an association remembers of each what it cannot use yet.
    fn has_heard_enough(&mut self, packet: &[u8]) -> Result<bool, DtlsError> {
        // The epoch of its first record (RFC 6347, 4.1).
        let protected = packet.get(3..5) != Some(&[0, 0]);
        let (kind, most) = match self.established {
            false => (0, PATIENCE),
            true => (1 + usize::from(protected), AFTERWARDS),
        };
        let taken = &mut self.taken[kind];
        if *taken < most {
            *taken += 1;
            return Ok(false);
        }
        match self.established {
            false => Err(DtlsError::Endless),
            true => Ok(true),
        }
    }

    fn keys(&self) -> Result<Keys, DtlsError> {
        let state = self
            .endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.get_connection_state(PEER))
            .ok_or(Error::HandshakeInProgress)?;
        let provider = self.identity.provider.as_ref();
        let shown = state.peer_certificates.first();
        if !shown.is_some_and(|shown| self.expected.is_of(shown, provider)) {
            return Err(DtlsError::Fingerprint);
        }
        Ok(Keys::export(state, self.setup == Setup::Active)?)
    }

    /// The next datagram for the peer.
    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        let transmit = self.endpoint.as_mut()?.poll_transmit()?;
        Some(transmit.message)
    }

    /// When [`Association::pass_time`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.as_ref()?.poll_timeout(&PEER)
    }

    /// Sends a flight again where its answer is late.
    ///
    /// # Errors
    /// [`DtlsError`] when it has been sent often enough.
    pub(super) fn pass_time(&mut self, now: Instant) -> Result<(), DtlsError> {
        match &mut self.endpoint {
            Some(endpoint) if endpoint.poll_timeout(&PEER).is_some() => {
                Ok(endpoint.handle_timeout(PEER, now)?)
            }
            _ => Ok(()),
        }
    }

    /// Says goodbye; the datagrams for it are to be polled.
    pub(super) fn close(&mut self, now: Instant) {
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.stop(now, PEER);
        }
    }
}

#[cfg(test)]
mod tests;
