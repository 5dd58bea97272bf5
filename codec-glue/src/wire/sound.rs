//! Sound: what it is, and its frames as they travel in datagrams (PROTOCOL 9).

use bincode::{Decode, Encode};
use bytes::{Buf, BufMut, Bytes};

use super::{WireError, limits};

/// What frames of sound are encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum SoundCodec {
    /// Opus (RFC 6716), at 48 kHz.
    Opus,
}

impl SoundCodec {
    /// The name used in the HTTP API and in vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
        }
    }
}

/// What a publisher sends sound as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SoundFormat {
    /// What its frames are encoded with.
    pub codec: SoundCodec,
    /// 1 or 2.
    pub channels: u8,
}

impl SoundFormat {
    pub(super) fn check(self) -> Result<(), WireError> {
        match self.channels {
            1..=limits::SOUND_CHANNELS => Ok(()),
            _ => Err(WireError::Malformed("sound of channels that nobody plays")),
        }
    }
}

/// The first byte of a datagram with sound; all others are passed over (PROTOCOL 9.3).
const SOUND: u8 = 1;
/// Bytes before the frames.
const HEADER: usize = 18;
/// How many earlier frames are repeated.
const REPEATS: u8 = 0b0011;
const BEGINS: u8 = 0b0100;
const SEALED: u8 = 0b1000;

/// One datagram: a frame, and some that were sent before it (PROTOCOL 9.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundPacket {
    /// Nothing before the frame is missing: it is the first, or follows a silence that was not sent.
    pub begins: bool,
    /// Its frames are sealed: only people with the link can open them (PROTOCOL 12).
    pub sealed: bool,
    /// The publisher's tenure.
    pub epoch: u32,
    /// The frame's number; an epoch's frames count up by one.
    pub sequence: u32,
    /// When the frame's first sample was captured, in microseconds on the relay's clock.
    pub capture_us: u64,
    /// The frames before it, the oldest first; none where it begins.
    pub repeats: Vec<Bytes>,
    /// The frame.
    pub frame: Bytes,
}

/// The packet as a datagram.
///
/// # Errors
/// [`WireError::TooLarge`] when a frame or the whole is beyond its limit, and [`WireError::Malformed`] for what
/// [`decode_sound`] would refuse besides.
pub fn encode_sound(packet: &SoundPacket) -> Result<Bytes, WireError> {
    check(packet)?;
    let repeated: usize = packet.repeats.iter().map(|frame| 2 + frame.len()).sum();
    let mut out = Vec::with_capacity(HEADER + repeated + packet.frame.len());
    let flag = |said, bit| if said { bit } else { 0 };
    let flags = flag(packet.begins, BEGINS) | flag(packet.sealed, SEALED);
    out.put_u8(SOUND);
    out.put_u8(flags | packet.repeats.len() as u8);
    out.put_u32(packet.epoch);
    out.put_u32(packet.sequence);
    out.put_u64(packet.capture_us);
    for frame in &packet.repeats {
        out.put_u16(frame.len() as u16);
        out.put_slice(frame);
    }
    out.put_slice(&packet.frame);
    WireError::check("sound datagram", out.len(), limits::SOUND_DATAGRAM)?;
    Ok(out.into())
}

/// Reads a datagram, without a copy; `None` for one that is not sound.
///
/// # Errors
/// [`WireError::Malformed`] or [`WireError::TooLarge`].
pub fn decode_sound(datagram: &Bytes) -> Result<Option<SoundPacket>, WireError> {
    const SHORT: WireError = WireError::Malformed("a sound datagram that ends too early");
    if datagram.first() != Some(&SOUND) {
        return Ok(None);
    }
    if datagram.len() <= HEADER {
        return Err(SHORT);
    }
    let mut rest = datagram.slice(1..);
    let flags = rest.get_u8();
    if flags & !(REPEATS | BEGINS | SEALED) != 0 {
        return Err(WireError::Malformed("flags of a sound datagram"));
    }
    let (epoch, sequence, capture_us) = (rest.get_u32(), rest.get_u32(), rest.get_u64());
    let mut repeats = Vec::new();
    for _ in 0..flags & REPEATS {
        let len = usize::from(rest.try_get_u16().map_err(|_| SHORT)?);
        if rest.len() < len {
            return Err(SHORT);
        }
        repeats.push(rest.split_to(len));
    }
    let packet = SoundPacket {
        begins: flags & BEGINS != 0,
        sealed: flags & SEALED != 0,
        epoch,
        sequence,
        capture_us,
        repeats,
        frame: rest,
    };
    check(&packet)?;
    WireError::check("sound datagram", datagram.len(), limits::SOUND_DATAGRAM)?;
    Ok(Some(packet))
}

