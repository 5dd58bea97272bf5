//! One peer, without sockets or a clock: who may speak for it, and with which keys.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc_crypto::RTCCrypto;
use steadycast_codec_glue::wire::Role;

use super::paths::Paths;
pub(in crate::webrtc) use super::paths::{Path, QuestionId};
use crate::shard::Remote;
use crate::webrtc::dtls::{Association, DtlsError, Fingerprint, Identity, Progress, Setup};
use crate::webrtc::ice::{Check, CheckError, Credentials, Reply, Ufrag, question, question_length};
use crate::webrtc::srtp::{Incoming, Keys, KeysError, Outgoing};

/// DTLS datagrams that came from where the peer is not known to be yet; browsers' first flight is two.
const EARLY: usize = 4;

/// What an ICE session goes by: the relay's credentials, and the peer's.
#[derive(Debug, Clone)]
pub(in crate::webrtc) struct Pair {
    pub(in crate::webrtc) ours: Credentials,
    pub(in crate::webrtc) theirs: Credentials,
}

/// Where a peer is, and what is agreed with it.
pub(in crate::webrtc) struct Link {
    identity: Arc<Identity>,
    /// The newest first; those before a restart are good until the new ones are used.
    pairs: Vec<Pair>,
    /// Which of them the peer's last check went by.
    used: usize,
    paths: Paths,
    /// What came early, and from where.
    early: Vec<(Path, Bytes)>,
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
        pair: Pair,
        (fingerprint, setup): (Fingerprint, Setup),
        role: Role,
        now: Instant,
    ) -> Self {
        Self {
            association: Association::new(identity.clone(), fingerprint, setup),
            identity,
            pairs: vec![pair],
            used: 0,
            paths: Paths::new(role == Role::Player),
            early: Vec::new(),
            incoming: None,
            outgoing: None,
            began: None,
            heard: now,
        }
    }

    /// What its checks are known by.
    pub(in crate::webrtc) fn ufrags(&self) -> impl Iterator<Item = &Ufrag> {
        self.pairs.iter().map(|pair| &pair.ours.ufrag)
    }

    /// Everywhere that its checks came from.
    pub(in crate::webrtc) fn remotes(&self) -> impl Iterator<Item = Remote> {
        self.paths.remotes()
    }

    /// Where to send; `None` until the peer is known to be somewhere.
    pub(in crate::webrtc) fn path(&self) -> Option<Path> {
        self.paths.selected()
    }

    /// Whether anything but answers to checks may be sent there.
    pub(in crate::webrtc) fn is_open(&self, path: Path) -> bool {
        self.paths.is_open(path)
    }

    /// Whether the peer has lately shown that it is there.
    pub(in crate::webrtc) fn is_at(&self, remote: Remote, now: Instant) -> bool {
        self.paths.is_at(remote, now)
    }

    /// The peer has sent something from there that only it can send.
    pub(in crate::webrtc) fn spoke(&mut self, from: Remote, now: Instant) {
        self.paths.spoke(from, now);
    }

    /// Whether the peer no longer says that it wants what it is sent.
    pub(in crate::webrtc) fn has_expired(&self, now: Instant) -> bool {
        self.paths.has_expired(now)
    }

    /// A connection has ended.
    pub(in crate::webrtc) fn lose(&mut self, remote: Remote, now: Instant) {
        self.paths.lose(remote, now);
    }

    /// A connection that is not used and by which nothing has come for long.
    pub(in crate::webrtc) fn idle_connection(&self, now: Instant) -> Option<Remote> {
        self.paths.idle_connection(now)
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
    pub(in crate::webrtc) fn restart(&mut self, pair: Pair) -> Option<Ufrag> {
        self.pairs.insert(0, pair);
        // Its checks go by the old ones until it has the new.
        self.used = (self.used + 1).min(1);
        let gone = self.pairs.drain(2.min(self.pairs.len())..);
        gone.map(|pair| pair.ours.ufrag).next()
    }

    /// Passes a check of the peer itself.
    pub(in crate::webrtc) fn verify(&self, check: &mut Check) -> Result<(), CheckError> {
        let pair = self.pair_of(check).ok_or(CheckError::Integrity)?;
        check.verify(&self.pairs[pair].ours, self.crypto())
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.identity.provider().crypto()
    }

    /// The place of the credentials that a check goes by.
    fn pair_of(&self, check: &Check) -> Option<usize> {
        let same = |pair: &Pair| check.is_between(&pair.ours.ufrag, &pair.theirs.ufrag);
        self.pairs.iter().position(same)
    }

    /// Takes a check that was verified. Gives the answer, and what is forgotten for it.
    pub(in crate::webrtc) fn checked(
        &mut self,
        check: &Check,
        path: Path,
        now: Instant,
    ) -> (Option<Vec<u8>>, Option<Remote>) {
        self.heard = now;
        self.began.get_or_insert(now);
        let forgotten = self.paths.hear(path, check.nominates(), now);
        self.paths.received(path, check.length());
        let Some(used) = self.pair_of(check) else {
            return (None, forgotten);
        };
        self.used = used;
        let answer = check.answer(path.remote.address, &self.pairs[used].ours, self.crypto());
        self.paths.sent(path, answer.as_ref().map_or(0, Vec::len));
        (answer, forgotten)
    }

    /// The relay's own next check for the peer, and where it goes. `fresh` is what a new one is
    /// known by.
    pub(in crate::webrtc) fn poll_question(
        &mut self,
        fresh: impl FnOnce() -> QuestionId,
        now: Instant,
    ) -> Option<(Path, Vec<u8>)> {
        let pair = self.pairs.get(self.used)?;
        let length = question_length(&pair.ours.ufrag, &pair.theirs.ufrag);
        let (path, again) = self.paths.due(length, now)?;
        let id = again.unwrap_or_else(fresh);
        let question = question(id, &pair.ours.ufrag, &pair.theirs, self.crypto())?;
        self.paths.asked(path, id, now);
        self.paths.sent(path, question.len());
        Some((path, question))
    }

    /// Takes an answer to a check of the relay's own; false when it is none.
    pub(in crate::webrtc) fn answered(
        &mut self,
        mut reply: Reply,
        path: Path,
        now: Instant,
    ) -> bool {
        let id = reply.id();
        if !self.paths.awaits(path, id) {
            return false;
        }
        let crypto = self.identity.provider().crypto();
        let mut pairs = self.pairs.iter();
        if !pairs.any(|pair| reply.verify(&pair.theirs, crypto).is_ok()) {
            return false;
        }
        self.heard = now;
        self.paths.answered(id, now);
        true
    }

    /// Keeps a DTLS datagram until the peer is known to be there: it overtook the answer that
    /// shows it.
    pub(in crate::webrtc) fn keep_early(&mut self, path: Path, packet: Bytes) {
        // What is lost of a flight comes again, and what came last is not worth less.
        if self.early.len() == EARLY {
            self.early.remove(0);
        }
        self.early.push((path, packet));
    }

    /// What was kept and may be taken now.
    pub(in crate::webrtc) fn take_early(&mut self) -> Vec<(Path, Bytes)> {
        let paths = &self.paths;
        self.early
            .extract_if(.., |(path, _)| paths.is_open(*path))
            .collect()
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
        // Every peer is asked at every tick, and almost all have their keys.
        match self.incoming {
            Some(_) => None,
            None => self.association.poll_timeout(),
        }
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
