//! One player: a WHEP session that reads and checks every packet and frame.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use bytes::BytesMut;
use rtc_rtcp::packet::unmarshal;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use steadycast_relay::shard::RelayClock;
use tokio::time::sleep_until;

use super::arrivals::Arrivals;
use super::client::Client;
use super::connect::Connected;
use super::frames::{DESCRIPTOR, Frames, begins};
use super::hearing::Hearing;
use super::ice::Responder;
use super::keys::{Keys, Opened};
use super::order::{Next, Order};
use super::reports::Reports;
use super::rtp::Head;
use super::sdp::{Answer, OPUS, RED, RTX, VP8};
use super::socket::{Buffers, Socket};
use crate::checker::{Checker, Seen, Watch};
use crate::load::Appetite;
use crate::tally::{Fault, Packets};
use crate::target::Broadcast;
use crate::transport::Way;

/// How often a player reports.
const REPORTS: Duration = Duration::from_secs(1);
/// How often it asks for a keyframe that does not come.
const PLEAS: Duration = Duration::from_millis(500);
/// How often it checks its path, as browsers do.
const CHECKS: Duration = Duration::from_millis(2_500);
/// The relay reports every second: one that says nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(5);
/// What a narrow way holds before it loses packets.
const QUEUE: Duration = Duration::from_millis(200);

/// Opens a session and watches until it ends.
///
/// # Errors
/// With what ended the session, or a frame that was wrong.
pub async fn watch(client: &Client, broadcast: &Broadcast, watch: Watch) -> Result<()> {
    let (clock, listens) = (watch.clock, watch.listens);
    let checker = Checker::new(watch, Way::WebRtc, Instant::now());
    let session = client.open(broadcast, listens).await?;
    let mut seat = Seat {
        player: Player::new(&session.answer, checker, clock, session.connected),
        socket: session.socket,
    };
    seat.watch(&client.buffers).await
}

/// A player on its socket; leaves when it is dropped.
struct Seat {
    socket: Socket,
    player: Player,
}

impl Seat {
    async fn watch(&mut self, buffers: &RefCell<Buffers>) -> Result<()> {
        let Self { socket, player } = self;
        for packet in std::mem::take(&mut player.early) {
            player.take(&packet, Instant::now());
        }
        loop {
            while let Some(packet) = player.poll_transmit(Instant::now()) {
                socket.send(&packet);
            }
            player.count();
            if let Some(why) = player.over.take() {
                return Err(why);
            }
            if player.checker.appetite() == Appetite::Stalled && player.checker.has_picture() {
                return std::future::pending().await;
            }
            let due = player.due();
            let take = |packet: &[u8]| player.take(packet, Instant::now());
            tokio::select! {
                received = socket.receive(buffers, take) => received?,
                () = sleep_until(due.into()) => {}
            }
        }
    }
}

impl Drop for Seat {
    /// Says goodbye, as the page of a player that is closed does.
    fn drop(&mut self) {
        let goodbye = Reports::goodbye().ok();
        if let Some(goodbye) = goodbye.and_then(|bye| self.player.keys.seal_control(&bye).ok()) {
            self.socket.send(&goodbye);
        }
    }
}

/// A player without its socket.
struct Player {
    checker: Checker,
    keys: Keys,
    order: Order<(Head, BytesMut)>,
    frames: Frames,
    /// When a keyframe may be asked for again.
    next_plea: Instant,
    reports: Reports,
    clock: RelayClock,
    sound: Option<Sound>,
    arrivals: Arrivals,
    check: Vec<u8>,
    responder: Responder,
    /// Answers to the relay's checks.
    replies: Vec<Vec<u8>>,
    early: Vec<Vec<u8>>,
    next_report: Instant,
    next_check: Instant,
    heard: Instant,
    narrow: Option<NarrowWay>,
    /// What was counted in the tally so far.
    counted: Packets,
    /// Bytes of media that are not in the tally yet.
    received: usize,
    /// Why the session is over.
    over: Option<anyhow::Error>,
}

