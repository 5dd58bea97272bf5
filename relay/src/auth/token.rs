//! Tokens (PROTOCOL 6): who holds one may publish, watch or administer some broadcasts.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Serialize;
use steadycast_codec_glue::wire::limits;

use super::claims::{AUDIENCE, Audience, Early, NumericDate, WireClaims};
use super::grant::{Allotment, Expiry, Grant, Power, Powers};
use super::{Pattern, RandomError, Refusal, random, signatures};
use crate::broadcast::{BroadcastId, RelayTime};

/// The start of 2025, before there was any relay: nothing was made earlier by a clock that was right.
pub const EARLIEST: u64 = 1_735_689_600;
/// The longest that a token of the relay's own lives, in seconds: ten years.
pub const LONGEST_LIFE: u64 = 87_600 * 3_600;
/// Seconds after its end when it is as likely that a clock is wrong as that a link is old.
const LONG_AGO: u64 = 365 * 24 * 3_600;
/// Seconds that a clock that is set now and then may go back.
const SKEW: u64 = 300;

/// A signed token. Shown only where it is asked for by name: never in a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token for a link or an answer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What a token is to grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// At which broadcasts.
    pub broadcasts: Pattern,
    /// What.
    pub powers: Powers,
    /// Who it is about.
    pub subject: Option<Box<str>>,
    /// What others see of its holder.
    pub name: Option<Box<str>>,
    /// For how long.
    pub ttl: Duration,
    /// What its end means for sessions.
    pub expiry: Expiry,
    /// How much of it.
    pub allotment: Allotment,
    /// The broadcast's generation, where it is for one.
    pub generation: Option<u64>,
}

impl Order {
    /// A link to one broadcast, of its generation of now.
    pub fn link(broadcast: &BroadcastId, power: Power, ttl: Duration, generation: u64) -> Self {
        Self {
            broadcasts: Pattern::One(broadcast.clone()),
            powers: Powers::default().with(power),
            subject: None,
            name: None,
            ttl,
            expiry: Expiry::ConnectBy,
            allotment: Allotment::default(),
            generation: Some(generation),
        }
    }
}

/// A token that has just been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// The token.
    pub token: Token,
    /// Its id (`jti`), by which it can be revoked.
    pub id: String,
    /// When it ends, in seconds since the Unix epoch.
    pub expires: u64,
}

/// Makes tokens and recognises them.
pub struct TokenSigner {
    signing: EncodingKey,
    /// Of this key, and of those before it.
    checking: Vec<DecodingKey>,
    rules: Validation,
    /// Whether it was said that a clock is wrong.
    noticed: AtomicBool,
}

impl TokenSigner {
    /// Signs with this secret; whoever knows it can do so too.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self::after(secret, &[])
    }

    /// The same, and knows tokens that were signed with `older` secrets as well.
    pub fn after(secret: &[u8; 32], older: &[[u8; 32]]) -> Self {
        signatures::install();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "aud"]);
        // The caller's clock decides, not the system's: see `verify`.
        rules.validate_exp = false;
        rules.validate_aud = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: std::iter::once(secret)
                .chain(older)
                .map(|secret| DecodingKey::from_secret(secret))
                .collect(),
            rules,
            noticed: AtomicBool::new(false),
        }
    }

    /// A token as it is ordered, valid from `now`.
    ///
    /// # Errors
    /// [`RandomError`]: it can have no id.
    pub fn mint(&self, order: &Order, now: RelayTime) -> Result<Minted, RandomError> {
        let id = URL_SAFE_NO_PAD.encode(random::<12>()?);
        let claims = WireClaims::of(order, &id, now.as_seconds());
        let expires = claims.exp.0;
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        // Texts and numbers always serialise, and the provider takes every key: an
        // empty token, which nobody accepts, is the harmless answer to what cannot happen.
        let token = Token(token.unwrap_or_default());
        Ok(Minted { token, id, expires })
    }

    /// What `token` grants at `now`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], [`Refusal::Expired`], [`Refusal::OddClock`] or [`Refusal::NotYet`].
    pub fn verify(&self, token: &str, now: RelayTime) -> Result<Grant, Refusal> {
        if token.len() > limits::TOKEN {
            return Err(Refusal::Invalid);
        }
        let mut decoded = self
            .checking
            .iter()
            .filter_map(|key| decode::<WireClaims>(token, key, &self.rules).ok());
        let claims = decoded.next().ok_or(Refusal::Invalid)?.claims;
        // The relay's own say nothing else beside it.
        if claims.aud != Audience::One(AUDIENCE.into()) {
            return Err(Refusal::Invalid);
        }
        let now = now.as_seconds();
        let (begins, expires) = (claims.nbf, claims.exp.0);
        let grant = claims.grant(Early::Taken).ok_or(Refusal::Invalid)?;
        self.notice_clock(grant.issued, now);
        if now >= expires {
            let odd = grant.issued < EARLIEST || now - expires > LONG_AGO;
            return Err(match odd {
                true => Refusal::OddClock,
                false => Refusal::Expired,
            });
        }
        match begins.is_some_and(|NumericDate(begins)| now < begins) {
            true => Err(Refusal::NotYet),
            false => Ok(grant),
        }
    }
}

