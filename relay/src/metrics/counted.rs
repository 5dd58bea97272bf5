//! What is counted where it happens.

use std::time::Duration;

use prometheus::process_collector::ProcessCollector;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use steadycast_codec_glue::wire::{Code, Role};

use crate::auth::Transport;

/// The figures cannot be set up: two have the same name.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// From the capture of a picture to its display, in seconds: what people feel lies in the middle.
const GLASS: &[f64] = &[
    0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0,
];
/// From opening a session to the first frame for it, in seconds.
const JOIN: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// From a frame's arrival to the last player of a shard, in seconds.
const RELAYED: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
];

/// What becomes of a QUIC handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// It goes on.
    Begun,
    /// The client is to show first that its address is its own.
    Retried,
    /// There is no room for it.
    Refused,
    /// The connection is there.
    Completed,
}

impl Handshake {
    fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Retried => "retried",
            Self::Refused => "refused",
            Self::Completed => "completed",
        }
    }
}

/// What has become of a question to another relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It was answered.
    Answered,
    /// That relay does not answer it.
    Refused,
    /// No answer has come in time.
    Silent,
    /// The engine was not reached.
    Away,
}

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Away => "away",
        }
    }
}

/// What has become of another relay's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It was answered.
    Answered,
    /// It was none, or is not known here.
    Refused,
    /// It is not of a relay of this cluster.
    Foreign,
}

impl Answered {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Foreign => "foreign",
        }
    }
}

/// What is counted where it happens. A new figure is a field here, and a line where it is counted.
pub struct Metrics {
    registry: Registry,
    handshakes: IntCounterVec,
    refusals: IntCounterVec,
    ended: IntCounterVec,
    asked: IntCounterVec,
    answered: IntCounterVec,
    glass: Histogram,
    join: HistogramVec,
    relayed: HistogramVec,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(format!("steadycast_{name}"), help), labels)
        };
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            HistogramOpts::new(format!("steadycast_{name}"), help).buckets(buckets.to_vec())
        };
        let metrics = Self {
            handshakes: counters(
                "quic_handshakes_total",
                "QUIC connections that were asked for, by what became of their handshake.",
                &["result"],
            )?,
            refusals: counters(
                "refusals_total",
                "Sessions and requests that were refused, by the code that they were told.",
                &["code"],
            )?,
            ended: counters(
                "sessions_ended_total",
                "Sessions that have ended, by the code that they ended with.",
                &["transport", "role", "code"],
            )?,
            asked: counters(
                "peer_questions_total",
                "Questions to other relays, by what became of them.",
                &["result"],
            )?,
            answered: counters(
                "peer_answers_total",
                "Questions of other relays, by what became of them.",
                &["result"],
            )?,
            glass: Histogram::with_opts(histogram(
                "glass_to_glass_seconds",
                "From capturing a picture to its display, as players over WebTransport report it.",
                GLASS,
            ))?,
            join: HistogramVec::new(
                histogram(
                    "join_seconds",
                    "From opening a player's session to the first frame for it.",
                    JOIN,
                ),
                &["transport"],
            )?,
            relayed: HistogramVec::new(
                histogram(
                    "relay_latency_seconds",
                    "From the arrival of a frame to when a shard has given it to all of a broadcast's players that keep up.",
                    RELAYED,
                ),
                &["transport"],
            )?,
            registry,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(metrics.handshakes.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        registry.register(Box::new(metrics.ended.clone()))?;
        registry.register(Box::new(metrics.asked.clone()))?;
        registry.register(Box::new(metrics.answered.clone()))?;
        registry.register(Box::new(metrics.glass.clone()))?;
        registry.register(Box::new(metrics.join.clone()))?;
        registry.register(Box::new(metrics.relayed.clone()))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Something has become of a QUIC handshake.
    pub fn handshake(&self, result: Handshake) {
        self.handshakes.with_label_values(&[result.name()]).inc();
    }

    /// Somebody was refused, and told this.
    pub fn refused(&self, code: Code) {
        self.refusals.with_label_values(&[code.name()]).inc();
    }

    /// Something has become of a question to another relay.
    pub fn asked(&self, result: Asked) {
        self.asked.with_label_values(&[result.name()]).inc();
    }

    /// Something has become of another relay's question.
    pub fn answered(&self, result: Answered) {
        self.answered.with_label_values(&[result.name()]).inc();
    }

    /// A player has shown a picture that was so old.
    pub fn shown_after(&self, delay: Duration) {
        self.glass.observe(delay.as_secs_f64());
    }

    /// A player has its first frame.
    pub fn joined_after(&self, transport: Transport, wait: Duration) {
        let histogram = self.join.with_label_values(&[transport.name()]);
        histogram.observe(wait.as_secs_f64());
    }

    /// All players of a broadcast on a shard, those that keep up, have a frame that arrived so long ago.
    pub fn relayed_after(&self, transport: Transport, delay: Duration) {
        let histogram = self.relayed.with_label_values(&[transport.name()]);
        histogram.observe(delay.as_secs_f64());
    }

    /// A session is over.
    pub fn ended(&self, transport: Transport, role: Role, code: Code) {
        let labels = [transport.name(), role_name(role), code.name()];
        self.ended.with_label_values(&labels).inc();
    }
}

/// As tokens have it.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Publisher => "publish",
        Role::Player => "play",
    }
}
