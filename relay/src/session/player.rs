//! The pump from a broadcast to a player's session.

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{
    ClientMessage, Code, CodecSet, RelayMessage, Serving, SoundFormat, Status,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::control::{ControlReader, ControlWriter};
use super::deliver::Stay;
use super::ending::Ending;
use super::greeted::Session;
use super::link::Link;
use super::local::Local;
use super::settings::WIDTHS_SINCE;
use super::shared::Shared;
use crate::broadcast::{News, PlayerSeat, Progress};
use crate::delivery::PathNews;
use crate::placement::{Handover, message_of};
use crate::records::{Record, Shown};

/// How often a player sends `Ping` (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often a player is told of its path at most (PROTOCOL 2.13).
const PATH_INTERVAL: Duration = Duration::from_secs(1);

/// Serves a player until its session ends.
pub(super) async fn run<L: Link>(
    mut session: Session<L>,
    record: &Record,
    local: &Arc<Local<L>>,
) -> Ending {
    let shared = &local.shared;
    let mut seat = match session.broadcast.attach_player() {
        Ok(seat) => seat,
        Err(error) => {
            let ending = Ending::because(error.code(), error);
            session.part(&ending).await;
            return ending;
        }
    };
    record.begin();
    if session.version >= WIDTHS_SINCE {
        seat.takes_any_width();
    }
    let (status, news) = (seat.status(), seat.news());
    let welcome = session.welcome(None, HEARTBEAT, status, shared.clock.now());
    let ending = match session.writer.send(&welcome).await {
        Ok(()) => pump(&mut session, record, seat, (news, status), local).await,
        Err(_) => {
            let ending = Ending::of(&session.link);
            seat.leave(ending.code);
            ending
        }
    };
    session.part(&ending).await;
    ending
}

async fn pump<L: Link>(
    session: &mut Session<L>,
    record: &Record,
    seat: PlayerSeat,
    (news, status): (watch::Receiver<News>, Status),
    local: &Arc<Local<L>>,
) -> Ending {
    let shared = &local.shared;
    let link = session.link.clone();
    let window = shared.settings.player_send_window;
    let deliverer = local.deliverer(seat.broadcast());
    let mut stay = deliverer.join(seat, &link, window, session.version);
    let mut talk = Talk {
        reader: &mut session.reader,
        writer: &mut session.writer,
        link: &link,
        stay: &mut stay,
        record,
        shared,
        news,
        told: status,
        served: Serving::DEFAULT,
        sound: None,
        path: PathNews::default(),
        handover: Handover::new(&shared.placement, &session.broadcast, session.number),
        unheard: None,
    };
    let ending = tokio::select! {
            ending = talk.run() => ending,
            stream = link.accept_group() => match stream {
                Some(_) => Ending::because(Code::WrongRole, "players send no frames"),
                None => Ending::of(&link),
            },
            stream = link.accept_control() => match stream {
                Some(_) => Ending::second_control_stream(),
                None => Ending::of(&link),
            },
            never = link.pass_over_datagrams() => match never {},
            why = record.pass().withdrawal() => Ending::withdrawn(why),
            () = shared.shutdown.cancelled() => Ending::shutting_down(),
    };
    note(record, &stay);
    stay.leave(ending.code);
    ending
}

/// Records what the player has been given so far, and how its path is.
fn note(record: &Record, stay: &Stay<impl Link>) {
    if let Some(figures) = stay.figures() {
        record.note(figures);
    }
}

/// The control stream's side.
struct Talk<'a, L: Link> {
    reader: &'a mut ControlReader<L::Input>,
    writer: &'a mut ControlWriter<L::Output>,
    link: &'a L,
    stay: &'a mut Stay<L>,
    record: &'a Record,
    shared: &'a Shared,
    news: watch::Receiver<News>,
    /// What the player knows.
    told: Status,
    served: Serving,
    sound: Option<SoundFormat>,
    path: PathNews,
    handover: Handover,
    /// What it has said that it can decode, until that is taken.
    unheard: Option<CodecSet>,
}

