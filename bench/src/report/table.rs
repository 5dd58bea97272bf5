//! The report as text.

use std::fmt::Write as _;

use super::Report;
use crate::tally::Packets;

/// A share of the time that others may have a core before it is worth a word.
const DISTURBED: f64 = 0.1;

/// A line of a table: what it is, and its figure.
pub type Row = (&'static str, String);

/// Lines up rows.
pub fn table(title: &str, rows: &[Row]) -> String {
    let width = rows.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    let mut text = format!("\n{title}\n");
    for (what, figure) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {what:<width$}  {figure}");
    }
    text
}

impl Report {
    /// The report for people.
    pub fn text(&self) -> String {
        let (load, picture) = (&self.load, &self.load.picture);
        let title = format!(
            "{} players by {}, {} publisher(s), {} fps, {} B frames, {} B keyframe every {} frames",
            self.players,
            self.transport,
            load.publishers,
            picture.fps,
            picture.delta_bytes,
            picture.key_bytes,
            picture.group
        );
        let mut text = table(&title, &self.rows());
        for warning in self.warnings() {
            let _ = writeln!(text, "  ! {warning}");
        }
        text
    }

    fn rows(&self) -> Vec<Row> {
        let mut cost = format!("{:.3}", self.cpu_s_per_gbit);
        if let Some(times) = self.times_floor() {
            let _ = write!(cost, "  ({times:.1} times the floor)");
        }
        let share = 100.0 * self.frames as f64 / self.expected.max(1) as f64;
        let mut rows = vec![
            (
                "players with a picture",
                format!("{} of {}", self.ready, self.players),
            ),
            (
                "frames delivered",
                format!("{} of {} ({share:.3} %)", self.frames, self.expected),
            ),
            (
                "wrong frames, sessions lost",
                format!("{}, {}", self.bad, self.closed),
            ),
            (
                "skips seen, at the relay",
                format!("{}, {}", self.skips, self.relay_skips),
            ),
            ("delivered", format!("{:.2} Gbit", self.gbit)),
            ("relay CPU s per Gbit", cost),
            (
                "relay cores, client cores",
                format!("{:.2}, {:.2}", self.relay_cores, self.client_cores),
            ),
            (
                "latency p50 / p95 / p99 / max",
                spread(&[self.p50_us, self.p95_us, self.p99_us, self.max_us]),
            ),
            (
                "  of keyframes p50 / p99",
                spread(&[self.key_p50_us, self.key_p99_us]),
            ),
            (
                "  of other frames p50 / p99",
                spread(&[self.delta_p50_us, self.delta_p99_us]),
            ),
            (
                "join p50 / p95",
                spread(&[self.join_p50_us, self.join_p95_us]),
            ),
            (
                "relay memory per player, in all",
                format!(
                    "{:.1} kB, {:.1} MB",
                    self.rss_kb_per_player,
                    self.rss_kb as f64 / 1e3
                ),
            ),
        ];
        rows.extend(self.narrow_rows());
        rows.extend(self.sound_rows());
        rows.extend(self.webrtc_rows());
        rows
    }

    /// What only players behind narrow paths have.
    fn narrow_rows(&self) -> Vec<Row> {
        let Some(narrow) = &self.narrow else {
            return Vec::new();
        };
        vec![
            (
                "behind narrow paths, renditions",
                format!(
                    "{} of {} kbit/s, {}",
                    narrow.players, narrow.kbit, narrow.renditions
                ),
            ),
            (
                "  frames a second, latency p50 / p95",
                format!(
                    "{:.1}, {}",
                    narrow.frames_per_second,
                    spread(&[narrow.p50_us, narrow.p95_us])
                ),
            ),
        ]
    }

    /// What only those have who listen.
    fn sound_rows(&self) -> Vec<Row> {
        let Some(sound) = &self.sound else {
            return Vec::new();
        };
        let share = 100.0 * sound.frames as f64 / sound.expected.max(1) as f64;
        let [least, most] = sound.cpu_us_spread;
        vec![
            (
                "sound heard, gaps",
                format!(
                    "{} of {} ({share:.3} %) at {} kbit/s, {}",
                    sound.frames, sound.expected, sound.kbit, sound.gaps
                ),
            ),
            (
                "  latency p50 / p95 / max",
                spread(&[sound.p50_us, sound.p95_us, sound.max_us]),
            ),
            (
                "  relay CPU a frame and player",
                format!("{:.2} us ({least:.2} to {most:.2})", sound.cpu_us),
            ),
        ]
    }

    /// What only players by WebRTC have.
    fn webrtc_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let (Some(webtransport), Some(webrtc)) = (&self.webtransport_us, &self.webrtc_us) {
            rows.push(("latency by WebTransport p50 / p99", spread(webtransport)));
            rows.push(("latency by WebRTC p50 / p99", spread(webrtc)));
        }
        if let Some(packets) = &self.packets {
            let Packets {
                came, late, again, ..
            } = packets;
            rows.push((
                "packets came, late, again",
                format!("{came}, {late}, {again}"),
            ));
            let missed = format!("{}, {}", packets.missed, packets.repaired);
            rows.push(("packets missed, repaired", missed));
        }
        rows
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.client_is_saturated() {
            warnings.push(format!(
                "this client kept {:.2} cores busy: the figures are its own, not the relay's",
                self.client_cores
            ));
        }
        if self.relay_wait.max(self.client_wait) > DISTURBED {
            warnings.push(format!(
                "other programs ran on the cores of the relay ({:.0} % of the time it waited for \
                 them) and of the client ({:.0} %): measure on a quiet machine",
                self.relay_wait * 100.0,
                self.client_wait * 100.0
            ));
        }
        if let Some(why) = &self.first_end {
            warnings.push(format!("the first session to end early: {why}"));
        }
        warnings
    }
}

/// Times in microseconds, as milliseconds one after another.
pub fn spread(times_us: &[u64]) -> String {
    let figures: Vec<_> = times_us
        .iter()
        .map(|time| format!("{:.2}", *time as f64 / 1e3))
        .collect();
    format!("{} ms", figures.join(" / "))
}
