//! What makes a frame's packets one player's: its numbers, its times, its keys; and what of them
//! is sent again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::control::Control;
use super::datagrams::Datagrams;
use super::header::{Extensions, Header, abs_send_time};
use super::pace::PACKET;
use super::packets::Packets;
use crate::broadcast::Moment;
use crate::webrtc::sdp::{Extension, Media, Offer};
use crate::webrtc::srtp::Outgoing;
use rtc_rtcp::sender_report::SenderReport;
use rtc_shared::error::Error;
use rtc_shared::marshal::Marshal as _;
use steadycast_codec_glue::wire::CodecKind;

/// Packets of a player that can be asked for again.
const REMEMBERED: usize = 2_048;
/// How long a packet can be asked for again; later a keyframe is the better help.
const MEMORY: Duration = Duration::from_secs(2);
/// What a packet is sent again at most: once in the time that the last repetition takes to arrive.
const LEAST_ROUND_TRIP: Duration = Duration::from_millis(15);
/// Repetitions whose time is remembered.
const REPEATED: usize = 256;
/// Packets that a path is filled up with; the same again where that is too little.
const FILLING: usize = 64;

/// Payload types of one codec.
#[derive(Debug, Clone, Copy)]
struct Types {
    codec: CodecKind,
    media: u8,
    rtx: Option<u8>,
}

/// One player's numbers.
pub(in crate::webrtc) struct Sender {
    media: Media,
    types: Vec<Types>,
    /// It takes frames that are sealed, and no others.
    sealed: bool,
    extensions: Extensions,
    sequence: u16,
    rtx_sequence: u16,
    picture: u16,
    tl0: u8,
    /// The last frame's time, not wrapped.
    time: Option<u64>,
    history: VecDeque<Row>,
    remembered: usize,
    repeated: VecDeque<(u16, Instant)>,
    packets: u32,
    octets: u32,
}

/// Packets of one frame that were sent in a row, so that each can be made again, bit for bit.
struct Row {
    first: u16,
    count: u16,
    packets: Arc<Packets>,
    from: u16,
    stamp: Stamp,
    /// When they were sent first, as their headers say it.
    sent: u32,
    /// The transport-wide number of the first.
    wide: u16,
    at: Instant,
}

/// What a row of packets has in its headers.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    time: u32,
    picture: u16,
    tl0: u8,
}

/// What one packet is sent as.
struct Packet {
    kind: u8,
    ssrc: u32,
    sequence: u16,
    /// The number of the packet that it brings again, on another source.
    original: Option<u16>,
    /// When it is sent ([`abs_send_time`]).
    sent: u32,
    /// Its transport-wide number, where it had one before.
    wide: Option<u16>,
}

/// A frame on its way to one player.
#[derive(Debug, Clone)]
pub(in crate::webrtc) struct Outbound {
    pub(in crate::webrtc) packets: Arc<Packets>,
    /// Not wrapped.
    pub(in crate::webrtc) time: u64,
    /// The payload that is next.
    pub(in crate::webrtc) next: usize,
}

impl Outbound {
    /// Bytes of payloads that have not been sent.
    pub(in crate::webrtc) fn bytes_left(&self) -> usize {
        let payloads = &self.packets.payloads;
        (self.next..payloads.len())
            .map(|at| payloads[at].len())
            .sum()
    }
}

/// What packets leave through.
pub(super) struct Exit<'a> {
    pub(super) keys: &'a mut Outgoing,
    pub(super) control: &'a mut Control,
    pub(super) out: &'a mut Datagrams,
}

/// How old a packet is at least before it is sent again: players ask for what is only late, and
/// they ask again for what is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// After it was sent first.
    pub(super) first: Duration,
    /// After it was sent again.
    pub(super) again: Duration,
}

/// The least that two frames are apart: a tenth of a millisecond.
const APART: u64 = 9;
/// What the frames that bring a joiner up to date are apart: a millisecond.
const CATCHING_UP: u64 = 90;

impl Sender {
    pub(in crate::webrtc) fn new(offer: &Offer, media: Media, [first, second]: [u16; 2]) -> Self {
        let types = |format: &crate::webrtc::sdp::Format| Types {
            codec: format.codec,
            media: format.payload_type,
            rtx: format.rtx,
        };
        Self {
            media,
            types: offer.formats().iter().map(types).collect(),
            sealed: offer.carries().is_some(),
            extensions: Extensions {
                abs_send_time: offer.extension(Extension::AbsSendTime),
                playout_delay: offer.extension(Extension::PlayoutDelay),
                transport_wide: offer.transport_wide(),
            },
            // Far from the end, so that a lost first packet is no rollover (RFC 3711, 3.3.1).
            sequence: first & 0x3fff,
            rtx_sequence: second & 0x3fff,
            picture: 0,
            tl0: 0,
            time: None,
            history: VecDeque::new(),
            remembered: 0,
            repeated: VecDeque::new(),
            packets: 0,
            octets: 0,
        }
    }

    /// Whether it takes frames that are sealed, and no others.
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Whether a frame is for this player: sealed ones are for those whose page opens them, and no others.
    pub(super) fn is_for(&self, packets: &Packets) -> bool {
        packets.header.sealed == self.sealed
    }

