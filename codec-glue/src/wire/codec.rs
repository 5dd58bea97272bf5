//! Codecs, and the tracks that carry them (PROTOCOL 2.10).

use std::fmt;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// A family of codecs that browsers and WebRTC know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum CodecKind {
    /// AV1.
    Av1,
    /// H.264.
    H264,
    /// VP9.
    Vp9,
    /// VP8.
    Vp8,
}

impl CodecKind {
    /// Every kind, in the order of the wire.
    pub const ALL: [Self; 4] = [Self::Av1, Self::H264, Self::Vp9, Self::Vp8];

    /// The family of a WebCodecs codec string; `None` for one that has no track of its own.
    pub fn of(codec: &str) -> Option<Self> {
        match codec.split('.').next()? {
            "av01" => Some(Self::Av1),
            "avc1" | "avc3" => Some(Self::H264),
            "vp09" => Some(Self::Vp9),
            "vp8" => Some(Self::Vp8),
            _ => None,
        }
    }

    /// The name used in the HTTP API and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Av1 => "av1",
            Self::H264 => "h264",
            Self::Vp9 => "vp9",
            Self::Vp8 => "vp8",
        }
    }
}

impl fmt::Display for CodecKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The codecs that somebody can decode: one byte, a bit for each kind in the order of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CodecSet(u8);

impl CodecSet {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// How many different sets there are.
    pub const COUNT: usize = 1 << CodecKind::ALL.len();

    /// The set with these bits, if each of them is a codec.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (usize::from(bits) < Self::COUNT).then_some(Self(bits))
    }

    /// One bit for each codec; below [`CodecSet::COUNT`].
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether `codec` is one of them.
    pub fn contains(self, codec: CodecKind) -> bool {
        self.0 & bit(codec) != 0
    }

    /// These and `codec`.
    #[must_use]
    pub fn with(self, codec: CodecKind) -> Self {
        Self(self.0 | bit(codec))
    }

    /// These but for `codec`.
    #[must_use]
    pub fn without(self, codec: CodecKind) -> Self {
        Self(self.0 & !bit(codec))
    }

    /// How many codecs there are in it.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its codecs, in the order of the wire.
    pub fn iter(self) -> impl Iterator<Item = CodecKind> {
        CodecKind::ALL
            .into_iter()
            .filter(move |&codec| self.contains(codec))
    }
}

impl FromIterator<CodecKind> for CodecSet {
    fn from_iter<I: IntoIterator<Item = CodecKind>>(codecs: I) -> Self {
        codecs.into_iter().fold(Self::NONE, Self::with)
    }
}

fn bit(codec: CodecKind) -> u8 {
    1 << codec as u8
}

impl Encode for CodecSet {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for CodecSet {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_bits(u8::decode(decoder)?).ok_or(DecodeError::Other("a codec nobody knows"))
    }
}

bincode::impl_borrow_decode!(CodecSet);

/// What a track carries. Times of every kind are in microseconds, as WebCodecs has them; RTP counts
/// in [`MediaKind::rtp_clock_rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum MediaKind {
    /// Pictures.
    Video,
}

impl MediaKind {
    /// How many there are.
    pub const COUNT: usize = 1;

    /// Units of RTP time in a second (RFC 9628, 4.1 and its like for the other codecs).
    pub const fn rtp_clock_rate(self) -> u32 {
        match self {
            Self::Video => 90_000,
        }
    }

    /// The name used in the HTTP API and in vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
        }
    }
}

/// One encoded sequence of a broadcast. What the publisher chose is track 0. A rendition for players
/// that cannot decode that has a track that goes with its codec; the others are numbered by the relay
/// as it asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TrackId(u8);

