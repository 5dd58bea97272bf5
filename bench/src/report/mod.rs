//! What a run found, for people, for machines and for the eye.

mod columns;
pub(crate) mod html;
mod table;

use serde::Serialize;

use crate::load::Load;
use crate::sound::SoundReport;
use crate::tally::{Packets, Tally, Times};
use crate::transport::{Choice, Transport};

pub use columns::columns;
pub use html::{html, soak_html, sweep_html};
pub use table::{Row, spread, table};

/// The figures of one run. Times in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// By what they watch.
    #[serde(flatten)]
    pub transport: Transport,
    /// Players that were started.
    pub players: usize,
    /// Players that had a picture before the window opened.
    pub ready: usize,
    /// Frames of the window that healthy players have had, whole and right.
    pub frames: u64,
    /// Frames of the window that they should have had.
    pub expected: u64,
    /// Gbit on group streams, or of frames in RTP packets, to all players in the window.
    pub gbit: f64,
    /// CPU seconds of the relay in the window, kernel included.
    pub cpu_s: f64,
    /// The two divided.
    pub cpu_s_per_gbit: f64,
    /// Cores that the relay kept busy.
    pub relay_cores: f64,
    /// From a frame's capture time to its last byte at a player: median.
    pub p50_us: u64,
    /// 95 of 100.
    pub p95_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// From opening a session to its first whole frame: median.
    pub join_p50_us: u64,
    /// 95 of 100.
    pub join_p95_us: u64,
    /// Relay memory per player, in kB: what it grew by while they joined.
    pub rss_kb_per_player: f64,
    /// Relay memory in all, in kB.
    pub rss_kb: u64,
    /// Median of keyframes.
    pub key_p50_us: u64,
    /// 99 of 100 keyframes.
    pub key_p99_us: u64,
    /// Median of other frames.
    pub delta_p50_us: u64,
    /// 99 of 100 other frames.
    pub delta_p99_us: u64,
    /// Groups that healthy players saw cut off.
    pub skips: u64,
    /// Skips of all players, as the relay counts them.
    pub relay_skips: u64,
    /// Keyframes that the relay asked publishers for.
    pub keyframe_requests: u64,
    /// Healthy sessions that ended early.
    pub closed: u64,
    /// Frames that were wrong: never sent, corrupt, or out of order.
    pub bad: u64,
    /// Cores that this client kept busy; near 1 it is the client that is measured.
    pub client_cores: f64,
    /// Cores' worth of time that the client was ready to run, but others had its core.
    pub client_wait: f64,
    /// The same for the relay.
    pub relay_wait: f64,
    /// CPU seconds per Gbit of sealing and sending alone, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor_cpu_s_per_gbit: Option<f64>,
    /// RTP packets of healthy players in the whole run, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<Packets>,
    /// Players behind narrow paths, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrow: Option<Narrow>,
    /// Sound, where there was some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundReport>,
    /// Latency of players by WebTransport alone, where there are others: median, and 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webtransport_us: Option<[u64; 2]>,
    /// The same of players by WebRTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webrtc_us: Option<[u64; 2]>,
    /// A word on why sessions ended early.
    #[serde(skip)]
    pub first_end: Option<String>,
    /// The load.
    #[serde(skip)]
    pub load: Load,
    /// A reading per second.
    #[serde(skip)]
    pub samples: Vec<Sample>,
    /// Shares of frames and their latency, for the plot.
    #[serde(skip)]
    pub distribution: Vec<(f64, u64)>,
}

/// Players behind narrow paths.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Narrow {
    /// How many there are.
    pub players: usize,
    /// What the path of each carries.
    pub kbit: u64,
    /// Whole frames that each has had.
    pub frames_per_second: f64,
    /// From a frame's capture time to its last byte: median.
    pub p50_us: u64,
    /// 95 of 100.
    pub p95_us: u64,
    /// Renditions that publishers were asked for, one after another or at once.
    pub renditions: u64,
}

/// A look at a run: what happened since the one before it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sample {
    /// Of the window, from 1.
    pub second: u64,
    /// Frames that healthy players have had.
    pub frames: u64,
    /// Their latency: median.
    pub p50_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// Cores that the relay kept busy.
    pub relay_cores: f64,
    /// Relay memory, in kB.
    pub rss_kb: u64,
    /// Files and sockets that the relay holds open.
    pub files: usize,
    /// Threads of the relay.
    pub threads: usize,
}

/// A client this busy measures itself.
const SATURATED: f64 = 0.95;

impl Report {
    /// What the players counted; the rest is filled in by who knows.
    pub fn of(load: &Load, tally: &Tally) -> Self {
        let at = |times: &Times, share: f64| times.value_at_quantile(share);
        let both = load.transport.transport == Choice::Both;
        let apart = |times: &Times| both.then(|| [at(times, 0.5), at(times, 0.99)]);
        Self {
            transport: load.transport,
            players: load.players,
            ready: 0,
            frames: tally.frames,
            expected: 0,
            gbit: 0.0,
            cpu_s: 0.0,
            cpu_s_per_gbit: 0.0,
            relay_cores: 0.0,
            p50_us: at(&tally.latency, 0.5),
            p95_us: at(&tally.latency, 0.95),
            p99_us: at(&tally.latency, 0.99),
            max_us: tally.latency.max(),
            join_p50_us: at(&tally.join, 0.5),
            join_p95_us: at(&tally.join, 0.95),
            rss_kb_per_player: 0.0,
            rss_kb: 0,
            key_p50_us: at(&tally.key_latency, 0.5),
            key_p99_us: at(&tally.key_latency, 0.99),
            delta_p50_us: at(&tally.delta_latency, 0.5),
            delta_p99_us: at(&tally.delta_latency, 0.99),
            skips: tally.skips,
            relay_skips: 0,
            keyframe_requests: 0,
            closed: tally.closed,
            bad: tally.bad(),
            client_cores: 0.0,
            client_wait: 0.0,
            relay_wait: 0.0,
            floor_cpu_s_per_gbit: None,
            packets: load.transport.has_webrtc().then_some(tally.packets),
            narrow: None,
            sound: None,
            webtransport_us: apart(&tally.webtransport),
            webrtc_us: apart(&tally.webrtc),
            first_end: tally.first_end.clone(),
            load: load.clone(),
            samples: Vec::new(),
            distribution: distribution(&tally.latency),
        }
    }

    /// Whether every frame came, and was right.
    pub fn is_whole(&self) -> bool {
        self.frames == self.expected && self.bad == 0 && self.closed == 0
    }

    /// Whether this client was as busy as it can be with what others left it of its core, so that
    /// the figures are its own.
    pub fn client_is_saturated(&self) -> bool {
        self.client_cores + self.client_wait > SATURATED
    }

    /// How many times the floor the relay costs.
    pub fn times_floor(&self) -> Option<f64> {
        self.floor_cpu_s_per_gbit
            .map(|floor| self.cpu_s_per_gbit / floor)
    }
}

fn distribution(times: &Times) -> Vec<(f64, u64)> {
    (0..=1000)
        .map(|share| f64::from(share) / 1000.0)
        .map(|share| (share, times.value_at_quantile(share)))
        .collect()
}
