//! One stream of packets of a publisher: in order, put together as frames, on its own clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::h264::Framing;
use steadycast_codec_glue::rtp::{
    Assembled, Assembler, Ordered, Packet, Placed, Reorder, ReorderConfig, RtpError,
};
use steadycast_codec_glue::wire::CodecKind;

use super::choice::Known;
use crate::webrtc::VIDEO_CLOCK;
use crate::webrtc::sdp::Format;

/// A repetition this far from the newest packet, in RTP time, is of another source.
const NEAR: i32 = 10 * VIDEO_CLOCK as i32;

/// What a packet of media carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coding {
    codec: CodecKind,
    /// H.264 parameter sets that stand in the SDP.
    parameter_sets: Arc<[Vec<u8>]>,
}

impl Coding {
    pub(super) fn of(format: &Format) -> Self {
        Self {
            codec: format.codec,
            parameter_sets: format.parameter_sets.clone(),
        }
    }

    fn assembler(&self) -> Assembler {
        let mut assembler = Assembler::new(match self.codec {
            CodecKind::Av1 => Codec::Av1,
            CodecKind::H264 => Codec::H264(Framing::AnnexB),
            CodecKind::Vp9 => Codec::Vp9,
            CodecKind::Vp8 => Codec::Vp8,
        });
        for set in &*self.parameter_sets {
            // Without it frames may have their own.
            if let Err(error) = assembler.keep_parameter_set(set) {
                tracing::debug!(%error, "a parameter set of an offer");
            }
        }
        assembler
    }
}

/// A stream of packets that may be the one that is taken.
pub(super) struct Source {
    pub(super) ssrc: u32,
    pub(super) known: Known,
    reorder: Reorder,
    coding: Option<(Coding, Assembler)>,
    clock: RtpClock,
    /// The newest packet's.
    timestamp: u32,
    /// It has given frames that nobody was sent.
    passed_over: bool,
}

impl Source {
    pub(super) fn new(ssrc: u32, now: Instant) -> Self {
        Self {
            ssrc,
            known: Known::new(now),
            reorder: Reorder::new(ReorderConfig::default()),
            coding: None,
            clock: RtpClock::default(),
            timestamp: 0,
            passed_over: false,
        }
    }

    /// Takes a packet; with another coding the frames begin anew. True when it has not come before.
    pub(super) fn push(&mut self, packet: Packet, coding: Option<Coding>) -> bool {
        if coding.is_some() {
            self.timestamp = packet.timestamp;
        }
        let new = self.reorder.push(packet) != Placed::Old;
        if let Some(coding) = coding
            && self
                .coding
                .as_ref()
                .is_none_or(|(known, _)| *known != coding)
        {
            let assembler = coding.assembler();
            self.coding = Some((coding, assembler));
        }
        new
    }

    /// Whether a packet that was sent again can be one of those that are missing here.
    pub(super) fn lacks(&self, sequence: u16, timestamp: u32) -> bool {
        let distance = timestamp.wrapping_sub(self.timestamp) as i32;
        (-NEAR..=NEAR).contains(&distance) && self.reorder.lacks(sequence)
    }

    /// Bytes of what has come and is no frame yet.
    pub(super) fn bytes(&self) -> usize {
        let begun = self.coding.as_ref();
        self.reorder.bytes() + begun.map_or(0, |(_, assembler)| assembler.bytes())
    }

    /// Takes out what is in order, as frames.
    pub(super) fn drain(&mut self, elapsed: Duration) -> Vec<Result<Assembled, RtpError>> {
        let mut frames = Vec::new();
        while let Some(ordered) = self.reorder.pop(elapsed) {
            if ordered == Ordered::Restarted {
                self.clock = RtpClock::default();
            }
            let Some((_, assembler)) = &mut self.coding else {
                continue;
            };
            match ordered {
                Ordered::Packet(packet) => frames.extend(assembler.push(&packet)),
                Ordered::Lost { .. } | Ordered::Restarted => assembler.lost(),
            }
        }
        frames
    }

    /// The packets to ask for again.
    pub(super) fn asks(&mut self, elapsed: Duration) -> Vec<u16> {
        self.reorder.asks(elapsed)
    }

    /// Its frames are not taken: what follows them is worth nothing without them.
    pub(super) fn pass_over(&mut self) {
        self.passed_over = true;
    }

    /// It is the one that is taken from now on; `keyframe`: at this one.
    pub(super) fn be_taken(&mut self, keyframe: bool) {
        let passed_over = std::mem::take(&mut self.passed_over);
        if let Some((_, assembler)) = &mut self.coding
            && passed_over
            && !keyframe
        {
            assembler.lost();
        }
    }

    /// Whether nothing comes of it before its next keyframe.
    pub(super) fn is_broken(&self) -> bool {
        let coding = self.coding.as_ref();
        coding.is_some_and(|(_, assembler)| assembler.needs_keyframe())
    }

    /// A frame's time on the publisher's clock, in microseconds.
    pub(super) fn micros(&mut self, timestamp: u32) -> i128 {
        self.clock.unwrapped(timestamp) * 1_000_000 / i128::from(VIDEO_CLOCK)
    }

    /// The same of a time that is no frame's; `None` before the first one.
    pub(super) fn micros_near(&self, timestamp: u32) -> Option<i128> {
        Some(self.clock.near(timestamp)? * 1_000_000 / i128::from(VIDEO_CLOCK))
    }
}

/// RTP times without wraps.
#[derive(Debug, Default)]
pub(super) struct RtpClock {
    last: Option<(u32, i128)>,
}

impl RtpClock {
    /// The time nearest to the last one that has this timestamp (RFC 3550, A.1), in the clock's own units.
    pub(super) fn unwrapped(&mut self, timestamp: u32) -> i128 {
        let time = self.near(timestamp).unwrap_or(timestamp.into());
        self.last = Some((timestamp, time));
        time
    }

    fn near(&self, timestamp: u32) -> Option<i128> {
        let (last, time) = self.last?;
        Some(time + i128::from(timestamp.wrapping_sub(last) as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_where_the_timestamp_wraps() {
        let mut clock = RtpClock::default();
        let first = clock.unwrapped(u32::MAX - 44);
        assert_eq!(clock.unwrapped(45) - first, 90);
        assert_eq!(clock.unwrapped(u32::MAX - 44), first);
    }
}
