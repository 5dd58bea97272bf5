//! The relay's side of ICE (RFC 8445): answers checks, and asks the peers that it sends media to.
//!
//! The relay is where its candidates say, so it gathers and pairs nothing, and calls itself lite. What it
//! learns is where a peer is: from checks that carry the session's own credentials, and for those
//! who are sent media from the answers to its own (`session/paths.rs`). Lite agents need not ask;
//! whoever is asked has to answer (RFC 8489, 6.3), lite or not.

use std::fmt;
use std::net::SocketAddr;

use rtc_crypto::RTCCrypto;
use rtc_stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::xoraddr::XorMappedAddress;

use crate::auth::{RandomError, random_text};

/// The longest check that is looked at, in bytes; those of browsers have about 100.
pub(super) const LONGEST: usize = 548;
/// Letters of a user name fragment (RFC 8839, 5.4 asks for 24 bits at least).
const UFRAG_LEN: usize = 12;

/// A session's user name fragment: what tells whose check a packet is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ufrag(Box<str>);

impl Ufrag {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the relay expects in the checks of one session.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) ufrag: Ufrag,
    password: Box<str>,
}

impl Credentials {
    /// Credentials that nobody can guess.
    ///
    /// # Errors
    /// [`RandomError`].
    pub(super) fn fresh() -> Result<Self, RandomError> {
        // Both may only have letters, digits, `+` and `/` (RFC 8839, 5.4).
        let text = || random_text().map(|text| text.replace('-', "+").replace('_', "/"));
        Ok(Self {
            ufrag: Ufrag(text()?[..UFRAG_LEN].into()),
            password: text()?.into(),
        })
    }

    /// A client's, as it says them, or such as are known beforehand.
    pub(super) fn of(ufrag: &str, password: &str) -> Self {
        Self {
            ufrag: Ufrag(ufrag.into()),
            password: password.into(),
        }
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ..)", self.ufrag.0)
    }
}

/// A binding request that nobody has vouched for yet.
pub(super) struct Check {
    message: Message,
    ufrag: Ufrag,
    theirs: Ufrag,
    length: usize,
}

/// Why a packet is no check that could be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CheckError {
    /// Not a binding request with a user name.
    #[error("not a check")]
    Malformed,
    /// The sender does not know the session's password.
    #[error("a check of somebody else")]
    Integrity,
}

impl Check {
    /// Reads a packet.
    ///
    /// # Errors
    /// [`CheckError::Malformed`].
    pub(super) fn parse(packet: &[u8]) -> Result<Self, CheckError> {
        if packet.len() > LONGEST {
            return Err(CheckError::Malformed);
        }
        let mut message = Message::new();
        message
            .unmarshal_binary(packet)
            .map_err(|_| CheckError::Malformed)?;
        if message.typ != BINDING_REQUEST {
            return Err(CheckError::Malformed);
        }
        let name = message
            .get(ATTR_USERNAME)
            .map_err(|_| CheckError::Malformed)?;
        let name = std::str::from_utf8(&name).map_err(|_| CheckError::Malformed)?;
        // `ours:theirs` (RFC 8445, 7.2.2).
        let (ours, theirs) = name.split_once(':').ok_or(CheckError::Malformed)?;
        let (ufrag, theirs) = (Ufrag(ours.into()), Ufrag(theirs.into()));
        Ok(Self {
            message,
            ufrag,
            theirs,
            length: packet.len(),
        })
    }

    /// Whether it names both sides of a session.
    pub(super) fn is_between(&self, ours: &Ufrag, theirs: &Ufrag) -> bool {
        self.ufrag == *ours && self.theirs == *theirs
    }

    /// In bytes.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Whose session it is for, as it says.
    pub(super) fn ufrag(&self) -> &Ufrag {
        &self.ufrag
    }

    /// Whether the sender wants this path used (RFC 8445, 7.2.1).
    pub(super) fn nominates(&self) -> bool {
        self.message.contains(ATTR_USE_CANDIDATE)
    }

    /// Passes when the sender knows the password.
    ///
    /// # Errors
    /// [`CheckError::Integrity`].
    pub(super) fn verify(
        &mut self,
        credentials: &Credentials,
        crypto: &dyn RTCCrypto,
    ) -> Result<(), CheckError> {
        MessageIntegrity::check(&mut self.message, credentials.password.as_bytes(), crypto)
            .map_err(|_| CheckError::Integrity)
    }

    /// The answer to a check that was verified: where it came from.
    pub(super) fn answer(
        &self,
        from: SocketAddr,
        credentials: &Credentials,
        crypto: &dyn RTCCrypto,
    ) -> Option<Vec<u8>> {
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            credentials.password.to_string(),
            crypto,
        );
        let mapped = XorMappedAddress {
            ip: from.ip().to_canonical(),
            port: from.port(),
        };
        let mut answer = Message::new();
        let setters: [Box<dyn Setter + '_>; 5] = [
            Box::new(self.message.transaction_id),
            Box::new(BINDING_SUCCESS),
            Box::new(mapped),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ];
        answer.build(&setters).ok()?;
        Some(answer.raw)
    }
}

/// A check of the relay's own, known by `id` (RFC 8445, 7.1.1): `ours:theirs` the other way round.
pub(super) fn question(
    id: [u8; 12],
    ours: &Ufrag,
    theirs: &Credentials,
    crypto: &dyn RTCCrypto,
) -> Option<Vec<u8>> {
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
        theirs.password.to_string(),
        crypto,
    );
    let name = format!("{}:{}", theirs.ufrag.as_str(), ours.as_str());
    let mut message = Message::new();
    let setters: [Box<dyn Setter + '_>; 3] = [
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId(id)),
        Box::new(TextAttribute::new(ATTR_USERNAME, name)),
    ];
    message.build(&setters).ok()?;
    message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
    // Where both said the same, the peer would say so instead of answering; this one never differs.
    message.add(ATTR_ICE_CONTROLLED, &[0; 8]);
    integrity.add_to(&mut message).ok()?;
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}

