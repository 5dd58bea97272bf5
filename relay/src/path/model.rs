use std::time::{Duration, Instant};

use super::delays::Delays;
use super::epoch::Epoch;
use super::loss::Loss;
use super::{Bytes, Rate};

mod beside;
mod full;
mod start;
mod steady;

use beside::{Beside, Look, Past};
use full::Before;
use start::{Left, SPREAD};
use steady::Cut;

/// Packets of the first window: more than RFC 9002 7.2 has, so that the first picture takes a
/// round trip less. They are paced, and what they overflow is an empty queue, once.
const FIRST_WINDOW: f64 = 16.0;
/// Packets of the smallest window: with fewer, a peer that acknowledges every other packet and
/// the probes for loss have nothing to work with.
const SMALLEST_WINDOW: f64 = 4.0;
/// The same where the peer tells of every packet: on a narrow path each that is more stands in its queue.
const SMALLEST_TOLD: f64 = 2.0;
/// Bytes of the largest window.
const LARGEST_WINDOW: f64 = 16_777_216.0;
/// The queue that a flow keeps, in seconds: this much, and so many packets' time. The latter
/// makes flows that share a queue even, for a slower one keeps more.
const QUEUE: f64 = 0.010;
const QUEUE_PACKETS: f64 = 2.0;
/// Limits of the queue that a flow keeps, in seconds.
const QUEUE_LIMITS: (f64, f64) = (0.012, 0.030);
/// Where a queue loses packets that is no longer than that, the flow keeps this much, in seconds.
const LEAST_ROOM: f64 = 0.004;

/// A base that falls by so much within an epoch, in seconds, was a queue that others have drained.
const DRAINED: f64 = 0.015;

/// Neighbouring round trips that differ by more than this, in seconds, leave in doubt whether the
/// path has been full.
const DOUBT: f64 = 0.008;

/// Packets that are overtaken are late by more than this, in seconds, on a path that reorders.
const REORDERS: f64 = 0.005;

/// A packet's acknowledgement.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    /// When the packet was sent.
    pub sent: Instant,
    /// Its size.
    pub bytes: Bytes,
}

/// A sample of the round trip.
#[derive(Debug, Clone, Copy)]
pub struct RoundTrip {
    /// When the packet was sent that the peer acknowledged.
    pub sent: Instant,
    /// How long that took, without the time for which the peer held the acknowledgement back.
    pub time: Duration,
    /// And the time for which it did.
    pub held: Duration,
}

/// What the model is doing, for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Growing fast: no queue has been seen yet.
    Start,
    /// Keeping a short queue.
    Steady,
    /// Sending less for a round trip, to see how much of the queue is this flow's.
    Look,
    /// Keeping its share beside a flow that fills the queue.
    Beside,
}

#[derive(Debug, Clone)]
enum Phase {
    Start,
    Steady,
    Beside(Beside),
}

/// What one path carries; see the module.
#[derive(Debug, Clone)]
pub struct Model {
    packet: f64,
    /// The peer tells of every packet whether it has come.
    told: bool,
    delays: Delays,
    phase: Phase,
    window: f64,
    /// Bytes a second; nothing before the first estimate.
    rate: f64,
    flight: u64,
    acked: u64,
    /// When the newest packet was sent that has arrived, in this batch and before it.
    batch: Option<Instant>,
    newest: Option<Instant>,
    epoch: Epoch,
    /// The window is smaller than what is in flight: what is measured is of the time before.
    settling: bool,
    cut: Option<Cut>,
    look: Option<Look>,
    beside: Past,
    left_start: Option<Left>,
    gains: u32,
    /// The longest queue worth keeping, in seconds: in a longer one packets were lost.
    room: f64,
    loss: Loss,
    hold: Option<Instant>,
    before_loss: Option<Before>,
    /// Whether the path has ever been full.
    been_full: bool,
}

