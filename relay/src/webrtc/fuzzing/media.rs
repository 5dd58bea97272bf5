//! What comes over UDP from a peer that has keys.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_srtp::config::SessionKeys;
use rtc_srtp::protection_profile::ProtectionProfile;
use steadycast_codec_glue::rtp::RED_BLOCKS;
use steadycast_codec_glue::wire::{Role, limits};

use super::datagrams;
use super::transport::identity;
use crate::broadcast::{Description, Moment, Registry, RelayTime, Settings};
use crate::webrtc::ingress::upstream::Upstream;
use crate::webrtc::offers;
use crate::webrtc::rtcp::{Feedback, Sources};
use crate::webrtc::sdp::Offer;
use crate::webrtc::srtp::{Incoming, Keys, Outgoing};

/// The sources that feedback is about.
pub(super) const SOURCE: u32 = 7;
pub(super) const SOUND: u32 = 9;

/// A compound RTCP packet that was opened.
pub fn feedback(data: &[u8]) {
    let about = Sources {
        pictures: SOURCE,
        sound: Some(SOUND),
    };
    let feedback = Feedback::parse(data, about);
    assert!(feedback.lost.len() <= 512 && feedback.sound_lost.len() <= 512);
    assert!(feedback.senders.len() <= 16);
    assert!(feedback.estimate.is_none_or(f64::is_finite));
    let reports = [feedback.report, feedback.sound_report];
    let mut shares = reports.iter().flatten().map(|report| report.lost);
    assert!(shares.all(|lost| (0.0..=1.0).contains(&lost)));
}

/// The two directions of one peer, with keys that are always the same.
pub(in crate::webrtc) fn keys(swapped: bool) -> (Outgoing, Incoming) {
    let (own, theirs) = if swapped { (2, 1) } else { (1, 2) };
    let keys = SessionKeys {
        local_master_key: vec![own; 16],
        local_master_salt: vec![own; 12],
        remote_master_key: vec![theirs; 16],
        remote_master_salt: vec![theirs; 12],
    };
    let keys = Keys::of(ProtectionProfile::AeadAes128Gcm, keys);
    keys.contexts(identity().provider().clone()).unwrap()
}

/// Protected packets: none opens twice.
pub fn srtp(data: &[u8]) {
    let (_, mut incoming) = keys(false);
    for packet in datagrams(data) {
        if incoming.rtp(packet).is_ok() {
            assert!(incoming.rtp(packet).is_err());
        }
        if incoming.rtcp(packet).is_ok() {
            assert!(incoming.rtcp(packet).is_err());
        }
    }
}

/// Packets of a publisher, after they were opened.
///
/// Before each stand six bytes: what it carries (1 to 18 as below, with the marker in the highest
/// bit), how far its number and its time are from the last one's, the milliseconds since, and its
/// length in two bytes.
pub fn upstream(data: &[u8]) {
    published(data);
}

/// The frames that came of it, of pictures and of sound.
pub(super) fn published(mut data: &[u8]) -> (u64, u64) {
    let registry = Registry::new(Settings::default());
    let now = RelayTime::from_micros(1_000_000_000);
    let id = "fuzzed".parse().unwrap();
    let broadcast = registry.create(id, Description::default(), now).unwrap();
    let offer = Offer::parse(&offers::with_sound(), Role::Publisher).unwrap();
    let mut upstream = Upstream::new(&offer, 1, &broadcast);
    let begin = Instant::now();
    let at = |elapsed: Duration| Moment {
        relay: now + elapsed,
        instant: begin + elapsed,
    };
    upstream.attach(None, at(Duration::ZERO)).unwrap();
    let (mut sequence, mut timestamp, mut elapsed) = (0u16, 0u32, Duration::ZERO);
    let mut packets = 0;
    while let Some((&[kind, number, time, ms, high, low], rest)) = data.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (payload, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        packets += 1;
        sequence = sequence.wrapping_add_signed((number as i8).into());
        timestamp = timestamp.wrapping_add_signed((time as i8).into());
        elapsed += Duration::from_millis(ms.into());
        let now = at(elapsed);
        let packet = match kind & 0x7f {
            0 => {
                upstream.take_control(payload, now);
                continue;
            }
            // Whatever it is.
            19.. => BytesMut::from(payload),
            kind => {
                let number = payload_type(&offer, kind);
                let mut packet = BytesMut::from(&[0x80, number][..]);
                packet.extend_from_slice(&sequence.to_be_bytes());
                packet.extend_from_slice(&timestamp.to_be_bytes());
                packet.extend_from_slice(&5u32.to_be_bytes());
                packet.extend_from_slice(payload);
                packet
            }
        };
        let mut packet = packet;
        if let Some(byte) = packet.get_mut(1) {
            *byte |= kind & 0x80;
        }
        if upstream.take(packet, now).is_err() || upstream.pass_time(now.instant, now).is_err() {
            break;
        }
        while let Some(control) = upstream.poll_control() {
            assert!(control.len() < 20_000);
        }
        assert!(broadcast.snapshot().cache.bytes <= limits::GROUP_BYTES);
    }
    let totals = broadcast.snapshot().totals;
    assert!(totals.frames_received <= packets);
    // Beside each packet of sound there are some that are missing.
    assert!(totals.sound_frames <= packets * RED_BLOCKS as u64);
    (totals.frames_received, totals.sound_frames)
}

/// What a kind of packet has in its header: formats of pictures with their repetitions, and those of sound.
fn payload_type(offer: &Offer, kind: u8) -> u8 {
    let (formats, opus) = (offer.formats(), offer.opus().unwrap());
    let format = &formats[usize::from(kind / 2) % formats.len()];
    match (kind, opus.red, format.rtx) {
        (17, ..) => opus.payload_type,
        (18, Some(red), _) => red.payload_type,
        (_, _, Some(rtx)) if kind.is_multiple_of(2) => rtx,
        _ => format.payload_type,
    }
}
