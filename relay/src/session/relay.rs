//! Sessions of relays, which serve others what they get here (PROTOCOL 11).

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{
    self, ClientMessage, Code, Hop, RELAYS, RelayMessage, Serving, SoundFormat, Status,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::control::{ControlReader, ControlWriter};
use super::deliver::Stay;
use super::elsewhere::{About, Child, NotHere};
use super::ending::{Ending, part};
use super::greet::unspoken;
use super::greeted::Session;
use super::link::Link;
use super::local::Local;
use super::shared::{Served, Shared};
use crate::broadcast::{Behind, News, PlayerSeat, Withheld};
use crate::placement::{Handover, Hint, message_of};
use crate::telemetry::traces::{self, BroadcastTrace};

/// How often a relay sends `Ping` (PROTOCOL 11.2).
const HEARTBEAT: Duration = Duration::from_millis(250);
/// How often it is seen whether the rendition that a relay needs is another by now.
const LOOK: Duration = Duration::from_secs(1);

/// A relay that has come, and has said what it wants.
pub(super) struct Visitor<L: Link> {
    pub(super) number: u64,
    pub(super) link: L,
    pub(super) reader: ControlReader<L::Input>,
    pub(super) writer: ControlWriter<L::Output>,
    /// What it has said of itself.
    pub(super) about: About,
}

/// Why a relay is not served.
struct Refused {
    ending: Ending,
    /// The relay that it is to ask instead.
    ask: Option<Arc<str>>,
}

impl From<Ending> for Refused {
    fn from(ending: Ending) -> Self {
        Self { ending, ask: None }
    }
}

/// Serves a relay until its session ends.
pub(super) async fn serve<L: Link>(
    visitor: Visitor<L>,
    pull: ClientMessage,
    local: &Arc<Local<L>>,
) {
    let Visitor {
        number,
        link,
        reader,
        mut writer,
        about,
    } = visitor;
    let shared = &local.shared;
    writer.speaks(RELAYS);
    let (version, served) = match grant(pull, &about, shared).await {
        Ok(granted) => granted,
        Err(Refused { ending, ask }) => {
            match ask.map(|relay| relay.as_ref().into()) {
                Some(relay) => {
                    tracing::info!(%relay, "relay sent on");
                    // Where it does not hear that, it hears that it ends.
                    let _ = writer.send(&RelayMessage::Ask { relay }).await;
                }
                None => {
                    tracing::info!(code = %ending.code, why = ending.tell, "relay refused");
                    shared.records.refused(ending.code, None);
                }
            }
            return part(&ending, &mut writer, &link, number).await;
        }
    };
    let Served {
        broadcast,
        way,
        child,
    } = served;
    let id = broadcast.id().clone();
    let trace = BroadcastTrace::of(&id);
    tracing::info!(broadcast = %id, from = %link.address(), version, %trace, "relay");
    // It lasts as long as the session.
    let _span = traces::serving("relay", &id);
    writer.speaks(version);
    let session = Session {
        number,
        link,
        reader,
        writer,
        broadcast,
        resume: None,
        version,
    };
    let ending = run(session, way, child, local).await;
    tracing::info!(code = %ending.code, why = ending.tell, "relay has gone");
}

/// Checks what a relay asks for against PROTOCOL 11.2, 11.3 and 11.10.
async fn grant(
    pull: ClientMessage,
    about: &About,
    shared: &Shared,
) -> Result<(u16, Served), Refused> {
    let ClientMessage::Pull {
        version: newest,
        broadcast,
        relays,
    } = pull
    else {
        return Err(Ending::because(Code::OutOfOrder, "Pull comes first").into());
    };
    let version = wire::agree(newest).filter(|version| *version >= RELAYS);
    let version = version.ok_or_else(|| unspoken(newest))?;
    let id = broadcast
        .parse()
        .map_err(|error| Ending::because(Code::UnknownBroadcast, error))?;
    let found = shared.find_for_relays(&id, &relays, about).await;
    let served = found.map_err(|why| Refused {
        ending: Ending::because(why.code(), &why),
        ask: match why {
            NotHere::At(place) => Some(place),
            _ => None,
        },
    })?;
    Ok((version, served))
}

async fn run<L: Link>(
    mut session: Session<L>,
    way: watch::Receiver<Vec<Hop>>,
    child: Box<dyn Child>,
    local: &Arc<Local<L>>,
) -> Ending {
    let seat = match session.broadcast.attach_relay() {
        Ok(seat) => seat,
        Err(error) => {
            let ending = Ending::because(error.code(), error);
            session.part(&ending).await;
            return ending;
        }
    };
    let (status, news) = (seat.status(), seat.news());
    let welcome = session.welcome(None, HEARTBEAT, status, local.shared.clock.now());
    let ending = match session.writer.send(&welcome).await {
        Ok(()) => pump(&mut session, seat, (news, status, way), child, local).await,
        Err(_) => Ending::of(&session.link),
    };
    session.part(&ending).await;
    ending
}

async fn pump<L: Link>(
    session: &mut Session<L>,
    seat: PlayerSeat,
    (news, status, way): (watch::Receiver<News>, Status, watch::Receiver<Vec<Hop>>),
    child: Box<dyn Child>,
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
        shared,
        news,
        way,
        child,
        handover: Handover::new(&shared.placement, &session.broadcast, session.number),
        told: Told {
            status,
            through: None,
            withheld: None,
            sound: None,
            served: None,
        },
        needs: false,
    };
    let ending = tokio::select! {
        ending = talk.run() => ending,
        stream = link.accept_group() => match stream {
            Some(_) => Ending::because(Code::WrongRole, "relays send no frames"),
            None => Ending::of(&link),
        },
        stream = link.accept_control() => match stream {
            Some(_) => Ending::second_control_stream(),
            None => Ending::of(&link),
        },
        never = link.pass_over_datagrams() => match never {},
        () = shared.shutdown.cancelled() => Ending::shutting_down(),
    };
    stay.leave(ending.code);
    ending
}