impl TokenSigner {
    /// Says once that a token of this relay's own comes from the future, or from before its time.
    fn notice_clock(&self, issued: u64, now: u64) {
        if self.is_new_of_an_odd_clock(issued, now) {
            tracing::warn!(
                issued,
                now,
                "a link was made when the relay's clock said something very different: it was wrong \
                 then, or is wrong now, and links are refused or last too long for it"
            );
        }
    }

    /// Whether a token was issued by an odd clock, the first time that it is asked of such a one.
    fn is_new_of_an_odd_clock(&self, issued: u64, now: u64) -> bool {
        is_of_an_odd_clock(issued, now) && !self.noticed.swap(true, Ordering::Relaxed)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSigner(..)")
    }
}

/// Whether a clock that says `now` and the one by which a token was issued cannot both be right.
fn is_of_an_odd_clock(issued: u64, now: u64) -> bool {
    issued < EARLIEST || issued > now.saturating_add(SKEW)
}

#[cfg(test)]
mod tests {
    use ring::hmac;
    use serde_json::json;
    use steadycast_codec_glue::wire::Code;

    use super::*;
    use crate::auth::Holder;

    const SECRET: [u8; 32] = [7; 32];
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_token_of_a_wrong_clock_says_that_there_may_be_one() {
        let signer = TokenSigner::new(&SECRET);
        let year = 31_536_000;
        let refused = |made: u64, now: u64| {
            let token = link(&signer, made);
            signer.verify(&token, at(now)).unwrap_err()
        };
        // Made before the clock was set.
        assert_eq!(refused(60, EARLIEST + 60), Refusal::OddClock);
        // The clock has been set years ahead.
        assert_eq!(refused(EARLIEST, EARLIEST + 2 * year), Refusal::OddClock);
        assert_eq!(refused(EARLIEST, EARLIEST + 2 * 3_600), Refusal::Expired);
        assert_eq!(refused(EARLIEST - 1, EARLIEST + 3_600), Refusal::OddClock);
        // A year after its end it is still only old.
        assert_eq!(refused(EARLIEST, EARLIEST + 3_600 + year), Refusal::Expired);
        assert_eq!(
            refused(EARLIEST, EARLIEST + 3_601 + year),
            Refusal::OddClock
        );
        assert_eq!(Refusal::OddClock.code(), Code::TokenExpired);
        assert!(Refusal::OddClock.to_string().contains("clock"));
    }

    #[test]
    fn an_odd_clock_is_one_before_its_time_or_ahead_by_more_than_clocks_are_apart() {
        let now = EARLIEST + 1_000;
        let odd = [(EARLIEST - 1, now), (now + SKEW + 1, now), (now, 0)];
        let fine = [(EARLIEST, now), (now, now), (now + SKEW, now)];
        for (odds, times) in [(true, odd), (false, fine)] {
            for (issued, now) in times {
                assert_eq!(is_of_an_odd_clock(issued, now), odds, "{issued} at {now}");
            }
        }
        // It is worth a word once.
        let signer = TokenSigner::new(&SECRET);
        let said = [fine[0], odd[0], odd[1], fine[1]]
            .map(|(issued, now)| signer.is_new_of_an_odd_clock(issued, now));
        assert_eq!(said, [false, true, false, false]);
    }

    fn at(seconds: u64) -> RelayTime {
        RelayTime::from_micros(seconds * 1_000_000)
    }

    fn id(name: &str) -> BroadcastId {
        name.parse().unwrap()
    }

    /// A player's link to `main` for an hour, made then.
    fn link(signer: &TokenSigner, made: u64) -> String {
        let order = Order::link(&id("main"), Power::Play, HOUR, 3);
        let minted = signer.mint(&order, at(made)).unwrap();
        minted.token.as_str().to_owned()
    }

