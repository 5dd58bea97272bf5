//! A peer that publishes (WHIP): from its packets to the frames of its broadcast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_rtp::Packet as RtpPacket;
use rtc_shared::marshal::Unmarshal as _;
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::h264::Framing;
use steadycast_codec_glue::rtp::{
    Assembled, Assembler, Ordered, Packet, Placed, Reorder, ReorderConfig,
};
use steadycast_codec_glue::wire::{Code, CodecKind, DecoderConfig, ResumeSecret, TrackId};

use super::control::Control;
use super::place::{NoFrame, Place, frame};
use super::timeline::Timeline;
use crate::auth::{RandomError, random};
use crate::broadcast::{
    AttachError, Broadcast, Moment, PublishError, PublisherNews, PublisherSeat, RelayTime,
};
use crate::webrtc::rtcp::Feedback;
use crate::webrtc::sdp::{Format, Offer};

/// The least time between two keyframe requests.
const KEYFRAMES: Duration = Duration::from_millis(500);
/// A publisher that sends nothing new is still there for so long after its last packet: standard
/// clients have no heartbeat, and pictures that stand still are sent seldom.
const SILENCE: Duration = Duration::from_secs(3);
/// A source that has been silent for this long may be replaced by another of the same client.
const SOURCE_SILENCE: Duration = Duration::from_secs(1);
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

/// A publisher's side of the bridge.
pub(in crate::webrtc) struct Upstream {
    broadcast: Arc<Broadcast>,
    formats: Vec<Format>,
    seat: Option<PublisherSeat>,
    source: Option<Source>,
    control: Control,
    began: Instant,
    /// When any packet of the client was last heard.
    heard: Instant,
    requests: u64,
    asked: Option<Instant>,
    place: Place,
    /// Frames come in another order than they are shown in.
    reorders: bool,
}

/// The one stream of packets that is taken.
struct Source {
    ssrc: u32,
    heard: Instant,
    reorder: Reorder,
    coding: Option<(CodecKind, Assembler)>,
    timeline: Timeline,
}

impl Upstream {
    pub(in crate::webrtc) fn new(offer: &Offer, ssrc: u32, broadcast: &Arc<Broadcast>) -> Self {
        let now = Instant::now();
        Self {
            broadcast: broadcast.clone(),
            formats: offer.formats().to_vec(),
            seat: None,
            source: None,
            control: Control::new(ssrc),
            began: now,
            heard: now,
            requests: 0,
            asked: None,
            place: Place::default(),
            reorders: false,
        }
    }

    /// Takes over the broadcast (PROTOCOL 3.1): its client has connected.
    pub(in crate::webrtc) fn attach(&mut self, now: Moment) -> Result<(), UpstreamError> {
        let lineage = ResumeSecret(random()?);
        let seat = self.broadcast.attach_publisher(None, lineage, now.relay)?;
        self.requests = main_requests(&seat.pulses().borrow().keyframe_requests);
        self.heard = now.instant;
        self.seat = Some(seat);
        Ok(())
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
        let Some((codec, packet)) = self.sort(packet, now.instant) else {
            return Ok(());
        };
        let Some(source) = &mut self.source else {
            return Ok(());
        };
        source.heard = now.instant;
        let (sequence, timestamp, arrival) = (packet.sequence, packet.timestamp, packet.arrival);
        if source.reorder.push(packet) != Placed::Old {
            self.control.count(sequence, timestamp, arrival);
        }
        if let Some(codec) = codec {
            source.expect(codec);
        }
        self.drain(now)
    }

    fn hear(&mut self, now: Moment) {
        self.heard = now.instant;
        if let Some(seat) = &self.seat {
            seat.heard(now.relay);
        }
    }

    /// A packet with its codec; a repetition under its own number, and without: it may be of the
    /// codec before (RFC 4588, 4).
    fn sort(&mut self, packet: RtpPacket, now: Instant) -> Option<(Option<CodecKind>, Packet)> {
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
        let own = self
            .formats
            .iter()
            .find(|format| format.payload_type == kind);
        if let Some(codec) = own.map(|format| format.codec) {
            self.choose(header.ssrc, now)
                .then_some((Some(codec), media))
        } else {
            self.formats
                .iter()
                .find(|format| format.rtx == Some(kind))?;
            let original: [u8; 2] = *media.payload.first_chunk()?;
            media.sequence = u16::from_be_bytes(original);
            media.payload = media.payload.slice(2..);
            // What is left of padding is nothing.
            let known = self.source.is_some() && !media.payload.is_empty();
            known.then_some((None, media))
        }
    }