impl Player {
    fn new(session: &Answer, checker: Checker, clock: RelayClock, connected: Connected) -> Self {
        let now = Instant::now();
        let narrow = match checker.appetite() {
            Appetite::Slow(bits) => Some(NarrowWay::new(bits, now)),
            Appetite::Healthy | Appetite::Stalled | Appetite::Narrow(_) => None,
        };
        Self {
            checker,
            keys: connected.keys,
            order: Order::new(),
            frames: Frames::default(),
            next_plea: now,
            reports: Reports::new(session.ssrc),
            clock,
            sound: session.sound.map(Sound::new),
            arrivals: Arrivals::new(now),
            check: connected.check,
            responder: connected.responder,
            replies: Vec::new(),
            early: connected.early,
            next_report: now + REPORTS,
            next_check: now + CHECKS,
            heard: now,
            narrow,
            counted: Packets::default(),
            received: 0,
            over: None,
        }
    }

    /// Takes a packet: what it is, its first byte tells (RFC 9443, 3).
    fn take(&mut self, packet: &[u8], now: Instant) {
        self.heard = now;
        if self
            .narrow
            .as_mut()
            .is_some_and(|way| !way.takes(packet.len(), now))
        {
            return;
        }
        match (packet.first(), packet.get(1)) {
            (Some(128..=191), Some(192..=223)) => {
                if let Some(control) = self.keys.open_control(packet) {
                    self.take_control(&control, now);
                }
            }
            (Some(128..=191), _) => self.take_media(packet, now),
            (Some(0..=3), _) => self.replies.extend(self.responder.answer(packet)),
            // An alert: the relay says nothing else once there are keys.
            (Some(21), _) => self.end(anyhow!("the relay has left")),
            _ => {}
        }
    }

    fn take_control(&mut self, control: &[u8], now: Instant) {
        for packet in unmarshal(&mut &control[..]).unwrap_or_default() {
            let Some(report) = packet.as_any().downcast_ref::<SenderReport>() else {
                continue;
            };
            if report.ssrc == self.reports.theirs() {
                self.reports.heard(report, now);
            }
            if let Some(sound) = &mut self.sound
                && report.ssrc == sound.hearing.ssrc
            {
                sound.hearing.told(report);
                sound.reports.heard(report, now);
            }
        }
    }

    /// What is heard is counted at once.
    fn take_sound(&mut self, head: &Head, packet: BytesMut, now: Instant) {
        let Some(sound) = &mut self.sound else {
            return self.wrong(Fault::Broken);
        };
        let payload = packet.freeze().slice(head.payload.clone());
        match sound.hearing.take(head, &payload, now) {
            Ok(heard) => {
                let now_us = self.clock.now().as_micros();
                let mut tally = self.checker.tally().borrow_mut();
                if self.checker.appetite() == Appetite::Healthy {
                    tally.hear(heard.came, heard.capture_us, now_us);
                }
            }
            Err(fault) => self.wrong(fault),
        }
    }

    fn take_media(&mut self, packet: &[u8], now: Instant) {
        let packet = match self.keys.open(packet) {
            Opened::Packet(packet) => packet,
            Opened::Again => {
                self.order.counts.again += 1;
                return;
            }
            Opened::Forged => return self.wrong(Fault::Forged),
        };
        let head = Head::of(&packet);
        if let Some(wide) = head.as_ref().and_then(|head| head.wide) {
            self.arrivals.take(wide, now);
        }
        if let Some(head) = head.as_ref().filter(|head| matches!(head.kind, OPUS | RED)) {
            return self.take_sound(head, packet, now);
        }
        let head = head.and_then(|head| match head.kind {
            RTX => Some((head.original(&packet)?, true)),
            VP8 => Some((head, false)),
            _ => None,
        });
        let Some((head, repaired)) = head else {
            return self.wrong(Fault::Broken);
        };
        let sequence = head.sequence;
        let begins = begins(packet.get(head.payload.clone()).unwrap_or_default());
        let in_turn = self
            .order
            .take(sequence, (head, packet), begins, repaired, now);
        if let Some((head, packet)) = in_turn {
            self.take_next(&head, &packet);
        }
        while let Some(next) = self.order.poll(now) {
            match next {
                Next::Packet((head, packet)) => self.take_next(&head, &packet),
                Next::Gap => self.frames.lose(),
            }
        }
    }

    fn take_next(&mut self, head: &Head, packet: &[u8]) {
        let payload = packet.get(head.payload.clone()).unwrap_or_default();
        self.received += payload.len().saturating_sub(DESCRIPTOR);
        let seen = self.frames.take(head, payload);
        if let Err(fault) = seen.and_then(|seen| seen.map_or(Ok(()), |seen| self.see(&seen))) {
            self.wrong(fault);
        }
    }

    fn see(&mut self, seen: &Seen) -> Result<(), Fault> {
        if seen.keyframe {
            self.checker.next_group(seen.capture_us)?;
        }
        self.checker.take(seen)
    }

