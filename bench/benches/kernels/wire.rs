//! The wire: frame headers and control messages.

use std::fmt::Debug;
use std::hint::black_box;

use steadycast_codec_glue::wire::{
    ClientMessage, FrameHeader, HEADER_LEN, Phase, RelayMessage, Role, Status, TrackId, VERSION,
    decode_client, decode_relay, encode_client, encode_relay,
};

use super::{Kernel, Work};

pub(super) const KERNELS: [Kernel; 8] = [
    Kernel {
        name: "frame header, encode",
        prepare: encode_header,
    },
    Kernel {
        name: "frame header, decode",
        prepare: decode_header,
    },
    Kernel {
        name: "hello, encode",
        prepare: || encodes(hello(), encode_client),
    },
    Kernel {
        name: "hello, decode",
        prepare: || decodes(encode_client(&hello()), decode_client),
    },
    Kernel {
        name: "ping, encode",
        prepare: || encodes(PING, encode_client),
    },
    Kernel {
        name: "ping, decode",
        prepare: || decodes(encode_client(&PING), decode_client),
    },
    Kernel {
        name: "status, encode",
        prepare: || encodes(STATUS, encode_relay),
    },
    Kernel {
        name: "status, decode",
        prepare: || decodes(encode_relay(&STATUS), decode_relay),
    },
];

const HEADER: FrameHeader = FrameHeader {
    keyframe: false,
    refinement: false,
    sealed: false,
    track: TrackId::MAIN,
    layer: 0,
    epoch: 3,
    group: 700,
    index: 17,
    capture_us: 1_700_000_000_000_000,
    payload_len: 8_000,
    config_len: 0,
    colour: None,
};

const PING: ClientMessage = ClientMessage::Ping {
    sequence: 700,
    sent_us: 1_700_000_000_000_000,
};

const STATUS: RelayMessage = RelayMessage::Status {
    status: Status {
        phase: Phase::Live,
        since_us: 1_700_000_000_000_000,
        epoch: 3,
        players: 1_000,
    },
};

fn hello() -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        role: Role::Player,
        // About as long as the relay's tokens are.
        token: "t".repeat(220),
        agent: "bench".to_owned(),
        resume: None,
    }
}

fn encode_header() -> Work {
    let mut bytes = Vec::with_capacity(HEADER_LEN);
    Box::new(move || {
        bytes.clear();
        black_box(&HEADER).encode(&mut bytes);
        black_box(&bytes);
    })
}

fn decode_header() -> Work {
    let mut bytes = Vec::with_capacity(HEADER_LEN);
    HEADER.encode(&mut bytes);
    let bytes: [u8; HEADER_LEN] = bytes.try_into().unwrap();
    Box::new(move || {
        black_box(FrameHeader::decode(black_box(&bytes)).unwrap());
    })
}

fn encodes<M: 'static, E: Debug + 'static>(
    message: M,
    encode: fn(&M) -> Result<Vec<u8>, E>,
) -> Work {
    Box::new(move || {
        black_box(encode(black_box(&message)).unwrap());
    })
}

/// Two bytes of length come first, and are not the decoder's to read.
fn decodes<M: 'static, E: Debug + 'static>(
    bytes: Result<Vec<u8>, E>,
    decode: fn(&[u8]) -> Result<M, E>,
) -> Work {
    let bytes = bytes.unwrap();
    Box::new(move || {
        black_box(decode(black_box(&bytes[2..])).ok().unwrap());
    })
}