impl<L: Link> Talk<'_, L> {
    async fn run(&mut self) -> Ending {
        // What stands already is news to a player that comes.
        if let Err(ending) = self.say(Ok(None)).await {
            return ending;
        }
        let mut idle = Instant::now() + self.shared.settings.idle_timeout;
        let mut look = Instant::now() + PATH_INTERVAL;
        loop {
            let answer = tokio::select! {
                message = self.reader.next() => {
                    idle = Instant::now() + self.shared.settings.idle_timeout;
                    match message {
                        Ok(message) => self.take(message),
                        Err(error) => return Ending::from_read(error, self.link),
                    }
                }
                changed = self.news.changed() => match changed {
                    Ok(()) => Ok(None),
                    Err(_) => Err(Ending::because(Code::Internal, "the broadcast is gone")),
                },
                hint = self.handover.next() => Ok(Some(message_of(hint))),
                ending = self.stay.over() => return ending,
                () = sleep_until(look) => {
                    look = Instant::now() + PATH_INTERVAL;
                    self.hear();
                    note(self.record, self.stay);
                    Ok(self.untold_path())
                }
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
        Ending::left(self.link.ended().unwrap_or(Code::TooSlow))
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
                self.stay.with_seat(|seat| seat.request_keyframe(now));
                Ok(None)
            }
            ClientMessage::Report {
                received,
                decoded,
                shown,
                black,
                decoder_errors,
                latency_us,
            } => {
                let latency = (latency_us > 0).then(|| Duration::from_micros(latency_us.into()));
                if let Some(delay) = latency {
                    self.record.shown_after(delay);
                }
                self.record.reported(Shown {
                    received,
                    decoded,
                    shown,
                    latency,
                });
                let progress = Progress {
                    black,
                    decoder_errors,
                };
                let now = self.shared.clock.now();
                self.stay.with_seat(|seat| seat.report(progress, now));
                Ok(None)
            }
            ClientMessage::Decodes { codecs } => {
                self.unheard = Some(codecs);
                self.hear();
                Ok(None)
            }
            ClientMessage::Listen { on } => {
                self.stay.listen(on);
                Ok(None)
            }
            ClientMessage::Goodbye { .. } => Err(Ending::left(Code::Done)),
            ClientMessage::Hello { .. } => {
                Err(Ending::because(Code::OutOfOrder, "Hello was said already"))
            }
            ClientMessage::RenditionRefused { .. }
            | ClientMessage::Pause { .. }
            | ClientMessage::Continue
            | ClientMessage::Sound { .. } => Err(Ending::because(
                Code::WrongRole,
                "only publishers send this",
            )),
            ClientMessage::Pull { .. }
            | ClientMessage::Audience { .. }
            | ClientMessage::Branch { .. }
            | ClientMessage::Needs { .. } => {
                Err(Ending::because(Code::WrongRole, "only relays send this"))
            }
        }
    }

    /// Takes what the player has last said of its decoder, unless it has changed that too often: then
    /// a little later.
    fn hear(&mut self) {
        let Some(codecs) = self.unheard else { return };
        let now = self.shared.clock.now();
        let heard = self.stay.with_seat(|seat| seat.decodes(codecs, now));
        self.unheard = self.unheard.filter(|_| heard == Some(false));
    }

    /// What has changed of its path (PROTOCOL 2.13).
    fn untold_path(&mut self) -> Option<RelayMessage> {
        let news = self.stay.path()?;
        if news == self.path {
            return None;
        }
        self.path = news;
        let PathNews {
            narrow,
            carries_kbps,
        } = news;
        Some(RelayMessage::Path {
            narrow,
            carries_kbps,
        })
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
        if news.sound != self.sound {
            self.sound = news.sound;
            return Ok(Some(RelayMessage::Sound { sound: news.sound }));
        }
        let means = self.stay.with_seat(|seat| seat.means()).unwrap_or_default();
        let serving = news.serving(means);
        if serving == self.served {
            return Ok(None);
        }
        self.served = serving;
        self.stay.sort();
        Ok(Some(RelayMessage::Serving { serving }))
    }
}
