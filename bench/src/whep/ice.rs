//! The full side of ICE where there is one path: checks that name it (RFC 8445).

use std::sync::Arc;

use anyhow::{Context, Result};
use rtc_crypto::{RTCCrypto, RTCCryptoProvider};
use rtc_stun::attributes::{
    ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;

/// Letters of a user name fragment and of a password.
const UFRAG: usize = 8;
const PASSWORD: usize = 24;
/// Of a host's only candidate (RFC 8445, 5.1.2.1).
const PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;
/// Settles who controls where both sides say that they do; the relay never does.
const TIE_BREAKER: u64 = 1;

/// One side's user name fragment and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) ufrag: String,
    pub(super) password: String,
}

impl Credentials {
    /// Credentials that nobody has yet.
    pub(super) fn fresh(provider: &dyn RTCCryptoProvider) -> Result<Self> {
        let mut bytes = [0; (UFRAG + PASSWORD) / 2];
        provider
            .random()
            .fill(&mut bytes)
            .context("no randomness")?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (ufrag, password) = text.split_at(UFRAG);
        Ok(Self {
            ufrag: ufrag.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// A check that names its path for use.
pub(super) fn check(
    ours: &Credentials,
    theirs: &Credentials,
    crypto: &dyn RTCCrypto,
) -> Result<Vec<u8>> {
    let name = format!("{}:{}", theirs.ufrag, ours.ufrag);
    let integrity =
        MessageIntegrity::new_short_term_integrity_with_provider(theirs.password.clone(), crypto);
    let setters: [Box<dyn Setter + '_>; 3] = [
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(TextAttribute::new(ATTR_USERNAME, name)),
    ];
    let mut message = Message::new();
    message.build(&setters)?;
    message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
    message.add(ATTR_ICE_CONTROLLING, &TIE_BREAKER.to_be_bytes());
    message.add(ATTR_USE_CANDIDATE, &[]);
    integrity.add_to(&mut message)?;
    FINGERPRINT.add_to(&mut message)?;
    Ok(message.raw)
}

/// Answers the relay's own checks: a player that does not is sent nothing (PROTOCOL 8.4).
pub(super) struct Responder {
    ours: Credentials,
    provider: Arc<dyn RTCCryptoProvider>,
}

impl Responder {
    pub(super) fn new(ours: &Credentials, provider: Arc<dyn RTCCryptoProvider>) -> Self {
        Self {
            ours: ours.clone(),
            provider,
        }
    }

    /// The answer to a check from somebody who knows the password; `None` to anything else.
    pub(super) fn answer(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let (password, crypto) = (&self.ours.password, self.provider.crypto());
        let mut asked = Message::new();
        asked.unmarshal_binary(packet).ok()?;
        if asked.typ != BINDING_REQUEST {
            return None;
        }
        MessageIntegrity::check(&mut asked, password.as_bytes(), crypto).ok()?;
        let integrity =
            MessageIntegrity::new_short_term_integrity_with_provider(password.clone(), crypto);
        let setters: [Box<dyn Setter + '_>; 4] = [
            Box::new(asked.transaction_id),
            Box::new(BINDING_SUCCESS),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ];
        let mut answer = Message::new();
        answer.build(&setters).ok()?;
        Some(answer.raw)
    }
}

/// Whether a packet is the answer to a check, from somebody who knows the password.
pub(super) fn is_answer(packet: &[u8], theirs: &Credentials, crypto: &dyn RTCCrypto) -> bool {
    let mut message = Message::new();
    message.unmarshal_binary(packet).is_ok()
        && message.typ == BINDING_SUCCESS
        && MessageIntegrity::check(&mut message, theirs.password.as_bytes(), crypto).is_ok()
}
