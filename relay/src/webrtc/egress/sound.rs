//! Sound on its way to one player: Opus as it is, or with earlier frames beside it where the path loses.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc_rtcp::sender_report::SenderReport;
use rtc_shared::error::Error;
use rtc_shared::marshal::Marshal as _;
use steadycast_codec_glue::rtp::write_red;
use steadycast_codec_glue::wire::{SoundPacket, opus_duration_us};

use super::header::{Extensions, Header, abs_send_time};
use super::losing::Losing;
use super::sender::Exit;
use super::timeline::{Mark, Timeline, sound_time};
use crate::broadcast::Moment;
use crate::delivery::{Sounder, repeating};
use crate::webrtc::rtcp::Feedback;
use crate::webrtc::sdp::{Extension, Opus, Red};

/// How long a packet can be asked for again; later nobody waits for it.
const MEMORY: Duration = Duration::from_millis(500);
/// Packets that can be: as many as there are of the shortest frames that are usual.
const REMEMBERED: usize = 64;
/// The least time between two repetitions of a packet, and how often it is repeated.
const AGAIN: Duration = Duration::from_millis(15);
const REPETITIONS: u32 = 3;
/// How long a sealed frame lasts.
const SEALED_US: u32 = 20_000;

/// A frame of sound, the same for all players of a shard.
#[derive(Debug, Clone)]
pub(in crate::webrtc) struct Sounding {
    /// Its RTP time.
    pub(in crate::webrtc) time: u32,
    /// What RTP times are ahead of capture times.
    pub(in crate::webrtc) ahead: u32,
    /// It is the first after a silence.
    pub(in crate::webrtc) begins: bool,
    pub(in crate::webrtc) frame: Bytes,
    /// Those before it, the oldest first, and how much earlier they are.
    pub(in crate::webrtc) earlier: Vec<(u32, Bytes)>,
    /// What goes to pages that open it themselves, where it is sealed.
    pub(in crate::webrtc) sealed: Option<SoundPacket>,
}

impl Sounder for Timeline {
    type Sound = Sounding;

    fn sound(&mut self, packet: &SoundPacket) -> Sounding {
        // What was taken is a frame, and says how long it is, unless it is sealed (PROTOCOL 12.5).
        let lasts = |frame: &Bytes| match packet.sealed {
            true => SEALED_US,
            false => opus_duration_us(frame).unwrap_or_default(),
        };
        let (mut age, mut earlier) = (0, Vec::with_capacity(packet.repeats.len()));
        for frame in packet.repeats.iter().rev() {
            age += sound_time(lasts(frame).into()) as u32;
            earlier.push((age, frame.clone()));
        }
        earlier.reverse();
        let timed = self.next(Mark {
            epoch: packet.epoch,
            sequence: packet.sequence,
            begins: packet.begins,
            capture_us: packet.capture_us,
            duration_us: lasts(&packet.frame),
        });
        Sounding {
            time: timed.time,
            ahead: timed.ahead,
            begins: packet.begins,
            frame: packet.frame.clone(),
            earlier,
            sealed: packet.sealed.then(|| packet.clone()),
        }
    }
}

/// One player's sound.
pub(in crate::webrtc) struct SoundSender {
    ssrc: u32,
    /// It takes frames that are sealed, and no others.
    sealed: bool,
    opus: u8,
    red: Option<Red>,
    extensions: Extensions,
    sequence: u16,
    losing: Losing,
    /// Packets that can be asked for again; none where the player does not ask.
    kept: Option<VecDeque<Kept>>,
    /// What RTP times are ahead of capture times, as far as sound has been sent.
    ahead: Option<u32>,
    packets: u32,
    octets: u32,
}

/// A packet as it was sent, which it has to be if it is sent again: the keys allow no other under its number.
struct Kept {
    sequence: u16,
    sent: Instant,
    /// How often it was sent again, and when last.
    again: u32,
    repeated: Instant,
    bytes: Vec<u8>,
}

impl SoundSender {
    /// Sends as `opus` was agreed on; `first`: of a number that nobody can guess.
    pub(in crate::webrtc) fn new(opus: &Opus, ssrc: u32, first: u16) -> Self {
        Self {
            ssrc,
            sealed: false,
            opus: opus.payload_type,
            red: opus.red,
            extensions: Extensions {
                abs_send_time: opus.extension(Extension::AbsSendTime),
                playout_delay: None,
                transport_wide: opus.extension(Extension::TransportWide),
            },
            // Far from the end, so that a lost first packet is no rollover (RFC 3711, 3.3.1).
            sequence: first & 0x3fff,
            losing: Losing::default(),
            kept: opus.has_nack().then(VecDeque::new),
            ahead: None,
            packets: 0,
            octets: 0,
        }
    }

