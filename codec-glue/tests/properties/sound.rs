//! Datagrams with sound (PROTOCOL 9.3).

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use steadycast_codec_glue::wire::{
    SoundPacket, decode_sound, encode_sound, limits, opus_duration_us,
};

use super::config;

fn frame() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 1..=300).prop_map(Bytes::from)
}

/// Any packet that may be sent.
fn packet() -> impl Strategy<Value = SoundPacket> {
    let repeats = prop::collection::vec(frame(), 0..=usize::from(limits::SOUND_REPEATS));
    let numbers = (any::<u32>(), any::<u32>(), 0..=limits::INTEGER);
    ([any::<bool>(), any::<bool>()], numbers, repeats, frame()).prop_map(
        |([begins, sealed], (epoch, sequence, capture_us), repeats, frame)| SoundPacket {
            begins,
            sealed,
            epoch,
            sequence,
            capture_us,
            repeats: if begins { Vec::new() } else { repeats },
            frame,
        },
    )
}

/// Whatever decodes encodes to the same bytes.
fn stable(bytes: Vec<u8>) {
    let bytes = Bytes::from(bytes);
    if let Ok(Some(packet)) = decode_sound(&bytes) {
        assert_eq!(encode_sound(&packet), Ok(bytes));
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn packets_come_back(packet in packet()) {
        let bytes = encode_sound(&packet).unwrap();
        prop_assert_eq!(decode_sound(&bytes), Ok(Some(packet)));
    }

    #[test]
    fn damaged_packets_are_refused_or_stable(
        packet in packet(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_sound(&packet).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        stable(bytes.clone());
        bytes.truncate(at);
        stable(bytes);
    }

    #[test]
    fn an_opus_frame_lasts_120_ms_at_most(frame in prop::collection::vec(any::<u8>(), 0..4)) {
        if let Some(us) = opus_duration_us(&frame) {
            prop_assert!((2_500..=120_000).contains(&us) && us.is_multiple_of(2_500));
        }
    }
}
