//! The frames' side of a player's session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, TrackId};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use wtransport::Connection;

use super::cohort::{Cohort, Stay};
use super::group::{Gone, GroupWriter};
use super::session::Ending;
use super::shard::Shard;
use crate::broadcast::{Before, Cursor, Need, PlayerSeat, Step};

/// The least that may be on its way to a player that lags.
const LEAST_WINDOW: u64 = 64 * 1024;
/// A player that has not lagged for this long gets its full send window back.
const WINDOW_RECOVERY: Duration = Duration::from_secs(10);

/// Brings one player its frames: by itself until it has everything, and again when it cannot
/// keep up; in between the player moves with its [`Cohort`].
pub(super) struct Feed<'a> {
    connection: &'a Connection,
    seat: &'a Mutex<PlayerSeat>,
    /// Somebody may have moved the player to another track.
    moved: &'a Notify,
    /// Of the track that the player is on, or was before nothing could be sent to it.
    track: TrackId,
    frames: watch::Receiver<u64>,
    cohort: Arc<Cohort>,
    shard: &'a Shard,
    group: Option<GroupWriter>,
    window: u64,
    lagged: Option<Instant>,
}

/// How a write ended.
enum Wrote {
    All,
    /// Cut off: newer frames replace the rest.
    Overtaken,
    Stalled,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        seat: &'a Mutex<PlayerSeat>,
        moved: &'a Notify,
        shard: &'a Arc<Shard>,
    ) -> Self {
        let broadcast = seat.lock().broadcast().clone();
        Self {
            connection,
            seat,
            moved,
            track: TrackId::MAIN,
            frames: broadcast.frames(TrackId::MAIN),
            cohort: shard.cohort(&broadcast, TrackId::MAIN),
            shard,
            group: None,
            window: shard.shared.settings.player_send_window,
            lagged: None,
        }
    }

    /// Feeds the player until its session has to end.
    pub(super) async fn run(&mut self) -> Ending {
        match self.feed().await {
            Ok(ending) => ending,
            Err(Gone) => Ending::of(self.connection),
        }
    }

    async fn feed(&mut self) -> Result<Ending, Gone> {
        loop {
            self.frames.borrow_and_update();
            let step = self.step();
            let wrote = match step {
                Step::Continue(frames) => self.write(frames).await?,
                Step::Open { before, frames } => {
                    self.end_group(before);
                    self.open_group().await?;
                    self.write(frames).await?
                }
                Step::Cut => {
                    if let Some(group) = self.group.take() {
                        group.cut();
                    }
                    Wrote::All
                }
                Step::Abandon => {
                    self.end_group(Before::Skip);
                    Wrote::All
                }
                Step::Wait {
                    until: None,
                    ask: None,
                } => self.rest().await?,
                Step::Wait { until, .. } => {
                    let until = until.map(|time| self.shard.shared.clock.instant(time));
                    self.wait(until).await;
                    Wrote::All
                }
            };
            match wrote {
                Wrote::All => self.recover(),
                Wrote::Overtaken => self.end_group(Before::Skip),
                Wrote::Stalled => {
                    // What the player does not take fills its connection's window: without taking
                    // it back, the goodbye could not get through either.
                    if let Some(group) = self.group.take() {
                        group.cut();
                    }
                    return Ok(Ending::because(Code::TooSlow, "no progress"));
                }
            }
        }
    }

    fn step(&mut self) -> Step {
        let mut seat = self.seat.lock();
        let step = seat.step(self.shard.shared.clock.now());
        let track = seat.cursor().track();
        // What is on its way of a track that the player has left is of no use to it.
        if track != Some(self.track)
            && let Some(group) = self.group.take()
        {
            group.cut();
        }
        if let Some(track) = track.filter(|&track| track != self.track) {
            let broadcast = seat.broadcast();
            self.track = track;
            self.frames = broadcast.frames(track);
            // What came before somebody listened is news as well.
            self.frames.mark_changed();
            self.cohort = self.shard.cohort(broadcast, track);
        }
        step
    }

    /// The player has everything: it moves with its cohort, or waits by itself where it cannot.
    async fn rest(&mut self) -> Result<Wrote, Gone> {
        let Some(group) = self.group.take() else {
            self.wait(None).await;
            return Ok(Wrote::All);
        };
        match self.enter(group) {
            Ok(stay) => self.stay(stay).await,
            Err(group) => {
                self.group = Some(group);
                self.wait(None).await;
                Ok(Wrote::All)
            }
        }
    }

    /// Moves with the cohort until the player is to go on by itself.
    async fn stay(&mut self, mut stay: Stay) -> Result<Wrote, Gone> {
        let back = loop {
            tokio::select! {
                back = stay.over() => break back?,
                () = self.moved.notified() => if self.seat.lock().is_to_move() {
                    self.group = stay.leave().await?;
                    // How far the cohort had come does not matter on another track.
                    self.seat.lock().resume(Cursor::on(self.track));
                    return Ok(Wrote::All);
                },
            }
        };
        self.seat.lock().resume(back.cursor);
        self.group = back.group;
        if self.group.is_none() {
            self.open_group().await?;
        }
        self.write(back.rest).await
    }

    fn enter(&self, group: GroupWriter) -> Result<Stay, GroupWriter> {
        // One whose window is small for a time is looked after here, until it has it back.
        if self.lagged.is_some() {
            return Err(group);
        }
        let cursor = self.seat.lock().cursor().clone();
        let (connection, now) = (self.connection.clone(), self.shard.shared.clock.now());
        self.cohort.enter(&cursor, connection, group, now)
    }

    async fn wait(&mut self, until: Option<Instant>) {
        tokio::select! {
            // Fails only when the broadcast has ended, and that ends the session.
            _ = self.frames.changed() => {}
            () = self.moved.notified() => {}
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
        }
    }

    async fn open_group(&mut self) -> Result<(), Gone> {
        self.group = Some(GroupWriter::open(self.connection).await?);
        Ok(())
    }

    /// Ends the open stream. A skip takes back what is on its way, if the keyframe has arrived.
    fn end_group(&mut self, before: Before) {
        let Some(group) = self.group.take() else {
            return;
        };
        match before {
            Before::Finish => group.finish(),
            Before::Skip if group.may_be_cut(self.window) => {
                group.cut();
                self.lag();
            }
            Before::Skip => {
                group.finish();
                self.lag();
            }
        }
    }

    async fn write(&mut self, mut frames: Vec<Bytes>) -> Result<Wrote, Gone> {
        let Some(group) = &mut self.group else {
            return Ok(Wrote::All);
        };
        let mut rest = &mut frames[..];
        let mut stalled = Instant::now() + self.shard.shared.settings.player_stall;
        while !rest.is_empty() {
            let may_be_cut = group.may_be_cut(self.window);
            tokio::select! {
                biased;
                wrote = group.write_some(&mut rest) => {
                    wrote?;
                    stalled = Instant::now() + self.shard.shared.settings.player_stall;
                }
                _ = self.frames.changed(), if may_be_cut => {
                    let now = self.shard.shared.clock.now();
                    let mut seat = self.seat.lock();
                    if seat.is_overtaken(now) {
                        seat.abandon(Need::Lag, now);
                        return Ok(Wrote::Overtaken);
                    }
                }
                () = sleep_until(stalled) => return Ok(Wrote::Stalled),
            }
        }
        Ok(Wrote::All)
    }

    /// Less on its way to a player that lags: what waits there is delay.
    fn lag(&mut self) {
        let quic = self.connection.quic_connection();
        let full = self.shard.shared.settings.player_send_window;
        self.window = quic.stats().path.cwnd.clamp(LEAST_WINDOW.min(full), full);
        quic.set_send_window(self.window);
        self.lagged = Some(Instant::now());
    }

    fn recover(&mut self) {
        let over = self.lagged.is_some_and(|at| at.elapsed() > WINDOW_RECOVERY);
        if over {
            self.lagged = None;
            self.window = self.shard.shared.settings.player_send_window;
            self.connection
                .quic_connection()
                .set_send_window(self.window);
        }
    }
}