impl TrackId {
    /// What the publisher chose.
    pub const MAIN: Self = Self(0);
    /// How many tracks a broadcast can have; before version 3 it was [`TrackId::COUNT_V2`].
    pub const COUNT: usize = 16;
    /// How many tracks sessions of versions before 3 know.
    pub const COUNT_V2: usize = 1 + Self::RENDITIONS.len();
    /// The codecs of tracks 1, 2, ...: in the order in which they are asked for.
    pub const RENDITIONS: [CodecKind; 4] = [
        CodecKind::H264,
        CodecKind::Vp8,
        CodecKind::Vp9,
        CodecKind::Av1,
    ];

    /// The track of the rendition in `codec` that is as large as what the publisher chose.
    pub const fn of(codec: CodecKind) -> Self {
        Self(match codec {
            CodecKind::H264 => 1,
            CodecKind::Vp8 => 2,
            CodecKind::Vp9 => 3,
            CodecKind::Av1 => 4,
        })
    }

    /// The track of this number, if there can be one.
    pub fn from_number(number: u8) -> Option<Self> {
        (usize::from(number) < Self::COUNT).then_some(Self(number))
    }

    /// Its number on the wire; below [`TrackId::COUNT`].
    pub fn number(self) -> u8 {
        self.0
    }

    /// The codec that goes with a track; `None` where that is what was chosen or asked for.
    pub fn codec(self) -> Option<CodecKind> {
        let place = usize::from(self.0).checked_sub(1)?;
        Self::RENDITIONS.get(place).copied()
    }

    /// Whether sessions of versions before 3 know it.
    pub fn is_in_v2(self) -> bool {
        usize::from(self.0) < Self::COUNT_V2
    }

    /// Every track, in order of number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u8).map(Self)
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for TrackId {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for TrackId {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_number(u8::decode(decoder)?).ok_or(DecodeError::Other("a track beyond the last"))
    }
}

bincode::impl_borrow_decode!(TrackId);

/// A rendition that the relay wants of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Rendition {
    /// Its track, which says its codec too.
    pub track: TrackId,
    /// Its codec.
    pub codec: CodecKind,
    /// Players that watch it, or would.
    pub players: u32,
}

/// A track that the relay wants of a publisher, beside what that chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WantedTrack {
    /// Its number.
    pub track: TrackId,
    /// What it is to carry.
    pub kind: MediaKind,
    /// Its codec.
    pub codec: CodecKind,
    /// What it may take of a path, in kbit/s; `None`: as much as the publisher finds right.
    pub max_kbps: Option<u32>,
    /// Players that watch it, or would.
    pub players: u32,
}

impl WantedTrack {
    /// As versions before 3 say it; `None` for what they cannot say.
    pub fn in_v2(self) -> Option<Rendition> {
        let plain = self.kind == MediaKind::Video && self.max_kbps.is_none();
        (plain && self.track == TrackId::of(self.codec)).then_some(Rendition {
            track: self.track,
            codec: self.codec,
            players: self.players,
        })
    }
}

/// Whether a player has something that it can decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Service {
    /// There is, as far as the player has said.
    Ready,
    /// The publisher was asked for a rendition and has yet to send it.
    Preparing,
    /// There is nothing, and no rendition could help.
    Unsupported,
}

impl Service {
    /// The name used in logs and vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Preparing => "preparing",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What a player is served (PROTOCOL 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Serving {
    /// Whether it is something that the player can decode.
    pub service: Service,
    /// The track that its frames are on.
    pub track: TrackId,
    /// The rendition's codec, or the one that the player cannot decode; `None` for the main track.
    pub codec: Option<CodecKind>,
}

impl Serving {
    /// The main track: for players that can decode it, and those that have said nothing.
    pub const DEFAULT: Self = Self {
        service: Service::Ready,
        track: TrackId::MAIN,
        codec: None,
    };

