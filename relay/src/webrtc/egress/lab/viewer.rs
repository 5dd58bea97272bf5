//! A player's end, as browsers have it: packets in order, what is missing asked for again, and
//! transport-wide feedback.

use std::collections::BTreeMap;
use std::time::Duration;

use super::publisher::stamp;
use crate::path::Received;
use crate::webrtc::rtcp::{Feedback, Report, Sources};
use crate::webrtc::srtp::Incoming;

/// How often it tells which packets have arrived.
const TOLD: Duration = Duration::from_millis(100);
/// For how long it may tell of one that has.
const REMEMBERED: Duration = Duration::from_millis(500);
/// How often it asks for what is missing, and for how long.
const AGAIN: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it reports, and asks for a keyframe.
const REPORTS: Duration = Duration::from_secs(1);
const PLEAS: Duration = Duration::from_millis(500);
/// It asks as well when no frame has come for so long, as browsers do.
const STARVED: Duration = Duration::from_secs(3);
/// The extension of transport-wide numbers, and the type of repetitions, in the offer.
const WIDE: u8 = 4;
const RTX: u8 = 97;
/// What the relay writes before VP8: flags, and a picture id of 15 bits.
const DESCRIPTOR: usize = 4;
const START: u8 = 0x10;

/// A frame that came whole and could be decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) captured: Duration,
    pub(super) arrived: Duration,
}

struct Packet {
    payload: Vec<u8>,
    marker: bool,
}

struct Missing {
    since: Duration,
    asked: Option<Duration>,
}

/// What became of packets.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) came: u64,
    pub(super) repaired: u64,
    /// Came although they were there.
    pub(super) again: u64,
}

pub(super) struct Viewer {
    keys: Incoming,
    next: Option<u64>,
    newest: u64,
    ahead: BTreeMap<u64, Packet>,
    missing: BTreeMap<u64, Missing>,
    /// Of the frame that is arriving.
    open: Option<Duration>,
    /// Nothing can be decoded before the next keyframe.
    lost: bool,
    arrived: BTreeMap<u64, Duration>,
    wide: Option<u64>,
    untold: Option<u64>,
    tell_at: Duration,
    report_at: Duration,
    plea_at: Duration,
    joined: Duration,
    sender: Option<(u32, Duration)>,
    reported: (u64, u64),
    pub(super) counts: Counts,
    pub(super) seen: Vec<Seen>,
}

impl Viewer {
    pub(super) fn new(keys: Incoming, now: Duration) -> Self {
        Self {
            keys,
            next: None,
            newest: 0,
            ahead: BTreeMap::new(),
            missing: BTreeMap::new(),
            open: None,
            lost: true,
            arrived: BTreeMap::new(),
            wide: None,
            untold: None,
            tell_at: now,
            report_at: now + REPORTS,
            plea_at: now,
            joined: now,
            sender: None,
            reported: (0, 0),
            counts: Counts::default(),
            seen: Vec::new(),
        }
    }

    /// Takes a datagram.
    pub(super) fn take(&mut self, now: Duration, datagram: &[u8]) {
        if (192..=223).contains(&datagram[1]) {
            let control = self.keys.rtcp(datagram).unwrap();
            let none = Sources {
                pictures: 0,
                sound: None,
            };
            let senders = Feedback::parse(&control, none).senders;
            let sender = senders.first();
            self.sender = sender.map(|time| ((time.ntp >> 16) as u32, now));
            return;
        }
        // One that came before does not open again.
        let Ok(packet) = self.keys.rtp(datagram) else {
            self.counts.again += 1;
            return;
        };
        let mut begin = 12;
        if packet[0] & 0x10 != 0 {
            let words = usize::from(u16::from_be_bytes([packet[14], packet[15]]));
            begin = 16 + words * 4;
            self.note(now, &packet[16..begin]);
        }
        let repaired = packet[1] & 0x7f == RTX;
        let mut number = u16::from_be_bytes([packet[2], packet[3]]);
        if repaired {
            number = u16::from_be_bytes([packet[begin], packet[begin + 1]]);
            begin += 2;
        }
        let payload = packet[begin..].to_vec();
        let marker = packet[1] & 0x80 != 0;
        self.place(now, number, Packet { payload, marker }, repaired);
    }

    /// Notes the transport-wide number among the extensions.
    fn note(&mut self, now: Duration, mut extensions: &[u8]) {
        while let Some((&first, rest)) = extensions.split_first() {
            let length = if first == 0 {
                0
            } else {
                usize::from(first & 15) + 1
            };
            if first >> 4 == WIDE {
                let number = unwrap(&mut self.wide, u16::from_be_bytes([rest[0], rest[1]]));
                if self.arrived.is_empty() {
                    self.tell_at = self.tell_at.max(now);
                }
                self.arrived.insert(number, now);
                self.untold = Some(self.untold.map_or(number, |untold| untold.min(number)));
            }
            extensions = &rest[length..];
        }
    }

