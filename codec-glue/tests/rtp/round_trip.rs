//! Whatever the frame and the way, what arrives is what was sent.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use steadycast_codec_glue::bitstream::{Codec, h264::Framing};
use steadycast_codec_glue::rtp::{FrameIn, Packet, packetize};

use crate::config;
use crate::frames::{Frame, assert_same, streams};
use crate::network::{Relay, packets, timestamp};

/// Packets in the order of their arrival: each up to seven places late, some twice.
fn out_of_order(packets: &[Packet], delays: &[u8]) -> Vec<Packet> {
    let mut arrivals = Vec::new();
    for (place, packet) in packets.iter().enumerate() {
        let delay = delays[place % delays.len()];
        // The first packet says where counting begins.
        let late = if place == 0 { 0 } else { delay % 8 };
        arrivals.push((place + usize::from(late), packet.clone()));
        if delay > 200 {
            arrivals.push((place + usize::from(delay % 16), packet.clone()));
        }
    }
    arrivals.sort_by_key(|(place, _)| *place);
    arrivals.into_iter().map(|(_, packet)| packet).collect()
}

/// Which frames come out when some packets never arrive: those without a gap since a keyframe.
fn decodable(frames: &[Frame], packets: &[Packet], lost: impl Fn(usize) -> bool) -> Vec<usize> {
    let whole = |number: usize| {
        let mut of_frame = packets.iter().enumerate();
        !of_frame.any(|(place, packet)| packet.timestamp == timestamp(number) && lost(place))
    };
    let mut decodable = false;
    (0..frames.len())
        .filter(|&number| {
            decodable = whole(number) && (decodable || frames[number].keyframe);
            decodable
        })
        .collect()
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn frames_survive_disorder_and_repeats(
        frames in streams(),
        max_payload in 100..1500usize,
        first in any::<u16>(),
        delays in vec(any::<u8>(), 1..50),
    ) {
        let codec = frames[0].codec;
        let packets = packets(&frames, max_payload, first);
        let mut relay = Relay::new(codec);
        relay.receive(out_of_order(&packets, &delays));
        prop_assert_eq!((&relay.errors[..], relay.losses), (&[][..], 0));
        prop_assert_eq!(relay.frames.len(), frames.len());
        for (number, (frame, assembled)) in frames.iter().zip(&relay.frames).enumerate() {
            prop_assert_eq!(assembled.timestamp, timestamp(number));
            assert_same(frame, assembled);
        }
    }

    #[test]
    fn payloads_are_full_except_for_the_last(
        frames in streams(),
        max_payload in 64..1500usize,
    ) {
        for frame in &frames {
            let payloads = frame.packetize(max_payload).unwrap();
            prop_assert!(payloads.iter().all(|p| (2..=max_payload).contains(&p.len())));
            let full = payloads.iter().filter(|payload| payload.len() == max_payload);
            let ends = match frame.codec {
                Codec::H264(_) => frame.units().len(),
                _ => 1,
            };
            prop_assert!(full.count() + ends >= payloads.len());
        }
    }

    #[test]
    fn a_loss_costs_what_depends_on_it_and_no_more(
        frames in streams(),
        max_payload in 100..1500usize,
        lost in vec(any::<Index>(), 1..4),
    ) {
        let codec = frames[0].codec;
        let packets = packets(&frames, max_payload, 65_530);
        let lost: Vec<_> = lost.iter().map(|index| index.index(packets.len())).collect();
        let lost = |place: usize| lost.contains(&place);
        let arrived = packets.iter().enumerate().filter(|(place, _)| !lost(*place));
        let mut relay = Relay::new(codec);
        relay.receive(arrived.map(|(_, packet)| packet.clone()));
        relay.wait();
        let expected = decodable(&frames, &packets, lost);
        let times: Vec<_> = relay.frames.iter().map(|frame| frame.timestamp).collect();
        let expected_times: Vec<_> = expected.iter().map(|n| timestamp(*n)).collect();
        prop_assert_eq!(times, expected_times);
        for (number, assembled) in expected.iter().zip(&relay.frames) {
            assert_same(&frames[*number], assembled);
        }
    }

    #[test]
    fn packets_that_are_asked_for_mend_a_loss(
        frames in streams(),
        max_payload in 100..1500usize,
        lost in vec(any::<Index>(), 1..10),
    ) {
        let packets = packets(&frames, max_payload, 65_530);
        // Nothing tells that the first or the last is missing.
        let inner = 1..packets.len().max(2) - 1;
        let lost: Vec<_> = lost.iter().map(|index| index.index(packets.len())).collect();
        let mut relay = Relay::new(frames[0].codec);
        for (place, packet) in packets.iter().enumerate() {
            if !(lost.contains(&place) && inner.contains(&place)) {
                relay.receive([packet.clone()]);
            }
            let asked = relay.asks();
            let again = packets.iter().filter(|packet| asked.contains(&packet.sequence));
            relay.receive(again.cloned());
        }
        for _ in 0..10 {
            relay.receive([packets[0].clone()]);
            let asked = relay.asks();
            let again = packets.iter().filter(|packet| asked.contains(&packet.sequence));
            relay.receive(again.cloned());
        }
        prop_assert_eq!(relay.losses, 0);
        prop_assert_eq!(relay.frames.len(), frames.len());
    }

    #[test]
    fn bytes_of_any_kind_become_packets_or_errors(
        keyframe in any::<bool>(),
        codec in prop::sample::select(vec![
            Codec::Vp8,
            Codec::Vp9,
            Codec::Av1,
            Codec::H264(Framing::AnnexB),
        ]),
        payload in vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..300),
        description in vec(any::<u8>(), 0..20),
        max_payload in 0..300usize,
    ) {
        let frame = FrameIn {
            keyframe,
            payload: &payload,
            description: &description,
            size: None,
        };
        if let Ok(payloads) = packetize(codec, frame, max_payload) {
            prop_assert!(payloads.iter().all(|p| (1..=max_payload).contains(&p.len())));
        }
    }

    #[test]
    fn packets_of_any_kind_become_frames_or_errors(
        codec in prop::sample::select(vec![
            Codec::Vp8,
            Codec::Vp9,
            Codec::Av1,
            Codec::H264(Framing::AnnexB),
        ]),
        packets in vec(
            (any::<u8>(), vec(any::<u8>(), 0..30), any::<u8>(), 0..4u32, any::<bool>()),
            0..60,
        ),
    ) {
        let mut relay = Relay::new(codec);
        relay.receive(packets.into_iter().map(|(sequence, payload, kind, time, marker)| Packet {
            sequence: u16::from(sequence) * u16::from(kind),
            timestamp: time,
            marker,
            payload: payload.into(),
            arrival: Default::default(),
        }));
        relay.wait();
    }
}
