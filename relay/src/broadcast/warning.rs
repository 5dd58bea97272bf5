//! What a publisher is told of its pictures, in words for people.

use serde::Serialize;
use utoipa::ToSchema;

use super::RelayTime;

/// What keeps a publisher's pictures, or some of them, from players.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// It has connected, and nothing comes.
    NoVideo,
    /// No keyframe comes although it is asked for one.
    NoKeyframe,
    /// H.264 without SPS and PPS.
    NoParameterSets,
    /// AV1 without sequence header.
    NoSequenceHeader,
    /// Frames above the limit.
    TooLarge,
    /// The relay does not understand a form of the codec.
    Unsupported,
    /// What comes is not what its codec says.
    Unreadable,
    /// B-frames.
    Reordered,
    /// B-frames that other frames need.
    ReorderedReferences,
    /// Its clock is wrong.
    Clock,
}

impl Warning {
    /// Those that say why nothing is seen at all.
    pub const NOTHING_SEEN: [Self; 7] = [
        Self::NoVideo,
        Self::NoKeyframe,
        Self::NoParameterSets,
        Self::NoSequenceHeader,
        Self::TooLarge,
        Self::Unsupported,
        Self::Unreadable,
    ];

    /// Those that say what becomes of B-frames.
    pub const REORDERED: [Self; 2] = [Self::Reordered, Self::ReorderedReferences];

    /// What is said of a frame that is shown before one that was sent earlier.
    pub fn reordered(disposable: bool) -> Self {
        match disposable {
            true => Self::Reordered,
            false => Self::ReorderedReferences,
        }
    }

    /// Its name in the HTTP API (PROTOCOL 7.2).
    pub fn name(self) -> &'static str {
        match self {
            Self::NoVideo => "no_video",
            Self::NoKeyframe => "no_keyframe",
            Self::NoParameterSets => "no_parameter_sets",
            Self::NoSequenceHeader => "no_sequence_header",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Reordered => "b_frames",
            Self::ReorderedReferences => "b_frames_as_references",
            Self::Clock => "clock",
        }
    }

    /// What is wrong and what helps, for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::NoVideo => {
                "The publisher has connected, but no video in a codec that was agreed on comes from it."
            }
            Self::NoKeyframe => {
                "Pictures wait for the publisher's next keyframe, which does not come although it is \
                 asked for: set a shorter keyframe interval in its encoder."
            }
            Self::NoParameterSets => {
                "The publisher's H.264 lacks its parameter sets (SPS and PPS), in the stream and in the \
                 offer (sprop-parameter-sets): nobody can decode it. Have the encoder repeat them with \
                 each keyframe."
            }
            Self::NoSequenceHeader => {
                "The publisher's AV1 keyframes lack their sequence header: nobody can decode them."
            }
            Self::TooLarge => {
                "The publisher's pictures are larger than 4 MiB each: lower its bitrate."
            }
            Self::Unsupported => {
                "The publisher packs its video in a form that the relay does not take: H.264 has to be in \
                 packetization mode 1, without interleaving."
            }
            Self::Unreadable => {
                "What the publisher sends is not what its codec says: nobody can decode it."
            }
            Self::Reordered => {
                "The publisher sends B-frames, which browsers cannot show over WebRTC: they are left out, \
                 so the picture moves at a lower rate. Turn B-frames off in its encoder (x264: bframes=0)."
            }
            Self::ReorderedReferences => {
                "The publisher sends B-frames that other frames need (a pyramid): players over WebRTC see \
                 few of its pictures, others see them move unevenly. Turn B-frames off in its encoder \
                 (x264: bframes=0)."
            }
            Self::Clock => {
                "The publisher's clock jumps, or differs from the relay's by seconds: the times at which \
                 its pictures arrive are used instead."
            }
        }
    }
}

/// The warnings that stand for a publisher.
#[derive(Debug, Default)]
pub(super) struct Warnings(Vec<(Warning, RelayTime)>);

impl Warnings {
    /// Adds one; false when it is known.
    pub(super) fn add(&mut self, warning: Warning, now: RelayTime) -> bool {
        let known = self.0.iter().any(|(known, _)| *known == warning);
        if !known {
            self.0.push((warning, now));
        }
        !known
    }

    /// Takes back those that hold no longer.
    pub(super) fn take_back(&mut self, gone: &[Warning]) {
        self.0.retain(|(known, _)| !gone.contains(known));
    }

    /// As the HTTP API shows them.
    pub(super) fn shown(&self) -> Vec<WarningSnapshot> {
        let shown = self.0.iter().map(|(warning, since)| WarningSnapshot {
            name: warning.name(),
            message: warning.message(),
            since_us: since.as_micros(),
        });
        shown.collect()
    }
}

/// A warning as the HTTP API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningSnapshot {
    /// Which it is.
    pub name: &'static str,
    /// For people.
    pub message: &'static str,
    /// Since when, in microseconds on the relay's clock.
    pub since_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_says_what_is_wrong() {
        let all = [
            &Warning::NOTHING_SEEN[..],
            &Warning::REORDERED,
            &[Warning::Clock],
        ];
        let all = all.concat();
        let names: Vec<_> = all.iter().map(|warning| warning.name()).collect();
        let expected = [
            "no_video",
            "no_keyframe",
            "no_parameter_sets",
            "no_sequence_header",
            "too_large",
            "unsupported",
            "unreadable",
            "b_frames",
            "b_frames_as_references",
            "clock",
        ];
        assert_eq!(names, expected);
        for warning in &all {
            let sentence = warning.message();
            assert!(
                sentence.contains("publisher") && sentence.ends_with('.'),
                "{sentence}"
            );
            let same = all.iter().filter(|other| other.message() == sentence);
            assert_eq!(same.count(), 1, "{sentence}");
        }
        assert_eq!(Warning::reordered(true), Warning::Reordered);
        assert_eq!(Warning::reordered(false), Warning::ReorderedReferences);
    }
}