/// Waits until the way of a broadcast is another. Where it is let go of, its news say so.
async fn another(way: &mut watch::Receiver<Vec<Hop>>) {
    if way.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// Waits until this relay is about to go; for how long it is there.
async fn told_to_go(handover: &mut Handover) -> Duration {
    loop {
        // Where clients could go does not matter to relays.
        if let Hint::Move(within) = handover.next().await {
            return within;
        }
    }
}

fn to_go(within: Duration) -> RelayMessage {
    message_of(Hint::Move(within))
}

/// What a relay knows.
struct Told {
    status: Status,
    through: Option<Vec<Hop>>,
    withheld: Option<Withheld>,
    sound: Option<SoundFormat>,
    served: Option<Serving>,
}

/// The control stream's side.
struct Talk<'a, L: Link> {
    reader: &'a mut ControlReader<L::Input>,
    writer: &'a mut ControlWriter<L::Output>,
    link: &'a L,
    stay: &'a mut Stay<L>,
    shared: &'a Shared,
    news: watch::Receiver<News>,
    way: watch::Receiver<Vec<Hop>>,
    child: Box<dyn Child>,
    handover: Handover,
    told: Told,
    /// It is to have a rendition.
    needs: bool,
}

impl<L: Link> Talk<'_, L> {
    async fn run(&mut self) -> Ending {
        let mut idle = Instant::now() + self.shared.settings.idle_timeout;
        let mut look = Instant::now() + LOOK;
        let mut answer = None;
        loop {
            if let Err(ending) = self.say(answer.take()).await {
                return ending;
            }
            tokio::select! {
                message = self.reader.next() => {
                    idle = Instant::now() + self.shared.settings.idle_timeout;
                    self.child.lives();
                    let taken = match message {
                        Ok(message) => self.take(message),
                        Err(error) => return Ending::from_read(error, self.link),
                    };
                    match taken {
                        Ok(told) => answer = told,
                        Err(ending) => return ending,
                    }
                }
                changed = self.news.changed() => if changed.is_err() {
                    return Ending::because(Code::Internal, "the broadcast is gone");
                },
                () = another(&mut self.way) => {}
                within = told_to_go(&mut self.handover) => answer = Some(to_go(within)),
                () = self.child.let_go() => answer = Some(to_go(self.shared.settings.idle_timeout)),
                ending = self.stay.over() => return ending,
                () = sleep_until(look) => {
                    look = Instant::now() + LOOK;
                    let now = self.shared.clock.now();
                    self.stay.with_seat(|seat| seat.see_needs(now));
                }
                () = sleep_until(idle) => return Ending::because(Code::Silent, "nothing heard"),
            }
        }
    }

    /// Sends `answer`, if there is one, and whatever else the relay does not know.
    async fn say(&mut self, answer: Option<RelayMessage>) -> Result<(), Ending> {
        let mut next = answer;
        loop {
            if let Some(message) = next
                && self.writer.send(&message).await.is_err()
            {
                let code = self.link.ended().unwrap_or(Code::TooSlow);
                return Err(Ending::left(code));
            }
            next = self.untold()?;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, message: ClientMessage) -> Result<Option<RelayMessage>, Ending> {
        let now = self.shared.clock.now();
        match message {
            ClientMessage::Ping { sequence, sent_us } => {
                return Ok(Some(RelayMessage::Pong {
                    sequence,
                    sent_us,
                    relay_us: now.as_micros(),
                }));
            }
            ClientMessage::KeyframeRequest { .. } => {
                self.stay.with_seat(|seat| seat.request_keyframe(now));
            }
            ClientMessage::Listen { on } => self.stay.listen(on),
            ClientMessage::Audience { players, listeners } => {
                let behind = Behind { players, listeners };
                self.stay.with_seat(|seat| seat.has_behind(behind));
            }
            ClientMessage::Branch { branch, .. } => self.child.has_behind(branch),
            ClientMessage::Needs { codec, max_kbps } => {
                self.needs = true;
                self.stay.with_seat(|seat| seat.needs(codec, max_kbps, now));
                self.stay.sort();
            }
            ClientMessage::Goodbye { .. } => return Err(Ending::left(Code::Done)),
            ClientMessage::Pull { .. } | ClientMessage::Hello { .. } => {
                return Err(Ending::because(Code::OutOfOrder, "Pull was said already"));
            }
            ClientMessage::Report { .. }
            | ClientMessage::Decodes { .. }
            | ClientMessage::RenditionRefused { .. }
            | ClientMessage::Pause { .. }
            | ClientMessage::Continue
            | ClientMessage::Sound { .. } => {
                let why = "relays do not send this";
                return Err(Ending::because(Code::WrongRole, why));
            }
        }
        Ok(None)
    }

    /// Something of the news that the relay does not know.
    fn untold(&mut self) -> Result<Option<RelayMessage>, Ending> {
        let news = *self.news.borrow_and_update();
        if let Some(code) = news.ended {
            return Err(Ending::over(code));
        }
        let way = self.way.borrow_and_update();
        if self.told.through.as_ref() != Some(&*way) {
            self.told.through = Some(way.clone());
            return Ok(Some(RelayMessage::Through {
                relays: way.clone(),
            }));
        }
        drop(way);
        let known = |s: &Status| (s.phase, s.since_us, s.epoch);
        if known(&news.status) != known(&self.told.status) {
            self.told.status = news.status;
            return Ok(Some(RelayMessage::Status {
                status: news.status,
            }));
        }
        if news.withheld != self.told.withheld {
            self.told.withheld = news.withheld;
            return Ok(Some(match news.withheld {
                Some(withheld) => RelayMessage::Pause {
                    epoch: withheld.epoch,
                    from: withheld.list(),
                },
                None => RelayMessage::Continue,
            }));
        }
        if news.sound != self.told.sound {
            self.told.sound = news.sound;
            return Ok(Some(RelayMessage::Sound { sound: news.sound }));
        }
        Ok(self.untold_serving(&news))
    }

    /// What it is served, where it needs a rendition.
    fn untold_serving(&mut self, news: &News) -> Option<RelayMessage> {
        let serving = self.stay.with_seat(|seat| news.serving(seat.means()));
        let serving = serving.filter(|_| self.needs)?;
        if self.told.served.replace(serving) == Some(serving) {
            return None;
        }
        self.stay.sort();
        Some(RelayMessage::Serving { serving })
    }
}