    fn place(&mut self, now: Duration, number: u16, packet: Packet, repaired: bool) {
        let mut newest = Some(self.newest).filter(|newest| *newest > 0);
        let number = unwrap(&mut newest, number);
        let begins = packet.payload[0] & START != 0;
        if self.next.is_none() && begins {
            self.next = Some(number);
            let rest = self.ahead.split_off(&number);
            self.ahead = rest;
            for between in number + 1..self.newest {
                if !self.ahead.contains_key(&between) {
                    self.miss(now, between);
                }
            }
        }
        if self.next.is_some_and(|next| number < next) || self.ahead.contains_key(&number) {
            self.counts.again += 1;
            return;
        }
        self.counts.came += u64::from(!repaired);
        self.counts.repaired += u64::from(repaired);
        self.missing.remove(&number);
        if self.next.is_some() && self.newest > 0 {
            for between in self.newest + 1..number {
                self.miss(now, between);
            }
        }
        self.newest = self.newest.max(number);
        self.ahead.insert(number, packet);
        self.go_on(now);
    }

    fn miss(&mut self, now: Duration, number: u64) {
        let asked = None;
        self.missing.insert(number, Missing { since: now, asked });
    }

    /// Takes what has its turn.
    fn go_on(&mut self, now: Duration) {
        while let Some(next) = self.next
            && let Some(first) = self.ahead.first_entry()
        {
            if *first.key() > next {
                let oldest = self.missing.values().next();
                if oldest.is_some_and(|missing| now - missing.since < PATIENCE) {
                    return;
                }
                let next = *first.key();
                self.missing = self.missing.split_off(&next);
                self.next = Some(next);
                (self.open, self.lost) = (None, true);
                continue;
            }
            let packet = first.remove();
            self.next = Some(next + 1);
            self.decode(now, &packet);
        }
    }

    fn decode(&mut self, now: Duration, packet: &Packet) {
        let (descriptor, part) = packet.payload.split_at(DESCRIPTOR);
        if descriptor[0] & START != 0 {
            let (keyframe, captured) = stamp(part);
            self.lost &= !keyframe;
            self.open = Some(captured);
        }
        if packet.marker
            && let Some(captured) = self.open.take()
            && !self.lost
        {
            self.seen.push(Seen {
                captured,
                arrived: now,
            });
        }
    }

    pub(super) fn due(&self) -> Duration {
        let again = self.missing.values().filter_map(|missing| missing.asked);
        let again = again.min().map(|asked| asked + AGAIN);
        let tell = self.untold.map(|_| self.tell_at);
        let plea = self.lost.then_some(self.plea_at);
        let all = [again, tell, plea, Some(self.report_at)];
        all.into_iter().flatten().min().unwrap()
    }

    /// What it says now.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Feedback> {
        self.go_on(now);
        let mut lost = Vec::new();
        for (number, missing) in &mut self.missing {
            if missing.asked.is_none_or(|asked| now - asked >= AGAIN) && lost.len() < 256 {
                missing.asked = Some(now);
                lost.push(*number as u16);
            }
        }
        if !lost.is_empty() {
            return Some(Feedback {
                lost,
                ..Feedback::default()
            });
        }
        let newest = self.seen.last().map_or(self.joined, |seen| seen.arrived);
        let stuck = self.lost || now - newest >= STARVED;
        if stuck && self.next.is_some() && self.plea_at <= now {
            self.plea_at = now + PLEAS;
            return Some(Feedback {
                keyframe: true,
                ..Feedback::default()
            });
        } else if self.plea_at <= now {
            self.plea_at = now + PLEAS;
        }
        if let Some(untold) = self.untold.filter(|_| self.tell_at <= now) {
            return Some(self.tell(now, untold));
        }
        (self.report_at <= now).then(|| self.report(now))
    }

    fn tell(&mut self, now: Duration, from: u64) -> Feedback {
        self.tell_at = now + TOLD;
        self.untold = None;
        self.arrived.retain(|_, at| now - *at < REMEMBERED);
        let last = self
            .arrived
            .last_key_value()
            .map_or(from, |(last, _)| *last);
        let received = |number: u64| Received {
            sequence: number as u16,
            at: self.arrived.get(&number).copied(),
        };
        Feedback {
            arrivals: (from..=last).map(received).collect(),
            ..Feedback::default()
        }
    }

    fn report(&mut self, now: Duration) -> Feedback {
        self.report_at = now + REPORTS;
        let (newest, came) = (self.newest, self.counts.came);
        let (newest_before, came_before) = std::mem::replace(&mut self.reported, (newest, came));
        let expected = newest - newest_before;
        let lost = expected.saturating_sub(came - came_before);
        let (last, delay) = self.sender.map_or((0, 0), |(time, at)| {
            (time, ((now - at).as_secs_f64() * 65_536.0) as u32)
        });
        let lost = if newest_before > 0 {
            lost as f64 / expected.max(1) as f64
        } else {
            0.0
        };
        Feedback {
            report: Some(Report { lost, last, delay }),
            ..Feedback::default()
        }
    }
}

/// A number as it would be without wrapping, near the newest.
fn unwrap(newest: &mut Option<u64>, number: u16) -> u64 {
    let near = newest.unwrap_or((1 << 32) | u64::from(number));
    let ahead = number.wrapping_sub(near as u16) as i16;
    let whole = near.wrapping_add_signed(ahead.into());
    *newest = Some(near.max(whole));
    whole
}
