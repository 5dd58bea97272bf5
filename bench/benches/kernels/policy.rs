//! The cache and what each player gets next: what a frame costs the relay before it is sent.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::wire::{
    DecoderConfig, FrameHeader, HEADER_LEN, MediaKind, ResumeSecret, TrackId,
};
use steadycast_relay::broadcast::{
    Broadcast, Frame, PlayerSeat, PublisherSeat, Registry, RelayTime, Settings, Widths,
};

use super::{Kernel, Work};

pub(super) const KERNELS: [Kernel; 5] = [
    Kernel {
        name: "a frame into the cache",
        prepare: || fan_out(0),
    },
    Kernel {
        name: "a frame for 1 player",
        prepare: || fan_out(1),
    },
    Kernel {
        name: "a frame for 100 players",
        prepare: || fan_out(100),
    },
    Kernel {
        name: "a frame for 1000 players",
        prepare: || fan_out(1_000),
    },
    Kernel {
        name: "a player joins and leaves",
        prepare: join,
    },
];

/// Frames of a group.
const GROUP: u32 = 60;
const INTERVAL: Duration = Duration::from_millis(33);
const KEY_BYTES: usize = 100_000;
const DELTA_BYTES: usize = 8_000;

/// One call: a frame is published, and every player is told what is next for it.
fn fan_out(players: usize) -> Work {
    let (mut film, broadcast) = Film::start();
    let mut seats: Vec<PlayerSeat> = (0..players)
        .map(|_| broadcast.attach_player().unwrap())
        .collect();
    Box::new(move || {
        let now = film.publish();
        for seat in &mut seats {
            black_box(seat.step(MediaKind::Video, None, now));
        }
    })
}

/// One call: a player comes while the picture runs, gets the group so far, and leaves.
fn join() -> Work {
    let (mut film, broadcast) = Film::start();
    let mut now = RelayTime::default();
    for _ in 0..GROUP / 2 {
        now = film.publish();
    }
    Box::new(move || {
        // Held, so that the broadcast stays live.
        black_box(&film);
        let mut seat = broadcast.attach_player().unwrap();
        black_box(seat.step(MediaKind::Video, None, now));
    })
}

/// A publisher on a virtual clock.
struct Film {
    seat: PublisherSeat,
    key: Bytes,
    config_len: u16,
    delta: Bytes,
    sent: u32,
    now: RelayTime,
}

impl Film {
    fn start() -> (Self, Arc<Broadcast>) {
        let registry = Registry::new(Settings::default());
        let now = RelayTime::from_micros(1_700_000_000_000_000);
        let id = "bench".parse().unwrap();
        let broadcast = registry.create(id, "Bench".into(), now).unwrap();
        let seat = broadcast
            .attach_publisher(None, ResumeSecret([7; 16]), Widths::One, now)
            .unwrap();
        let config = config();
        let film = Self {
            seat,
            key: whole(&config, KEY_BYTES),
            config_len: config.len() as u16,
            delta: whole(&[], DELTA_BYTES),
            sent: 0,
            now,
        };
        (film, broadcast)
    }

    /// Publishes the next frame, whose bytes are shared with all others of its kind. Returns when.
    fn publish(&mut self) -> RelayTime {
        let index = self.sent % GROUP;
        let keyframe = index == 0;
        let (bytes, payload, config_len) = match keyframe {
            true => (&self.key, KEY_BYTES, self.config_len),
            false => (&self.delta, DELTA_BYTES, 0),
        };
        let now = self.now;
        let header = FrameHeader {
            keyframe,
            refinement: false,
            sealed: false,
            track: TrackId::MAIN,
            layer: 0,
            epoch: self.seat.epoch(),
            group: self.sent / GROUP + 1,
            index,
            capture_us: now.as_micros(),
            payload_len: payload as u32,
            config_len,
            colour: None,
        };
        let frame = Frame::new(header, bytes.clone()).unwrap();
        self.seat.publish(frame, now).unwrap();
        self.sent += 1;
        self.now = now + INTERVAL;
        now
    }
}

fn config() -> BytesMut {
    let mut config = BytesMut::new();
    DecoderConfig {
        width: 1280,
        height: 720,
        codec: "vp8".to_owned(),
        description: Vec::new(),
    }
    .encode(&mut config)
    .unwrap();
    config
}

/// A frame's bytes; what its header says is given beside them.
fn whole(config: &[u8], payload: usize) -> Bytes {
    let mut bytes = BytesMut::zeroed(HEADER_LEN);
    bytes.extend_from_slice(config);
    bytes.resize(HEADER_LEN + config.len() + payload, 0xab);
    bytes.freeze()
}
