//! A client that says whatever it is told to: it has a session and its keys, and no manners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::BytesMut;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, default_provider};
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint as Dtls, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use rtc_stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;
use tokio::net::UdpSocket;

use super::connection::Connection;
use super::session::{Endpoint, Session};
use crate::client::soon;

/// The DTLS endpoint names its peer by an address; any will do.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// How much of the way a rogue has gone.
pub struct Rogue {
    /// Over HTTP.
    pub session: Session,
    /// The relay's side of ICE.
    pub ufrag: String,
    /// As above.
    pub password: String,
    /// The source of the relay's picture, which feedback is about.
    pub ssrc: u32,
    relay: SocketAddr,
    socket: UdpSocket,
    provider: Arc<dyn RTCCryptoProvider>,
    dtls: Dtls,
    config: Arc<HandshakeConfig>,
    profile: ProtectionProfile,
    keys: Option<(Context, Context)>,
    /// Whether it answers the relay's own checks, as it has to.
    pub answers: bool,
    /// Its own side of ICE.
    pub own_password: String,
    /// Its own name, as its offer or its last restart says it.
    pub own_ufrag: String,
}

/// The password that its offers say.
const PASSWORD: &str = "aPasswordOfTheRogueClient";

fn is_dtls(packet: &[u8]) -> bool {
    matches!(packet, [20..=63, ..])
}

fn offer(direction: &str, fingerprint: &str) -> String {
    let mut offer = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
         a=ice-ufrag:rogue\r\na=ice-pwd:{PASSWORD}\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:active\r\na={direction}\r\na=rtcp-mux\r\n"
    );
    for (number, name) in [(96, "VP8"), (97, "VP9"), (98, "H264"), (99, "AV1")] {
        offer += &format!("a=rtpmap:{number} {name}/90000\r\na=rtcp-fb:{number} nack\r\n");
    }
    offer += "a=fmtp:98 packetization-mode=1\r\na=rtpmap:100 rtx/90000\r\na=fmtp:100 apt=96\r\n";
    offer
}

impl Rogue {
    /// An offer as it makes them, of a certificate that nobody has.
    #[must_use]
    pub fn offer(direction: &str) -> String {
        offer(direction, &["00"; 32].join(":"))
    }

