//! A peer that publishes (WHIP): from its packets to the frames of its broadcast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_rtp::Packet as RtpPacket;
use rtc_shared::marshal::Unmarshal as _;
use steadycast_codec_glue::rtp::{Assembled, Packet, RtpError};
use steadycast_codec_glue::wire::{Code, DecoderConfig, ResumeSecret, TrackId};

use super::clocks::Clocks;
use super::control::Control;
use super::place::{NoFrame, Place, frame};
use super::source::Coding;
use super::sources::{Heard, Sources};
use super::voice::Voice;
use super::watch::Watch;
use crate::auth::{RandomError, random};
use crate::broadcast::{
    AttachError, Broadcast, Charge, Claim, Clock, Moment, PublishError, PublisherNews,
    PublisherSeat, Warning, Widths,
};
use crate::session::Comer;
use crate::webrtc::rtcp::{self, Feedback};
use crate::webrtc::sdp::{Format, Offer};

/// The least time between two keyframe requests.
const KEYFRAMES: Duration = Duration::from_millis(500);
/// A publisher that sends nothing new is still there for so long after its last packet: standard
/// clients have no heartbeat, and pictures that stand still are sent seldom.
const SILENCE: Duration = Duration::from_secs(3);
/// B-frames are told of for so long after the last one.
const REORDERED: Duration = Duration::from_secs(10);

/// Why a publisher's session ends.
#[derive(Debug, thiserror::Error)]
pub(in crate::webrtc) enum UpstreamError {
    /// The broadcast does not take it.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The broadcast does not take its frames.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The broadcast is over for it.
    #[error("the broadcast is over for this publisher")]
    Over(Code),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl UpstreamError {
    pub(in crate::webrtc) fn code(&self) -> Code {
        match self {
            Self::Attach(error) => error.code(),
            Self::Publish(error) => error.code(),
            Self::Over(code) => *code,
            Self::Random(_) => Code::Internal,
        }
    }
}

/// Memory for what is under way is taken in steps of so much.
const STEP: usize = 64 << 10;

/// A publisher's side of the bridge.
pub(in crate::webrtc) struct Upstream {
    broadcast: Arc<Broadcast>,
    formats: Vec<Format>,
    /// The header extension that numbers its packets, where it wants to be told when each arrived.
    transport_wide: Option<u8>,
    seat: Option<PublisherSeat>,
    sources: Sources,
    /// Where sound was agreed on.
    voice: Option<Voice>,
    clocks: Clocks,
    control: Control,
    watch: Watch,
    began: Instant,
    /// When any packet of the client was last heard.
    heard: Instant,
    requests: u64,
    asked: Option<Instant>,
    place: Place,
    /// When the last frame came in another order than frames are shown in.
    reordered: Option<Instant>,
    /// It has been told why nothing is seen.
    told: bool,
    /// The part of the memory that what is no frame yet has.
    under_way: Charge,
}

impl Upstream {
    pub(in crate::webrtc) fn new(offer: &Offer, ssrc: u32, broadcast: &Arc<Broadcast>) -> Self {
        let now = Instant::now();
        let transport_wide = offer.transport_wide();
        Self {
            broadcast: broadcast.clone(),
            formats: offer.formats().to_vec(),
            transport_wide,
            seat: None,
            sources: Sources::default(),
            voice: offer.opus().map(Voice::new),
            clocks: Clocks::default(),
            control: Control::new(ssrc, transport_wide.is_some()),
            watch: Watch::new(now),
            began: now,
            heard: now,
            requests: 0,
            asked: None,
            place: Place::default(),
            reordered: None,
            told: false,
            under_way: broadcast.account().count(0),
        }
    }

    /// Who comes when the client has connected.
    pub(in crate::webrtc) fn comer() -> Result<Comer, UpstreamError> {
        Ok(Comer {
            resume: None,
            fresh: ResumeSecret(random()?),
            widths: Widths::One,
        })
    }

    /// Takes over the broadcast (PROTOCOL 3.1), which is at this relay alone: its client has connected. It may have so
    /// many players.
    pub(in crate::webrtc) fn attach(
        &mut self,
        most_players: Option<u32>,
        now: Moment,
    ) -> Result<(), UpstreamError> {
        let seat = Self::comer()?.attach(&self.broadcast, now.relay)?;
        self.sits(seat, most_players, now);
        Ok(())
    }

    /// Has taken over the broadcast. It may have so many players.
    pub(in crate::webrtc) fn sits(
        &mut self,
        seat: PublisherSeat,
        most_players: Option<u32>,
        now: Moment,
    ) {
        seat.bound_players(most_players);
        self.requests = main_requests(&seat.pulses().borrow().keyframe_requests);
        self.heard = now.instant;
        self.watch.begin(now.instant);
        self.seat = Some(seat);
    }

    /// Frames that it has brought so far, and bytes of them; `None` before it has connected.
    pub(in crate::webrtc) fn brought(&self) -> Option<(u64, u64)> {
        self.seat.as_ref().map(PublisherSeat::brought)
    }

