//! Frame headers and decoder configs (PROTOCOL 4.2, 4.3).

use proptest::prelude::*;
use proptest::sample::Index;
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, HEADER_LEN, TrackId, limits};

use super::config;

/// Any track.
pub(crate) fn track() -> impl Strategy<Value = TrackId> {
    prop::sample::select(TrackId::all().collect::<Vec<_>>())
}

/// Any header that may be sent.
pub(crate) fn header() -> impl Strategy<Value = FrameHeader> {
    let flags = (any::<bool>(), any::<bool>(), track(), 0..=limits::LAYER);
    let place = (any::<u32>(), any::<u32>(), any::<u32>());
    let lengths = (
        1..=limits::PAYLOAD,
        limits::CONFIG_MIN..=limits::CONFIG_MAX,
        0..=limits::INTEGER,
    );
    (flags, place, lengths).prop_map(
        |(
            (keyframe, refinement, track, layer),
            (epoch, group, index),
            (payload, config, capture_us),
        )| {
            FrameHeader {
                keyframe,
                refinement,
                track,
                layer,
                epoch,
                group,
                index,
                capture_us,
                payload_len: payload,
                config_len: if keyframe { config } else { 0 },
            }
        },
    )
}

/// Any config that may be sent, though never the longest.
fn decoder_config() -> impl Strategy<Value = DecoderConfig> {
    (
        1..=limits::PICTURE,
        1..=limits::PICTURE,
        prop::collection::vec(0x20u8..0x7f, 1..=255),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(width, height, codec, description)| DecoderConfig {
            width,
            height,
            codec: String::from_utf8(codec).unwrap(),
            description,
        })
}

fn bytes_of(header: &FrameHeader) -> [u8; HEADER_LEN] {
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    bytes.try_into().unwrap()
}

fn config_bytes(config: &DecoderConfig) -> Vec<u8> {
    let mut bytes = Vec::new();
    config.encode(&mut bytes).unwrap();
    bytes
}

/// What decodes is within its limits and encodes to the very same bytes, but for what is left to
/// later versions: that is forgotten.
fn header_is_exact(bytes: &[u8; HEADER_LEN]) {
    let Ok(header) = FrameHeader::decode(bytes) else {
        return;
    };
    let mut known = *bytes;
    known[0] &= 0x0f;
    known[3] = 0;
    assert_eq!(bytes_of(&header), known);
    let most = limits::PAYLOAD as usize + usize::from(limits::CONFIG_MAX);
    assert!((1..=most).contains(&header.body_len()), "{header:?}");
}

fn config_is_exact(bytes: &[u8]) {
    if let Ok(config) = DecoderConfig::decode(bytes) {
        assert_eq!(config_bytes(&config), bytes);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn headers_come_back(header in header()) {
        prop_assert_eq!(FrameHeader::decode(&bytes_of(&header)), Ok(header));
    }

    #[test]
    fn what_later_versions_say_in_a_header_is_forgotten(
        header in header(),
        flags in 0u8..16,
        reserved in any::<u8>(),
    ) {
        let mut bytes = bytes_of(&header);
        bytes[0] |= flags << 4;
        bytes[3] = reserved;
        prop_assert_eq!(FrameHeader::decode(&bytes), Ok(header));
    }

    #[test]
    fn damaged_headers_are_refused_or_exact(
        header in header(),
        at in 0..HEADER_LEN,
        byte in any::<u8>(),
    ) {
        let mut bytes = bytes_of(&header);
        bytes[at] = byte;
        header_is_exact(&bytes);
    }

    #[test]
    fn rubbish_headers_are_refused_or_exact(bytes in any::<[u8; HEADER_LEN]>()) {
        header_is_exact(&bytes);
    }

    #[test]
    fn configs_come_back(config in decoder_config()) {
        prop_assert_eq!(DecoderConfig::decode(&config_bytes(&config)), Ok(config));
    }

    #[test]
    fn no_config_begins_with_another(config in decoder_config(), at in any::<Index>()) {
        let bytes = config_bytes(&config);
        let cut = at.index(bytes.len());
        prop_assert!(DecoderConfig::decode(&bytes[..cut]).is_err());
    }

    #[test]
    fn damaged_configs_are_refused_or_exact(
        config in decoder_config(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = config_bytes(&config);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        config_is_exact(&bytes);
    }

    #[test]
    fn rubbish_configs_are_refused_or_exact(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        config_is_exact(&bytes);
    }
}
