//! Packets from frames and frames from packets.

use std::time::Duration;

use steadycast_codec_glue::bitstream::{Codec, inspect};
use steadycast_codec_glue::rtp::{
    Assembled, Assembler, Carried, FrameIn, Ordered, PAYLOAD_LENGTHS, Packet, Payloads, Placed,
    RED_BLOCKS, Reorder, ReorderConfig, carry, packetize, read_red, write_red,
};
use steadycast_codec_glue::wire::limits;

use super::FRAMINGS;

/// Choices, then a VP8 frame.
pub fn rtp_send_vp8(data: &[u8]) {
    send(|_| Codec::Vp8, data);
}

/// Choices, then a VP9 chunk.
pub fn rtp_send_vp9(data: &[u8]) {
    send(|_| Codec::Vp9, data);
}

/// Choices, a description, then an H.264 access unit.
pub fn rtp_send_h264(data: &[u8]) {
    send(
        |choice| Codec::H264(FRAMINGS[usize::from(choice % 4)]),
        data,
    );
}

/// Choices, then an AV1 temporal unit.
pub fn rtp_send_av1(data: &[u8]) {
    send(|_| Codec::Av1, data);
}

/// Payloads have the length that was asked for, and what was sent can be read.
fn send(codec: fn(u8) -> Codec, data: &[u8]) {
    let Some((&[choice, length, description_len], rest)) = data.split_first_chunk() else {
        return;
    };
    let Some((description, payload)) = rest.split_at_checked(description_len.into()) else {
        return;
    };
    let codec = codec(choice);
    let max_payload = PAYLOAD_LENGTHS.start() + usize::from(length);
    let frame = FrameIn {
        keyframe: choice & 4 != 0,
        payload,
        description,
        size: (choice & 8 != 0).then_some((640, 480)),
    };
    let Ok(payloads) = packetize(codec, frame, max_payload) else {
        return;
    };
    let lengths = || payloads.iter().map(<[u8]>::len);
    assert!(lengths().all(|length| (1..=max_payload).contains(&length)));
    let in_units = matches!(codec, Codec::H264(_));
    let full = lengths().filter(|length| *length == max_payload).count();
    assert!(in_units || full + 1 >= payloads.len());
    let arrived = arrived(codec, &payloads);
    if let (Codec::Vp8 | Codec::Vp9, Some(arrived)) = (codec, arrived) {
        assert_eq!(arrived.payload, payload);
    }
}

/// The one frame that these are the payloads of, if it is a keyframe.
fn arrived(codec: Codec, payloads: &Payloads) -> Option<Assembled> {
    let mut assembler = Assembler::new(codec);
    let mut frames = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        let mut payload = payload.to_vec();
        payloads.numbering().write(&mut payload, 0x1234, 0x56);
        let packet = Packet {
            sequence: index as u16,
            timestamp: 0,
            marker: index + 1 == payloads.len(),
            payload: payload.into(),
            arrival: Duration::ZERO,
        };
        frames.extend(assembler.push(&packet).filter_map(Result::ok));
    }
    assert!(frames.len() <= 1);
    frames.pop()
}

/// Packets of a VP8 stream.
pub fn rtp_receive_vp8(data: &[u8]) {
    receive(Codec::Vp8, data);
}

/// Packets of a VP9 stream.
pub fn rtp_receive_vp9(data: &[u8]) {
    receive(Codec::Vp9, data);
}

/// Packets of an H.264 stream.
pub fn rtp_receive_h264(data: &[u8]) {
    receive(Codec::H264(FRAMINGS[0]), data);
}

/// Packets of an AV1 stream.
pub fn rtp_receive_av1(data: &[u8]) {
    receive(Codec::Av1, data);
}

/// Before each packet stand three bytes: 1 its marker, 2 a loss before it, 4 another
/// timestamp, and its length.
fn receive(codec: Codec, mut data: &[u8]) {
    let mut assembler = Assembler::new(codec);
    let mut timestamp = 0;
    let mut begun = false;
    while let Some((&[flags, high, low], rest)) = data.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (payload, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        timestamp += u32::from(flags >> 2 & 1);
        if flags & 2 != 0 {
            assembler.lost();
            begun = false;
        }
        let packet = Packet {
            sequence: 0,
            timestamp,
            marker: flags & 1 != 0,
            payload: payload.to_vec().into(),
            arrival: Duration::ZERO,
        };
        for frame in assembler.push(&packet) {
            let Ok(frame) = frame else {
                begun = false;
                continue;
            };
            begun |= frame.keyframe;
            assert!(begun);
            check(codec, &frame);
        }
    }
}

