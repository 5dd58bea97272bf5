//! Whether what a publisher sends becomes pictures, and why not.

use std::time::{Duration, Instant};

use steadycast_codec_glue::rtp::RtpError;

use crate::broadcast::Warning;

/// So long after the first packet that became no picture the publisher is told.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// So long after it has connected it is told that nothing comes.
const NOTHING: Duration = Duration::from_millis(2_500);
/// Packets are not coming any more after this.
const PAUSE: Duration = Duration::from_secs(1);

/// What has come since the last picture.
#[derive(Debug)]
pub(super) struct Watch {
    began: Instant,
    came: Option<Came>,
    /// A picture has been taken.
    seen: bool,
    cause: Option<Warning>,
}

#[derive(Debug)]
struct Came {
    first: Instant,
    last: Instant,
    timestamp: u32,
    /// Frames that have ended: where there is none the first is on its way.
    frames: u32,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            came: None,
            seen: false,
            cause: None,
        }
    }

    /// The client has connected.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// A packet of media has come.
    pub(super) fn packet(&mut self, timestamp: u32, now: Instant) {
        let came = self.came.get_or_insert(Came {
            first: now,
            last: now,
            timestamp,
            frames: 0,
        });
        came.last = now;
        if came.timestamp != timestamp {
            (came.timestamp, came.frames) = (timestamp, came.frames + 1);
        }
    }

    /// A frame could not be put together.
    pub(super) fn failed(&mut self, error: RtpError) {
        self.cause = Some(match error {
            RtpError::NoParameterSets => Warning::NoParameterSets,
            RtpError::NoSequenceHeader => Warning::NoSequenceHeader,
            RtpError::TooLarge => Warning::TooLarge,
            RtpError::Unsupported(_) => Warning::Unsupported,
            RtpError::Empty
            | RtpError::PayloadLength(_)
            | RtpError::Malformed(_)
            | RtpError::Bitstream(_) => Warning::Unreadable,
        });
    }

    /// A frame was taken.
    pub(super) fn took(&mut self) {
        (self.came, self.cause, self.seen) = (None, None, true);
    }

    /// What the publisher is to be told.
    pub(super) fn verdict(&self, now: Instant) -> Option<Warning> {
        let passed = |since, time| now.saturating_duration_since(since) >= time;
        match &self.came {
            Some(came) if came.frames > 1 && passed(came.first, PATIENCE) => {
                let comes = !passed(came.last, PAUSE);
                comes.then(|| self.cause.unwrap_or(Warning::NoKeyframe))
            }
            None if !self.seen && passed(self.began, NOTHING) => Some(Warning::NoVideo),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_becomes_no_picture_is_told_within_two_seconds() {
        let begin = Instant::now();
        let mut watch = Watch::new(begin);
        watch.failed(RtpError::NoParameterSets);
        for frame in 0..50u32 {
            let now = begin + frame * 33 * MS;
            watch.packet(frame, now);
            let told = watch.verdict(now);
            let due = now >= begin + PATIENCE;
            assert_eq!(told, due.then_some(Warning::NoParameterSets));
        }
        watch.took();
        watch.packet(50, begin + 2_000 * MS);
        assert_eq!(watch.verdict(begin + 2_000 * MS), None);
    }

    #[test]
    fn a_frame_that_takes_long_to_come_is_no_fault() {
        let begin = Instant::now();
        let mut watch = Watch::new(begin);
        for packet in 0..100 {
            let now = begin + packet * 100 * MS;
            watch.packet(7, now);
            assert_eq!(watch.verdict(now), None);
        }
    }

    #[test]
    fn who_sends_nothing_is_told_and_who_rests_is_not() {
        let begin = Instant::now();
        let mut watch = Watch::new(begin);
        assert_eq!(watch.verdict(begin + NOTHING - MS), None);
        assert_eq!(watch.verdict(begin + NOTHING), Some(Warning::NoVideo));
        watch.packet(1, begin + NOTHING);
        watch.took();
        assert_eq!(watch.verdict(begin + 60_000 * MS), None);
    }
}