    /// Whether this source is the one that is taken: the first, until it falls silent.
    fn choose(&mut self, ssrc: u32, now: Instant) -> bool {
        match &self.source {
            Some(source) if source.ssrc == ssrc => return true,
            Some(source) if now.duration_since(source.heard) < SOURCE_SILENCE => return false,
            _ => {}
        }
        self.source = Some(Source {
            ssrc,
            heard: now,
            reorder: Reorder::new(ReorderConfig::default()),
            coding: None,
            timeline: Timeline::default(),
        });
        self.control.follow(ssrc);
        true
    }

    /// Takes out what is in order, and asks for what is missing.
    fn drain(&mut self, now: Moment) -> Result<(), UpstreamError> {
        let elapsed = now.instant.duration_since(self.began);
        let mut frames = Vec::new();
        let Some(source) = &mut self.source else {
            return Ok(());
        };
        while let Some(ordered) = source.reorder.pop(elapsed) {
            source.assemble(&ordered, &mut frames);
        }
        let asks = source.reorder.asks(elapsed);
        self.control.nack(&asks);
        for frame in frames {
            self.publish(frame, now.relay)?;
        }
        let broken = self.source.as_ref().is_some_and(Source::is_broken);
        if broken || self.place.wants_keyframe() {
            self.ask(now.instant);
        }
        Ok(())
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

    fn publish(&mut self, assembled: Assembled, now: RelayTime) -> Result<(), UpstreamError> {
        let (Some(seat), Some(source)) = (&self.seat, &mut self.source) else {
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
        if !self.place.admit(&assembled) {
            return Ok(());
        }
        let capture = source.timeline.capture(assembled.timestamp, now);
        if source.timeline.is_reordered() {
            seat.reordered();
            if !std::mem::replace(&mut self.reorders, true) {
                tracing::warn!(
                    "the publisher sends B-frames, which play unevenly: turn them off in its encoder"
                );
            }
        }
        match frame(&assembled, config.as_ref(), seat, &self.place, capture) {
            Ok(frame) => seat.publish(frame, now)?,
            // A picture of no size that the wire knows.
            Err(NoFrame::Frame(_)) => self.place.close(),
            Err(NoFrame::Memory(_)) => {
                seat.pass_over(TrackId::MAIN, self.place.group(), now);
                self.place.close();
            }
        }
        Ok(())
    }

    /// Takes control packets that were opened.
    pub(in crate::webrtc) fn take_control(&mut self, packet: &[u8], now: Moment) {
        self.hear(now);
        let ssrc = self.control.ssrc();
        if let Some(sender) = Feedback::parse(packet, ssrc).sender {
            self.control.heard_report(sender.ntp, now.instant);
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
        self.drain(now)
    }
}

impl Source {
    /// Makes ready for a codec; with another one the frames begin anew.
    fn expect(&mut self, codec: CodecKind) {
        if self
            .coding
            .as_ref()
            .is_some_and(|(known, _)| *known == codec)
        {
            return;
        }
        let framing = match codec {
            CodecKind::Av1 => Codec::Av1,
            CodecKind::H264 => Codec::H264(Framing::AnnexB),
            CodecKind::Vp9 => Codec::Vp9,
            CodecKind::Vp8 => Codec::Vp8,
        };
        self.coding = Some((codec, Assembler::new(framing)));
    }

    fn assemble(&mut self, ordered: &Ordered, frames: &mut Vec<Assembled>) {
        let Some((_, assembler)) = &mut self.coding else {
            return;
        };
        match ordered {
            Ordered::Packet(packet) => {
                let ended = assembler.push(packet);
                frames.extend(ended.filter_map(|frame| match frame {
                    Ok(frame) => Some(frame),
                    Err(error) => {
                        tracing::debug!(%error, "a frame that cannot be put together");
                        None
                    }
                }));
            }
            Ordered::Lost { .. } => assembler.lost(),
            Ordered::Restarted => {
                assembler.lost();
                self.timeline.restart();
            }
        }
    }

    fn is_broken(&self) -> bool {
        self.coding
            .as_ref()
            .is_some_and(|(_, assembler)| assembler.needs_keyframe())
    }
}

/// The keyframes asked for of the one track there is.
fn main_requests(requests: &[u64; TrackId::COUNT]) -> u64 {
    requests[usize::from(TrackId::MAIN.number())]
}
