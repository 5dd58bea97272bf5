//! Has each broadcast be at one relay, so that its time is kept by exactly one.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::Homes;
use crate::broadcast::{BroadcastId, RelayTime};
use crate::directory::{Bid, RelayId, Standing, Whereabouts, rank};

/// How often it is looked for broadcasts that no relay has.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// Broadcasts that are brought here at once.
const AT_ONCE: usize = 64;

/// Has broadcasts that no relay has be at one of those that live; never ends.
pub(crate) async fn look_after(homes: &Homes, lease: Duration) {
    let mut ticks = interval(LOOKED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut orphans = Orphans::default();
    loop {
        ticks.tick().await;
        let due = orphans.due(homes, lease);
        for some in due.chunks(AT_ONCE) {
            join_all(some.iter().map(|id| take(homes, id))).await;
        }
    }
}

async fn take(homes: &Homes, id: &BroadcastId) {
    let here = homes.registry.find(id);
    if let Some(pulled) = here.filter(|here| here.upstream().is_some()) {
        homes.have_stay(&pulled).await;
        return;
    }
    match homes.bring(id, Bid::Home).await {
        Ok(_) => tracing::info!(broadcast = %id, "no relay had it: it is here now"),
        // Another one that lives has its turn next.
        Err(error) => tracing::debug!(broadcast = %id, %error, "no relay has it"),
    }
}

/// Broadcasts that no relay has that lives, and since when.
#[derive(Default)]
struct Orphans(HashMap<BroadcastId, RelayTime>);

impl Orphans {
    /// Those whose turn it is to be at this relay.
    fn due(&mut self, homes: &Homes, lease: Duration) -> Vec<BroadcastId> {
        let directory = &homes.directory;
        if !homes.knows_all() {
            return Vec::new();
        }
        let now = homes.clock.now();
        let relays = directory.relays();
        let ready = relays
            .iter()
            .filter(|lease| lease.standing == Standing::Ready);
        let ready: Vec<&RelayId> = ready.map(|lease| &lease.relay).collect();
        let own = directory.own();
        if !ready.contains(&own) {
            return Vec::new();
        }
        let mut due = Vec::new();
        let mut orphans = HashMap::new();
        for id in homes.catalog.ids() {
            let found = directory.find(&id);
            let lives = |found: &Whereabouts| found.is_own || found.lease.is_some();
            if found.as_ref().is_some_and(lives) {
                continue;
            }
            let since = self.0.get(&id).copied().unwrap_or(now);
            // A relay that is only reported dead, because a link to it was lost, says within a lease that it lives. Each
            // place further back waits for one more, so that a relay that cannot take it keeps nobody from it.
            let leases = rank(&id, own, ready.iter().copied()) + 1;
            if now >= since + lease * leases {
                due.push(id.clone());
            }
            orphans.insert(id, since);
        }
        self.0 = orphans;
        due
    }
}
