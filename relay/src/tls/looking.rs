//! Files that somebody else renews, looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio::time::{MissedTickBehavior, interval};

/// How often they are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks every ten seconds, and when it is nudged, on a thread that may wait for the disk. It ends where a look does not
/// come back, with why.
pub(super) async fn keep_looking<T: Send + 'static>(
    mut at: T,
    nudge: Arc<Notify>,
    look: impl Fn(&mut T) + Copy + Send + 'static,
) -> JoinError {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = nudge.notified() => {}
        }
        let looked = tokio::task::spawn_blocking(move || {
            look(&mut at);
            at
        });
        match looked.await {
            Ok(looked) => at = looked,
            Err(error) => return error,
        }
    }
}