/// A frame is what it says, and can be sent on.
fn check(codec: Codec, frame: &Assembled) {
    assert!(frame.payload.len() <= limits::PAYLOAD as usize);
    assert!(frame.layer <= limits::LAYER);
    let facts = inspect(codec, &frame.payload).unwrap();
    assert_eq!(
        (facts.keyframe, &facts.picture),
        (frame.keyframe, &frame.picture)
    );
    assert_eq!(frame.picture.is_some(), frame.keyframe);
    let again = FrameIn {
        keyframe: frame.keyframe,
        payload: &frame.payload,
        description: &[],
        size: None,
    };
    let payloads = packetize(codec, again, 200);
    // Bytes that strangers call a NAL unit may be several, or none that is sent.
    if frame.keyframe && !matches!(codec, Codec::H264(_)) {
        let arrived = arrived(codec, &payloads.unwrap()).unwrap();
        assert_eq!(arrived.payload, frame.payload);
    }
}

/// Packets and the time between them.
///
/// Of each four bytes the first is the time, the second how far the sequence
/// number is from the last one's, in steps of the third; the fourth is the length.
pub fn rtp_reorder(data: &[u8]) {
    let mut reorder = Reorder::new(ReorderConfig {
        packets: 64,
        bytes: 2000,
        ..ReorderConfig::default()
    });
    let mut sequence = 0u16;
    let mut now = Duration::ZERO;
    let mut next = None;
    for &[time, distance, steps, length] in data.as_chunks().0 {
        now += Duration::from_millis(time.into());
        let distance = i16::from(distance as i8) * i16::from(steps);
        sequence = sequence.wrapping_add_signed(distance);
        let placed = reorder.push(Packet {
            sequence,
            timestamp: 0,
            marker: false,
            payload: vec![0; length.into()].into(),
            arrival: now,
        });
        if placed == Placed::Restarted {
            next = None;
        }
        while let Some(ordered) = reorder.pop(now) {
            let (first, count) = match ordered {
                Ordered::Packet(packet) => (packet.sequence, 1),
                Ordered::Lost { first, count } => (first, count),
                Ordered::Restarted => continue,
            };
            assert!(count > 0);
            assert_eq!(*next.get_or_insert(first), first);
            next = Some(first.wrapping_add(count));
        }
        let asks = reorder.asks(now);
        assert!(asks.len() < 4096);
        assert!(reorder.deadline().is_none_or(|deadline| deadline > now));
    }
}

/// A payload of frames with earlier ones beside them: what is read and written again is the same.
pub fn rtp_red(data: &[u8]) {
    let payload = data.to_vec().into();
    let Ok(mut blocks) = read_red(&payload) else {
        return;
    };
    assert!(blocks.len() <= RED_BLOCKS);
    let newest = blocks.pop().unwrap();
    // Others may have other types, which are never written.
    if blocks
        .iter()
        .all(|block| block.payload_type == newest.payload_type)
    {
        let earlier = blocks.iter().map(|block| (block.age, &block.frame[..]));
        let mut written = Vec::new();
        write_red(&mut written, newest.payload_type, earlier, &newest.frame);
        assert_eq!(written, data);
    }
}

/// What packets that pass for VP8 have brought: the frame in it comes through them once more as it is.
pub fn rtp_carried(data: &[u8]) {
    const DESCRIPTOR: usize = 4;
    let Ok(Carried {
        keyframe,
        number,
        frame,
    }) = Carried::read(data)
    else {
        return;
    };
    let size = keyframe.then_some((640, 360));
    // None where there is nothing to carry, or more than a frame has.
    let Ok(payloads) = carry(frame, size, *PAYLOAD_LENGTHS.start()) else {
        return;
    };
    let mut together = Vec::new();
    for (at, payload) in payloads.iter().enumerate() {
        let mut payload = payload.to_vec();
        if at == 0 {
            payloads.numbering().write_first(&mut payload, number);
        }
        together.extend_from_slice(&payload[DESCRIPTOR..]);
    }
    let again = Carried::read(&together).unwrap();
    assert_eq!((again.keyframe, again.number), (keyframe, number));
    assert_eq!(again.frame, frame);
}
