//! When a relay is dead, many others may want what it had. They do so one after another, so that the engine is not asked by
//! all of them for one broadcast.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Homes;
use crate::broadcast::BroadcastId;
use crate::directory::{RelayId, State, rank};

/// From one relay's turn to the next one's: a claim is heard of by then, where the engine is near.
const STEP: Duration = Duration::from_millis(100);
/// By then it has been everybody's turn, however many there are: a page does not wait for much longer.
const ALL: Duration = Duration::from_secs(1);

/// How long a relay waits before it claims what a dead one had; the first of all that live does not.
pub fn turn<'a>(
    broadcast: &BroadcastId,
    own: &RelayId,
    relays: impl ExactSizeIterator<Item = &'a RelayId>,
) -> Duration {
    let all = u32::try_from(relays.len()).unwrap_or(u32::MAX).max(1);
    let before = rank(broadcast, own, relays);
    (STEP * before).min(ALL * before / all)
}

impl Homes {
    /// Waits until it is this relay's turn to claim what a dead one has, or another one has claimed it; not at all where
    /// nobody had it.
    pub(super) async fn wait_for_turn(&self, id: &BroadcastId) {
        let mut events = self.directory.listen();
        if !self.is_orphaned(id) {
            return;
        }
        let relays = self.directory.relays();
        let relays = relays.iter().map(|lease| &lease.relay);
        let due = Instant::now() + turn(id, self.directory.own(), relays);
        while self.is_orphaned(id) && timeout_at(due, events.next()).await.is_ok() {}
    }

    /// Whether a relay has a broadcast that is dead.
    fn is_orphaned(&self, id: &BroadcastId) -> bool {
        let found = self.directory.find(id);
        let dead = found.is_some_and(|found| !found.is_own && found.lease.is_none());
        dead && self.directory.state() == State::Joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(count: usize) -> Vec<Duration> {
        let relays: Vec<RelayId> = (0..count)
            .map(|number| format!("r{number}").parse().unwrap())
            .collect();
        let id = "b".parse().unwrap();
        let turn = |own| turn(&id, own, relays.iter());
        let mut turns: Vec<_> = relays.iter().map(turn).collect();
        turns.sort_unstable();
        turns
    }

    #[test]
    fn the_first_waits_for_nobody_and_the_others_for_those_before_them() {
        assert_eq!(turns(1), [Duration::ZERO]);
        let turns = turns(4).into_iter().map(|turn| turn.as_millis());
        assert_eq!(turns.collect::<Vec<_>>(), [0, 100, 200, 300]);
    }

    #[test]
    fn a_thousand_have_had_their_turn_within_a_second_evenly() {
        let turns = turns(1_000);
        assert!(turns.iter().all(|turn| *turn < ALL));
        let within = |ms| turns.iter().filter(|turn| turn.as_millis() < ms).count();
        assert_eq!((within(100), within(500)), (100, 500));
    }
}