    /// Whether the player says of each packet when it arrived.
    pub(super) fn is_told_of_arrivals(&self) -> bool {
        self.extensions.transport_wide.is_some()
    }

    /// Nothing that was sent so far is sent again.
    pub(super) fn forget(&mut self) {
        self.history.clear();
        self.remembered = 0;
    }

    pub(in crate::webrtc) fn ssrc(&self) -> u32 {
        self.media.ssrc
    }

    /// What a frame's packets are sent as; nothing where the player can do nothing with it.
    fn types(&self, packets: &Packets) -> Option<Types> {
        let mut fit = self.types.iter().copied();
        let found = fit.find(|types| types.codec == packets.codec());
        found.filter(|_| self.is_for(packets))
    }

    /// Gives frames the times that this player sees: their own, unless they bring it up to date,
    /// and always later than what it has seen.
    pub(in crate::webrtc) fn time(
        &mut self,
        frames: &[Arc<Packets>],
        catching_up: bool,
    ) -> impl Iterator<Item = Outbound> {
        let newest = frames.last().map_or(0, |packets| packets.time());
        let count = frames.len() as u64;
        let outbound = move |(at, packets): (usize, &Arc<Packets>)| {
            let due = match catching_up {
                true => newest.saturating_sub((count - 1 - at as u64) * CATCHING_UP),
                false => packets.time(),
            };
            let time = self.time.map_or(due, |last| due.max(last + APART));
            self.time = Some(time);
            Outbound {
                packets: packets.clone(),
                time,
                next: 0,
            }
        };
        frames.iter().enumerate().map(outbound)
    }

