//! The result of a run, as it is printed.

use serde::Serialize;

use crate::tally::Counts;

/// CPU seconds at one moment, of both sides.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    /// The relay's.
    pub(crate) relay: f64,
    /// This process's.
    pub(crate) client: f64,
}

/// What the run is known by besides the counts.
pub(crate) struct Measured {
    /// Players that were asked for.
    pub(crate) players: u32,
    /// Players with a first frame when the window opened.
    pub(crate) ready: u32,
    /// CPU time when the window opened.
    pub(crate) before: Cpu,
    /// CPU time when it closed.
    pub(crate) after: Cpu,
    /// How long it was open, in seconds.
    pub(crate) wall_s: f64,
    /// The relay's resident memory before the first player and at the window's end, in KiB.
    pub(crate) rss_kb: (u64, u64),
}

/// One JSON object; times in microseconds where they say `us`, else seconds; a `gbit` is 1e9 payload bits delivered.
#[derive(Serialize)]
pub(crate) struct Report {
    players: u32,
    ready: u32,
    frames: u64,
    expected: u64,
    gbit: f64,
    cpu_s: f64,
    cpu_s_per_gbit: f64,
    relay_cores: f64,
    p50_us: u64,
    p95_us: u64,
    p99_us: u64,
    max_us: u64,
    join_p50_us: u64,
    join_p95_us: u64,
    rss_kb_per_player: f64,
    client_cores: f64,
    bad: u64,
}

impl Report {
    /// Puts counts and measurements together.
    pub(crate) fn new(counts: &Counts, measured: &Measured) -> Self {
        let gbit = counts.bytes as f64 * 8.0 / 1e9;
        let cpu_s = measured.after.relay - measured.before.relay;
        let client_s = measured.after.client - measured.before.client;
        let (rss_before, rss_after) = measured.rss_kb;
        Self {
            players: measured.players,
            ready: measured.ready,
            frames: counts.received,
            expected: counts.published * u64::from(measured.players),
            gbit: rounded(gbit),
            cpu_s: rounded(cpu_s),
            cpu_s_per_gbit: ratio(cpu_s, gbit),
            relay_cores: ratio(cpu_s, measured.wall_s),
            p50_us: counts.latency.value_at_quantile(0.50),
            p95_us: counts.latency.value_at_quantile(0.95),
            p99_us: counts.latency.value_at_quantile(0.99),
            max_us: counts.latency.max(),
            join_p50_us: counts.join.value_at_quantile(0.50),
            join_p95_us: counts.join.value_at_quantile(0.95),
            rss_kb_per_player: ratio(
                rss_after as f64 - rss_before as f64,
                f64::from(measured.players),
            ),
            client_cores: ratio(client_s, measured.wall_s),
            bad: counts.bad,
        }
    }
}

/// A quotient, or 0 where there is nothing to divide by: JSON has no NaN.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        rounded(part / whole)
    } else {
        0.0
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