impl Model {
    /// The model of a path of which nothing is known, for packets of at most this size.
    pub fn new(now: Instant, packet: Bytes) -> Self {
        let packet = packet.amount();
        Self {
            packet,
            told: false,
            delays: Delays::new(now),
            phase: Phase::Start,
            window: packet * FIRST_WINDOW,
            rate: 0.0,
            flight: 0,
            acked: 0,
            batch: None,
            newest: None,
            epoch: Epoch::new(now, 0, false),
            settling: false,
            cut: None,
            look: None,
            beside: Past::default(),
            left_start: None,
            gains: 0,
            room: QUEUE_LIMITS.1,
            loss: Loss::new(now),
            hold: None,
            before_loss: None,
            been_full: false,
        }
    }

    /// The same for a peer that tells of every packet.
    pub fn of_told(now: Instant, packet: Bytes) -> Self {
        Self {
            told: true,
            ..Self::new(now, packet)
        }
    }

    /// Packets may be larger or smaller now.
    pub fn set_packet(&mut self, packet: Bytes) {
        self.packet = packet.amount();
        self.window = self.window.max(self.smallest());
    }

    /// Bytes have been sent.
    pub fn on_sent(&mut self, _now: Instant, bytes: Bytes) {
        self.flight += bytes.count();
        self.epoch.flight = self.epoch.flight.max(self.flight);
        let window = self.usable();
        let nearly = self.flight as f64 + 2.0 * self.packet >= window;
        let half = matches!(self.phase, Phase::Start) && self.flight as f64 * 2.0 >= window;
        self.epoch.limited |= nearly || half;
    }

    /// A packet has arrived. Several come in a batch, which [`Model::on_acks_end`] closes.
    pub fn on_ack(&mut self, now: Instant, ack: Ack) {
        if self.newest.is_some_and(|newest| ack.sent < newest) {
            self.on_overtaken(now, now.saturating_duration_since(ack.sent));
        }
        self.batch = self.batch.max(Some(ack.sent));
        self.acked += ack.bytes.count();
        self.flight = self.flight.saturating_sub(ack.bytes.count());
        self.loss.arrived(&ack, self.packet);
        if matches!(self.phase, Phase::Start) && self.epoch.limited && self.look.is_none() {
            let grown = (self.window + ack.bytes.amount()).min(self.most());
            self.window = self.window.max(grown);
        }
    }

    /// A packet has arrived, after so long, after others that had been sent later.
    pub fn on_overtaken(&mut self, now: Instant, took: Duration) {
        self.delays.overtaken(took.as_secs_f64());
        self.reconsider(now);
    }

    /// A batch of acknowledgements is complete, and so much is in flight now. There may be a new
    /// sample of the round trip, of this batch or the one before.
    pub fn on_acks_end(&mut self, now: Instant, flight: Bytes, sample: Option<RoundTrip>) {
        self.flight = flight.count();
        self.newest = self.newest.max(self.batch.take());
        self.epoch.idle |= self.flight == 0;
        self.epoch.arrive(now, self.acked);
        let Some(RoundTrip { sent, time, held }) = sample else {
            return;
        };
        let sample = time.as_secs_f64();
        let beside = matches!(self.phase, Phase::Beside(_));
        self.delays.take(now, sample, held.as_secs_f64(), beside);
        self.epoch.take(sent, sample);
        if self.look.is_some() {
            self.look_on(now, sent, sample);
        } else if self.settling {
            self.settle(now);
        } else if matches!(self.phase, Phase::Start) {
            self.start(now);
        }
        self.see_loss(now);
        if self.look.is_none() && !self.settling && self.is_epoch_over(now) {
            self.judge(now);
        }
    }