/// How long such a check is, in bytes.
pub(super) fn question_length(ours: &Ufrag, theirs: &Ufrag) -> usize {
    // Header, USERNAME, PRIORITY, ICE-CONTROLLED, MESSAGE-INTEGRITY, FINGERPRINT (RFC 8489, 5 and 14).
    let name = ours.as_str().len() + 1 + theirs.as_str().len();
    20 + 4 + name.next_multiple_of(4) + 8 + 12 + 24 + 8
}

/// What a peer that is found by a check would be worth (RFC 8445, 5.1.2): peer reflexive, component 1.
const PRIORITY: u32 = 110 << 24 | 0xffff << 8 | 255;

/// An answer to a check of the relay's own that nobody has vouched for yet.
pub(super) struct Reply {
    message: Message,
}

impl Reply {
    /// Reads a packet.
    ///
    /// # Errors
    /// [`CheckError::Malformed`].
    pub(super) fn parse(packet: &[u8]) -> Result<Self, CheckError> {
        if packet.len() > LONGEST || !packet.starts_with(&[1, 1]) {
            return Err(CheckError::Malformed);
        }
        let mut message = Message::new();
        message
            .unmarshal_binary(packet)
            .map_err(|_| CheckError::Malformed)?;
        match message.typ == BINDING_SUCCESS {
            true => Ok(Self { message }),
            false => Err(CheckError::Malformed),
        }
    }

    /// The question that it answers, as it says.
    pub(super) fn id(&self) -> [u8; 12] {
        self.message.transaction_id.0
    }

    /// Passes when the sender knows the peer's password.
    ///
    /// # Errors
    /// [`CheckError::Integrity`].
    pub(super) fn verify(
        &mut self,
        theirs: &Credentials,
        crypto: &dyn RTCCrypto,
    ) -> Result<(), CheckError> {
        MessageIntegrity::check(&mut self.message, theirs.password.as_bytes(), crypto)
            .map_err(|_| CheckError::Integrity)
    }
}

/// A check as a browser makes it.
#[cfg(any(test, feature = "fuzzing"))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
pub(super) fn check(
    ufrag: &str,
    password: &str,
    nominates: bool,
    crypto: &dyn RTCCrypto,
) -> Vec<u8> {
    let integrity =
        MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto);
    let mut message = Message::new();
    let name = TextAttribute::new(ATTR_USERNAME, format!("{ufrag}:theirs"));
    let setters: [Box<dyn Setter + '_>; 3] = [
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(name),
    ];
    message.build(&setters).unwrap();
    if nominates {
        message.add(ATTR_USE_CANDIDATE, &[]);
    }
    integrity.add_to(&mut message).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

#[cfg(test)]
mod tests {
    use rtc_crypto::default_provider;
    use rtc_stun::attributes::ATTR_XORMAPPED_ADDRESS;

    use super::*;

    #[test]
    fn a_question_is_as_long_as_is_reckoned_with() {
        let provider = default_provider().unwrap();
        for length in 4..40 {
            let ours = Credentials::fresh().unwrap();
            let theirs = Credentials::of(&"u".repeat(length), &"p".repeat(22));
            let asked = question([1; 12], &ours.ufrag, &theirs, provider.crypto()).unwrap();
            assert_eq!(asked.len(), question_length(&ours.ufrag, &theirs.ufrag));
        }
    }

    fn check_of(ufrag: &str, password: &str, nominates: bool) -> Vec<u8> {
        check(
            ufrag,
            password,
            nominates,
            default_provider().unwrap().crypto(),
        )
    }

    #[test]
    fn a_check_with_the_password_is_answered_with_where_it_came_from() {
        let provider = default_provider().unwrap();
        let credentials = Credentials::fresh().unwrap();
        let packet = check_of(credentials.ufrag.as_str(), credentials.password(), true);
        let mut check = Check::parse(&packet).unwrap();
        assert_eq!(check.ufrag(), &credentials.ufrag);
        assert!(check.nominates());
        check.verify(&credentials, provider.crypto()).unwrap();
        // As a socket for both families names an IPv4 peer.
        let from = "[::ffff:192.0.2.7]:4242".parse().unwrap();
        let answer = check.answer(from, &credentials, provider.crypto()).unwrap();
        let mut read = Message::new();
        read.unmarshal_binary(&answer).unwrap();
        let mut mapped = XorMappedAddress::default();
        mapped.get_from_as(&read, ATTR_XORMAPPED_ADDRESS).unwrap();
        assert_eq!(
            (mapped.ip.to_string().as_str(), mapped.port),
            ("192.0.2.7", 4242)
        );
        MessageIntegrity::check(
            &mut read,
            credentials.password().as_bytes(),
            provider.crypto(),
        )
        .unwrap();
    }

    #[test]
    fn a_check_without_the_password_is_nobodys() {
        let provider = default_provider().unwrap();
        let credentials = Credentials::fresh().unwrap();
        let packet = check_of(credentials.ufrag.as_str(), "a wrong password", false);
        let mut check = Check::parse(&packet).unwrap();
        assert_eq!(
            check.verify(&credentials, provider.crypto()),
            Err(CheckError::Integrity)
        );
    }

    #[test]
    fn other_packets_are_no_checks() {
        let good = check_of("ours", "password", false);
        let mut indication = good.clone();
        indication[1] = 0x11;
        let long = [&good[..], &[0; 600]].concat();
        for bad in [&good[..30], &indication, &[], &[0; 20], &long] {
            assert!(Check::parse(bad).is_err());
        }
    }
}
