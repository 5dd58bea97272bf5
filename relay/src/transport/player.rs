//! The pump from a broadcast to a player's session.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage, Serving, Status};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use wtransport::Connection;

use super::control::{ControlReader, ControlWriter};
use super::feed::Feed;
use super::session::{Ending, Session, Shared};
use super::shard::Shard;
use crate::broadcast::{News, PlayerSeat, Progress};

/// How often a player sends `Ping` (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Serves a player until its session ends.
pub(super) async fn run(mut session: Session, shard: &Arc<Shard>) -> Ending {
    let shared = &shard.shared;
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
        Ok(()) => pump(&mut session, &seat, status, shard).await,
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
    shard: &Arc<Shard>,
) -> Ending {
    let shared = &shard.shared;
    let news = seat.lock().news();
    let connection = session.connection.clone();
    let moved = Notify::new();
    let mut feed = Feed::new(&connection, seat, &moved, shard);
    let mut talk = Talk {
        reader: &mut session.reader,
        writer: &mut session.writer,
        connection: &connection,
        seat,
        shared,
        moved: &moved,
        news,
        told: status,
        served: Serving::DEFAULT,
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
    /// Tells the frames' side to look at its track.
    moved: &'a Notify,
    news: watch::Receiver<News>,
    /// What the player knows.
    told: Status,
    served: Serving,
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
                changed = self.news.changed() => match changed {
                    Ok(()) => Ok(None),
                    Err(_) => Err(Ending::because(Code::Internal, "the broadcast is gone")),
                },
                () = sleep_until(idle) => return Ending::because(Code::Silent, "nothing heard"),
            };
            if let Err(ending) = self.say(answer).await {
                return ending;
            }
        }
    }

    /// Sends `answer`, if there is one, and whatever else the player does not know.
    async fn say(&mut self, answer: Result<Option<RelayMessage>, Ending>) -> Result<(), Ending> {
        let mut next = answer?;
        loop {
            if let Some(message) = next
                && self.writer.send(&message).await.is_err()
            {
                return Err(self.deaf());
            }
            next = self.untold()?;
            if next.is_none() {
                return Ok(());
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
            ClientMessage::Decodes { codecs } => {
                self.seat.lock().decodes(codecs);
                Ok(None)
            }
            ClientMessage::Goodbye { .. } => Err(Ending::left(Code::Done)),
            ClientMessage::Hello { .. } => {
                Err(Ending::because(Code::OutOfOrder, "Hello was said already"))
            }
            ClientMessage::RenditionRefused { .. } => Err(Ending::because(
                Code::WrongRole,
                "only publishers send this",
            )),
        }
    }

    /// Something of the news that the player does not know.
    fn untold(&mut self) -> Result<Option<RelayMessage>, Ending> {
        let news = *self.news.borrow_and_update();
        if let Some(code) = news.ended {
            return Err(Ending::over(code));
        }
        let known = |s: &Status| (s.phase, s.since_us, s.epoch);
        if known(&news.status) != known(&self.told) {
            self.told = news.status;
            return Ok(Some(RelayMessage::Status {
                status: news.status,
            }));
        }
        let serving = news.serving(self.seat.lock().codecs());
        if serving == self.served {
            return Ok(None);
        }
        self.served = serving;
        self.moved.notify_one();
        Ok(Some(RelayMessage::Serving { serving }))
    }
}