    /// Takes a packet that was opened.
    pub(in crate::webrtc) fn take(
        &mut self,
        packet: BytesMut,
        now: Moment,
    ) -> Result<(), UpstreamError> {
        self.hear(now);
        // Whoever has the keys can send nonsense; it is as good as lost.
        let Ok(packet) = RtpPacket::unmarshal(&mut packet.freeze()) else {
            return Ok(());
        };
        self.number(&packet, now.instant);
        let arrival = now.instant.duration_since(self.began);
        if let Some(voice) = &mut self.voice
            && voice.take(&packet, arrival, now.instant, &mut self.control)
        {
            return self.speak(now);
        }
        let Some((ssrc, coding, packet)) = self.sort(packet, now.instant) else {
            return Ok(());
        };
        let Some(source) = self.sources.get(ssrc) else {
            return Ok(());
        };
        let (sequence, timestamp, arrival) = (packet.sequence, packet.timestamp, packet.arrival);
        let new = source.push(packet, coding);
        self.make_room(now);
        if self.sources.is_taken(ssrc) {
            self.watch.packet(timestamp, now.instant);
            if new {
                self.control.count(sequence, timestamp, arrival);
            }
        }
        self.drain(now)
    }

    /// Notes when a packet arrived, for its sender: padding and repetitions too.
    fn number(&mut self, packet: &RtpPacket, now: Instant) {
        let extension = self.transport_wide;
        let extension = extension.and_then(|id| packet.header.get_extension(id));
        if let Some(number) = extension.as_deref().and_then(<[u8]>::first_chunk) {
            let arrival = now.duration_since(self.began);
            self.control.arrived(u16::from_be_bytes(*number), arrival);
            self.control.say_arrivals(now);
        }
    }

    /// Takes memory for what has come and is no frame yet; where there is none, it goes.
    fn make_room(&mut self, now: Moment) {
        let wanted = self.sources.bytes().next_multiple_of(STEP);
        if wanted == self.under_way.bytes() || self.under_way.resize(wanted).is_ok() {
            return;
        }
        tracing::debug!(broadcast = %self.broadcast.id(), "no memory for what a publisher sends");
        self.sources = Sources::default();
        self.place.close();
        self.make_room(now);
        self.ask(now.instant);
    }

    fn hear(&mut self, now: Moment) {
        self.heard = now.instant;
        if let Some(seat) = &self.seat {
            seat.heard(now.relay);
        }
    }

    /// A packet with its source and coding; a repetition under its own number, and without coding: it
    /// may be of the codec before (RFC 4588, 4).
    fn sort(&mut self, packet: RtpPacket, now: Instant) -> Option<(u32, Option<Coding>, Packet)> {
        let header = packet.header;
        let arrival = now.duration_since(self.began);
        let mut media = Packet {
            sequence: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: packet.payload,
            arrival,
        };
        let kind = header.payload_type;
        let mut formats = self.formats.iter();
        if let Some(own) = formats.find(|format| format.payload_type == kind) {
            let coding = Coding::of(own);
            if self.sources.hear(header.ssrc, now)? == Heard::Taken {
                self.control.follow(header.ssrc);
            }
            return Some((header.ssrc, Some(coding), media));
        }
        self.formats
            .iter()
            .find(|format| format.rtx == Some(kind))?;
        let original: [u8; 2] = *media.payload.first_chunk()?;
        media.sequence = u16::from_be_bytes(original);
        media.payload = media.payload.slice(2..);
        // What is left of padding is nothing.
        let ssrc = self.sources.repeated(media.sequence, media.timestamp)?;
        (!media.payload.is_empty()).then_some((ssrc, None, media))
    }

    /// Takes out what is in order, and asks for what is missing.
    fn drain(&mut self, now: Moment) -> Result<(), UpstreamError> {
        let elapsed = now.instant.duration_since(self.began);
        for ssrc in self.sources.ssrcs() {
            let source = self.sources.get(ssrc);
            let frames = source.map_or_else(Vec::new, |source| source.drain(elapsed));
            for frame in frames {
                self.take_frame(ssrc, frame, now)?;
            }
        }
        if let Some(source) = self.sources.taken() {
            let asks = source.asks(elapsed);
            self.control.nack(&asks);
            if source.is_broken() || self.place.wants_keyframe() {
                self.ask(now.instant);
            }
        }
        for other in self.sources.asked(now.instant) {
            self.control.pli_of(other);
        }
        Ok(())
    }

    /// Hands on what is in order of the sound.
    fn speak(&mut self, now: Moment) -> Result<(), UpstreamError> {
        let elapsed = now.instant.duration_since(self.began);
        if let (Some(voice), Some(seat)) = (&mut self.voice, &self.seat) {
            let pictures = self.sources.taken().map(|source| &*source);
            let (clocks, control) = (&self.clocks, &mut self.control);
            voice.publish(seat, (clocks, pictures), control, (elapsed, now))?;
            voice.pass_time(seat, now.instant);
        }
        Ok(())
    }

