//! What comes in.

use std::sync::Arc;

use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_shared::error::Error;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};

use super::Keys;

/// Packets that may come this much out of order.
const REPLAY_WINDOW: usize = 1024;
/// Sources that one peer may have; honest ones have up to eight.
const SOURCES: usize = 32;
/// Sources that are tried before what was kept of them is thrown away.
const TRIED: usize = 64;

/// What opens packets from a peer.
///
/// A context remembers every source that it hears of, before it knows whether
/// the packet is the peer's: it is shown only those that have passed a trial.
pub(in crate::webrtc) struct Incoming {
    context: Context,
    sources: Vec<u32>,
    trial: Option<(Context, usize)>,
    keys: Keys,
    provider: Arc<dyn RTCCryptoProvider>,
}

impl Incoming {
    pub(super) fn new(keys: Keys, provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, Error> {
        Ok(Self {
            context: context(&keys, provider.as_ref())?,
            sources: Vec::new(),
            trial: None,
            keys,
            provider,
        })
    }

    /// Opens an RTP packet.
    pub(in crate::webrtc) fn rtp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.admit(packet, 8, |context| context.decrypt_rtp(packet))?;
        self.context.decrypt_rtp(packet)
    }

    /// Opens an RTCP packet.
    pub(in crate::webrtc) fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, Error> {
        self.admit(packet, 4, |context| context.decrypt_rtcp(packet))?;
        self.context.decrypt_rtcp(packet)
    }

    /// Passes a packet of a known source, whose number is there, and those of others that open.
    fn admit(
        &mut self,
        packet: &[u8],
        at: usize,
        open: impl FnOnce(&mut Context) -> Result<BytesMut, Error>,
    ) -> Result<(), Error> {
        let source = packet.get(at..).and_then(<[u8]>::first_chunk);
        let source = u32::from_be_bytes(*source.ok_or(Error::ErrTooShortRtp)?);
        if self.sources.contains(&source) {
            return Ok(());
        }
        if self.sources.len() == SOURCES {
            return Err(Error::Other("too many sources".to_owned()));
        }
        let (mut trial, tried) = match self.trial.take() {
            Some((trial, tried)) if tried < TRIED => (trial, tried),
            _ => (context(&self.keys, self.provider.as_ref())?, 0),
        };
        if let Err(error) = open(&mut trial) {
            self.trial = Some((trial, tried + 1));
            return Err(error);
        }
        self.sources.push(source);
        Ok(())
    }
}

fn context(keys: &Keys, provider: &dyn RTCCryptoProvider) -> Result<Context, Error> {
    Context::new(
        &keys.keys.remote_master_key,
        &keys.keys.remote_master_salt,
        keys.profile,
        Some(srtp_replay_protection(REPLAY_WINDOW)),
        Some(srtcp_replay_protection(REPLAY_WINDOW)),
        provider.crypto(),
    )
}

#[cfg(test)]
mod tests {
    use rtc_crypto::default_provider;
    use rtc_srtp::config::SessionKeys;
    use rtc_srtp::protection_profile::ProtectionProfile;

    use super::*;

    /// A relay's side, and its peer's.
    fn pair() -> (Incoming, Context) {
        let profile = ProtectionProfile::AeadAes128Gcm;
        let provider = default_provider().unwrap();
        let keys = SessionKeys {
            local_master_key: vec![1; 16],
            local_master_salt: vec![2; 12],
            remote_master_key: vec![3; 16],
            remote_master_salt: vec![4; 12],
        };
        let peer = Context::new(&[3; 16], &[4; 12], profile, None, None, provider.crypto());
        let incoming = Incoming::new(Keys::of(profile, keys), provider);
        (incoming.unwrap(), peer.unwrap())
    }

    fn rtp(source: u32, sequence: u16) -> (Vec<u8>, rtc_rtp::Header) {
        let header = rtc_rtp::Header {
            version: 2,
            payload_type: 96,
            ssrc: source,
            sequence_number: sequence,
            ..Default::default()
        };
        let [high, low] = sequence.to_be_bytes();
        let mut packet = vec![0x80, 96, high, low, 0, 0, 0, 0];
        packet.extend(source.to_be_bytes());
        packet.extend([7; 20]);
        (packet, header)
    }

    fn report(source: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 201, 0, 1];
        packet.extend(source.to_be_bytes());
        packet
    }

    #[test]
    fn packets_of_a_peer_open_once() {
        let (mut incoming, mut peer) = pair();
        for sequence in 0..100 {
            let (packet, header) = rtp(5, sequence);
            let protected = peer.encrypt_rtp_with_header(&packet, &header).unwrap();
            assert_eq!(incoming.rtp(&protected).unwrap(), packet);
            assert!(incoming.rtp(&protected).is_err(), "a replay");
        }
        let protected = peer.encrypt_rtcp(&report(5)).unwrap();
        assert_eq!(incoming.rtcp(&protected).unwrap(), report(5));
        assert!(incoming.rtcp(&protected).is_err(), "a replay");
    }

    #[test]
    fn nothing_is_remembered_of_sources_that_others_make_up() {
        let (mut incoming, mut peer) = pair();
        for source in 0..10_000 {
            let (mut forged, _) = rtp(source, 1);
            forged.extend([0; 16]);
            assert!(incoming.rtp(&forged).is_err());
            let mut forged = report(source);
            forged.extend([0x80; 20]);
            assert!(incoming.rtcp(&forged).is_err());
            assert!(incoming.sources.is_empty());
            assert!(
                incoming
                    .trial
                    .as_ref()
                    .is_some_and(|(_, tried)| *tried <= TRIED)
            );
        }
        let (packet, header) = rtp(5, 1);
        let protected = peer.encrypt_rtp_with_header(&packet, &header).unwrap();
        assert_eq!(incoming.rtp(&protected).unwrap(), packet);
    }

    #[test]
    fn a_peer_has_so_many_sources_and_those_it_had_first_go_on() {
        let (mut incoming, mut peer) = pair();
        let opened = (0..1_000).filter(|source| {
            let (packet, header) = rtp(*source, 1);
            let protected = peer.encrypt_rtp_with_header(&packet, &header).unwrap();
            incoming.rtp(&protected).is_ok()
        });
        assert_eq!(opened.count(), SOURCES);
        let (packet, header) = rtp(0, 2);
        let protected = peer.encrypt_rtp_with_header(&packet, &header).unwrap();
        assert!(incoming.rtp(&protected).is_ok());
    }

    #[test]
    fn what_is_cut_off_opens_not() {
        let (mut incoming, mut peer) = pair();
        let (packet, header) = rtp(5, 1);
        let protected = peer.encrypt_rtp_with_header(&packet, &header).unwrap();
        let control = peer.encrypt_rtcp(&report(5)).unwrap();
        for end in 0..protected.len() {
            assert!(incoming.rtp(&protected[..end]).is_err());
            assert!(incoming.rtcp(&protected[..end]).is_err());
        }
        for end in 0..control.len() {
            assert!(incoming.rtcp(&control[..end]).is_err());
            assert!(incoming.rtp(&control[..end]).is_err());
        }
        assert!(incoming.rtp(&protected).is_ok() && incoming.rtcp(&control).is_ok());
    }
}
