//! One peer, without sockets or a clock: who may speak for it, and with which keys.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::webrtc::dtls::{Association, DtlsError, Fingerprint, Identity, Progress, Setup};
use crate::webrtc::ice::{Check, CheckError, Credentials, Ufrag};
use crate::webrtc::srtp::{Incoming, Keys, KeysError, Outgoing};

/// Addresses of one peer that are remembered.
const PATHS: usize = 8;
/// A path is silent after this; browsers check theirs every 2.5 s, others every 5 s.
const SILENCE: Duration = Duration::from_secs(6);

/// A way to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Path {
    /// The peer's address.
    pub(in crate::webrtc) remote: SocketAddr,
    /// The relay's own, where it has several.
    pub(in crate::webrtc) local: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy)]
struct Checked {
    path: Path,
    heard: Instant,
}

/// Where a peer is, and what is agreed with it.
pub(in crate::webrtc) struct Link {
    identity: Arc<Identity>,
    /// The newest first; those before a restart are good until the new ones are used.
    credentials: Vec<Credentials>,
    paths: Vec<Checked>,
    selected: Option<Path>,
    association: Association,
    /// What opens the peer's media; there from the moment that it has connected.
    incoming: Option<Incoming>,
    /// What protects media for it, until somebody takes it.
    outgoing: Option<Outgoing>,
    /// When its client was first heard of.
    began: Option<Instant>,
    heard: Instant,
}

impl Link {
    pub(in crate::webrtc) fn new(
        identity: Arc<Identity>,
        credentials: Credentials,
        fingerprint: Fingerprint,
        setup: Setup,
        now: Instant,
    ) -> Self {
        Self {
            association: Association::new(identity.clone(), fingerprint, setup),
            identity,
            credentials: vec![credentials],
            paths: Vec::new(),
            selected: None,
            incoming: None,
            outgoing: None,
            began: None,
            heard: now,
        }
    }

    /// What its checks are known by.
    pub(in crate::webrtc) fn ufrags(&self) -> impl Iterator<Item = &Ufrag> {
        self.credentials
            .iter()
            .map(|credentials| &credentials.ufrag)
    }

