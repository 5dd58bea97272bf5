//! The pump from a publisher's session into its broadcast.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use steadycast_codec_glue::wire::{
    ClientMessage, Code, FrameHeader, RelayMessage, SOUNDS, Status, TrackId, WantedTrack,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::arrivals::{Arrivals, Count};
use super::audience::Audience;
use super::elsewhere::Comer;
use super::ending::Ending;
use super::greeted::Session;
use super::group_reader::{GroupError, GroupReader, Part};
use super::link::{Input, Link};
use super::settings::WIDTHS_SINCE;
use super::shared::Shared;
use super::sound::Intake;
use crate::broadcast::{
    Claim, Clock, MemoryError, PublisherNews, PublisherSeat, Pulse, Wanted, Widths,
};
use crate::excerpt::excerpt;
use crate::placement::{Handover, message_of};
use crate::records::Record;

/// How often a publisher sends `Ping` (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_millis(250);
/// The least time between two statuses that differ in the number of players only (PROTOCOL 2.5).
const STATUS_INTERVAL: Duration = Duration::from_millis(250);
/// How often it is recorded what it has brought.
const NOTED_EVERY: Duration = Duration::from_secs(1);
/// Groups that an authenticated publisher may have open at once.
const STREAMS: u32 = 64;
/// Bytes that an authenticated publisher may have on their way.
const RECEIVE_WINDOW: u32 = 8 << 20;

/// The least of it, for those that are held to a rate.
const LEAST_WINDOW: u32 = 128 << 10;

/// Serves a publisher until its session ends.
pub(super) async fn run<L: Link>(
    mut session: Session<L>,
    record: &Record,
    shared: &Arc<Shared>,
) -> Ending {
    let seat = match attach(&session, shared).await {
        Ok(seat) => seat,
        Err(ending) => {
            session.part(&ending).await;
            return ending;
        }
    };
    record.begin();
    let link = session.link.clone();
    let allotment = record.pass().grant().allotment;
    link.take_groups(STREAMS, window(allotment.kbps));
    seat.bound_players(allotment.players);
    seat.bound_renditions(allotment.renditions);
    tracing::info!(epoch = seat.epoch(), "publisher attached");
    // Whatever it is busy with.
    let ending = tokio::select! {
        ending = pump(&mut session, &seat, Count::at_most(allotment.kbps), shared) => ending,
        () = note(record, &seat, &link) => Ending::left(Code::Internal),
        why = record.pass().withdrawal() => Ending::withdrawn(why),
    };
    record.note_brought(seat.brought(), link.round_trip());
    seat.leave(shared.clock.now());
    session.part(&ending).await;
    ending
}

/// Bytes that may be on their way from a publisher that may bring so much: what it is kept from bringing must not wait
/// here for long.
fn window(kbps: Option<u32>) -> u32 {
    let second = |kbps: u32| kbps.saturating_mul(125);
    kbps.map_or(RECEIVE_WINDOW, second)
        .clamp(LEAST_WINDOW, RECEIVE_WINDOW)
}

/// Records now and then what the publisher has brought; never ends.
async fn note(record: &Record, seat: &PublisherSeat, link: &impl Link) {
    loop {
        sleep_until(Instant::now() + NOTED_EVERY).await;
        record.note_brought(seat.brought(), link.round_trip());
    }
}

async fn attach(session: &Session<impl Link>, shared: &Shared) -> Result<PublisherSeat, Ending> {
    // Publishers of versions before 3 know tracks by their codecs alone.
    let widths = match session.version {
        ..WIDTHS_SINCE => Widths::One,
        WIDTHS_SINCE.. => Widths::Any,
    };
    let comer = Comer {
        resume: session.resume,
        fresh: shared.secret()?,
        widths,
    };
    let attached = shared.attach(&session.broadcast, comer).await;
    attached.map_err(|error| Ending::because(error.code(), error))
}