    /// A packet is taken to be lost.
    pub fn on_loss(&mut self, now: Instant, sent: Instant, bytes: Bytes) {
        self.flight = self.flight.saturating_sub(bytes.count());
        self.loss.lost(sent, (bytes.amount() / self.packet).ceil());
        let queue = self.delays.queue().unwrap_or(0.0);
        if self.epoch.limited && queue > LEAST_ROOM && self.delays.spread() < SPREAD {
            self.room = self.room.min((queue * 0.7).max(LEAST_ROOM));
        }
        // A peer that tells of every packet has told of those that are only late.
        let certain = self.told && self.delays.late() <= REORDERS;
        let jitter = if certain { 0.0 } else { self.delays.jitter() };
        if let Phase::Beside(beside) = &mut self.phase {
            beside.rival.lost(now, sent);
            self.window = self.bounded(self.beside_window());
        } else if self.loss.is_beyond_usual(now, jitter) {
            self.on_full(now);
        }
    }

    /// What became of a packet will never be known.
    pub fn on_unheard(&mut self, bytes: Bytes) {
        self.flight = self.flight.saturating_sub(bytes.count());
    }

    /// Nothing has come through for several round trips.
    pub fn on_silence(&mut self, now: Instant) {
        self.leave_start(now, self.rate * 0.5);
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> Bytes {
        Bytes::of_amount(self.usable())
    }

    /// How fast to send what may go out.
    pub fn pacing_rate(&self) -> Rate {
        let base = self.delays.base();
        if !base.is_finite() {
            // RFC 9002 6.2.2: a third of a second is assumed.
            return Rate::bytes_per_second(self.window * 3.0);
        }
        let round_trip = self.round_trip();
        let window = self.usable() / round_trip;
        let least = self.smallest() / round_trip;
        let rate = match (&self.phase, &self.look) {
            // A window that is left over from before would come as a burst.
            (Phase::Steady, None) => window.min(self.rate.max(least)),
            _ => window,
        };
        Rate::bytes_per_second(1.25 * rate)
    }

    /// How fast packets leave the path at present, as far as that is known.
    pub fn leaving(&self) -> Rate {
        match self.phase {
            Phase::Start => self.pacing_rate(),
            _ => Rate::bytes_per_second(self.rate),
        }
    }

    /// What the path carries; unknown while it has carried everything that it was given.
    pub fn carries(&self) -> Option<Rate> {
        let rate = match self.phase {
            Phase::Start => self.window / self.reach(),
            Phase::Steady => self.rate,
            // A flow with little to send uses less than its share of the queue.
            Phase::Beside(_) => self.rate.max(self.window / self.round_trip()),
        };
        // Where round trips vary more than single packets make them, what looked like a full path
        // may have been the link's jitter.
        let steady = DOUBT.max(2.0 * self.packet / rate.max(1.0));
        let known = self.been_full && self.delays.jitter() < steady;
        known.then(|| Rate::bytes_per_second(rate))
    }

    /// The round trip at present, in seconds.
    fn round_trip(&self) -> f64 {
        (self.delays.base() + self.delays.queue().unwrap_or(0.0)).max(1e-4)
    }

    /// The path's own round trip, without a queue.
    pub fn base(&self) -> Option<Duration> {
        let base = self.delays.base();
        base.is_finite().then(|| Duration::from_secs_f64(base))
    }

    /// How late packets are that others overtake; nothing where none does.
    pub fn late(&self) -> Duration {
        Duration::from_secs_f64(self.delays.late())
    }

    /// How long packets wait in the path's queue at present.
    pub fn queue(&self) -> Duration {
        Duration::from_secs_f64(self.delays.queue().unwrap_or(0.0).max(0.0))
    }

    /// Everything acknowledged so far.
    pub fn acked(&self) -> Bytes {
        Bytes::new(self.acked)
    }

    /// What is in flight.
    pub fn in_flight(&self) -> Bytes {
        Bytes::new(self.flight)
    }

    /// What the model is doing.
    pub fn mode(&self) -> Mode {
        match (&self.look, &self.phase) {
            (Some(_), _) => Mode::Look,
            (None, Phase::Start) => Mode::Start,
            (None, Phase::Steady) => Mode::Steady,
            (None, Phase::Beside(_)) => Mode::Beside,
        }
    }

    fn usable(&self) -> f64 {
        match &self.look {
            Some(look) => look.window.min(self.window),
            None => self.window,
        }
    }

    /// The queue to keep, in seconds.
    fn target(&self) -> f64 {
        let packets = QUEUE_PACKETS * self.packet / self.rate.max(1.0);
        (QUEUE + packets)
            .clamp(QUEUE_LIMITS.0, QUEUE_LIMITS.1)
            .min(self.room)
    }

    /// What the window may grow to at once: on a path that has been full before, no more than a
    /// round trip of fast growth beyond what came through.
    fn most(&self) -> f64 {
        match self.been_full {
            true => (2.0 * self.rate * self.reach()).min(LARGEST_WINDOW),
            false => LARGEST_WINDOW,
        }
    }

    /// For how long at its rate a flow may have packets in flight, in seconds.
    fn reach(&self) -> f64 {
        self.delays.base() + self.delays.held() + self.delays.spread() + self.target()
    }

    /// The smallest window, in bytes.
    fn smallest(&self) -> f64 {
        self.packet
            * match self.told {
                true => SMALLEST_TOLD,
                false => SMALLEST_WINDOW,
            }
    }

    fn bounded(&self, window: f64) -> f64 {
        window.clamp(self.smallest(), LARGEST_WINDOW)
    }

    fn is_epoch_over(&self, now: Instant) -> bool {
        let delays = &self.delays;
        self.epoch.is_over(now, delays.telling(), delays.spread())
    }

    fn begin(&mut self, now: Instant, fresh: bool) {
        let before = std::mem::replace(&mut self.epoch, Epoch::new(now, self.acked, fresh));
        self.epoch.follow(&before, self.flight, self.delays.base());
    }

    /// Bytes a second that have left the path in this epoch. Lost ones took their time on it too.
    fn delivered(&self, now: Instant) -> f64 {
        self.epoch.delivered(now, self.acked) / (1.0 - self.loss.share().min(0.3))
    }

    /// What the shortest round trips of an epoch may lie above the base without a queue. On a
    /// wireless link all packets of a burst wait for the latest, as far above the mean as the base
    /// lies below it.
    fn slack(&self) -> f64 {
        (self.delays.jitter() / 2.0).max(self.delays.spread() * 2.0)
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        // Before the first round trip nothing is known of how much that is.
        if self.delays.base().is_finite() {
            self.window = self.bounded(rate * self.reach());
        }
    }

    /// Waits until no more is in flight than the window has.
    fn settle(&mut self, now: Instant) {
        if self.flight as f64 <= self.window {
            self.settling = false;
            self.begin(now, true);
        }
    }

    fn judge(&mut self, now: Instant) {
        let delivered = self.delivered(now);
        // What was lost before a queue that stands took no time on the path.
        let through = match self.told {
            true => self.epoch.delivered(now, self.acked),
            false => delivered,
        };
        let queue = self.epoch.shortest() - self.delays.base();
        let (limited, idle) = (self.epoch.limited, self.epoch.idle);
        // A queue that others fill varies as well: what is learnt beside them is not jitter.
        let alone = !matches!(self.phase, Phase::Beside(_)) && self.cut.is_none();
        let drained = self.epoch.fell(self.delays.base()) > DRAINED;
        if idle && alone && !drained {
            let spread = self.epoch.mean() - self.epoch.shortest() - self.epoch.own();
            self.delays.calm(spread.max(0.0));
        }
        self.begin(now, false);
        match self.phase {
            Phase::Start => self.rate = self.rate.max(delivered),
            Phase::Steady if self.stands(queue) => {
                self.yield_to(now, queue, through, limited && !idle)
            }
            Phase::Steady => self.judge_steady(now, queue, delivered, limited),
            Phase::Beside(_) => self.judge_beside(now, queue, delivered, limited),
        }
    }
}

#[cfg(test)]
mod tests;
