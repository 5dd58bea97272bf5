//! Sound and pictures of one publisher, on virtual time.

use rtc_rtcp::packet::marshal;
use rtc_rtcp::sender_report::SenderReport;
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::h264::Framing;
use steadycast_codec_glue::rtp::{FrameIn, packetize};
use steadycast_codec_glue::wire::Role;

use super::*;
use crate::broadcast::{Description, Registry, RelayTime, Settings, Sounds};
use crate::webrtc::offers;

const MS: u64 = 1_000;
/// The payload types in OBS's offer, and the sources.
const PICTURES: (u8, u32) = (96, 1);
const SOUND: (u8, u32) = (111, 2);
/// What RTP times of each begin with.
const BEGINS: (u32, u32) = (u32::MAX - 90_000, 5_000);

/// A publisher whose pictures and sound take different times to come.
struct Scene {
    upstream: Upstream,
    sounds: Sounds,
    zero: Moment,
    /// How late each is, in microseconds.
    late: (u64, u64),
    numbers: (u16, u16),
}

impl Scene {
    fn new(late: (u64, u64)) -> Self {
        let registry = Registry::new(Settings::default());
        let zero = Moment {
            relay: RelayTime::from_micros(1_000_000_000),
            instant: Instant::now(),
        };
        let id = "spoken".parse().unwrap();
        let broadcast = registry.create(id, Description::default(), zero.relay);
        let broadcast = broadcast.unwrap();
        let offer = Offer::parse(offers::of("obs-publisher"), Role::Publisher).unwrap();
        let mut upstream = Upstream::new(&offer, 9, &broadcast);
        upstream.attach(None, zero).unwrap();
        Self {
            sounds: broadcast.sounds(),
            upstream,
            zero,
            late,
            numbers: (0, 0),
        }
    }

    fn at(&self, micros: u64) -> Moment {
        let passed = Duration::from_micros(micros);
        Moment {
            relay: self.zero.relay + passed,
            instant: self.zero.instant + passed,
        }
    }

    /// A packet arrives of this type and source.
    fn rtp(&mut self, of: (u8, u32), number: u16, time: u32, payload: &[u8], micros: u64) {
        let mut packet = BytesMut::from(&[0x80, 0x80 | of.0][..]);
        packet.extend_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&time.to_be_bytes());
        packet.extend_from_slice(&of.1.to_be_bytes());
        packet.extend_from_slice(payload);
        let now = self.at(micros);
        self.upstream.take(packet, now).unwrap();
    }

    /// A picture that was captured then.
    fn picture(&mut self, captured: u64) {
        let key = [
            &[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4][..],
            &[
                0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 7, 7,
            ],
        ]
        .concat();
        let frame = FrameIn {
            keyframe: true,
            payload: &key,
            description: &[],
            size: None,
        };
        let payloads = packetize(Codec::H264(Framing::AnnexB), frame, 1_000).unwrap();
        for payload in payloads.iter() {
            self.numbers.0 += 1;
            let time = picture_time(captured);
            let arrival = captured + self.late.0;
            self.rtp(PICTURES, self.numbers.0, time, payload, arrival);
        }
    }

    fn sound(&mut self, captured: u64) {
        self.numbers.1 += 1;
        let arrival = captured + self.late.1;
        let frame = [31 << 3, 7, 7];
        self.rtp(SOUND, self.numbers.1, sound_time(captured), &frame, arrival);
    }

    /// The publisher says which of its times are now.
    fn report(&mut self, micros: u64) {
        let ntp_time = (u64::from(u32::MAX) << 31) + ((micros << 32) / 1_000_000);
        let reports = [
            (PICTURES.1, picture_time(micros)),
            (SOUND.1, sound_time(micros)),
        ];
        for (ssrc, rtp_time) in reports {
            let report = SenderReport {
                ssrc,
                ntp_time,
                rtp_time,
                ..SenderReport::default()
            };
            let now = self.at(micros);
            let bytes = marshal(&[Box::new(report)]).unwrap();
            self.upstream.take_control(&bytes, now);
        }
    }

    /// A time of the relay's that is how many microseconds after the beginning.
    fn since(&self, micros: i128) -> i64 {
        (micros - i128::from(self.zero.relay.as_micros())) as i64
    }

    /// When the relay has it that a picture was captured that was captured then.
    fn known(&mut self, captured: u64) -> i64 {
        let source = self.upstream.sources.taken().unwrap();
        let micros = source.micros_near(picture_time(captured)).unwrap();
        let seat = self.upstream.seat.as_ref().unwrap();
        let known = seat.time_of(TrackId::MAIN, Clock::Own(PICTURES.1), micros);
        self.since(known.unwrap())
    }

    /// Runs for so many seconds; gives how much later than the picture of the same moment the relay has each
    /// frame of sound.
    fn run(&mut self, seconds: u64, reports: bool) -> Vec<i64> {
        let mut apart = Vec::new();
        // What arrives first comes first.
        let mut due: Vec<(u64, u64, bool)> = Vec::new();
        for captured in (0..seconds * 1_000 * MS).step_by(20_000) {
            due.push((captured + self.late.1, captured, true));
        }
        for captured in (0..seconds * 1_000 * MS).step_by(40_000) {
            due.push((captured + self.late.0, captured, false));
        }
        due.sort_unstable();
        let mut reported = 300 * MS;
        for (arrival, captured, sound) in due {
            if reports && arrival >= reported {
                self.report(arrival);
                reported += 1_000 * MS;
            }
            if !sound {
                self.picture(captured);
                continue;
            }
            self.sound(captured);
            let heard = self.sounds.try_recv().unwrap();
            if arrival > 200 * MS {
                let pictures = self.known(captured);
                apart.push(self.since(heard.capture_us.into()) - pictures);
            }
        }
        apart
    }
}

fn picture_time(captured: u64) -> u32 {
    BEGINS.0.wrapping_add((captured * 9 / 100) as u32)
}

fn sound_time(captured: u64) -> u32 {
    BEGINS.1.wrapping_add((captured * 48 / 1_000) as u32)
}

#[test]
fn sound_that_comes_before_its_picture_is_in_time_with_it_and_pictures_are_held_back() {
    let mut scene = Scene::new((80 * MS, 5 * MS));
    let apart = scene.run(6, true);
    let (first, last) = (apart[0], &apart[150..]);
    assert!(first < -60_000, "nothing is known at first: {first}");
    assert!(last.iter().all(|apart| apart.abs() < 1_500), "{last:?}");
    let known = scene.known(5_000 * MS) - 5_000_000;
    assert!((4_000..=8_000).contains(&known), "captured {known} us late");
}

#[test]
fn sound_that_comes_after_its_picture_is_in_time_with_it() {
    let apart = Scene::new((5 * MS, 90 * MS)).run(4, true);
    assert!(apart[0] > 60_000);
    let last = &apart[50..];
    assert!(last.iter().all(|apart| apart.abs() < 1_500), "{last:?}");
}

#[test]
fn without_reports_both_are_taken_to_have_come_at_once() {
    let apart = Scene::new((30 * MS, 10 * MS)).run(3, false);
    let same = |apart: &i64| (*apart + 20_000).abs() < 1_500;
    assert!(apart.iter().all(same), "{apart:?}");
}
