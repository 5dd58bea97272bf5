//! The pump from a broadcast to a player's session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage, Status};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use wtransport::Connection;

use super::control::{ControlReader, ControlWriter};
use super::group::{Gone, GroupWriter};
use super::session::{Ending, Session, Shared};
use crate::broadcast::{Before, Need, PlayerSeat, Progress, Pulse, Step};

/// How often a player sends `Ping` (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The least that may be on its way to a player that lags.
const LEAST_WINDOW: u64 = 64 * 1024;
/// A player that has not lagged for this long gets its full send window back.
const WINDOW_RECOVERY: Duration = Duration::from_secs(10);

/// Serves a player until its session ends.
pub(super) async fn run(mut session: Session, shared: &Arc<Shared>) -> Ending {
    let seat = match session.broadcast.attach_player() {
        Ok(seat) => Mutex::new(seat),
        Err(error) => {
            let ending = Ending::because(error.code(), error);
            session.part(&ending).await;
            return ending;
        }
    };
    let status = seat.lock().status();
    let welcome = session.welcome(None, HEARTBEAT, status, shared.clock.now());
    let ending = match session.writer.send(&welcome).await {
        Ok(()) => pump(&mut session, &seat, status, shared).await,
        Err(_) => Ending::of(&session.connection),
    };
    seat.into_inner().leave(ending.code);
    session.part(&ending).await;
    ending
}

async fn pump(
    session: &mut Session,
    seat: &Mutex<PlayerSeat>,
    status: Status,
    shared: &Shared,
) -> Ending {
    let pulses = seat.lock().pulses();
    let connection = session.connection.clone();
    let mut feed = Feed::new(&connection, seat, pulses.clone(), shared);
    let mut talk = Talk {
        reader: &mut session.reader,
        writer: &mut session.writer,
        connection: &connection,
        seat,
        shared,
        pulses,
        told: status,
    };
    tokio::select! {
        ending = feed.run() => ending,
        ending = talk.run() => ending,
        stream = connection.accept_uni() => match stream {
            Ok(_) => Ending::because(Code::WrongRole, "players send no frames"),
            Err(_) => Ending::of(&connection),
        },
        stream = connection.accept_bi() => match stream {
            Ok(_) => Ending::second_control_stream(),
            Err(_) => Ending::of(&connection),
        },
        () = shared.shutdown.cancelled() => Ending::shutting_down(),
    }
}

/// The control stream's side.
struct Talk<'a> {
    reader: &'a mut ControlReader,
    writer: &'a mut ControlWriter,
    connection: &'a Connection,
    seat: &'a Mutex<PlayerSeat>,
    shared: &'a Shared,
    pulses: watch::Receiver<Pulse>,
    told: Status,
}

impl Talk<'_> {
    async fn run(&mut self) -> Ending {
        let mut idle = Instant::now() + self.shared.settings.idle_timeout;
        loop {
            let answer = tokio::select! {
                message = self.reader.next() => {
                    idle = Instant::now() + self.shared.settings.idle_timeout;
                    match message {
                        Ok(message) => self.take(message),
                        Err(error) => return Ending::from_read(error, self.connection),
                    }
                }
                changed = self.pulses.changed() => match changed {
                    Ok(()) => self.news(),
                    Err(_) => Err(Ending::because(Code::Internal, "the broadcast is gone")),
                },
                () = sleep_until(idle) => return Ending::because(Code::Silent, "nothing heard"),
            };
            match answer {
                Ok(None) => {}
                Ok(Some(message)) => {
                    if self.writer.send(&message).await.is_err() {
                        return self.deaf();
                    }
                }
                Err(ending) => return ending,
            }
        }
    }

    /// The player takes no control messages: it has left, or has stalled for too long.
    fn deaf(&self) -> Ending {
        match self.connection.quic_connection().close_reason() {
            Some(_) => Ending::of(self.connection),
            None => Ending::left(Code::TooSlow),
        }
    }

    fn take(&mut self, message: ClientMessage) -> Result<Option<RelayMessage>, Ending> {
        match message {
            ClientMessage::Ping { sequence, sent_us } => Ok(Some(RelayMessage::Pong {
                sequence,
                sent_us,
                relay_us: self.shared.clock.now().as_micros(),
            })),
            ClientMessage::KeyframeRequest { .. } => {
                let now = self.shared.clock.now();
                self.seat.lock().request_keyframe(now);
                Ok(None)
            }
            ClientMessage::Report {
                black,
                decoder_errors,
                ..
            } => {
                self.seat.lock().report(Progress {
                    black,
                    decoder_errors,
                });
                Ok(None)
            }
            ClientMessage::Goodbye { .. } => Err(Ending::left(Code::Done)),
            ClientMessage::Hello { .. } => {
                Err(Ending::because(Code::OutOfOrder, "Hello was said already"))
            }
        }
    }

    /// What a pulse means to a player: most are frames and mean nothing here.
    fn news(&mut self) -> Result<Option<RelayMessage>, Ending> {
        let pulse = *self.pulses.borrow_and_update();
        if let Some(code) = pulse.ended {
            return Err(Ending::over(code));
        }
        let known = |s: &Status| (s.phase, s.since_us, s.epoch);
        if known(&pulse.status) == known(&self.told) {
            return Ok(None);
        }
        self.told = pulse.status;
        Ok(Some(RelayMessage::Status {
            status: pulse.status,
        }))
    }
}