    /// For a page that opens frames itself where `sealed`.
    #[must_use]
    pub(in crate::webrtc) fn opened_there(mut self, sealed: bool) -> Self {
        self.sealed = sealed;
        self
    }

    pub(in crate::webrtc) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Whether a frame is for this player: sealed ones are for those whose page opens them, and no others.
    pub(super) fn is_for(&self, sounding: &Sounding) -> bool {
        sounding.sealed.is_some() == self.sealed
    }

    /// Whether nothing has been sent yet.
    pub(super) fn is_new(&self) -> bool {
        self.ahead.is_none()
    }

    /// Appends the packet of a frame to what goes out. It goes whatever the player's pace is.
    pub(super) fn send(&mut self, sounding: &Sounding, exit: &mut Exit<'_>, now: Moment) {
        let repeats = self.losing.repeats();
        let redundant = self
            .red
            .filter(|_| repeats > 0 && !sounding.earlier.is_empty() && !self.sealed);
        let numbered = self.extensions.transport_wide.is_some();
        let header = Header {
            marker: sounding.begins,
            kind: redundant.map_or(self.opus, |red| red.payload_type),
            sequence: self.sequence,
            time: sounding.time,
            ssrc: self.ssrc,
            sent: abs_send_time(now.relay),
            delayed: false,
            wide: exit.control.next_sequence(),
        };
        let (keys, extensions) = (&mut *exit.keys, self.extensions);
        let (opus, begin) = (self.opus, exit.out.len());
        let mut payload = 0;
        let written = exit.out.push_with(|out| {
            header.write(&extensions, out);
            let head = out.len() - begin;
            match (&sounding.sealed, redundant) {
                (Some(packet), _) => out.extend_from_slice(&repeating(packet, repeats)),
                (None, Some(red)) => {
                    let most = red.earlier.min(repeats);
                    let skipped = sounding.earlier.len().saturating_sub(most);
                    let earlier = sounding.earlier[skipped..].iter();
                    let earlier = earlier.map(|(age, frame)| (*age, &frame[..]));
                    write_red(out, opus, earlier, &sounding.frame);
                }
                (None, None) => out.extend_from_slice(&sounding.frame),
            }
            payload = out.len() - begin - head;
            keys.rtp(out, begin, head)?;
            Ok::<_, Error>(())
        });
        // The keys are worn out after 2^48 packets.
        if written.is_err() {
            return;
        }
        let bytes = exit.out.len() - begin;
        match numbered {
            true => exit.control.sent(now.instant, bytes),
            false => exit.control.sent_as_before(bytes),
        }
        if let Some(kept) = &mut self.kept {
            keep(kept, self.sequence, exit.out.last(bytes), now.instant);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.ahead = Some(sounding.ahead);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
    }

    /// Takes what the player says of how packets arrive; appends those that it lacks, each at most once in a
    /// round trip.
    pub(super) fn hear(
        &mut self,
        feedback: &Feedback,
        round_trip: Duration,
        exit: &mut Exit<'_>,
        now: Instant,
    ) {
        self.losing.hear(feedback, now);
        let Some(kept) = &mut self.kept else { return };
        let least = round_trip.max(AGAIN);
        for lost in &feedback.sound_lost {
            let mut newest = kept.iter_mut().rev();
            let found = newest.find(|kept| kept.sequence == *lost);
            if let Some(kept) = found.filter(|kept| kept.is_to_go(least, now)) {
                (kept.again, kept.repeated) = (kept.again + 1, now);
                exit.out.push(&kept.bytes);
                exit.control.sent_as_before(kept.bytes.len());
            }
        }
    }

    /// A sender report (RFC 3550, 6.4.1): which RTP time `ntp` is, and what was sent. None before there is
    /// anything to be in time with.
    pub(super) fn report(&self, ntp: u64, relay_us: u64) -> Option<Vec<u8>> {
        let report = SenderReport {
            ssrc: self.ssrc,
            ntp_time: ntp,
            rtp_time: (sound_time(relay_us) as u32).wrapping_add(self.ahead?),
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        };
        report.marshal().ok().map(|bytes| bytes.to_vec())
    }
}

impl Kept {
    /// Whether it is worth sending again.
    fn is_to_go(&self, least: Duration, now: Instant) -> bool {
        let passed = |since| now.saturating_duration_since(since);
        let late = self.again == 0 || passed(self.repeated) >= least;
        late && self.again < REPETITIONS && passed(self.sent) < MEMORY
    }
}

/// Keeps a packet, in the room of the oldest where there are enough.
fn keep(kept: &mut VecDeque<Kept>, sequence: u16, packet: &[u8], now: Instant) {
    let full = kept.len() >= REMEMBERED;
    let oldest = if full { kept.pop_front() } else { None };
    let mut bytes = oldest.map_or_else(Vec::new, |oldest| oldest.bytes);
    bytes.clear();
    bytes.extend_from_slice(packet);
    kept.push_back(Kept {
        sequence,
        sent: now,
        again: 0,
        repeated: now,
        bytes,
    });
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rtc_rtcp::packet::unmarshal;
    use rtc_rtp::Packet;
    use rtc_shared::marshal::Unmarshal as _;
    use steadycast_codec_glue::rtp::read_red;
    use steadycast_codec_glue::wire::Role;

    use super::super::control::Control;
    use super::super::datagrams::Datagrams;
    use super::*;
    use crate::broadcast::RelayTime;
    use crate::webrtc::fuzzing::keys;
    use crate::webrtc::offers;
    use crate::webrtc::rtcp::Report;
    use crate::webrtc::sdp::Offer;
    use crate::webrtc::srtp::{Incoming, Outgoing};

    const MS: Duration = Duration::from_millis(1);
    const SSRC: u32 = 9;
    const TOC: u8 = 31 << 3;

    /// One player, and what reaches it.
    struct Scene {
        sender: SoundSender,
        timeline: Timeline,
        keys: Outgoing,
        opened: Incoming,
        control: Control,
        now: Moment,
        sequence: u32,
        before: Vec<Bytes>,
    }

    impl Scene {
        /// A player with Safari's offer, in which `from` is `to`.
        fn with(from: &str, to: &str) -> Self {
            let offer = offers::of("safari-player");
            assert!(offer.contains(from));
            let offer = Offer::parse(&offer.replace(from, to), Role::Player).unwrap();
            let now = Moment {
                relay: RelayTime::from_micros(1_000_000_000),
                instant: Instant::now(),
            };
            Self {
                sender: SoundSender::new(offer.opus().unwrap(), SSRC, u16::MAX),
                timeline: Timeline::default(),
                keys: keys(false).0,
                opened: keys(true).1,
                control: Control::new(false, now.instant),
                now,
                sequence: 0,
                before: Vec::new(),
            }
        }

        fn new() -> Self {
            let opus = "a=rtpmap:111 opus/48000/2\n";
            Self::with(opus, &format!("{opus}a=rtcp-fb:111 nack\n"))
        }

        /// Sends the next frame, of 20 ms; what the player gets.
        fn send(&mut self) -> Packet {
            let lasts = Duration::from_millis(20);
            self.now.relay = self.now.relay + lasts;
            self.now.instant += lasts;
            self.sequence += 1;
            let frame = Bytes::from(vec![TOC, self.sequence as u8, 7]);
            let packet = SoundPacket {
                begins: self.sequence == 1,
                sealed: false,
                epoch: 1,
                sequence: self.sequence,
                capture_us: self.now.relay.as_micros(),
                repeats: self.before.clone(),
                frame: frame.clone(),
            };
            self.before.push(frame);
            self.before = self.before.split_off(self.before.len().saturating_sub(2));
            let sounding = self.timeline.sound(&packet);
            let now = self.now;
            let sent = self.written(|sender, exit| sender.send(&sounding, exit, now));
            self.read(&sent[0])
        }

        /// What goes out.
        fn written(&mut self, act: impl FnOnce(&mut SoundSender, &mut Exit<'_>)) -> Vec<Vec<u8>> {
            let mut out = Datagrams::default();
            let mut exit = Exit {
                keys: &mut self.keys,
                control: &mut self.control,
                out: &mut out,
            };
            act(&mut self.sender, &mut exit);
            let calls = out.calls(|_| usize::MAX);
            calls
                .flat_map(|(call, size)| call.chunks(size).map(<[u8]>::to_vec))
                .collect()
        }

        fn read(&mut self, packet: &[u8]) -> Packet {
            let opened: BytesMut = self.opened.rtp(packet).unwrap();
            Packet::unmarshal(&mut opened.freeze()).unwrap()
        }

        /// A player that says every second for a while that so much is lost.
        fn lose(&mut self, lost: f64, seconds: u32) {
            for _ in 0..seconds {
                self.now.instant += MS * 1_000;
                self.hear(&losing(lost));
            }
        }

        /// What is sent because of this.
        fn hear(&mut self, feedback: &Feedback) -> Vec<Vec<u8>> {
            let now = self.now.instant;
            self.written(|sender, exit| sender.hear(feedback, 50 * MS, exit, now))
        }
    }

    fn lacking(lost: u16) -> Feedback {
        Feedback {
            sound_lost: vec![lost],
            ..Feedback::default()
        }
    }

    fn losing(lost: f64) -> Feedback {
        let report = Report {
            lost,
            last: 0,
            delay: 0,
        };
        Feedback {
            sound_report: Some(report),
            ..Feedback::default()
        }
    }

    #[test]
    fn frames_are_packets_with_numbers_and_times_that_rise_evenly() {
        let mut scene = Scene::new();
        let first = scene.send();
        assert_eq!((first.header.payload_type, first.header.ssrc), (111, SSRC));
        assert_eq!(first.header.timestamp, 48_000 * 1_000 + 960);
        assert!(first.header.marker, "it begins");
        assert_eq!(first.payload, [TOC, 1, 7][..]);
        let second = scene.send();
        assert_eq!(
            second.header.sequence_number,
            first.header.sequence_number + 1
        );
        assert_eq!(second.header.timestamp, first.header.timestamp + 960);
        assert!(!second.header.marker);
        assert!(second.header.get_extension(2).is_some(), "when it was sent");
    }

    #[test]
    fn who_loses_is_sent_the_frame_before_beside_each() {
        let mut scene = Scene::new();
        scene.send();
        scene.lose(0.03, 3);
        let packet = scene.send();
        assert_eq!(packet.header.payload_type, 63);
        let blocks = read_red(&packet.payload).unwrap();
        let read: Vec<_> = blocks
            .iter()
            .map(|block| (block.payload_type, block.age, block.frame[1]))
            .collect();
        assert_eq!(read, [(111, 960, 1), (111, 0, 2)]);
        scene.lose(0.0, 60);
        assert_eq!(scene.send().header.payload_type, 111);
    }

    #[test]
    fn who_takes_no_redundant_frames_is_sent_none() {
        let mut scene = Scene::with("a=rtpmap:63 red/48000/2\n", "");
        scene.send();
        scene.lose(0.5, 3);
        assert_eq!(scene.send().header.payload_type, 111);
    }

    #[test]
    fn what_is_asked_for_is_sent_again_as_it_was_for_half_a_second() {
        let mut scene = Scene::new();
        let lost = scene.send().header.sequence_number;
        let sent = scene.hear(&lacking(lost));
        assert_eq!(sent.len(), 1);
        assert!(scene.opened.rtp(&sent[0]).is_err(), "it is the very same");
        assert_eq!(scene.hear(&lacking(lost)).len(), 0, "it is on its way");
        scene.now.instant += 50 * MS;
        assert_eq!(scene.hear(&lacking(lost)), sent);
        assert_eq!(scene.hear(&lacking(lost + 1)).len(), 0, "it was never sent");
        scene.now.instant += 500 * MS;
        assert_eq!(scene.hear(&lacking(lost)).len(), 0, "nobody waits for it");
    }

    #[test]
    fn nobody_has_a_packet_sent_again_and_again() {
        let mut scene = Scene::new();
        let lost = scene.send().header.sequence_number;
        let mut again = 0;
        for _ in 0..9 {
            scene.now.instant += 50 * MS;
            again += scene.hear(&lacking(lost)).len();
        }
        assert_eq!(again, REPETITIONS as usize);
    }

    #[test]
    fn the_report_says_which_time_is_now() {
        let mut scene = Scene::new();
        assert_eq!(scene.sender.report(1, 0), None, "there is nothing yet");
        let packet = scene.send();
        let micros = scene.now.relay.as_micros() + 10_000;
        let report = scene.sender.report(1 << 32, micros).unwrap();
        let packets = unmarshal(&mut &report[..]).unwrap();
        let report: &SenderReport = packets[0].as_any().downcast_ref().unwrap();
        assert_eq!(
            (report.ssrc, report.packet_count, report.octet_count),
            (SSRC, 1, 3)
        );
        assert_eq!(report.rtp_time, packet.header.timestamp + 480);
    }
}
