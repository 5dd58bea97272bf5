//! What systemd, or whoever else started the relay, hears of it (sd_notify(3)).

use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::time::{MissedTickBehavior, interval};

use crate::shard::Pulse;

/// The relay serves.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The settings are being read again; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the supervisor is not told of the reload"),
    }
}

/// The relay takes nothing on any more.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says again and again that the relay lives, if somebody wants to know: while every shard does, for one that
/// hangs serves nobody. Dropping the future ends it.
pub(crate) async fn alive(shards: Vec<Pulse>) {
    let Some(every) = watchdog_enabled().map(|limit| (limit / 3).max(Duration::from_millis(10)))
    else {
        return std::future::pending().await;
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Each is asked anew, and has until the next time.
        match shards.iter().position(|shard| !shard.beats()) {
            None => tell(&[NotifyState::Watchdog]),
            Some(shard) => tracing::error!(shard, "it does not answer"),
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // Nobody is there to hear it, most of the time.
    if let Err(error) = notify(states) {
        tracing::warn!(%error, "the supervisor does not hear the relay");
    }
}