    /// Takes a frame of one of the sources, or what is wrong with it.
    fn take_frame(
        &mut self,
        ssrc: u32,
        frame: Result<Assembled, RtpError>,
        now: Moment,
    ) -> Result<(), UpstreamError> {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                tracing::debug!(%error, "a frame that cannot be put together");
                if self.sources.is_taken(ssrc) {
                    self.watch.failed(error);
                }
                return Ok(());
            }
        };
        if self.sources.offers(ssrc, &frame, now.instant) {
            self.control.follow(ssrc);
            let size = frame.picture.as_ref().map(|p| (p.width, p.height));
            tracing::debug!(broadcast = %self.broadcast.id(), ?size, "another source is taken");
        }
        match self.sources.is_taken(ssrc) {
            true => self.publish(frame, now),
            false => {
                if let Some(source) = self.sources.get(ssrc) {
                    source.pass_over();
                }
                Ok(())
            }
        }
    }

    fn ask(&mut self, now: Instant) {
        if self
            .asked
            .is_none_or(|asked| now.duration_since(asked) >= KEYFRAMES)
        {
            self.asked = Some(now);
            self.control.pli();
        }
    }

    fn publish(&mut self, assembled: Assembled, now: Moment) -> Result<(), UpstreamError> {
        let (Some(seat), Some(source)) = (&self.seat, self.sources.taken()) else {
            return Ok(());
        };
        let config = match (&assembled.picture, assembled.keyframe) {
            (Some(picture), true) => Some(DecoderConfig {
                width: picture.width,
                height: picture.height,
                codec: picture.codec.clone(),
                description: Vec::new(),
            }),
            (None, true) => return Ok(()),
            (_, false) => None,
        };
        let claim = Claim {
            micros: source.micros(assembled.timestamp),
            clock: Clock::Own(source.ssrc),
            // They come in order.
            group: 0,
            keyframe: assembled.keyframe,
        };
        let capture = seat.capture(TrackId::MAIN, claim, now.relay);
        if capture.reordered {
            seat.reordered();
            self.reordered = Some(now.instant);
            seat.warn(Warning::reordered(assembled.disposable), now.relay);
            if assembled.disposable {
                // Nothing that follows needs it, and decoders that show pictures as they come stumble.
                self.watch.took();
                return Ok(());
            }
        }
        if !self.place.admit(&assembled) {
            return Ok(());
        }
        let place = &self.place;
        match frame(&assembled, config.as_ref(), seat, place, capture.micros) {
            Ok(frame) => {
                seat.publish(frame, now.relay)?;
                self.watch.took();
                if std::mem::take(&mut self.told) {
                    seat.take_back(&Warning::NOTHING_SEEN);
                }
            }
            // A picture of no size that the wire knows.
            Err(NoFrame::Frame(_)) => self.place.close(),
            Err(NoFrame::Memory(_)) => {
                seat.pass_over(TrackId::MAIN, self.place.group(), now.relay);
                self.place.close();
            }
        }
        Ok(())
    }

    /// Tells the publisher what keeps its pictures from players.
    fn tell(&mut self, now: Moment) {
        let Some(seat) = &self.seat else { return };
        if let Some(warning) = self.watch.verdict(now.instant) {
            self.told = true;
            seat.warn(warning, now.relay);
        }
        let over = |at| now.instant.duration_since(at) >= REORDERED;
        if self.reordered.is_some_and(over) {
            self.reordered = None;
            seat.take_back(&Warning::REORDERED);
        }
    }

    /// Takes control packets that were opened.
    pub(in crate::webrtc) fn take_control(&mut self, packet: &[u8], now: Moment) {
        self.hear(now);
        let about = rtcp::Sources {
            pictures: self.control.ssrc(),
            sound: None,
        };
        for sender in Feedback::parse(packet, about).senders {
            self.control.heard_report(&sender, now.instant);
            self.clocks.hear(sender);
        }
    }

    /// The next control packet for the client.
    pub(in crate::webrtc) fn poll_control(&mut self) -> Option<Vec<u8>> {
        self.control.poll()
    }

    /// Lets time pass; `alive` is when anything of the client was last heard.
    pub(in crate::webrtc) fn pass_time(
        &mut self,
        alive: Instant,
        now: Moment,
    ) -> Result<(), UpstreamError> {
        self.heard = self.heard.max(alive);
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        if now.instant.duration_since(self.heard) < SILENCE {
            seat.heard(now.relay);
        }
        let pulse = *seat.pulses().borrow();
        match seat.news(&pulse) {
            PublisherNews::Over(code) => return Err(UpstreamError::Over(code)),
            PublisherNews::Stands {
                keyframe_requests,
                wanted,
                ..
            } => {
                // Standard clients encode once.
                for rendition in wanted.list() {
                    seat.refuse(rendition.track);
                }
                let requests = main_requests(&keyframe_requests);
                if requests > self.requests {
                    self.requests = requests;
                    self.asked = Some(now.instant);
                    self.control.pli();
                }
            }
        }
        self.control.report(now.instant);
        self.control.say_arrivals(now.instant);
        self.tell(now);
        self.speak(now)?;
        self.drain(now)
    }
}

/// The keyframes asked for of the one track there is.
fn main_requests(requests: &[u64; TrackId::COUNT]) -> u64 {
    requests[usize::from(TrackId::MAIN.number())]
}

#[cfg(test)]
mod tests;
