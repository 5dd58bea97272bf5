//! A player that goes to another relay when its own is dead or silent, as pages do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage};
use steadycast_tests::client::{Control, Frames, Player, Received};
use tokio::task::AbortHandle;
use tokio::time::{interval, sleep, timeout};

use super::ground::Ground;
use super::host::Shown;

/// How often a player says that it is there, and how long its relay may be silent.
const HEARTBEAT: Duration = Duration::from_millis(250);
const SILENCE: Duration = Duration::from_secs(1);
/// How long another relay has to let it in, and to show something.
const JOINING: Duration = Duration::from_secs(1);
/// Before the next relay is tried.
const PAUSE: Duration = Duration::from_millis(50);
/// A relay that has been whole for less is not blamed for a session that ends.
const SETTLED: Duration = Duration::from_secs(5);
/// How long an older publisher may go on after a newer one was let in.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What a player has seen since it was asked last.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
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
}

struct State {
    seen: Seen,
    /// Captured when, and shown when: the newest picture.
    newest: (u64, Instant),
    relay: usize,
    /// When its relay was heard last.
    heard: Instant,
    /// Which session it has.
    session: u32,
}

/// A player. Dropping it ends it.
pub(super) struct Watcher {
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Watcher {
    /// One that begins at a relay.
    pub(super) fn begin(ground: Arc<Ground>, relay: usize, token: String) -> Self {
        let now = Instant::now();
        let state = Arc::new(Mutex::new(State {
            seen: Seen::default(),
            newest: (0, now),
            relay,
            heard: now,
            session: 0,
        }));
        let watching = watch(ground, state.clone(), token);
        let task = tokio::spawn(watching).abort_handle();
        Self { state, task }
    }

    /// The relay that it is at.
    pub(super) fn relay(&self) -> usize {
        self.state.lock().relay
    }

    /// How old its picture is, as it is captured.
    pub(super) fn age(&self) -> Duration {
        let now = super::host::now_us();
        Duration::from_micros(now.saturating_sub(self.state.lock().newest.0))
    }

    /// What it has seen since this was asked last.
    pub(super) fn take(&self) -> Seen {
        let mut state = self.state.lock();
        let waits = state.newest.1.elapsed();
        let mut seen = std::mem::take(&mut state.seen);
        seen.gap = seen.gap.max(waits);
        seen
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A session, which ends with this.
struct Session(AbortHandle, AbortHandle);

impl Drop for Session {
    fn drop(&mut self) {
        self.0.abort();
        self.1.abort();
    }
}

async fn watch(ground: Arc<Ground>, state: Arc<Mutex<State>>, token: String) {
    let mut relay = state.lock().relay;
    let mut session: Option<Session> = None;
    let mut looks = interval(Duration::from_millis(50));
    while !ground.is_over() {
        let ended = session
            .as_ref()
            .is_none_or(|session| session.0.is_finished() || session.1.is_finished());
        let silent = state.lock().heard.elapsed() > SILENCE;
        if !ended && !silent {
            looks.tick().await;
            continue;
        }
        if session.is_some() {
            if ground.whole_for(relay, SETTLED) {
                let why = if ended { "ended" } else { "silent" };
                let lost = format!("at relay {}: {why}", relay + 1);
                state.lock().seen.lost.push(lost);
            }
            relay = (relay + 1) % ground.relays();
        }
        // What there was stays until there is something new.
        match timeout(JOINING, begin(&ground, &state, relay, &token)).await {
            Ok(Ok(begun)) => session = Some(begun),
            Ok(Err(error)) => {
                count_end(&error, &state);
                relay = (relay + 1) % ground.relays();
                sleep(PAUSE).await;
            }
            Err(_) => relay = (relay + 1) % ground.relays(),
        }
    }
}

/// Counts what an error says of the broadcast.
fn count_end(error: &anyhow::Error, state: &Mutex<State>) {
    let text = error.to_string();
    let gone = [Code::UnknownBroadcast, Code::BroadcastEnded];
    if gone.iter().any(|code| text.contains(&code.to_string())) {
        state.lock().seen.ended += 1;
    }
}

async fn begin(
    ground: &Arc<Ground>,
    state: &Arc<Mutex<State>>,
    relay: usize,
    token: &str,
) -> Result<Session> {
    let player = Player::join(&ground.targets[relay], token).await?;
    let (control, mut frames) = player.split();
    let first = frames.next().await?;
    let number = {
        let mut state = state.lock();
        state.session += 1;
        state.relay = relay;
        state.heard = Instant::now();
        state.session
    };
    let mut reader = Reader {
        ground: ground.clone(),
        state: state.clone(),
        session: number,
        place: None,
    };
    reader.take(&first);
    let talks = talk(control, state.clone());
    Ok(Session(
        tokio::spawn(async move { read(frames, reader).await }).abort_handle(),
        tokio::spawn(async move { drop(talks.await) }).abort_handle(),
    ))
}

async fn read(mut frames: Frames, mut reader: Reader) {
    // Its end is seen by who waits for it.
    while let Ok(frame) = frames.next().await {
        reader.take(&frame);
    }
}

async fn talk(mut control: Control, state: Arc<Mutex<State>>) -> Result<()> {
    let mut beats = interval(HEARTBEAT);
    let mut sequence = 0;
    loop {
        tokio::select! {
            _ = beats.tick() => {
                sequence += 1;
                let ping = ClientMessage::Ping { sequence, sent_us: 0 };
                timeout(SILENCE, control.send(&ping)).await.context("it takes nothing")??;
            }
            message = control.next() => {
                state.lock().heard = Instant::now();
                if let RelayMessage::Goodbye { code, message, .. } = message? {
                    let ended = [Code::UnknownBroadcast, Code::BroadcastEnded];
                    if ended.iter().any(|ended| ended.number() == code) {
                        state.lock().seen.ended += 1;
                    }
                    bail!("goodbye: {message}");
                }
            }
        }
    }
}

/// Looks at what comes.
struct Reader {
    ground: Arc<Ground>,
    state: Arc<Mutex<State>>,
    session: u32,
    /// Epoch, group and index of the newest frame.
    place: Option<(u32, u32, u32)>,
}

impl Reader {
    fn take(&mut self, frame: &Received) {
        let now = Instant::now();
        let mut state = self.state.lock();
        if state.session != self.session {
            return;
        }
        let (epoch, group, index) = frame.place();
        let follows =
            frame.header.keyframe || self.place == Some((epoch, group, index.wrapping_sub(1)));
        self.place = Some((epoch, group, index));
        let Some(shown) = Shown::read(&frame.payload).filter(|_| follows) else {
            state.seen.broken += 1;
            return;
        };
        // A page shows nothing that is older than what it has shown.
        if shown.captured <= state.newest.0 {
            return;
        }
        let outdated = self.ground.outdated(shown);
        if outdated.is_some_and(|since| since > TOLD_WITHIN) {
            state.seen.outdated += 1;
        }
        if state.newest.0 > 0 {
            let gap = now - state.newest.1;
            state.seen.gap = state.seen.gap.max(gap);
        }
        state.newest = (shown.captured, now);
    }
}
