//! Tokens (PROTOCOL 6): who holds one may publish, or watch, one broadcast.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{Code, Role, limits};

use super::hmac_provider;
use crate::broadcast::{BroadcastId, RelayTime};

const AUDIENCE: &str = "steadycast";
/// The start of 2025, before there was any relay: nothing was made earlier by a clock that was right.
pub const EARLIEST: u64 = 1_735_689_600;
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

/// What a valid token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The broadcast that it is for.
    pub broadcast: BroadcastId,
    /// What its holder may be there.
    pub role: Role,
    /// When it ends, in seconds since the Unix epoch.
    pub expires: u64,
}

/// Why a token grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by this relay, or not a token at all.
    #[error("the token is missing, forged, or from another relay")]
    Invalid,
    /// It was good once.
    #[error("the token has expired; ask for a new link")]
    Expired,
    /// It has ended, if the relay's clock was right when it was made and is now.
    #[error(
        "the token has expired, or the relay's clock was wrong when it was made or is wrong now; \
         ask for a new link"
    )]
    OddClock,
    /// It is good for something else.
    #[error("the token does not allow this")]
    NotForThis,
}

impl TokenError {
    /// The code on the wire and in HTTP problems.
    pub fn code(self) -> Code {
        match self {
            Self::Invalid | Self::NotForThis => Code::Unauthorized,
            Self::Expired | Self::OddClock => Code::TokenExpired,
        }
    }
}

impl Claims {
    /// Passes when the token grants `role`.
    ///
    /// # Errors
    /// [`TokenError::NotForThis`].
    pub fn require_role(&self, role: Role) -> Result<(), TokenError> {
        if self.role == role {
            Ok(())
        } else {
            Err(TokenError::NotForThis)
        }
    }
}

/// The claims as PROTOCOL 6.1 writes them.
#[derive(Serialize, Deserialize)]
struct WireClaims {
    aud: String,
    sub: BroadcastId,
    role: WireRole,
    iat: u64,
    exp: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireRole {
    Publish,
    Play,
}

impl From<Role> for WireRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Publisher => Self::Publish,
            Role::Player => Self::Play,
        }
    }
}

impl From<WireRole> for Role {
    fn from(role: WireRole) -> Self {
        match role {
            WireRole::Publish => Self::Publisher,
            WireRole::Play => Self::Player,
        }
    }
}

/// Makes tokens and recognises them.
pub struct TokenSigner {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
    /// Whether it was said that a clock is wrong.
    noticed: AtomicBool,
}