fn check(packet: &SoundPacket) -> Result<(), WireError> {
    WireError::check_integer(packet.capture_us)?;
    let repeats = packet.repeats.len();
    if repeats > usize::from(limits::SOUND_REPEATS) || (packet.begins && repeats > 0) {
        return Err(WireError::Malformed("repeats of a sound datagram"));
    }
    for frame in packet.repeats.iter().chain([&packet.frame]) {
        if frame.is_empty() {
            return Err(WireError::Malformed("a sound frame of no bytes"));
        }
        WireError::check("sound frame", frame.len(), limits::SOUND_FRAME)?;
    }
    Ok(())
}

/// How long an Opus frame lasts, in microseconds (RFC 6716, 3.1 and 3.2); `None` for bytes that are none.
pub fn opus_duration_us(frame: &[u8]) -> Option<u32> {
    const LONGEST_US: u32 = 120_000;
    let (toc, rest) = frame.split_first()?;
    let config = toc >> 3;
    let each = match config {
        // SILK: 10, 20, 40 or 60 ms.
        0..12 => [10_000, 20_000, 40_000, 60_000][usize::from(config & 3)],
        // Both: 10 or 20 ms.
        12..16 => [10_000, 20_000][usize::from(config & 1)],
        // CELT: 2.5, 5, 10 or 20 ms.
        _ => 2_500 << (config & 3),
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    (1..=LONGEST_US / each)
        .contains(&count)
        .then(|| each * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(repeats: &[&'static [u8]]) -> SoundPacket {
        SoundPacket {
            begins: false,
            sealed: false,
            epoch: 0x0102_0304,
            sequence: 5,
            capture_us: 6,
            repeats: repeats
                .iter()
                .map(|frame| Bytes::from_static(frame))
                .collect(),
            frame: Bytes::from_static(b"new"),
        }
    }

    #[test]
    fn every_field_has_its_place() {
        let coded = encode_sound(&packet(&[b"older", b"old"])).unwrap();
        let head = [1, 2, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6];
        assert_eq!(coded[..18], head);
        assert_eq!(coded[18..], *b"\0\x05older\0\x03oldnew");
        assert_eq!(decode_sound(&coded), Ok(Some(packet(&[b"older", b"old"]))));
    }

    #[test]
    fn what_is_not_sound_is_passed_over() {
        for other in [&b""[..], &[0; 40], &[2, 0xff], &[0xff; 1_200]] {
            assert_eq!(decode_sound(&Bytes::copy_from_slice(other)), Ok(None));
        }
    }

    #[test]
    fn a_frame_and_the_whole_have_their_limits() {
        let frame = |len| SoundPacket {
            frame: vec![7; len].into(),
            ..packet(&[])
        };
        assert!(encode_sound(&frame(limits::SOUND_FRAME)).is_ok());
        assert!(encode_sound(&frame(limits::SOUND_FRAME + 1)).is_err());
        assert!(encode_sound(&frame(0)).is_err());
        let room = limits::SOUND_DATAGRAM - HEADER - 2 - 5;
        let whole = |len| SoundPacket {
            frame: vec![7; len].into(),
            ..packet(&[b"older"])
        };
        assert!(encode_sound(&whole(room.min(limits::SOUND_FRAME))).is_ok());
        let large = SoundPacket {
            repeats: vec![vec![7; 600].into()],
            ..frame(600)
        };
        assert!(matches!(
            encode_sound(&large),
            Err(WireError::TooLarge { .. })
        ));
    }

    #[test]
    fn who_begins_repeats_nothing() {
        let begins = |repeats: &[&'static [u8]]| SoundPacket {
            begins: true,
            ..packet(repeats)
        };
        assert!(encode_sound(&begins(&[])).is_ok());
        assert!(encode_sound(&begins(&[b"old"])).is_err());
        assert!(encode_sound(&packet(&[b"a", b"b", b"c"])).is_err());
    }

    #[test]
    fn a_format_has_one_channel_or_two() {
        let of = |channels| SoundFormat {
            codec: SoundCodec::Opus,
            channels,
        };
        assert!(of(1).check().is_ok() && of(2).check().is_ok());
        assert!(of(0).check().is_err() && of(3).check().is_err());
    }

    #[test]
    fn an_opus_frame_says_how_long_it_lasts() {
        let toc = |config: u8, code: u8| config << 3 | code;
        for (config, us) in [
            (0, 10_000),
            (3, 60_000),
            (11, 60_000),
            (12, 10_000),
            (15, 20_000),
            (16, 2_500),
            (31, 20_000),
        ] {
            assert_eq!(opus_duration_us(&[toc(config, 0)]), Some(us), "{config}");
        }
        assert_eq!(opus_duration_us(&[toc(31, 1)]), Some(40_000));
        assert_eq!(opus_duration_us(&[toc(31, 2)]), Some(40_000));
        assert_eq!(opus_duration_us(&[toc(31, 3), 0xc6]), Some(120_000));
        assert_eq!(opus_duration_us(&[toc(16, 3), 48]), Some(120_000));
        for wrong in [
            &[][..],
            &[toc(31, 3)],
            &[toc(31, 3), 0],
            &[toc(31, 3), 7],
            &[toc(3, 3), 3],
        ] {
            assert_eq!(opus_duration_us(wrong), None, "{wrong:?}");
        }
    }
}
