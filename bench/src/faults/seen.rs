//! What a player has seen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use steadycast_codec_glue::wire::Code;
use steadycast_tests::client::Received;

use super::aired::Aired;
use super::host::{Shown, now_us};

/// How long an older publisher may go on after a newer one was let in.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What a player has seen since it was asked last.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// New pictures.
    pub(super) pictures: u32,
    /// Pictures that it was not shown between two of one publisher's.
    pub(super) missed: u32,
    /// The longest time between one new picture and the next.
    pub(super) gap: Duration,
    /// Sessions that have ended although nothing had happened to their relay.
    pub(super) lost: Vec<String>,
    /// Frames that could not be decoded: a screen that breaks or goes black.
    pub(super) broken: u32,
    /// Pictures of an older publisher, later than they may be seen.
    pub(super) outdated: u32,
    /// It was told that there is no such broadcast.
    pub(super) ended: u32,
    /// What relays said instead of letting it in.
    pub(super) refused: Vec<String>,
}

/// A player, as it is now.
pub(super) struct State {
    pub(super) seen: Seen,
    /// The newest picture, and when it was shown.
    newest: Option<Shown>,
    shown: Instant,
    pub(super) relay: usize,
    /// When its relay was heard last.
    pub(super) heard: Instant,
    /// Which session it has.
    pub(super) session: u32,
    /// The relays that it was told of, which it has not taken notice of.
    pub(super) told: Option<Vec<String>>,
    /// Its relay has told it to go.
    pub(super) leaves: bool,
}

impl State {
    pub(super) fn new(relay: usize) -> Self {
        Self {
            seen: Seen::default(),
            newest: None,
            shown: Instant::now(),
            relay,
            heard: Instant::now(),
            session: 0,
            told: None,
            leaves: false,
        }
    }

    /// How old the picture is, as it is captured.
    pub(super) fn age(&self) -> Duration {
        let captured = self.newest.map_or(0, |newest| newest.captured);
        Duration::from_micros(now_us().saturating_sub(captured))
    }

    pub(super) fn take(&mut self) -> Seen {
        let mut seen = std::mem::take(&mut self.seen);
        seen.gap = seen.gap.max(self.shown.elapsed());
        seen
    }

    /// Another session has shown something; gives its number.
    pub(super) fn begins(&mut self, relay: usize) -> u32 {
        self.session += 1;
        (self.relay, self.heard, self.leaves) = (relay, Instant::now(), false);
        self.session
    }

    /// A relay does not let it in.
    pub(super) fn refused(&mut self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        let gone = [
            Code::UnknownBroadcast,
            Code::BroadcastEnded,
            Code::HeldTooLong,
        ];
        if gone.iter().any(|code| text.contains(&code.to_string())) {
            self.seen.ended += 1;
        }
        self.seen.refused.push(text);
    }

    fn shows(&mut self, shown: Shown, outdated: Option<Duration>) {
        // A page shows nothing that is older than what it has shown.
        if self
            .newest
            .is_some_and(|newest| shown.captured <= newest.captured)
        {
            return;
        }
        let now = Instant::now();
        self.seen.pictures += 1;
        self.seen.outdated += u32::from(outdated.is_some_and(|since| since > TOLD_WITHIN));
        if let Some(newest) = self.newest {
            self.seen.gap = self.seen.gap.max(now - self.shown);
            if newest.host == shown.host {
                self.seen.missed += shown.number.saturating_sub(newest.number + 1);
            }
        }
        (self.newest, self.shown) = (Some(shown), now);
    }
}

/// Looks at what comes in a session.
pub(super) struct Reader {
    aired: Arc<Aired>,
    state: Arc<Mutex<State>>,
    session: u32,
    /// Epoch, group and index of the newest frame.
    place: Option<(u32, u32, u32)>,
}

impl Reader {
    pub(super) fn new(aired: Arc<Aired>, state: Arc<Mutex<State>>, session: u32) -> Self {
        Self {
            aired,
            state,
            session,
            place: None,
        }
    }

    pub(super) fn take(&mut self, frame: &Received) {
        let mut state = self.state.lock();
        if state.session != self.session {
            return;
        }
        state.heard = Instant::now();
        let (epoch, group, index) = frame.place();
        let follows =
            frame.header.keyframe || self.place == Some((epoch, group, index.wrapping_sub(1)));
        self.place = Some((epoch, group, index));
        match Shown::read(&frame.payload).filter(|_| follows) {
            Some(shown) => state.shows(shown, self.aired.outdated(shown)),
            None => state.seen.broken += 1,
        }
    }
}