    fn wrong(&mut self, fault: Fault) {
        self.checker.tally().borrow_mut().fault(fault);
        self.end(anyhow!("{fault:?}"));
    }

    /// The first reason is the one that says most.
    fn end(&mut self, why: anyhow::Error) {
        self.over.get_or_insert(why);
    }

    /// Puts into the tally what has come since the last time.
    fn count(&mut self) {
        let mut tally = self.checker.tally().borrow_mut();
        tally.received += std::mem::take(&mut self.received) as u64;
        if self.checker.appetite() == Appetite::Healthy {
            let counts = self.order.counts;
            tally.packets.add_since(&counts, &self.counted);
            self.counted = counts;
        }
    }

    /// When [`Player::poll_transmit`] has something at the latest.
    fn due(&self) -> Instant {
        let sound = self.sound.as_ref().and_then(|sound| sound.hearing.due());
        let others = [self.order.due(), self.arrivals.due(), sound];
        let known = [self.next_report, self.next_check];
        let all = others.into_iter().flatten().chain(known);
        all.min().unwrap_or(self.next_check)
    }

    /// What is to be sent now.
    fn poll_transmit(&mut self, now: Instant) -> Option<BytesMut> {
        if now.duration_since(self.heard) > SILENCE {
            self.end(anyhow!("the relay has said nothing for {SILENCE:?}"));
        }
        if let Some(reply) = self.replies.pop() {
            return Some(BytesMut::from(&reply[..]));
        }
        if self.next_check <= now {
            self.next_check = now + CHECKS;
            return Some(BytesMut::from(&self.check[..]));
        }
        let lost = self.order.ask(now);
        let unheard = self.sound.as_mut().map(|sound| sound.hearing.ask(now));
        let control = if !lost.is_empty() {
            self.reports.missing(&lost)
        } else if let (Some(sound), Some(unheard @ [_, ..])) = (&self.sound, unheard.as_deref()) {
            sound.reports.missing(unheard)
        } else if self.frames.is_lost() && self.next_plea <= now {
            self.next_plea = now + PLEAS;
            self.reports.picture_lost()
        } else if let Some(arrived) = self.reports.arrived(&mut self.arrivals, now) {
            arrived
        } else if self.next_report <= now {
            self.next_report = now + REPORTS;
            Reports::tell(self.receptions(now))
        } else {
            return None;
        };
        self.keys.seal_control(&control.ok()?).ok()
    }

    fn receptions(&mut self, now: Instant) -> Vec<ReceptionReport> {
        let (newest, came) = (self.order.newest(), self.order.counts.came);
        let pictures = self.reports.receiver(newest, came, now);
        let sound = self.sound.as_mut().filter(|sound| sound.hearing.came > 0);
        let sound = sound.map(|Sound { hearing, reports }| {
            reports.receiver(hearing.newest(), hearing.came, now)
        });
        [pictures].into_iter().chain(sound).collect()
    }
}

/// What is heard, and what is told of it.
struct Sound {
    hearing: Hearing,
    reports: Reports,
}

impl Sound {
    fn new(ssrc: u32) -> Self {
        Self {
            hearing: Hearing::new(ssrc),
            reports: Reports::new(ssrc),
        }
    }
}

/// A way that takes so many bits per second, and loses what comes faster.
struct NarrowWay {
    bits: f64,
    /// How full its queue is, in seconds.
    queued: f64,
    at: Instant,
}

impl NarrowWay {
    fn new(bits: u64, now: Instant) -> Self {
        Self {
            bits: bits as f64,
            queued: 0.0,
            at: now,
        }
    }

    fn takes(&mut self, bytes: usize, now: Instant) -> bool {
        let passed = now.duration_since(std::mem::replace(&mut self.at, now));
        self.queued = (self.queued - passed.as_secs_f64()).max(0.0);
        let room = self.queued < QUEUE.as_secs_f64();
        if room {
            self.queued += bytes as f64 * 8.0 / self.bits;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_way_takes_its_rate_and_a_queue() {
        let start = Instant::now();
        let mut way = NarrowWay::new(300_000, start);
        let taken: usize = (0..2_000)
            .filter(|at| way.takes(1_000, start + Duration::from_millis(*at)))
            .count();
        // Two seconds of 300 kbit/s and 200 ms in the queue, in packets of 8 kbit.
        assert!((80..=85).contains(&taken), "{taken}");
    }
}
