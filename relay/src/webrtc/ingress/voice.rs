//! A publisher's sound on its way to those that listen.

use std::time::{Duration, Instant};

use rtc_rtp::Packet;
use steadycast_codec_glue::wire::{SoundCodec, SoundFormat, SoundPacket, TrackId};

use super::clocks::Clocks;
use super::control::Control;
use super::sound::{Intake, Taken, Voiced};
use super::sound_times::SoundTimes;
use super::source::Source;
use crate::allowance::{self, Allowance};
use crate::broadcast::{Clock, Moment, PublishError, PublisherSeat};
use crate::webrtc::SOUND_CLOCK;
use crate::webrtc::sdp::Opus;

/// What decoders are set up for; frames of one channel play on both.
const FORMAT: SoundFormat = SoundFormat {
    codec: SoundCodec::Opus,
    channels: 2,
};
/// Who has sent no sound for so long has none: silence is sent at least every 400 ms.
const ENDED: Duration = Duration::from_secs(5);

/// The sound of one publisher.
pub(super) struct Voice {
    intake: Intake,
    times: Option<SoundTimes>,
    allowance: Allowance,
    /// The last packet was not looked at: there were too many.
    dropped: bool,
    /// It is known that there is some.
    announced: bool,
}

impl Voice {
    pub(super) fn new(opus: &Opus) -> Self {
        Self {
            intake: Intake::new(opus),
            times: None,
            allowance: allowance::SOUND,
            dropped: false,
            announced: false,
        }
    }

    /// Takes a packet that has arrived so long after the session began; false when it is none of sound.
    pub(super) fn take(
        &mut self,
        packet: &Packet,
        arrival: Duration,
        now: Instant,
        control: &mut Control,
    ) -> bool {
        let (header, payload) = (&packet.header, &packet.payload);
        if !self.intake.carries(header.payload_type) {
            return false;
        }
        if !self.allowance.is_left(now) {
            self.dropped = true;
            return true;
        }
        self.allowance.spend(now);
        let new = match self.intake.take(header, payload, arrival, now) {
            Taken::Other => return true,
            Taken::Sound { new } => new,
            Taken::Another(ssrc) => {
                control.follow_sound(ssrc);
                true
            }
        };
        if new {
            control.count_sound(header.sequence_number, header.timestamp, arrival);
        }
        true
    }

    /// Hands on what is in order, and asks for what is missing. `pictures` are what it is to be in time with.
    ///
    /// # Errors
    /// [`PublishError`] when the broadcast takes nothing of it.
    pub(super) fn publish(
        &mut self,
        seat: &PublisherSeat,
        (clocks, pictures): (&Clocks, Option<&Source>),
        control: &mut Control,
        (elapsed, now): (Duration, Moment),
    ) -> Result<(), PublishError> {
        if std::mem::take(&mut self.dropped) {
            seat.drop_sound();
        }
        for voiced in self.intake.drain(elapsed) {
            if !std::mem::replace(&mut self.announced, true) {
                seat.sounds_as(Some(FORMAT));
            }
            let shared = shared(&voiced, seat, clocks, pictures);
            self.times.take_if(|times| times.ssrc != voiced.ssrc);
            let times = self
                .times
                .get_or_insert_with(|| SoundTimes::new(voiced.ssrc));
            let capture = times.capture(voiced.timestamp, shared, now.relay);
            if let Some(pictures) = pictures
                && capture.hold > 0
            {
                seat.hold_back(TrackId::MAIN, Clock::Own(pictures.ssrc), capture.hold);
            }
            let packet = SoundPacket {
                begins: voiced.begins,
                sealed: false,
                epoch: seat.epoch(),
                sequence: voiced.sequence,
                capture_us: capture.micros,
                repeats: Vec::new(),
                frame: voiced.frame,
            };
            seat.publish_sound(packet, now.relay)?;
        }
        control.nack_sound(&self.intake.asks(elapsed));
        Ok(())
    }

    /// Lets time pass: who sends no more has no sound.
    pub(super) fn pass_time(&mut self, seat: &PublisherSeat, now: Instant) {
        let over = |heard| now.saturating_duration_since(heard) >= ENDED;
        if self.announced && self.intake.heard().is_none_or(over) {
            self.announced = false;
            seat.sounds_as(None);
        }
    }
}

/// The relay's time, in microseconds, of a frame by the clock that the pictures have gone by so far.
fn shared(
    voiced: &Voiced,
    seat: &PublisherSeat,
    clocks: &Clocks,
    pictures: Option<&Source>,
) -> Option<i128> {
    let pictures = pictures?;
    let at = clocks.time(voiced.ssrc, voiced.timestamp, SOUND_CLOCK)?;
    let (reported, when) = clocks.report(pictures.ssrc)?;
    let micros = pictures.micros_near(reported)? + (at - when);
    seat.time_of(TrackId::MAIN, Clock::Own(pictures.ssrc), micros)
}
