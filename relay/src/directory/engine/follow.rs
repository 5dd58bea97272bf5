//! Hears everything that the engine says, and begins anew with all there is when something may have been missed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use super::super::{Settings, State};
use super::EngineError;
use super::bucket::{Bucket, Changed, Shape};
use super::connection::{Connection, jitter};
use super::keys::{self, Said};
use super::shared::Shared;

/// How long it waits before it begins anew.
const PAUSE: Duration = Duration::from_millis(200);

/// Keeps the copy up to date; never ends.
pub(super) async fn follow(shared: &Shared, settings: &Settings, mut connection: Connection) {
    let shape = Shape {
        name: format!("{}-directory", settings.prefix),
        about: "Which relay has which broadcast.",
        replicas: settings.replicas,
        history: 1,
    };
    loop {
        let losses = connection.there().await;
        let (heard, mut gone) = (heard(shared, &shape, &connection), connection.clone());
        let why = tokio::select! {
            heard = heard => match heard {
                Ok(never) => match never {},
                Err(why) => why,
            },
            () = gone.lost_since(losses) => EngineError::Unreached,
            () = shared.anew.notified() => EngineError::Silent,
        };
        shared.lost();
        tracing::debug!(%why, "the directory is looked at again");
        if why != EngineError::Unreached {
            shared.suspect(&connection).await;
        }
        sleep(PAUSE.mul_f64(jitter())).await;
    }
}

/// Takes all there is, and then each change, until that ends.
async fn heard(
    shared: &Shared,
    shape: &Shape,
    connection: &Connection,
) -> Result<Infallible, EngineError> {
    let bucket = Bucket::open(connection.context(), shape).await?;
    let mut watch = bucket.watch().await?;
    replace(shared, &watch.all().await?);
    shared.reached(bucket);
    loop {
        let changed = watch.next().await?;
        if let Some(said) = Said::read(&changed, &shared.proofs) {
            take(shared, said);
        }
    }
}

fn take(shared: &Shared, said: Said) {
    let now = shared.clock.now();
    if let Said::Lease(relay, _, Some(lease)) = &said
        && *relay == shared.own
        && shared.is_replaced_by(lease)
    {
        // Before anything that it writes: the two would not agree about what is held.
        shared.turn(State::Away);
    }
    let mut view = shared.view.write();
    let event = match said {
        Said::Lease(relay, revision, lease) => view.fold_lease(relay, revision, lease, now),
        Said::Claim(broadcast, revision, claim) => view.fold(broadcast, revision, claim),
    };
    let amiss = view.is_amiss();
    drop(view);
    shared.tell(event);
    if amiss {
        shared.amiss.notify_one();
    }
}

/// All of these are all there is.
fn replace(shared: &Shared, all: &[Changed]) {
    let (mut leases, mut claims) = (HashMap::new(), HashMap::new());
    let position = all.iter().map(|changed| changed.value.revision).max();
    for changed in all {
        match Said::read(changed, &shared.proofs) {
            Some(Said::Lease(relay, revision, lease)) => {
                leases.insert(relay, (revision, lease));
            }
            Some(Said::Claim(broadcast, revision, claim)) => {
                if let Some(entry) = keys::entry(revision, claim) {
                    claims.insert(broadcast, entry);
                }
            }
            None => {}
        }
    }
    let mut view = shared.view.write();
    let mut events = view.replace_claims(claims, position.unwrap_or_default());
    events.extend(view.replace_leases(leases, shared.clock.now()));
    drop(view);
    shared.tell(events);
}
