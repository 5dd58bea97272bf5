use steadycast_codec_glue::wire::SoundCodec;

use super::*;

/// 20 ms each.
const LASTS: u64 = 20_000;
/// Of CELT, one frame of 20 ms.
const TOC: u8 = 31 << 3;

fn at(us: u64) -> RelayTime {
    RelayTime::from_micros(us)
}

fn frame(sequence: u32) -> Bytes {
    vec![TOC, sequence as u8, 7].into()
}

fn captured(sequence: u32) -> u64 {
    1_000_000 + u64::from(sequence) * LASTS
}

/// The packet of this frame, with so many before it.
fn packet(sequence: u32, repeats: u32) -> SoundPacket {
    SoundPacket {
        begins: false,
        sealed: false,
        epoch: 1,
        sequence,
        capture_us: captured(sequence),
        repeats: (sequence - repeats..sequence).map(frame).collect(),
        frame: frame(sequence),
    }
}

struct Scene {
    sound: Sound,
    totals: Totals,
}

impl Scene {
    fn new() -> Self {
        let mut sound = Sound::default();
        assert!(sound.becomes(Some(SoundFormat {
            codec: SoundCodec::Opus,
            channels: 2,
        })));
        Self {
            sound,
            totals: Totals::default(),
        }
    }

    fn take(&mut self, packet: SoundPacket) -> Vec<SoundPacket> {
        let now = at(packet.capture_us + 5_000);
        self.sound.take(packet, &mut self.totals, now).unwrap()
    }

    /// The frames that go on, and how many before each may be repeated.
    fn numbers(&mut self, packet: SoundPacket) -> Vec<(u32, usize)> {
        let taken = self.take(packet);
        taken
            .iter()
            .map(|packet| (packet.sequence, packet.repeats.len()))
            .collect()
    }
}

#[test]
fn each_frame_goes_on_once_with_the_two_before_it() {
    let mut scene = Scene::new();
    assert_eq!(scene.numbers(packet(4, 0)), [(4, 0)]);
    assert_eq!(scene.numbers(packet(5, 1)), [(5, 1)]);
    assert_eq!(scene.numbers(packet(6, 2)), [(6, 2)]);
    let taken = scene.take(packet(7, 2));
    assert_eq!(taken, [packet(7, 2)]);
    assert_eq!(scene.totals.sound_frames, 4);
    assert_eq!(
        (scene.totals.sound_lost, scene.totals.sound_dropped),
        (0, 0)
    );
}

#[test]
fn what_was_lost_is_taken_from_what_repeats_it_at_its_own_time() {
    let mut scene = Scene::new();
    scene.take(packet(1, 0));
    let taken = scene.take(packet(4, 2));
    let times: Vec<_> = taken.iter().map(|packet| packet.capture_us).collect();
    assert_eq!(times, [captured(2), captured(3), captured(4)]);
    assert_eq!(taken[2], packet(4, 2));
    assert_eq!(scene.totals.sound_lost, 0);
}

#[test]
fn what_never_came_is_counted_and_is_not_repeated_over() {
    let mut scene = Scene::new();
    scene.take(packet(1, 0));
    assert_eq!(scene.numbers(packet(5, 1)), [(4, 0), (5, 1)]);
    assert_eq!(scene.sound.shown().unwrap().lost, 2);
    // A publisher that counts wrongly does not spoil the figures for good.
    scene.take(packet(u32::MAX, 0));
    assert_eq!(scene.totals.sound_lost, 2 + u64::from(LONGEST_GAP));
}

#[test]
fn an_older_frame_never_follows_a_newer_one() {
    let mut scene = Scene::new();
    scene.take(packet(9, 0));
    for late in [packet(9, 0), packet(8, 2), packet(3, 0)] {
        assert_eq!(scene.numbers(late), []);
    }
    assert_eq!(scene.totals.sound_dropped, 3);
    assert_eq!(scene.numbers(packet(10, 2)), [(10, 1)]);
}

#[test]
fn after_a_silence_nothing_is_repeated() {
    let mut scene = Scene::new();
    scene.take(packet(1, 0));
    let begins = SoundPacket {
        begins: true,
        capture_us: captured(50),
        ..packet(2, 0)
    };
    let taken = scene.take(begins.clone());
    assert_eq!(taken, [begins]);
    assert_eq!(scene.totals.sound_lost, 0);
}

#[test]
fn without_a_format_nothing_goes_on() {
    let mut scene = Scene::new();
    scene.take(packet(1, 0));
    scene.sound.hand_over();
    assert_eq!(scene.sound.shown(), None);
    assert_eq!(scene.numbers(packet(2, 0)), []);
    assert_eq!(scene.totals.sound_dropped, 1);
    assert!(!scene.sound.becomes(None));
}

#[test]
fn another_publisher_counts_from_where_it_likes_and_times_do_not_fall() {
    let mut scene = Scene::new();
    scene.take(packet(100, 0));
    scene.sound.hand_over();
    let format = SoundFormat {
        codec: SoundCodec::Opus,
        channels: 1,
    };
    assert!(scene.sound.becomes(Some(format)));
    let taken = scene.take(packet(0, 0));
    assert_eq!(taken.len(), 1);
    assert!(taken[0].capture_us >= captured(100));
    assert_eq!(scene.sound.shown().unwrap().packets, 1);
}

#[test]
fn a_time_that_cannot_be_true_is_mended() {
    let mut scene = Scene::new();
    let ahead = SoundPacket {
        capture_us: captured(1) + 3_600_000_000,
        ..packet(1, 0)
    };
    let now = at(captured(1));
    let taken = scene.sound.take(ahead, &mut scene.totals, now).unwrap();
    assert_eq!(taken[0].capture_us, captured(1));
}

#[test]
fn bytes_that_are_no_frame_change_nothing() {
    let mut scene = Scene::new();
    scene.take(packet(1, 0));
    let wrong = |frame: &'static [u8]| SoundPacket {
        frame: Bytes::from_static(frame),
        ..packet(2, 1)
    };
    // Three frames of 60 ms each are more than there may be.
    for frame in [&[TOC | 3][..], &[TOC | 3, 0], &[3 << 3 | 3, 3]] {
        let taken = scene.sound.take(wrong(frame), &mut scene.totals, at(0));
        assert!(matches!(taken, Err(PublishError::Sound)), "{frame:?}");
    }
    let before_the_first = SoundPacket {
        sequence: 0,
        ..packet(5, 1)
    };
    let taken = scene.sound.take(before_the_first, &mut scene.totals, at(0));
    assert!(matches!(taken, Err(PublishError::Sound)));
    assert_eq!(scene.totals.sound_frames, 1);
    assert_eq!(scene.numbers(packet(2, 1)), [(2, 1)]);
}

#[test]
fn listeners_are_counted_whoever_publishes() {
    let mut sound = Sound::default();
    sound.count(true);
    sound.count(true);
    sound.hand_over();
    sound.count(false);
    assert_eq!(sound.listeners(), 1);
}
