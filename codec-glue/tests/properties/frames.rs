//! Frame headers and decoder configs (PROTOCOL 4.2, 4.3).

use proptest::prelude::*;
use proptest::sample::Index;
use steadycast_codec_glue::wire::{
    Colour, DecoderConfig, FrameHeader, HEADER_LEN, MATRICES, PRIMARIES, TRANSFERS, TrackId, limits,
};

use super::config;

/// Any track.
pub(crate) fn track() -> impl Strategy<Value = TrackId> {
    prop::sample::select(TrackId::all().collect::<Vec<_>>())
}

/// Any colour, or none.
fn colour() -> impl Strategy<Value = Option<Colour>> {
    let names = (
        prop::sample::select(&PRIMARIES[..]),
        prop::sample::select(&TRANSFERS[..]),
        prop::sample::select(&MATRICES[..]),
        any::<bool>(),
    );
    prop::option::of(names).prop_map(|names| {
        let (primaries, transfer, matrix, full_range) = names?;
        Colour::new(primaries, transfer, matrix, full_range)
    })
}

/// Any header that may be sent.
pub(crate) fn header() -> impl Strategy<Value = FrameHeader> {
    let flags = (
        [any::<bool>(), any::<bool>(), any::<bool>()],
        track(),
        0..=limits::LAYER,
    );
    let place = (any::<u32>(), any::<u32>(), any::<u32>(), colour());
    let lengths = (
        1..=limits::PAYLOAD,
        limits::CONFIG_MIN..=limits::CONFIG_MAX,
        0..=limits::INTEGER,
    );
    (flags, place, lengths).prop_map(
        |(
            ([keyframe, refinement, sealed], track, layer),
            (epoch, group, index, colour),
            (payload, config, capture_us),
        )| {
            FrameHeader {
                keyframe,
                refinement,
                sealed,
                track,
                layer,
                epoch,
                group,
                index,
                capture_us,
                payload_len: payload,
                config_len: if keyframe { config } else { 0 },
                colour: if keyframe { colour } else { None },
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
    match header.colour {
        Some(_) => known[3] &= 0x3f,
        None => {
            known[0] &= 0x0f;
            known[3] = 0;
        }
    }
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
        later in (6u8..8, 0u8..2, any::<u8>()),
        reserved in 0u8..4,
    ) {
        let mut bytes = bytes_of(&header);
        bytes[3] |= reserved << 6;
        prop_assert_eq!(FrameHeader::decode(&bytes), Ok(header));
        // Primaries that are not known.
        let (primaries, range, byte) = later;
        bytes[0] = bytes[0] & 0x0f | primaries << 4 | range << 7;
        bytes[3] = byte;
        let plain = FrameHeader { colour: None, ..header };
        prop_assert_eq!(FrameHeader::decode(&bytes), Ok(plain));
    }

    #[test]
    fn what_is_stripped_is_what_version_1_has(header in header()) {
        let plain = bytes_of(&FrameHeader { colour: None, ..header });
        let mut bytes = bytes_of(&header);
        FrameHeader::strip(&mut bytes);
        prop_assert_eq!(bytes, plain);
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