    /// Appends packets of a frame to `out`, at most `most` bytes of them but one at least; returns
    /// how many bytes that was. A frame in a codec that the player has no type for is passed over.
    pub(super) fn send(
        &mut self,
        frame: &mut Outbound,
        most: usize,
        exit: &mut Exit<'_>,
        now: Moment,
    ) -> usize {
        let packets = frame.packets.clone();
        let payloads = &packets.payloads;
        let Some(types) = self.types(&packets) else {
            frame.next = payloads.len();
            return 0;
        };
        if frame.next == 0 {
            self.picture = self.picture.wrapping_add(1) & 0x7fff;
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let stamp = Stamp {
            time: frame.time as u32,
            picture: self.picture,
            tl0: self.tl0,
        };
        let (first, from, before) = (self.sequence, frame.next, exit.out.len());
        let wide = exit.control.next_sequence();
        while frame.next < payloads.len() {
            let done = exit.out.len() - before;
            if done > 0 && done + payloads[frame.next].len() > most {
                break;
            }
            let packet = Packet {
                kind: types.media,
                ssrc: self.media.ssrc,
                sequence: self.sequence,
                original: None,
                sent: abs_send_time(now.relay),
                wide: None,
            };
            if !self.write(&packet, &packets, frame.next, &stamp, exit, now) {
                break;
            }
            self.sequence = self.sequence.wrapping_add(1);
            frame.next += 1;
        }
        let count = (frame.next - from) as u16;
        self.remember(Row {
            first,
            count,
            packets,
            from: from as u16,
            stamp,
            sent: abs_send_time(now.relay),
            wide,
            at: now.instant,
        });
        let bytes = exit.out.len() - before;
        self.packets = self.packets.wrapping_add(u32::from(count));
        self.octets = self.octets.wrapping_add(bytes as u32);
        bytes
    }

    fn remember(&mut self, row: Row) {
        if row.count == 0 {
            return;
        }
        let now = row.at;
        self.remembered += usize::from(row.count);
        self.history.push_back(row);
        // The newest stays whatever its age: after it nothing may come for long.
        while self.history.len() > 1
            && let Some(oldest) = self.history.front()
            && (self.remembered > REMEMBERED || now.duration_since(oldest.at) > MEMORY)
        {
            self.remembered -= usize::from(oldest.count);
            self.history.pop_front();
        }
    }

    /// Appends packets that the player has lost, at most `most` bytes of them and none that is too
    /// young for that; returns how many bytes. What is forgotten is not found, and the player asks
    /// for a keyframe.
    pub(super) fn repeat(
        &mut self,
        lost: &[u16],
        most: usize,
        patience: Patience,
        exit: &mut Exit<'_>,
        now: Moment,
    ) -> usize {
        let before = exit.out.len();
        let again = patience.again.max(LEAST_ROUND_TRIP);
        for &sequence in lost {
            if exit.out.len() - before + PACKET > most {
                break;
            }
            let recent = |(other, at): &(u16, Instant)| {
                *other == sequence && now.instant.duration_since(*at) < again
            };
            let is_late = self
                .row(sequence)
                .is_some_and(|row| now.instant.saturating_duration_since(row.at) < patience.first);
            if is_late || self.repeated.iter().any(recent) || !self.repeat_one(sequence, exit, now)
            {
                continue;
            }
            if self.repeated.len() == REPEATED {
                self.repeated.pop_front();
            }
            self.repeated.push_back((sequence, now.instant));
        }
        exit.out.len() - before
    }

    /// What a packet was sent with.
    fn row(&self, sequence: u16) -> Option<&Row> {
        let within = |row: &&Row| sequence.wrapping_sub(row.first) < row.count;
        self.history.iter().rev().find(within)
    }

    fn repeat_one(&mut self, sequence: u16, exit: &mut Exit<'_>, now: Moment) -> bool {
        let Some(row) = self.row(sequence) else {
            return false;
        };
        let place = sequence.wrapping_sub(row.first);
        let at = usize::from(row.from) + usize::from(place);
        let (packets, stamp, sent) = (row.packets.clone(), row.stamp, row.sent);
        let wide = row.wide.wrapping_add(place);
        let Some(types) = self.types(&packets) else {
            return false;
        };
        let packet = match types.rtx {
            Some(rtx) => {
                self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
                Packet {
                    kind: rtx,
                    ssrc: self.media.rtx_ssrc,
                    sequence: self.rtx_sequence,
                    original: Some(sequence),
                    sent: abs_send_time(now.relay),
                    wide: None,
                }
            }
            // The very same packet: the keys allow no other under its number.
            None => Packet {
                kind: types.media,
                ssrc: self.media.ssrc,
                sequence,
                original: None,
                sent,
                wide: Some(wide),
            },
        };
        self.write(&packet, &packets, at, &stamp, exit, now)
    }

    /// The newest packets once more, as if they had been lost: so many bytes of them, and the rest of the
    /// last packet; returns how many. Nothing where the player could not tell them from others.
    pub(super) fn fill(&mut self, bytes: usize, exit: &mut Exit<'_>, now: Moment) -> usize {
        let before = exit.out.len();
        let newest = self.history.iter().rev();
        let numbers = newest.flat_map(|row| {
            let number = move |at| row.first.wrapping_add(at);
            (0..row.count).rev().map(number)
        });
        // What is in this many packets is more than a slice ever has.
        let numbers: Vec<u16> = numbers.take(FILLING).collect();
        let Some(most) = numbers.len().checked_sub(1) else {
            return 0;
        };
        let has_rtx = |this: &Self, number: u16| {
            let types = this.row(number).and_then(|row| this.types(&row.packets));
            types.and_then(|types| types.rtx).is_some()
        };
        if !has_rtx(self, numbers[0]) {
            return 0;
        }
        let mut at = 0;
        while exit.out.len() - before < bytes && self.repeat_one(numbers[at.min(most)], exit, now) {
            at = (at + 1) % numbers.len();
        }
        exit.out.len() - before
    }

    /// The last packet once more: when nothing follows it, nothing else shows that it was lost.
    pub(super) fn probe(&mut self, exit: &mut Exit<'_>, now: Moment) {
        let last = self.sequence.wrapping_sub(1);
        if !self.history.is_empty() {
            self.repeat_one(last, exit, now);
        }
    }

    /// Appends a packet with the payload at `at`; false only when the keys are worn out, after
    /// 2^48 packets.
    fn write(
        &self,
        packet: &Packet,
        packets: &Packets,
        at: usize,
        stamp: &Stamp,
        exit: &mut Exit<'_>,
        now: Moment,
    ) -> bool {
        let header = Header {
            marker: at + 1 == packets.payloads.len(),
            kind: packet.kind,
            sequence: packet.sequence,
            time: stamp.time,
            ssrc: packet.ssrc,
            sent: packet.sent,
            delayed: packets.header.keyframe,
            wide: packet.wide.unwrap_or_else(|| exit.control.next_sequence()),
        };
        let (keys, mut bytes) = (&mut *exit.keys, 0);
        let written = exit.out.push_with(|out| {
            let begin = out.len();
            header.write(&self.extensions, out);
            let header = out.len() - begin;
            if let Some(original) = packet.original {
                out.extend_from_slice(&original.to_be_bytes());
            }
            let payload = out.len();
            out.extend_from_slice(&packets.payloads[at]);
            let numbering = packets.payloads.numbering();
            numbering.write(&mut out[payload..], stamp.picture, stamp.tl0);
            if at == 0 {
                numbering.write_first(&mut out[payload..], stamp.picture);
            }
            keys.rtp(out, begin, header)?;
            bytes = out.len() - begin;
            Ok::<_, Error>(())
        });
        if written.is_ok() {
            match packet.wide {
                None => exit.control.sent(now.instant, bytes),
                Some(_) => exit.control.sent_as_before(bytes),
            }
        }
        written.is_ok()
    }

    /// A sender report (RFC 3550, 6.4.1): which RTP time `ntp` is, and what was sent.
    pub(in crate::webrtc) fn report(&self, ntp: u64, relay_us: u64) -> Option<Vec<u8>> {
        let report = SenderReport {
            ssrc: self.media.ssrc,
            ntp_time: ntp,
            rtp_time: super::packets::rtp_time(relay_us) as u32,
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        };
        report.marshal().ok().map(|bytes| bytes.to_vec())
    }
}

#[cfg(test)]
mod tests;