async fn pump(
    session: &mut Session<impl Link>,
    seat: &PublisherSeat,
    count: Count,
    shared: &Shared,
) -> Ending {
    let mut pulses = seat.pulses();
    let status = Status {
        epoch: seat.epoch(),
        ..seat.status()
    };
    let welcome = session.welcome(Some(seat.lineage()), HEARTBEAT, status, shared.clock.now());
    if session.writer.send(&welcome).await.is_err() {
        return Ending::of(&session.link);
    }
    let mut told = Told::new(status, &pulses, session.version);
    let mut groups = FuturesUnordered::new();
    let mut arrivals = Arrivals::new(count.clone());
    let mut sound = Intake::default();
    let mut handover = Handover::new(&shared.placement, &session.broadcast, session.number);
    loop {
        let idle = shared
            .clock
            .instant(seat.last_heard() + shared.settings.idle_timeout);
        tokio::select! {
            message = session.reader.next() => {
                seat.heard(shared.clock.now());
                match message {
                    Ok(message) => match answer(message, seat, shared) {
                        Ok(Some(answer)) if session.writer.send(&answer).await.is_err() => {
                            return Ending::of(&session.link);
                        }
                        Ok(_) => {}
                        Err(ending) => return ending,
                    },
                    Err(error) => return Ending::from_read(error, &session.link),
                }
            }
            stream = session.link.accept_group() => match stream {
                Some(stream) => groups.push(read_group(GroupReader::new(stream, seat.account(), &count), seat, shared)),
                None => return Ending::of(&session.link),
            },
            Some(read) = groups.next() => if let Err(ending) = read {
                return ending;
            },
            stream = session.link.accept_control() => return match stream {
                Some(_) => Ending::second_control_stream(),
                None => Ending::of(&session.link),
            },
            datagram = session.link.datagram(), if session.version >= SOUNDS => {
                let Some(datagram) = datagram else {
                    return Ending::of(&session.link);
                };
                if let Err(ending) = sound.take(&datagram, seat, shared.clock.now()) {
                    return ending;
                }
            }
            news = told.news(&mut pulses, seat, sound.repeat()) => match news {
                Ok(message) if session.writer.send(&message).await.is_err() => {
                    return Ending::of(&session.link);
                }
                Ok(_) => {}
                Err(ending) => return ending,
            },
            bytes = arrivals.news(), if session.version >= WIDTHS_SINCE => {
                let relay_us = shared.clock.now().as_micros();
                let message = RelayMessage::Arrived { bytes, relay_us };
                if session.writer.send(&message).await.is_err() {
                    return Ending::of(&session.link);
                }
            }
            hint = handover.next() => if session.writer.send(&message_of(hint)).await.is_err() {
                return Ending::of(&session.link);
            },
            () = sleep_until(idle) => {
                // Frames may have come meanwhile.
                let silence = shared.clock.now() - seat.last_heard();
                if silence >= shared.settings.idle_timeout {
                    return Ending::because(Code::Silent, "nothing heard");
                }
            }
            () = shared.shutdown.cancelled() => return Ending::shutting_down(),
        }
    }
}

fn answer(
    message: ClientMessage,
    seat: &PublisherSeat,
    shared: &Shared,
) -> Result<Option<RelayMessage>, Ending> {
    match message {
        ClientMessage::Ping { sequence, sent_us } => Ok(Some(RelayMessage::Pong {
            sequence,
            sent_us,
            relay_us: shared.clock.now().as_micros(),
        })),
        ClientMessage::Goodbye { .. } => Err(Ending::left(Code::Done)),
        ClientMessage::Hello { .. } => {
            Err(Ending::because(Code::OutOfOrder, "Hello was said already"))
        }
        ClientMessage::RenditionRefused { track, reason } => {
            let reason = excerpt(&reason);
            tracing::info!(%track, reason, "rendition refused");
            seat.refuse(track);
            Ok(None)
        }
        ClientMessage::Pause { from } => {
            tracing::info!("the picture is taken back");
            seat.pause(&from, shared.clock.now());
            Ok(None)
        }
        ClientMessage::Continue => {
            tracing::info!("the picture is back");
            seat.go_on(shared.clock.now());
            Ok(None)
        }
        ClientMessage::Sound { sound } => {
            tracing::info!(?sound, "what there is to hear");
            seat.sounds_as(sound);
            Ok(None)
        }
        ClientMessage::KeyframeRequest { .. }
        | ClientMessage::Report { .. }
        | ClientMessage::Decodes { .. }
        | ClientMessage::Listen { .. } => {
            Err(Ending::because(Code::WrongRole, "only players send this"))
        }
        ClientMessage::Pull { .. }
        | ClientMessage::Audience { .. }
        | ClientMessage::Branch { .. }
        | ClientMessage::Needs { .. } => {
            Err(Ending::because(Code::WrongRole, "only relays send this"))
        }
    }
}

async fn read_group(
    mut reader: GroupReader<impl Input>,
    seat: &PublisherSeat,
    shared: &Shared,
) -> Result<(), Ending> {
    let mend = |header: &mut FrameHeader| {
        let claim = Claim {
            micros: header.capture_us.into(),
            clock: Clock::Relay,
            group: header.group,
            keyframe: header.keyframe,
        };
        header.capture_us = seat.capture(header.track, claim, shared.clock.now()).micros;
    };
    loop {
        let part = reader.next(mend).await;
        let now = shared.clock.now();
        match part {
            Ok(Some(Part::Frame(frame))) => seat
                .publish(frame, now)
                .map_err(|error| Ending::because(error.code(), error))?,
            Ok(Some(Part::More {
                track,
                group,
                bytes,
            })) => seat.extend(track, group, bytes, now),
            Ok(None) => return Ok(()),
            Err(error) => {
                if let Some((track, group)) = reader.inside_frame() {
                    seat.cut(track, group);
                }
                match error {
                    GroupError::CutOff => return Ok(()),
                    GroupError::Wire(error) => return Err(Ending::because(error.code(), error)),
                    GroupError::Memory(error @ MemoryError::System(_)) => {
                        return Err(Ending::because(Code::Internal, error));
                    }
                    GroupError::Memory(MemoryError::Full) => {}
                }
                if let Some((track, group)) = reader.place() {
                    seat.pass_over(track, group, now);
                }
                reader.pass_over().await;
                return Ok(());
            }
        }
    }
}

