//! What a wrong clock does to links, said before anybody wonders (PROTOCOL 2.7, 6.1).

use std::time::Duration;

use crate::auth::EARLIEST;
use crate::shard::RelayClock;
use crate::store::Entry;

/// How far the system's time may be from the relay's before that is worth a line.
const DRIFT: Duration = Duration::from_secs(60);

/// Says at the start if the clock cannot be right, or was not when broadcasts were made. `now` is in
/// seconds since the Unix epoch.
pub(crate) fn warn_at_start(now: u64, entries: &[Entry]) {
    if let Some(why) = doubt(now, entries) {
        tracing::warn!(now, "{why}");
    }
}

fn doubt(now: u64, entries: &[Entry]) -> Option<&'static str> {
    let made = || entries.iter().map(|entry| entry.created);
    if now < EARLIEST {
        return Some(
            "the system's clock is wrong: links that are made before it is set end when it is",
        );
    }
    if made().any(|created| created > now + DRIFT.as_secs()) {
        return Some(
            "there are broadcasts from the future: the system's clock is wrong, or was when they \
             were made; links may be refused, or last too long",
        );
    }
    if made().any(|created| created < EARLIEST) {
        return Some(
            "there are broadcasts from before there was a relay: the system's clock was wrong then, \
             and their links have ended",
        );
    }
    None
}

/// Sees to it that a clock that is set while the relay runs is spoken of once.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    told: bool,
}

impl Watch {
    /// Looks at the clock.
    pub(crate) fn look(&mut self, clock: &RelayClock) {
        let drift = clock.drift();
        if drift > DRIFT && !std::mem::replace(&mut self.told, true) {
            tracing::warn!(
                seconds = drift.as_secs(),
                "the system's clock was set since the relay started, which goes on by its own: links \
                 that it makes end too early or too late after a restart, so restart it now"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::OwnSettings;
    use crate::store::Seen;

    #[test]
    fn a_clock_that_cannot_be_right_is_spoken_of() {
        let now = EARLIEST + 1_000;
        let made = |created| {
            let id = "a".parse().unwrap();
            vec![Entry {
                id,
                title: String::new(),
                created,
                maker: None,
                chosen: false,
                private: false,
                settings: OwnSettings::default(),
                links_end: None,
                panel_secret: None,
                publisher: Seen::Never,
            }]
        };
        assert_eq!(doubt(now, &[]), None);
        assert_eq!(doubt(now, &made(now - 10)), None);
        assert!(doubt(60, &[]).unwrap().contains("clock is wrong"));
        assert!(doubt(now, &made(60)).unwrap().contains("wrong then"));
        assert!(doubt(now, &made(2 * now)).unwrap().contains("future"));
    }
}
