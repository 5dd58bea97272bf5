//! Proofs that a lease is that of a relay of this cluster: pages go where it says, and take their tokens with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::super::{Lease, Places};
use crate::store::ClusterSecret;

/// A lease as the engine has it.
#[derive(Serialize, Deserialize)]
struct Proven<L> {
    #[serde(flatten)]
    lease: L,
    /// That a relay which knows the secret has written where it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Box<str>>,
}

/// Makes proofs, and looks at those of others.
#[derive(Debug)]
pub(super) struct Proofs(Option<hmac::Key>);

impl Proofs {
    pub(super) fn of(secret: Option<&ClusterSecret>) -> Self {
        Self(secret.and_then(ClusterSecret::leases))
    }

    /// What a lease is as a value.
    pub(super) fn value(&self, lease: &Lease) -> Vec<u8> {
        let proof = self.0.as_ref().map(|key| {
            let proof = hmac::sign(key, &stated(lease));
            URL_SAFE_NO_PAD.encode(proof.as_ref()).into()
        });
        // It has nothing that JSON does not.
        serde_json::to_vec(&Proven { lease, proof }).unwrap_or_default()
    }

    /// The lease that a value is; where nobody who knows the secret has written it, it is reached nowhere.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Lease> {
        let Proven { lease, proof } = serde_json::from_slice::<Proven<Lease>>(bytes).ok()?;
        let is_good = |key: &hmac::Key| {
            let proof = URL_SAFE_NO_PAD.decode(proof.as_deref()?).ok()?;
            hmac::verify(key, &stated(&lease), &proof).ok()
        };
        if self.0.as_ref().and_then(is_good).is_some() {
            return Some(lease);
        }
        if lease.places != Places::default() {
            tracing::debug!(relay = %lease.relay, "nobody is sent to a relay of another secret");
        }
        let places = Places::default();
        Some(Lease { places, ..lease })
    }
}

/// What is proven, whatever else later relays say.
fn stated(lease: &Lease) -> Vec<u8> {
    let Places {
        links,
        pages,
        region,
    } = &lease.places;
    let stated = (lease.relay.as_str(), lease.run, links, pages, region);
    // It has nothing that JSON does not.
    serde_json::to_vec(&stated).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::test_lease;

    fn proofs(byte: char) -> Proofs {
        let secret = String::from_iter([byte; 32]).parse().unwrap();
        Proofs::of(Some(&secret))
    }

    #[test]
    fn nobody_is_sent_where_no_relay_of_the_cluster_says_that_it_is() {
        let lease = Lease {
            places: Places {
                links: Some("a.example:4434".into()),
                pages: Some("https://a.example".into()),
                region: Some("north".into()),
            },
            ..test_lease("a")
        };
        let nowhere = Lease {
            places: Places::default(),
            ..lease.clone()
        };
        let value = proofs('a').value(&lease);
        assert_eq!(proofs('a').read(&value), Some(lease.clone()));
        let text = String::from_utf8(value.clone()).unwrap();
        let forged = text.replace("https://a.example", "https://b.example");
        let clear = serde_json::to_string(&lease).unwrap();
        let elsewhere = text.replace("north", "south");
        for other in [forged, clear, text.replace("\"a\"", "\"c\""), elsewhere] {
            let read = proofs('a').read(other.as_bytes()).unwrap();
            assert_eq!(read.places, Places::default(), "{other}");
        }
        for reader in [proofs('b'), Proofs::of(None)] {
            assert_eq!(reader.read(&value), Some(nowhere.clone()));
        }
        // What it says of its load is taken as it is: it changes all the time, and leads nowhere.
        let busy = text.replace("\"players\":0", "\"players\":9");
        let read = proofs('a').read(busy.as_bytes()).unwrap();
        assert_eq!(read.places, lease.places);
        assert_eq!(proofs('a').read(b"{}"), None);
    }
}