    /// A token with any header and claims, signed by `secret`.
    fn forge(header: &serde_json::Value, claims: &serde_json::Value, secret: &[u8]) -> String {
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn claims() -> serde_json::Value {
        json!({"aud": "steadycast", "sub": "main", "role": "publish", "iat": 0, "exp": 5000})
    }

    #[test]
    fn a_token_grants_what_it_was_made_for() {
        let signer = TokenSigner::new(&SECRET);
        let order = Order {
            broadcasts: "game-*".parse().unwrap(),
            powers: [Power::Play, Power::Admin].into_iter().collect(),
            subject: Some("ada".into()),
            name: Some("Ada".into()),
            ttl: HOUR,
            expiry: Expiry::StayUntil,
            allotment: Allotment {
                players: Some(7),
                renditions: Some(1),
                kbps: Some(2_000),
            },
            generation: None,
        };
        let minted = signer.mint(&order, at(1000)).unwrap();
        let grant = signer.verify(minted.token.as_str(), at(1000)).unwrap();
        let expected = Grant {
            holder: Holder {
                issuer: None,
                subject: Some("ada".into()),
                token: Some(minted.id.clone().into()),
                name: Some("Ada".into()),
            },
            broadcasts: order.broadcasts.clone(),
            powers: order.powers,
            allotment: order.allotment,
            issued: 1000,
            leeway: 0,
            expires: Some(4600),
            expiry: Expiry::StayUntil,
            generation: None,
        };
        assert_eq!((grant, minted.expires), (expected, 4600));
        let again = signer.mint(&order, at(1000)).unwrap();
        assert_ne!(again.id, minted.id, "each can be revoked alone");
    }

    #[test]
    fn links_of_relays_before_go_on() {
        let signer = TokenSigner::new(&SECRET);
        let token = forge(&json!({"alg": "HS256", "typ": "JWT"}), &claims(), &SECRET);
        let grant = signer.verify(&token, at(0)).unwrap();
        assert_eq!(grant.require(Power::Publish, &id("main")), Ok(()));
        let other = grant.require(Power::Publish, &id("other"));
        assert_eq!(other, Err(Refusal::Broadcast));
        assert_eq!(grant.require(Power::Play, &id("main")), Err(Refusal::Role));
        // `sub` was the broadcast then, and is nobody who could be revoked.
        assert_eq!((grant.holder, grant.generation), (Holder::default(), None));
    }

    #[test]
    fn what_others_mean_by_a_role_is_nobodys_business() {
        let signer = TokenSigner::new(&SECRET);
        for role in [json!("authenticated"), json!(5), json!("publish")] {
            let claims = json!({
                "aud": "steadycast", "exp": 5000, "role": role, "name": "a\n\u{1b}[31mb",
                "steadycast": {"broadcast": "main", "roles": ["play"]},
            });
            let token = forge(&json!({"alg": "HS256"}), &claims, &SECRET);
            let grant = signer.verify(&token, at(0)).unwrap();
            assert_eq!(
                grant.require(Power::Publish, &id("main")),
                Err(Refusal::Role)
            );
            assert_eq!(grant.holder.name.as_deref(), Some("a\u{fffd}\u{fffd}[31mb"));
        }
    }

    #[test]
    fn it_ends_when_it_says() {
        let signer = TokenSigner::new(&SECRET);
        let made = EARLIEST + 1_000;
        let token = link(&signer, made);
        assert!(signer.verify(&token, at(made + 3_599)).is_ok());
        let error = signer.verify(&token, at(made + 3_600)).unwrap_err();
        assert_eq!(error, Refusal::Expired);
        assert_eq!(error.code(), Code::TokenExpired);
    }

    #[test]
    fn it_begins_when_it_says() {
        let signer = TokenSigner::new(&SECRET);
        let mut later = claims();
        later["nbf"] = json!(100.5);
        let token = forge(&json!({"alg": "HS256"}), &later, &SECRET);
        assert_eq!(signer.verify(&token, at(99)), Err(Refusal::NotYet));
        assert!(signer.verify(&token, at(100)).is_ok());
    }

    #[test]
    fn a_well_formed_token_of_anybody_else_is_nothing() {
        let signer = TokenSigner::new(&SECRET);
        let hs256 = json!({"alg": "HS256", "typ": "JWT"});
        let good = forge(&hs256, &claims(), &SECRET);
        assert!(signer.verify(&good, at(0)).is_ok());
        let other_key = forge(&hs256, &claims(), &[8; 32]);
        assert_eq!(signer.verify(&other_key, at(0)), Err(Refusal::Invalid));
    }

    #[test]
    fn the_algorithm_is_pinned() {
        let signer = TokenSigner::new(&SECRET);
        for algorithm in ["none", "None", "HS384", "HS512", "RS256", "EdDSA", ""] {
            let token = forge(&json!({"alg": algorithm}), &claims(), &SECRET);
            assert_eq!(
                signer.verify(&token, at(0)),
                Err(Refusal::Invalid),
                "{algorithm:?}"
            );
        }
        let unsigned = forge(&json!({"alg": "none"}), &claims(), &SECRET);
        let unsigned = unsigned.rsplit_once('.').unwrap().0;
        assert!(signer.verify(&format!("{unsigned}."), at(0)).is_err());
        assert!(signer.verify(unsigned, at(0)).is_err());
    }

    #[test]
    fn every_claim_is_needed_and_checked() {
        let signer = TokenSigner::new(&SECRET);
        let header = json!({"alg": "HS256"});
        let changes = [
            ("aud", json!("elsewhere")),
            ("aud", json!(["steadycast", "elsewhere"])),
            ("aud", json!(null)),
            ("sub", json!("Not An Id")),
            ("sub", json!(null)),
            ("role", json!("admin")),
            ("nbf", json!("tomorrow")),
            ("jti", json!("")),
            ("jti", json!("a\nb")),
            ("exp", json!("tomorrow")),
            ("exp", json!(-1)),
            ("exp", json!(null)),
        ];
        for (name, value) in changes {
            let mut claims = claims();
            claims[name] = value;
            let token = forge(&header, &claims, &SECRET);
            assert_eq!(
                signer.verify(&token, at(0)),
                Err(Refusal::Invalid),
                "{claims}"
            );
        }
    }

    #[test]
    fn a_grant_that_says_anything_unknown_is_none() {
        let signer = TokenSigner::new(&SECRET);
        let verify = |grant: serde_json::Value| {
            let claims = json!({"aud": "steadycast", "exp": 5000, "steadycast": grant});
            let token = forge(&json!({"alg": "HS256"}), &claims, &SECRET);
            signer.verify(&token, at(0))
        };
        assert!(verify(json!({"broadcast": "*", "roles": ["play"]})).is_ok());
        assert!(
            verify(json!({"broadcast": "*", "roles": []})).is_ok(),
            "of no use"
        );
        for grant in [
            json!({"broadcast": "*"}),
            json!({"roles": ["play"]}),
            json!({"broadcast": "a*b", "roles": ["play"]}),
            json!({"broadcast": "*", "roles": ["own"]}),
            json!({"broadcast": "*", "roles": ["play"], "limits": {"hours": 1}}),
            json!({"broadcast": "*", "roles": ["play"], "expiry": "never"}),
            json!({"broadcast": "*", "roles": ["play"], "from": "here"}),
        ] {
            assert_eq!(verify(grant.clone()), Err(Refusal::Invalid), "{grant}");
        }
    }

    /// A good token of exactly this length.
    fn long(length: usize) -> String {
        let sizes = (0..4).flat_map(|header| (0..length).map(move |claim| (header, claim)));
        let mut tokens =
            sizes
                .skip_while(|(_, claim)| claim * 2 < length)
                .map(|(header, claim)| {
                    let mut long = claims();
                    long["pad"] = "a".repeat(claim).into();
                    forge(
                        &json!({"alg": "HS256", "typ": "JWT", "kid": "a".repeat(header)}),
                        &long,
                        &SECRET,
                    )
                });
        tokens.find(|token| token.len() == length).unwrap()
    }

    #[test]
    fn a_token_is_as_long_as_the_wire_takes_it_and_no_longer() {
        let signer = TokenSigner::new(&SECRET);
        assert!(signer.verify(&long(limits::TOKEN), at(0)).is_ok());
        let longer = signer.verify(&long(limits::TOKEN + 1), at(0));
        assert_eq!(longer, Err(Refusal::Invalid));
    }

    #[test]
    fn rubbish_is_refused() {
        let signer = TokenSigner::new(&SECRET);
        let huge = "a".repeat(limits::TOKEN + 1);
        for text in ["", ".", "..", "a.b.c", "ä.ö.ü", "eyJ.eyJ.", huge.as_str()] {
            assert_eq!(signer.verify(text, at(0)), Err(Refusal::Invalid));
        }
    }

    #[test]
    fn a_changed_letter_breaks_it() {
        let signer = TokenSigner::new(&SECRET);
        let token = link(&signer, 0);
        for place in (0..token.len()).step_by(7) {
            let mut bytes = token.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(signer.verify(&changed, at(0)).is_err(), "{place}");
        }
    }

    #[test]
    fn neither_token_nor_signer_prints_anything_secret() {
        let signer = TokenSigner::new(&SECRET);
        let order = Order::link(&id("main"), Power::Play, HOUR, 0);
        let token = signer.mint(&order, at(0)).unwrap().token;
        assert_eq!(format!("{token:?} {signer:?}"), "Token(..) TokenSigner(..)");
    }
}