    /// Opens a session in a `direction` as SDP has it, and sends nothing yet.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn open(endpoint: &Endpoint, direction: &str) -> Result<Self> {
        Self::open_with(endpoint, direction, ProtectionProfile::AeadAes128Gcm).await
    }

    /// As [`Rogue::open`], with an offer that `change` has changed; gives the answer as well.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn open_as(
        endpoint: &Endpoint,
        direction: &str,
        change: impl FnOnce(String) -> String,
    ) -> Result<(Self, String)> {
        let profile = ProtectionProfile::AeadAes128Gcm;
        Self::open_changed(endpoint, direction, profile, change).await
    }

    /// As [`Rogue::open`], for a client that knows this protection of media alone.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn open_with(
        endpoint: &Endpoint,
        direction: &str,
        profile: ProtectionProfile,
    ) -> Result<Self> {
        let opened = Self::open_changed(endpoint, direction, profile, |offer| offer);
        Ok(opened.await?.0)
    }

    async fn open_changed(
        endpoint: &Endpoint,
        direction: &str,
        profile: ProtectionProfile,
        change: impl FnOnce(String) -> String,
    ) -> Result<(Self, String)> {
        let known = match profile {
            ProtectionProfile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            ProtectionProfile::AeadAes256Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            _ => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        };
        let provider = default_provider()?;
        let names = vec!["rogue".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())?;
        let der = certificate.certificate.first().context("no certificate")?;
        let hash = provider.crypto().hash(HashAlgorithm::Sha256, der)?;
        let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let offer = change(offer(direction, &hash.join(":")));
        let (session, answer) = endpoint.open(&offer).await?;
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider.clone())
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(vec![known])
            .with_insecure_skip_verify(true)
            .build(true, Some(PEER))?;
        let find = |begin| answer.lines().find_map(|line| line.strip_prefix(begin));
        let source = find("a=ssrc:").and_then(|line| line.split(' ').next());
        let rogue = Self {
            ufrag: find("a=ice-ufrag:").context("no ufrag")?.to_owned(),
            password: find("a=ice-pwd:").context("no password")?.to_owned(),
            ssrc: source.unwrap_or("0").parse()?,
            session,
            relay: endpoint.via.unwrap_or(endpoint.http),
            socket: UdpSocket::bind("127.0.0.1:0").await?,
            provider,
            dtls: Dtls::new(PEER, TransportProtocol::UDP, None),
            config: Arc::new(config),
            profile,
            keys: None,
            answers: true,
            own_password: PASSWORD.to_owned(),
            own_ufrag: "rogue".to_owned(),
        };
        Ok((rogue, answer))
    }

    /// Goes all the way to its keys.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn connect(&mut self) -> Result<()> {
        self.check().await?;
        self.handshake().await
    }

    /// Opens a session and goes all the way to its keys.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn join(endpoint: &Endpoint, direction: &str) -> Result<Self> {
        let mut rogue = Self::open(endpoint, direction).await?;
        rogue.connect().await?;
        Ok(rogue)
    }

    /// A check as a browser makes it, that shows this name and password.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn check_with(&self, ufrag: &str, password: &str) -> Result<Vec<u8>> {
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            password.to_owned(),
            self.provider.crypto(),
        );
        let mut message = Message::new();
        let name = TextAttribute::new(ATTR_USERNAME, format!("{ufrag}:{}", self.own_ufrag));
        let setters: [Box<dyn Setter + '_>; 3] = [
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            Box::new(name),
        ];
        message.build(&setters)?;
        message.add(ATTR_USE_CANDIDATE, &[]);
        integrity.add_to(&mut message)?;
        FINGERPRINT.add_to(&mut message)?;
        Ok(message.raw)
    }

    /// Makes a check that is good, and awaits its answer.
    ///
    /// # Errors
    /// When the relay does not answer.
    pub async fn check(&self) -> Result<()> {
        self.send(&self.check_with(&self.ufrag, &self.password)?)
            .await?;
        let answer = self.receive("an answer to the check", |packet| {
            packet[0] <= 3 && packet[..2] != [0, 1]
        });
        let answer = answer.await?;
        ensure!(answer[..2] == [1, 1], "no success");
        Ok(())
    }

    /// Answers a check of the relay's; anything else is left alone.
    async fn answer(&self, packet: &[u8]) -> Result<()> {
        match self.answer_to(packet)? {
            Some(answer) => self.send(&answer).await,
            None => Ok(()),
        }
    }

    /// The answer to a check of the relay's; none to anything else.
    pub(super) fn answer_to(&self, packet: &[u8]) -> Result<Option<Vec<u8>>> {
        if !self.answers || packet.get(..2) != Some(&[0, 1]) {
            return Ok(None);
        }
        let mut asked = Message::new();
        asked.unmarshal_binary(packet)?;
        let crypto = self.provider.crypto();
        if MessageIntegrity::check(&mut asked, self.own_password.as_bytes(), crypto).is_err() {
            return Ok(None);
        }
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            self.own_password.clone(),
            crypto,
        );
        let setters: [Box<dyn Setter + '_>; 4] = [
            Box::new(asked.transaction_id),
            Box::new(BINDING_SUCCESS),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ];
        let mut answer = Message::new();
        answer.build(&setters)?;
        Ok(Some(answer.raw))
    }

    /// The first datagrams of a handshake.
    ///
    /// # Errors
    /// When there are none.
    pub fn hello(&mut self) -> Result<Vec<Vec<u8>>> {
        self.dtls
            .connect(Instant::now(), PEER, self.config.clone(), None)?;
        Ok(self.flight())
    }

    fn flight(&mut self) -> Vec<Vec<u8>> {
        let flight = std::iter::from_fn(|| self.dtls.poll_transmit());
        flight.map(|transmit| transmit.message.to_vec()).collect()
    }

    /// Goes through the handshake.
    ///
    /// # Errors
    /// When the relay does not.
    pub async fn handshake(&mut self) -> Result<()> {
        self.handshake_among(&[]).await
    }

    /// As [`Rogue::handshake`], while somebody writes these datagrams in its name before each flight.
    ///
    /// # Errors
    /// When the relay does not.
    pub async fn handshake_among(&mut self, forged: &[Vec<u8>]) -> Result<()> {
        let mut flight = self.hello()?;
        loop {
            for datagram in forged.iter().cloned().chain(flight) {
                self.send(&datagram).await?;
            }
            let packet = self.receive("a flight", is_dtls).await?;
            match self.next_flight(&packet)? {
                Some(next) => flight = next,
                None => return self.take_keys(),
            }
        }
    }

    /// Goes all the way to its keys by a connection.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn connect_by(&mut self, connection: &mut Connection) -> Result<()> {
        let check = self.check_with(&self.ufrag, &self.password)?;
        connection.send(&check).await?;
        let mut flight = self.hello()?;
        loop {
            for datagram in flight {
                connection.send(&datagram).await?;
            }
            let packet = connection.receive(self, "a flight", is_dtls).await?;
            match self.next_flight(&packet)? {
                Some(next) => flight = next,
                None => return self.take_keys(),
            }
        }
    }

    /// What is to be sent for a datagram of the handshake; `None` once that is over.
    fn next_flight(&mut self, packet: &[u8]) -> Result<Option<Vec<Vec<u8>>>> {
        let packet = BytesMut::from(packet);
        let events = self.dtls.read(Instant::now(), PEER, None, packet)?;
        let complete = |event: &EndpointEvent| matches!(event, EndpointEvent::HandshakeComplete);
        let flight = self.flight();
        Ok((!events.iter().any(complete)).then_some(flight))
    }

    fn take_keys(&mut self) -> Result<()> {
        let state = self.dtls.get_connection_state(PEER).context("no state")?;
        let mut keys = Config {
            profile: self.profile,
            ..Config::default()
        };
        let length = keys.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        keys.set_session_keys_from_keying_material(material.as_ref(), true)?;
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(key, salt, keys.profile, None, None, self.provider.crypto())
        };
        let (own, theirs) = (&keys.keys, &keys.keys);
        self.keys = Some((
            context(&own.local_master_key, &own.local_master_salt)?,
            context(&theirs.remote_master_key, &theirs.remote_master_salt)?,
        ));
        Ok(())
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// When the system does not take it.
    pub async fn send(&self, datagram: &[u8]) -> Result<()> {
        self.socket.send_to(datagram, self.relay).await?;
        Ok(())
    }

    /// An RTCP packet, protected.
    ///
    /// # Errors
    /// When it is too short to be protected.
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>> {
        let (keys, _) = self.keys.as_mut().context("no keys")?;
        Ok(keys.encrypt_rtcp(packet)?.to_vec())
    }

    /// Protects an RTP packet and sends it.
    ///
    /// # Errors
    /// When it has no header, or the system does not take it.
    pub async fn send_rtp(&mut self, packet: &[u8]) -> Result<()> {
        let protected = self.protect_rtp(packet)?;
        self.send(&protected).await
    }

    /// The next RTCP packet, opened.
    ///
    /// # Errors
    /// When none comes.
    pub async fn receive_rtcp(&mut self) -> Result<Vec<u8>> {
        let control = |packet: &[u8]| {
            packet[0] & 0xc0 == 0x80 && packet.get(1).is_some_and(|kind| (192..=223).contains(kind))
        };
        let packet = self.receive("control", control).await?;
        let (_, keys) = self.keys.as_mut().context("no keys")?;
        Ok(keys.decrypt_rtcp(&packet)?.to_vec())
    }

    /// An RTP packet, protected.
    ///
    /// # Errors
    /// When it has no header.
    pub fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>> {
        let (keys, _) = self.keys.as_mut().context("no keys")?;
        Ok(keys.encrypt_rtp(packet)?.to_vec())
    }

    /// The next datagram that `wanted` takes.
    ///
    /// # Errors
    /// When none comes.
    pub async fn receive(&self, what: &str, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let mut datagram = vec![0; 65_535];
        let search = async {
            loop {
                let len = self.socket.recv(&mut datagram).await?;
                self.answer(&datagram[..len]).await?;
                if len > 0 && wanted(&datagram[..len]) {
                    return Ok(datagram[..len].to_vec());
                }
            }
        };
        soon(what, search).await?
    }

    /// The next RTP packet, opened.
    ///
    /// # Errors
    /// When none comes.
    pub async fn receive_rtp(&mut self) -> Result<Vec<u8>> {
        let packet = self.receive("media", crate::proxy::is_media).await?;
        let (_, keys) = self.keys.as_mut().context("no keys")?;
        Ok(keys.decrypt_rtp(&packet)?.to_vec())
    }

    /// Datagrams that come while `wait` lasts: for what must not happen.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn hears_within(&self, wait: Duration) -> Result<usize> {
        let mut datagram = vec![0; 65_535];
        let mut count = 0;
        let listen = async {
            loop {
                self.socket.recv(&mut datagram).await?;
                count += 1;
            }
        };
        match tokio::time::timeout(wait, listen).await {
            Ok(failed) => failed,
            Err(_) => Ok(count),
        }
    }
}
