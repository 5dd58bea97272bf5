//! The rules, on virtual time, without an engine: what each relay knows and holds while others come, claim, are cut
//! off and come back.

mod random;
mod rules;
mod world;

use std::time::Duration;

use steadycast_codec_glue::wire::ResumeSecret;

use super::view::View;
use super::{Bid, Lease, Lineage, Load, Places, RelayId, Standing};
use crate::broadcast::{BroadcastId, RelayTime};

/// How long leases of the tests last.
const LEASE: Duration = Duration::from_secs(15);

/// The lease of a relay of this name.
pub(crate) fn lease(relay: &str) -> Lease {
    Lease {
        relay: relay.parse().unwrap(),
        run: 1,
        places: Places {
            links: Some(format!("{relay}:4434").into()),
            pages: None,
            region: None,
        },
        load: Load::default(),
        standing: Standing::Ready,
        seconds: LEASE.as_secs(),
    }
}

fn at(seconds: u64) -> RelayTime {
    RelayTime::from_micros(seconds * 1_000_000)
}

fn relay(name: &str) -> RelayId {
    name.parse().unwrap()
}

fn broadcast(name: &str) -> BroadcastId {
    name.parse().unwrap()
}

fn lineage(byte: u8) -> Lineage {
    Lineage::of(&ResumeSecret([byte; 16]))
}

/// A publisher that resumes nobody.
fn newcomer(byte: u8) -> Bid {
    Bid::Publisher {
        shown: None,
        fresh: lineage(byte),
    }
}

/// A publisher that comes back.
fn returning(byte: u8) -> Bid {
    Bid::Publisher {
        shown: Some(lineage(byte)),
        fresh: lineage(byte + 100),
    }
}

/// What a relay knows at first, when it has reached the engine.
fn view(name: &str) -> View {
    View::new(relay(name), LEASE)
}