/// What the publisher has been told, so that it is told the rest.
struct Told {
    version: u16,
    status: Status,
    keyframe_requests: [u64; TrackId::COUNT],
    wanted: Wanted,
    audience: Audience,
    at: Instant,
}

impl Told {
    fn new(status: Status, pulses: &watch::Receiver<Pulse>, version: u16) -> Self {
        Self {
            version,
            status,
            keyframe_requests: pulses.borrow().keyframe_requests,
            // Whatever runs already is news to a new publisher.
            wanted: Wanted::default(),
            audience: Audience::default(),
            at: Instant::now(),
        }
    }

    /// The next thing to tell. Cancel-safe.
    async fn news(
        &mut self,
        pulses: &mut watch::Receiver<Pulse>,
        seat: &PublisherSeat,
        repeat: u8,
    ) -> Result<RelayMessage, Ending> {
        loop {
            let pulse = *pulses.borrow_and_update();
            let (requests, wanted, listeners, status) = match seat.news(&pulse) {
                PublisherNews::Over(code) => return Err(Ending::over(code)),
                PublisherNews::Stands {
                    keyframe_requests,
                    wanted,
                    listeners,
                    status,
                } => (keyframe_requests, wanted, listeners, status),
            };
            // A request for a track's keyframe is of no use before the wish for the track.
            let wanted_due = self.wanted_due(wanted);
            if is_due(wanted_due) {
                self.wanted = wanted;
                self.at = Instant::now();
                return Ok(self.wanted_tracks(wanted));
            }
            if let Some(track) = self.requested(requests) {
                return Ok(RelayMessage::KeyframeRequest { track });
            }
            let audience_due = self.audience.due(listeners, repeat);
            if is_due(audience_due)
                && let Some(message) = self.audience.tell(listeners, repeat)
            {
                return Ok(message);
            }
            let status_due = self.status_due(status);
            if is_due(status_due) {
                self.status = status;
                self.at = Instant::now();
                return Ok(RelayMessage::Status { status });
            }
            let due = [wanted_due, audience_due, status_due];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                changed = pulses.changed() => if changed.is_err() {
                    return Err(Ending::because(Code::Internal, "the broadcast is gone"));
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// What is wanted, as the session's version says it.
    fn wanted_tracks(&self, wanted: Wanted) -> RelayMessage {
        let wanted = wanted.list();
        match self.version {
            ..WIDTHS_SINCE => RelayMessage::Renditions {
                wanted: wanted.into_iter().filter_map(WantedTrack::in_v2).collect(),
            },
            WIDTHS_SINCE.. => RelayMessage::Tracks { wanted },
        }
    }

    /// A track for which a keyframe was requested that the publisher does not know of.
    fn requested(&mut self, requests: [u64; TrackId::COUNT]) -> Option<TrackId> {
        let told = self.keyframe_requests.iter_mut().zip(requests);
        for (track, (told, request)) in TrackId::all().zip(told) {
            if request > *told {
                *told = request;
                return Some(track);
            }
        }
        None
    }

    /// When the publisher is to learn which renditions are wanted; `None` when it knows.
    fn wanted_due(&self, wanted: Wanted) -> Option<Instant> {
        match (
            wanted.is_same_but_for_players(&self.wanted),
            wanted == self.wanted,
        ) {
            (_, true) => None,
            (true, false) => Some(self.at + STATUS_INTERVAL),
            (false, _) => Some(Instant::now()),
        }
    }

    /// When the publisher is to learn `status`; `None` when it knows.
    fn status_due(&self, status: Status) -> Option<Instant> {
        let same_phase =
            (status.phase, status.since_us) == (self.status.phase, self.status.since_us);
        match (same_phase, status.players == self.status.players) {
            (true, true) => None,
            (true, false) => Some(self.at + STATUS_INTERVAL),
            (false, _) => Some(Instant::now()),
        }
    }
}

fn is_due(due: Option<Instant>) -> bool {
    due.is_some_and(|due| due <= Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_has_on_its_way_what_it_may_bring_in_a_second_and_8_mib_at_most() {
        assert_eq!(window(Some(4_000)), 500_000);
        assert_eq!(window(Some(1)), LEAST_WINDOW);
        for most in [None, Some(100_000), Some(u32::MAX)] {
            assert_eq!(window(most), 8 << 20);
        }
    }
}
