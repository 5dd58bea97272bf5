use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Claim, Lease};
use crate::broadcast::BroadcastId;

/// What a relay has known of a directory: it goes by that when it starts while the engine is away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Relays that lived.
    pub leases: Vec<Lease>,
    /// Which relay had which broadcast.
    pub claims: BTreeMap<BroadcastId, Claim>,
    /// Which of them were this relay's own.
    pub held: BTreeSet<BroadcastId>,
}
