//! Who may do what: the gate, with the admin key and tokens for publishers, players and admins; and web origins.

mod admin_key;
mod authority;
mod claims;
mod embedder;
mod gate;
mod grant;
mod guesses;
mod issuers;
mod key_set;
mod key_source;
mod origin;
mod passes;
mod pattern;
mod public_url;
mod random;
mod refusal;
mod revocations;
mod signatures;
mod token;

pub use admin_key::{AdminKey, AdminKeyError};
pub use authority::{Action, Authority, AuthorityError};
pub(crate) use claims::{TEXT, is_plain};
pub use embedder::{Embedder, EmbedderError};
pub use gate::{CallerError, Gate};
pub use grant::{Allotment, Expiry, Grant, Holder, Power, Powers};
pub use guesses::{OneAtATime, TooManyTries};
pub use issuers::{IssuerRules, Issuers};
pub use key_set::{KeySet, KeySetError};
pub use key_source::{KeySource, KeySourceError, KeyWatch};
pub use origin::{Origin, OriginError, Origins};
pub use passes::{Pass, Standing, Transport, Visit, Withdrawal};
pub use pattern::{Pattern, PatternError};
pub use public_url::{PublicUrl, PublicUrlError};
pub use random::{RandomError, random, random_text};
pub use refusal::Refusal;
pub use revocations::{Bound, Generation, Revocation};
pub use token::{EARLIEST, LONGEST_LIFE, Minted, Order, Token, TokenSigner};

/// A pass for tests of what comes behind the gate.
#[cfg(test)]
pub(crate) fn any_pass(role: steadycast_codec_glue::wire::Role) -> Pass {
    use crate::broadcast::RelayTime;
    let key = "a-key-of-the-tests";
    let gate = Gate::new(TokenSigner::new(&[0; 32]), key.parse().unwrap(), None);
    let id = "any".parse().unwrap();
    let order = Order::link(&id, role.into(), std::time::Duration::from_secs(60), 0);
    let minted = gate.mint(&order, RelayTime::default()).unwrap();
    let visit = Visit {
        number: gate.number(),
        transport: Transport::WebRtc,
        from: std::net::Ipv4Addr::LOCALHOST.into(),
        since: RelayTime::default(),
    };
    let grant = gate.recognise(minted.token.as_str(), visit.since).unwrap();
    gate.enter(grant, role, &id, visit).unwrap()
}
