//! A path's model as quinn's congestion controller.
//!
//! quinn takes a window from its controller and ignores a pacing rate: it sends at most 1.25
//! windows per smoothed round trip. The window is the lever, then, and the model makes it so small
//! that what is beyond the path's own round trip makes a short queue only.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory};
use quinn_proto::RttEstimator;

use crate::path::{Ack, Bytes, Model, Rate, RoundTrip};

/// Makes a controller for each path of each connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct PathControl;

impl ControllerFactory for PathControl {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(PathController::new(now, current_mtu))
    }
}

/// What a connection's controller has found out; it goes on saying so as long as the connection
/// uses the path.
#[derive(Debug, Clone)]
pub struct PathView {
    figures: Arc<Figures>,
}

/// Each on its own: nobody minds when two are of moments that are a packet apart.
#[derive(Debug)]
struct Figures {
    began: Instant,
    acked: AtomicU64,
    /// Microseconds since the beginning; none when zero.
    acked_at: AtomicU64,
    /// Bytes a second; unknown when zero.
    carries: AtomicU64,
    window: AtomicU64,
    /// Microseconds.
    queue: AtomicU64,
    /// Microseconds; unknown when zero.
    base: AtomicU64,
}

impl PathView {
    /// The view of a connection's path, when its controller is of this kind.
    pub fn of(connection: &quinn::Connection) -> Option<Self> {
        let state = connection.congestion_state().into_any();
        let controller = state.downcast::<PathController>().ok()?;
        Some(controller.view())
    }

    /// Whether both are of the same path.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.figures, &other.figures)
    }

    /// Bytes acknowledged so far, on this path.
    pub fn acked(&self) -> Bytes {
        Bytes::new(self.figures.acked.load(Ordering::Relaxed))
    }

    /// When anything was last acknowledged.
    pub fn acked_at(&self) -> Option<Instant> {
        let at = self.figures.acked_at.load(Ordering::Relaxed);
        (at > 0).then(|| self.figures.began + Duration::from_micros(at))
    }

    /// What the path carries; unknown while it has carried everything that it was given.
    pub fn carries(&self) -> Option<Rate> {
        let rate = self.figures.carries.load(Ordering::Relaxed);
        (rate > 0).then(|| Rate::bytes_per_second(rate as f64))
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> Bytes {
        Bytes::new(self.figures.window.load(Ordering::Relaxed))
    }

    /// How long packets wait in the path's queue at present.
    pub fn queue(&self) -> Duration {
        Duration::from_micros(self.figures.queue.load(Ordering::Relaxed))
    }

    /// The path's own round trip, without a queue.
    pub fn base(&self) -> Option<Duration> {
        let base = self.figures.base.load(Ordering::Relaxed);
        (base > 0).then(|| Duration::from_micros(base))
    }
}

impl Figures {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            acked: AtomicU64::new(0),
            acked_at: AtomicU64::new(0),
            carries: AtomicU64::new(0),
            window: AtomicU64::new(0),
            queue: AtomicU64::new(0),
            base: AtomicU64::new(0),
        }
    }

    fn show(&self, model: &Model, now: Instant) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let store = |figure: &AtomicU64, value| figure.store(value, Ordering::Relaxed);
        let since = micros(now.saturating_duration_since(self.began)).max(1);
        store(&self.acked, model.acked().count());
        store(&self.acked_at, since);
        let carries = model
            .carries()
            .map_or(0, |rate| rate.bytes().max(1.0) as u64);
        store(&self.carries, carries);
        store(&self.window, model.window().count());
        store(&self.queue, micros(model.queue()));
        store(
            &self.base,
            model.base().map_or(0, |base| micros(base).max(1)),
        );
    }
}

/// The model of one path, told by quinn what happens.
#[derive(Debug, Clone)]
pub struct PathController {
    model: Model,
    initial: u64,
    smoothed: Option<Duration>,
    /// The newest packet of this batch of acknowledgements, and of the one before with how long
    /// that took.
    newest: Option<Instant>,
    before: Option<(Instant, Duration)>,
    sample: Option<RoundTrip>,
    figures: Arc<Figures>,
}

impl PathController {
    /// The controller of a new path.
    pub fn new(now: Instant, mtu: u16) -> Self {
        let model = Model::new(now, Bytes::new(mtu.into()));
        Self {
            initial: model.window().count(),
            model,
            smoothed: None,
            newest: None,
            before: None,
            sample: None,
            figures: Arc::new(Figures::new(now)),
        }
    }

    /// What the session may read.
    pub fn view(&self) -> PathView {
        PathView {
            figures: self.figures.clone(),
        }
    }

    /// The round trip of the batch before. quinn tells its controller nothing of the time for which
    /// the peer held an acknowledgement back (25 ms, often), but takes it off before it smooths
    /// (RFC 9002 5.3: an eighth of each sample), once the controller has been told of the batch. The
    /// first sample is smoothed with none before it, and no sample is shorter than the shortest.
    fn sample_before(&mut self, rtt: &RttEstimator) -> Option<RoundTrip> {
        let smoothed = rtt.get();
        let last = self.smoothed.replace(smoothed)?;
        let (sent, took) = self.before.take()?;
        let time = (smoothed * 8).checked_sub(last * 7);
        let time = time.filter(|_| smoothed != last).unwrap_or(took);
        let time = time.max(rtt.min()).min(took);
        let held = took - time;
        Some(RoundTrip { sent, time, held })
    }

    /// The model itself.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

impl Controller for PathController {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last: u64) {
        self.model.on_sent(now, Bytes::new(bytes));
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, _: bool, rtt: &RttEstimator) {
        if self.newest.is_none() {
            self.sample = self.sample_before(rtt);
        }
        self.newest = self.newest.max(Some(sent));
        let bytes = Bytes::new(bytes);
        self.model.on_ack(now, Ack { sent, bytes });
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, _: bool, _: Option<u64>) {
        if let Some(newest) = self.newest.take() {
            self.before = Some((newest, now.saturating_duration_since(newest)));
        }
        let sample = self.sample.take();
        self.model.on_acks_end(now, Bytes::new(in_flight), sample);
        self.figures.show(&self.model, now);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, persistent: bool, lost: u64) {
        self.model.on_loss(now, sent, Bytes::new(lost));
        if persistent {
            self.model.on_silence(now);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.model.set_packet(Bytes::new(new_mtu.into()));
    }

    fn window(&self) -> u64 {
        self.model.window().count()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.initial
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
