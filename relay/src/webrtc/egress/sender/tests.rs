//! What of a picture is sent again.

use steadycast_codec_glue::wire::{Role, TrackId};

use super::super::assembly::Assembly;
use super::super::packets::Packetizer;
use super::*;
use crate::broadcast::{RelayTime, test_frames};
use crate::webrtc::fuzzing::keys;
use crate::webrtc::offers;

/// What a player with this offer is sent of a keyframe, and then of its first packet again.
fn sent_twice(offer: &str) -> [Vec<u8>; 2] {
    let offer = Offer::parse(offer, Role::Player).unwrap();
    let media = Media {
        ssrc: 7,
        rtx_ssrc: 8,
        sound_ssrc: 9,
    };
    let now = Moment {
        relay: RelayTime::from_micros(1_000_000_000),
        instant: Instant::now(),
    };
    let mut sender = Sender::new(&offer, media, [100, 0]);
    let (mut keys, _) = keys(false);
    let mut control = Control::new(sender.is_told_of_arrivals(), now.instant);
    let frame = test_frames::coded_frame(TrackId::MAIN, (0, 0), CodecKind::Vp8);
    let whole = Assembly::default().push(frame.bytes().clone()).unwrap();
    let packets = Packetizer::default().packets(&whole).unwrap();
    let mut frame = sender.time(&[packets], false).next().unwrap();
    let again = Patience {
        first: Duration::ZERO,
        again: Duration::ZERO,
    };
    let mut written = |act: &mut dyn FnMut(&mut Exit<'_>)| {
        let mut out = Datagrams::default();
        let mut exit = Exit {
            keys: &mut keys,
            control: &mut control,
            out: &mut out,
        };
        act(&mut exit);
        let (call, size) = out.calls(|_| usize::MAX).next().unwrap();
        call[..size.min(call.len())].to_vec()
    };
    let first = written(&mut |exit| {
        sender.send(&mut frame, usize::MAX, exit, now);
    });
    let later = Moment {
        relay: now.relay + Duration::from_millis(50),
        instant: now.instant + Duration::from_millis(50),
    };
    let second = written(&mut |exit| {
        sender.repeat(&[100], usize::MAX, again, exit, later);
    });
    [first, second]
}

#[test]
fn where_nothing_is_sent_under_another_number_a_packet_is_the_very_same_again() {
    // Its keys would be used twice, for two packets, if its number for feedback were another.
    let offer = offers::of("chromium-player").replace(" rtx/90000", " other/90000");
    let [first, second] = sent_twice(&offer);
    assert_eq!(first, second);
}

#[test]
fn a_repetition_has_a_source_of_its_own_where_there_is_one() {
    let [first, second] = sent_twice(offers::of("chromium-player"));
    assert_eq!(first[8..12], 7u32.to_be_bytes());
    assert_eq!(second[8..12], 8u32.to_be_bytes());
}