impl TokenSigner {
    /// Signs with this secret; whoever knows it can do so too.
    pub fn new(secret: &[u8; 32]) -> Self {
        hmac_provider::install();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "aud", "sub"]);
        // The caller's clock decides, not the system's: see `verify`.
        rules.validate_exp = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            rules,
            noticed: AtomicBool::new(false),
        }
    }

    /// A token for `role` at `broadcast`, valid from `now` for `ttl`.
    pub fn mint(
        &self,
        broadcast: &BroadcastId,
        role: Role,
        ttl: Duration,
        now: RelayTime,
    ) -> Token {
        let issued = seconds(now);
        let claims = WireClaims {
            aud: AUDIENCE.to_owned(),
            sub: broadcast.clone(),
            role: role.into(),
            iat: issued,
            exp: issued.saturating_add(ttl.as_secs()),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        // Three strings and two numbers always serialise, and the provider takes every key: an
        // empty token, which nobody accepts, is the harmless answer to what cannot happen.
        Token(token.unwrap_or_default())
    }

    /// What `token` grants at `now`.
    ///
    /// # Errors
    /// [`TokenError::Invalid`], [`TokenError::Expired`] or [`TokenError::OddClock`].
    pub fn verify(&self, token: &str, now: RelayTime) -> Result<Claims, TokenError> {
        if token.len() > limits::TOKEN {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<WireClaims>(token, &self.checking, &self.rules)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let now = seconds(now);
        self.notice_clock(claims.iat, now);
        if now >= claims.exp {
            let odd = claims.iat < EARLIEST || now - claims.exp > LONG_AGO;
            return Err(match odd {
                true => TokenError::OddClock,
                false => TokenError::Expired,
            });
        }
        Ok(Claims {
            broadcast: claims.sub,
            role: claims.role.into(),
            expires: claims.exp,
        })
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

fn seconds(time: RelayTime) -> u64 {
    time.as_micros() / 1_000_000
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::hmac;
    use serde_json::json;

    use super::*;

    const SECRET: [u8; 32] = [7; 32];
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_token_of_a_wrong_clock_says_that_there_may_be_one() {
        let signer = TokenSigner::new(&SECRET);
        let year = 31_536_000;
        let refused = |made: u64, now: u64| {
            let token = signer.mint(&id("main"), Role::Player, HOUR, at(made));
            signer.verify(token.as_str(), at(now)).unwrap_err()
        };
        // Made before the clock was set.
        assert_eq!(refused(60, EARLIEST + 60), TokenError::OddClock);
        // The clock has been set years ahead.
        assert_eq!(refused(EARLIEST, EARLIEST + 2 * year), TokenError::OddClock);
        assert_eq!(refused(EARLIEST, EARLIEST + 2 * 3_600), TokenError::Expired);
        assert_eq!(
            refused(EARLIEST - 1, EARLIEST + 3_600),
            TokenError::OddClock
        );
        // A year after its end it is still only old.
        assert_eq!(
            refused(EARLIEST, EARLIEST + 3_600 + year),
            TokenError::Expired
        );
        assert_eq!(
            refused(EARLIEST, EARLIEST + 3_601 + year),
            TokenError::OddClock
        );
        assert_eq!(TokenError::OddClock.code(), Code::TokenExpired);
        assert!(TokenError::OddClock.to_string().contains("clock"));
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
        let token = signer.mint(&id("main"), Role::Player, HOUR, at(1000));
        let claims = signer.verify(token.as_str(), at(1000)).unwrap();
        assert_eq!(
            claims,
            Claims {
                broadcast: id("main"),
                role: Role::Player,
                expires: 4600
            }
        );
        assert_eq!(claims.require_role(Role::Player), Ok(()));
        assert_eq!(
            claims.require_role(Role::Publisher),
            Err(TokenError::NotForThis)
        );
    }

    #[test]
    fn it_ends_when_it_says() {
        let signer = TokenSigner::new(&SECRET);
        let made = EARLIEST + 1_000;
        let token = signer.mint(&id("main"), Role::Player, HOUR, at(made));
        assert!(signer.verify(token.as_str(), at(made + 3_599)).is_ok());
        let error = signer.verify(token.as_str(), at(made + 3_600)).unwrap_err();
        assert_eq!(error, TokenError::Expired);
        assert_eq!(error.code(), Code::TokenExpired);
    }

    #[test]
    fn a_well_formed_token_of_anybody_else_is_nothing() {
        let signer = TokenSigner::new(&SECRET);
        let hs256 = json!({"alg": "HS256", "typ": "JWT"});
        let good = forge(&hs256, &claims(), &SECRET);
        assert!(signer.verify(&good, at(0)).is_ok());
        let other_key = forge(&hs256, &claims(), &[8; 32]);
        assert_eq!(signer.verify(&other_key, at(0)), Err(TokenError::Invalid));
    }

    #[test]
    fn the_algorithm_is_pinned() {
        let signer = TokenSigner::new(&SECRET);
        for algorithm in ["none", "None", "HS384", "HS512", "RS256", "EdDSA", ""] {
            let token = forge(&json!({"alg": algorithm}), &claims(), &SECRET);
            assert_eq!(
                signer.verify(&token, at(0)),
                Err(TokenError::Invalid),
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
                Err(TokenError::Invalid),
                "{claims}"
            );
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
        assert_eq!(longer, Err(TokenError::Invalid));
    }

    #[test]
    fn rubbish_is_refused() {
        let signer = TokenSigner::new(&SECRET);
        let huge = "a".repeat(limits::TOKEN + 1);
        for text in ["", ".", "..", "a.b.c", "ä.ö.ü", "eyJ.eyJ.", huge.as_str()] {
            assert_eq!(signer.verify(text, at(0)), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn a_changed_letter_breaks_it() {
        let signer = TokenSigner::new(&SECRET);
        let token = signer.mint(&id("main"), Role::Player, HOUR, at(0));
        for place in (0..token.as_str().len()).step_by(7) {
            let mut bytes = token.as_str().as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(signer.verify(&changed, at(0)).is_err(), "{place}");
        }
    }

    #[test]
    fn neither_token_nor_signer_prints_anything_secret() {
        let signer = TokenSigner::new(&SECRET);
        let token = signer.mint(&id("main"), Role::Player, HOUR, at(0));
        assert_eq!(format!("{token:?} {signer:?}"), "Token(..) TokenSigner(..)");
    }
}