    /// The track to send; `None` when nothing that is there can be decoded.
    pub fn sends(&self) -> Option<TrackId> {
        (self.service != Service::Unsupported).then_some(self.track)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_strings_have_their_families() {
        let cases = [
            ("av01.0.08M.08", Some(CodecKind::Av1)),
            ("avc1.42e01f", Some(CodecKind::H264)),
            ("avc3.42e01f", Some(CodecKind::H264)),
            ("vp09.00.40.08", Some(CodecKind::Vp9)),
            ("vp8", Some(CodecKind::Vp8)),
            ("hev1.1.6.L93.B0", None),
            ("av01x", None),
            ("", None),
        ];
        for (codec, kind) in cases {
            assert_eq!(CodecKind::of(codec), kind, "{codec}");
        }
    }

    #[test]
    fn every_codec_has_a_track_of_its_own() {
        for codec in CodecKind::ALL {
            assert_eq!(TrackId::of(codec).codec(), Some(codec));
        }
        assert_eq!(TrackId::MAIN.codec(), None);
        assert_eq!(TrackId::all().count(), TrackId::COUNT);
        assert_eq!(TrackId::from_number(TrackId::COUNT as u8), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: CodecSet = [CodecKind::Vp8, CodecKind::Av1].into_iter().collect();
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [CodecKind::Av1, CodecKind::Vp8]
        );
        assert!(set.contains(CodecKind::Vp8) && !set.contains(CodecKind::Vp9));
        assert_eq!(set.without(CodecKind::Av1).len(), 1);
        assert!(CodecSet::from_bits(16).is_none());
    }

    #[test]
    fn putting_in_and_taking_out_twice_is_as_good_as_once() {
        let one = CodecSet::NONE.with(CodecKind::Vp9);
        assert_eq!(one.with(CodecKind::Vp9), one);
        assert_eq!(one.without(CodecKind::Av1), one);
        assert_eq!(one.without(CodecKind::Vp9), CodecSet::NONE);
        assert!(CodecSet::NONE.is_empty() && !one.is_empty());
        assert_eq!((one.len(), one.bits()), (1, 0b100));
        let all: CodecSet = CodecKind::ALL.into_iter().collect();
        assert_eq!(CodecSet::from_bits(15), Some(all));
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn names_are_those_of_the_api() {
        assert_eq!(
            CodecKind::ALL.map(CodecKind::name),
            ["av1", "h264", "vp9", "vp8"]
        );
        let services = [Service::Ready, Service::Preparing, Service::Unsupported];
        assert_eq!(
            services.map(Service::name),
            ["ready", "preparing", "unsupported"]
        );
    }

    #[test]
    fn every_track_has_its_number() {
        for (track, number) in TrackId::all().zip(0..) {
            assert_eq!(track.number(), number);
            assert_eq!(TrackId::from_number(number), Some(track));
        }
        assert_eq!((TrackId::COUNT, TrackId::COUNT_V2), (16, 5));
        let in_v2 = TrackId::all().filter(|track| track.is_in_v2());
        assert!(in_v2.eq(TrackId::all().take(5)));
    }

    #[test]
    fn what_versions_before_3_cannot_say_is_not_said_to_them() {
        let plain = WantedTrack {
            track: TrackId::of(CodecKind::Vp9),
            kind: MediaKind::Video,
            codec: CodecKind::Vp9,
            max_kbps: None,
            players: 3,
        };
        let said = Rendition {
            track: plain.track,
            codec: CodecKind::Vp9,
            players: 3,
        };
        assert_eq!(plain.in_v2(), Some(said));
        let narrow = WantedTrack {
            max_kbps: Some(800),
            ..plain
        };
        let elsewhere = WantedTrack {
            track: TrackId(5),
            ..plain
        };
        assert_eq!((narrow.in_v2(), elsewhere.in_v2()), (None, None));
        assert_eq!(MediaKind::Video.name(), "video");
    }

    #[test]
    fn nothing_is_sent_that_cannot_be_decoded() {
        let track = TrackId::of(CodecKind::Vp8);
        let serving = |service| Serving {
            service,
            track,
            codec: Some(CodecKind::Vp8),
        };
        assert_eq!(serving(Service::Ready).sends(), Some(track));
        assert_eq!(serving(Service::Preparing).sends(), Some(track));
        assert_eq!(serving(Service::Unsupported).sends(), None);
    }
}