/// The frames' side.
struct Feed<'a> {
    connection: &'a Connection,
    seat: &'a Mutex<PlayerSeat>,
    pulses: watch::Receiver<Pulse>,
    shared: &'a Shared,
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
    fn new(
        connection: &'a Connection,
        seat: &'a Mutex<PlayerSeat>,
        pulses: watch::Receiver<Pulse>,
        shared: &'a Shared,
    ) -> Self {
        Self {
            connection,
            seat,
            pulses,
            shared,
            group: None,
            window: shared.settings.player_send_window,
            lagged: None,
        }
    }

    async fn run(&mut self) -> Ending {
        match self.feed().await {
            Ok(ending) => ending,
            Err(Gone) => Ending::of(self.connection),
        }
    }

    async fn feed(&mut self) -> Result<Ending, Gone> {
        loop {
            self.pulses.borrow_and_update();
            let step = self.seat.lock().step(self.shared.clock.now());
            let wrote = match step {
                Step::Continue(frames) => self.write(frames).await?,
                Step::Open { before, frames } => {
                    self.end_group(before);
                    self.open_group(&frames).await?;
                    self.write(frames).await?
                }
                Step::Abandon => {
                    self.end_group(Before::Skip);
                    Wrote::All
                }
                Step::Wait { until, .. } => {
                    let until = until.map(|time| self.shared.clock.instant(time));
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

    async fn wait(&mut self, until: Option<Instant>) {
        match until {
            None => drop(self.pulses.changed().await),
            Some(until) => drop(tokio::time::timeout_at(until, self.pulses.changed()).await),
        }
    }

    async fn open_group(&mut self, frames: &[Bytes]) -> Result<(), Gone> {
        let keyframe_len = frames.first().map_or(0, Bytes::len);
        self.group = Some(GroupWriter::open(self.connection, keyframe_len).await?);
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
        let mut stalled = Instant::now() + self.shared.settings.player_stall;
        while !rest.is_empty() {
            let may_be_cut = group.may_be_cut(self.window);
            tokio::select! {
                biased;
                wrote = group.write_some(&mut rest) => {
                    wrote?;
                    stalled = Instant::now() + self.shared.settings.player_stall;
                }
                _ = self.pulses.changed(), if may_be_cut => {
                    let now = self.shared.clock.now();
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
        let full = self.shared.settings.player_send_window;
        self.window = quic.stats().path.cwnd.clamp(LEAST_WINDOW.min(full), full);
        quic.set_send_window(self.window);
        self.lagged = Some(Instant::now());
    }

    fn recover(&mut self) {
        let over = self.lagged.is_some_and(|at| at.elapsed() > WINDOW_RECOVERY);
        if over {
            self.lagged = None;
            self.window = self.shared.settings.player_send_window;
            self.connection
                .quic_connection()
                .set_send_window(self.window);
        }
    }
}