    /// The addresses that it has been checked at.
    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.paths.iter().map(|checked| checked.path.remote)
    }

    /// Where to send; `None` until a check has come.
    pub(in crate::webrtc) fn path(&self) -> Option<Path> {
        self.selected
    }

    /// When its client was first heard of, while there are no keys yet: checks alone are no
    /// reason to wait for ever.
    pub(in crate::webrtc) fn handshaking(&self) -> Option<Instant> {
        self.began.filter(|_| self.incoming.is_none())
    }

    /// When anything that only the peer can send was last heard.
    pub(in crate::webrtc) fn heard(&self) -> Instant {
        self.heard
    }

    /// The peer restarts ICE: its next checks come with these (RFC 8445, 9). Gives the name that
    /// is good no longer.
    pub(in crate::webrtc) fn restart(&mut self, credentials: Credentials) -> Option<Ufrag> {
        self.credentials.insert(0, credentials);
        let gone = self.credentials.drain(2.min(self.credentials.len())..);
        gone.map(|credentials| credentials.ufrag).next()
    }

    /// Passes a check of the peer itself.
    pub(in crate::webrtc) fn verify(&self, check: &mut Check) -> Result<(), CheckError> {
        let known = self.credentials_of(check).ok_or(CheckError::Integrity)?;
        check.verify(known, self.identity.provider().crypto())
    }

    fn credentials_of(&self, check: &Check) -> Option<&Credentials> {
        let same = |known: &&Credentials| known.ufrag == *check.ufrag();
        self.credentials.iter().find(same)
    }

    /// Takes a check that was verified: its address is the peer's from now on. Gives the answer,
    /// and the address that is forgotten for it.
    pub(in crate::webrtc) fn checked(
        &mut self,
        check: &Check,
        path: Path,
        now: Instant,
    ) -> (Option<Vec<u8>>, Option<SocketAddr>) {
        self.heard = now;
        self.began.get_or_insert(now);
        let forgotten = self.hear(path, now);
        let silent = |selected: Path| {
            let known = self.paths.iter().find(|checked| checked.path == selected);
            known.is_none_or(|known| now.duration_since(known.heard) > SILENCE)
        };
        // Whose address has changed under way (a NAT forgot it) checks the new one at once, and
        // may not nominate it for a while.
        if check.nominates() || self.selected.is_none_or(silent) {
            self.selected = Some(path);
        }
        let answer = self
            .credentials_of(check)
            .and_then(|known| check.answer(path.remote, known, self.identity.provider().crypto()));
        (answer, forgotten)
    }

    fn hear(&mut self, path: Path, now: Instant) -> Option<SocketAddr> {
        if let Some(known) = self.paths.iter_mut().find(|known| known.path == path) {
            known.heard = now;
            return None;
        }
        self.paths.push(Checked { path, heard: now });
        if self.paths.len() <= PATHS {
            return None;
        }
        let silent = self
            .paths
            .iter()
            .enumerate()
            .min_by_key(|(_, known)| known.heard);
        let silent = silent.map(|(at, _)| at)?;
        let gone = self.paths.remove(silent).path.remote;
        self.addresses().all(|left| left != gone).then_some(gone)
    }

    /// Opens the association where that is the relay's part; what is to be sent is to be polled.
    pub(in crate::webrtc) fn begin(&mut self, now: Instant) -> Result<(), DtlsError> {
        self.association.begin(now)
    }

    /// Takes a DTLS datagram from a checked address; gives keys once, `None` when the peer left.
    pub(in crate::webrtc) fn take_dtls(
        &mut self,
        packet: &[u8],
        now: Instant,
    ) -> Result<Heard, DtlsError> {
        match self.association.take(packet, now)? {
            Progress::Nothing => Ok(Heard::Nothing),
            Progress::Closed => Ok(Heard::Left),
            Progress::Established(keys) => {
                self.heard = now;
                let (outgoing, incoming) = self.secure(*keys)?;
                (self.outgoing, self.incoming) = (Some(outgoing), Some(incoming));
                Ok(Heard::Connected)
            }
        }
    }

    fn secure(&self, keys: Keys) -> Result<(Outgoing, Incoming), KeysError> {
        keys.contexts(self.identity.provider().clone())
    }

    /// Hands over what protects media for the peer; the link has it no longer.
    pub(in crate::webrtc) fn take_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.take()
    }

    /// Protects an RTCP packet; `None` before the peer has connected, or when the keys were taken.
    pub(in crate::webrtc) fn seal_rtcp(&mut self, packet: &[u8]) -> Option<BytesMut> {
        self.outgoing.as_mut()?.rtcp(packet).ok()
    }

    /// Opens an RTP packet; nobody else's opens.
    pub(in crate::webrtc) fn open_rtp(&mut self, packet: &[u8], now: Instant) -> Option<BytesMut> {
        let opened = self.incoming.as_mut()?.rtp(packet).ok()?;
        self.heard = now;
        Some(opened)
    }

    /// Opens an RTCP packet; nobody else's opens.
    pub(in crate::webrtc) fn open_rtcp(&mut self, packet: &[u8], now: Instant) -> Option<BytesMut> {
        let opened = self.incoming.as_mut()?.rtcp(packet).ok()?;
        self.heard = now;
        Some(opened)
    }

    /// The next DTLS datagram for the peer.
    pub(in crate::webrtc) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.association.poll_transmit()
    }

    /// When [`Link::pass_time`] is due, while there are no keys yet.
    pub(in crate::webrtc) fn poll_timeout(&self) -> Option<Instant> {
        self.association
            .poll_timeout()
            .filter(|_| self.incoming.is_none())
    }

    /// Lets time pass for the handshake.
    pub(in crate::webrtc) fn pass_time(&mut self, now: Instant) -> Result<(), DtlsError> {
        match self.poll_timeout() {
            Some(due) if due <= now => self.association.pass_time(now),
            _ => Ok(()),
        }
    }

    /// Says goodbye; what is to be sent for it is to be polled.
    pub(in crate::webrtc) fn close(&mut self, now: Instant) {
        self.association.close(now);
    }
}

/// What a DTLS datagram has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) enum Heard {
    Nothing,
    /// The keys are there.
    Connected,
    /// The peer has left.
    Left,
}
