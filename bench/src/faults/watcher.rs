//! A player that goes to another relay when its own is dead or silent, as pages do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage};
use steadycast_tests::client::{Carrier, Control, Frames, Player};
use tokio::task::AbortHandle;
use tokio::time::{interval, sleep, timeout};

use super::aired::Aired;
use super::journey::Journey;
use super::seen::{Reader, Seen, State};

/// As pages have it: how often a player says that it is there, how soon it asks a relay that has fallen silent, and when
/// another one is tried beside that.
const HEARTBEAT: Duration = Duration::from_millis(1_000);
const ASKED: Duration = Duration::from_millis(400);
const SILENCE: Duration = Duration::from_secs(1);
/// How long another relay has to let it in, and to show something.
const JOINING: Duration = Duration::from_millis(1_500);
const SHOWING: Duration = Duration::from_secs(5);
/// A relay that is heard again for so long keeps its player.
const CALM: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(50);
/// A relay that has been whole for less is not blamed for a session that ends.
const SETTLED: Duration = Duration::from_secs(5);

/// A player. Dropping it ends it.
pub(super) struct Watcher {
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Watcher {
    /// One that begins at a relay.
    pub(super) fn begin(aired: Arc<Aired>, relay: usize, carrier: Carrier) -> Self {
        let state = Arc::new(Mutex::new(State::new(relay)));
        let watching = Watching {
            journey: Journey::new(aired.ground.relays(), relay),
            aired,
            state: state.clone(),
            carrier,
            session: None,
        };
        let task = tokio::spawn(watching.run(relay)).abort_handle();
        Self { state, task }
    }

    /// The relay that it is at.
    pub(super) fn relay(&self) -> usize {
        self.state.lock().relay
    }

    /// How old its picture is, as it is captured.
    pub(super) fn age(&self) -> Duration {
        self.state.lock().age()
    }

    /// What it has seen since this was asked last.
    pub(super) fn take(&self) -> Seen {
        self.state.lock().take()
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

impl Session {
    fn has_ended(&self) -> bool {
        self.0.is_finished() || self.1.is_finished()
    }
}

struct Watching {
    aired: Arc<Aired>,
    state: Arc<Mutex<State>>,
    carrier: Carrier,
    journey: Journey,
    session: Option<Session>,
}

impl Watching {
    async fn run(mut self, first: usize) {
        let mut first = Some(first);
        while !self.aired.ground.is_over() {
            if self.is_well() {
                self.journey.rests();
                sleep(LOOK).await;
                continue;
            }
            let at = self.state.lock().relay;
            if let Some(told) = self.state.lock().told.take() {
                self.journey.knows(&told, &self.aired.ground);
            }
            let next = first.take().or_else(|| self.journey.next(at));
            let Some(next) = next else {
                sleep(LOOK).await;
                continue;
            };
            let lasting = self.lasts();
            let tried = tokio::select! {
                tried = begin(&self.aired, &self.state, next, self.carrier) => Some(tried),
                // What there was stays until there is something new.
                () = lasting => None,
            };
            match tried {
                Some(Ok(begun)) => {
                    if self.session.is_some() {
                        self.lost(at, "silent");
                    }
                    self.session = Some(begun);
                }
                Some(Err(error)) => self.state.lock().refused(&error),
                None => {}
            }
        }
    }

    /// Whether the session that there is goes on. One that has ended is there no more.
    fn is_well(&mut self) -> bool {
        let at = self.state.lock().relay;
        let dead = |session: &Session| session.has_ended() || self.aired.ground.refuses(at);
        if self.session.as_ref().is_some_and(dead) {
            self.session = None;
            self.lost(at, "ended");
        }
        let state = self.state.lock();
        self.session.is_some() && !state.leaves && state.heard.elapsed() <= SILENCE
    }

    fn lost(&self, relay: usize, why: &str) {
        let mut state = self.state.lock();
        if self.aired.ground.whole_for(relay, SETTLED) && !state.leaves {
            state
                .seen
                .lost
                .push(format!("at relay {}: {why}", relay + 1));
        }
    }

    /// Waits until the session that there is has been heard again for a while.
    fn lasts(&self) -> impl Future<Output = ()> + use<> {
        let (state, there) = (self.state.clone(), self.session.is_some());
        async move {
            let mut since = Instant::now();
            let mut looks = interval(LOOK);
            loop {
                looks.tick().await;
                let state = state.lock();
                if !there || state.leaves || state.heard.elapsed() > ASKED {
                    since = Instant::now();
                }
                if since.elapsed() >= CALM {
                    return;
                }
            }
        }
    }
}

async fn begin(
    aired: &Arc<Aired>,
    state: &Arc<Mutex<State>>,
    relay: usize,
    carrier: Carrier,
) -> Result<Session> {
    let target = aired.ground.target(relay).over(carrier);
    let joining = Player::join(&target, &aired.tokens.play_token);
    let player = timeout(JOINING, joining).await.context("no answer")??;
    let (control, mut frames) = player.split();
    let first = timeout(SHOWING, frames.next()).await;
    let first = first.context("it shows nothing")??;
    let session = state.lock().begins(relay);
    let mut reader = Reader::new(aired.clone(), state.clone(), session);
    reader.take(&first);
    let talks = talk(control, state.clone(), session);
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

async fn talk(mut control: Control, state: Arc<Mutex<State>>, session: u32) -> Result<()> {
    let mut beats = interval(ASKED / 2);
    let mut beaten: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = beats.tick() => {
                let silent = state.lock().heard.elapsed() > ASKED;
                if silent || beaten.is_none_or(|beaten| beaten.elapsed() >= HEARTBEAT) {
                    beaten = Some(Instant::now());
                    let ping = ClientMessage::Ping { sequence: 0, sent_us: 0 };
                    timeout(SILENCE, control.send(&ping)).await.context("it takes nothing")??;
                }
            }
            message = control.next() => {
                let message = message?;
                let mut state = state.lock();
                if state.session != session {
                    bail!("another one has begun");
                }
                state.heard = Instant::now();
                match message {
                    RelayMessage::Relays { relays } => state.told = Some(relays),
                    RelayMessage::Move { .. } => state.leaves = true,
                    RelayMessage::Goodbye { code, message, .. } => {
                        let ended = [Code::UnknownBroadcast, Code::BroadcastEnded, Code::HeldTooLong];
                        if ended.iter().any(|ended| ended.number() == code) {
                            state.seen.ended += 1;
                        }
                        bail!("goodbye: {message}");
                    }
                    _ => {}
                }
            }
        }
    }
}
