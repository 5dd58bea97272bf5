//! Two relays under the same load, side by side.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::load::{Load, Picture};
use crate::report::columns;

/// One of the other project's programs, where `make peers` has put them.
///
/// # Errors
/// When it is not there.
pub fn program(peers: &Path, name: &str) -> Result<PathBuf> {
    let path = peers.join(name);
    ensure!(
        path.exists(),
        "{} is not there: `make peers` builds it",
        path.display()
    );
    Ok(path)
}

/// What is published, on the command line of the other project's client.
pub fn picture_flags(picture: &Picture) -> [String; 8] {
    let flag = |name: &str| name.to_owned();
    [
        flag("--fps"),
        picture.fps.to_string(),
        flag("--delta-bytes"),
        picture.delta_bytes.to_string(),
        flag("--key-bytes"),
        picture.key_bytes.to_string(),
        flag("--group"),
        picture.group.to_string(),
    ]
}

/// One run of one of them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Side {
    /// Frames that players have had.
    pub frames: u64,
    /// Frames that they should have had.
    pub expected: u64,
    /// CPU seconds of the relay per Gbit delivered.
    pub cpu_s_per_gbit: f64,
    /// Cores that the relay kept busy.
    pub relay_cores: f64,
    /// Cores that its client kept busy.
    pub client_cores: f64,
    /// Latency in microseconds: median.
    pub p50_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// Relay memory per player, in kB.
    pub rss_kb_per_player: f64,
}

impl Side {
    /// Reads it from a report as JSON.
    ///
    /// # Errors
    /// When a key is missing.
    pub fn read(report: &Value) -> Result<Self> {
        let whole = |key: &str| {
            let value = report[key].as_u64();
            value.with_context(|| format!("the report has no {key}"))
        };
        let real = |key: &str| {
            let value = report[key].as_f64();
            value.with_context(|| format!("the report has no {key}"))
        };
        Ok(Self {
            frames: whole("frames")?,
            expected: whole("expected")?,
            cpu_s_per_gbit: real("cpu_s_per_gbit")?,
            relay_cores: real("relay_cores")?,
            client_cores: real("client_cores")?,
            p50_us: whole("p50_us")?,
            p99_us: whole("p99_us")?,
            rss_kb_per_player: real("rss_kb_per_player")?,
        })
    }

    fn row(&self, who: &str) -> Vec<String> {
        let share = 100.0 * self.frames as f64 / self.expected.max(1) as f64;
        vec![
            who.to_owned(),
            format!("{share:.2}"),
            format!("{:.3}", self.cpu_s_per_gbit),
            format!("{:.2}", self.relay_cores),
            format!("{:.2}", self.client_cores),
            format!("{:.1}", self.p50_us as f64 / 1e3),
            format!("{:.1}", self.p99_us as f64 / 1e3),
            format!("{:.0}", self.rss_kb_per_player),
        ]
    }
}

/// All runs of both.
#[derive(Debug, Default, Serialize)]
pub struct Sides {
    /// This project's.
    pub ours: Vec<Side>,
    /// The other's.
    pub theirs: Vec<Side>,
}

const HEADS: [&str; 8] = [
    "relay",
    "delivered %",
    "CPU s/Gbit",
    "relay cores",
    "client cores",
    "p50 ms",
    "p99 ms",
    "kB/player",
];

impl Sides {
    /// How many times the CPU of ours the other takes, by medians.
    pub fn ratio(&self) -> f64 {
        let cost = |sides: &[Side]| median(sides.iter().map(|side| side.cpu_s_per_gbit).collect());
        cost(&self.theirs) / cost(&self.ours)
    }

    /// A table of all runs in their order, and the ratio.
    pub fn text(&self, other: &str, load: &Load) -> String {
        let rounds = self.ours.iter().zip(&self.theirs);
        let rows: Vec<_> = rounds
            .flat_map(|(ours, theirs)| [ours.row("steadycast"), theirs.row(other)])
            .collect();
        let title = format!("{} players, in turns", load.players);
        let table = columns(&title, &HEADS, &rows);
        format!(
            "{table}\n  {other} takes {:.1} times the CPU, by medians\n",
            self.ratio()
        )
    }
}

/// The middle value, the upper of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(cpu_s_per_gbit: f64) -> Side {
        Side {
            frames: 10,
            expected: 10,
            cpu_s_per_gbit,
            relay_cores: 0.5,
            client_cores: 0.5,
            p50_us: 1_000,
            p99_us: 2_000,
            rss_kb_per_player: 100.0,
        }
    }

    #[test]
    fn medians_are_compared_so_that_one_bad_run_counts_for_nothing() {
        let sides = Sides {
            ours: [0.2, 0.1, 9.0].map(side).to_vec(),
            theirs: [0.8, 0.8, 0.1].map(side).to_vec(),
        };
        assert!((sides.ratio() - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_report_without_a_key_is_refused_by_its_name() {
        let error = Side::read(&serde_json::json!({ "frames": 1 })).unwrap_err();
        assert!(error.to_string().contains("expected"));
    }
}
