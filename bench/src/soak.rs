//! Whether a relay's memory grows while nothing changes.

use serde::Serialize;

use crate::report::{Report, Sample, columns};

/// Memory grows when the line through its samples rises by more than this share of it ...
const RISE: f64 = 0.01;
/// ... and by more than so many times the scatter about that line.
const SCATTERS: f64 = 2.0;

/// The line of least squares through the second half of the samples; the first is warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trend {
    /// Its slope, in kB per hour.
    pub kb_per_hour: f64,
    /// What it rises by from its first sample to its last, in kB.
    pub rise_kb: f64,
    /// How far samples lie from it, as a standard deviation in kB.
    pub scatter_kb: f64,
    /// Whether that is growth.
    pub grows: bool,
}

impl Trend {
    /// Of memory in kB at times in seconds; none of fewer than three samples in the second half.
    pub fn of(samples: &[(f64, f64)]) -> Option<Self> {
        let half = &samples[samples.len() / 2..];
        let (first, last) = (half.first()?.0, half.last()?.0);
        let (line, mean) = Line::through(half)?;
        let errors = half.iter().map(|(x, y)| (y - line.at(*x)).powi(2));
        let scatter_kb = (errors.sum::<f64>() / (half.len() - 2) as f64).sqrt();
        let rise_kb = line.slope * (last - first);
        Some(Self {
            kb_per_hour: line.slope * 3_600.0,
            rise_kb,
            scatter_kb,
            grows: rise_kb > mean * RISE && rise_kb > scatter_kb * SCATTERS,
        })
    }
}

/// A straight line.
struct Line {
    slope: f64,
    start: f64,
}

impl Line {
    /// The line of least squares, and the mean of what it goes through.
    fn through(points: &[(f64, f64)]) -> Option<(Self, f64)> {
        if points.len() < 3 {
            return None;
        }
        let count = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let covariance: f64 = points
            .iter()
            .map(|(x, y)| (x - mean_x) * (y - mean_y))
            .sum();
        let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let slope = covariance / variance;
        let start = mean_y - slope * mean_x;
        Some((Self { slope, start }, mean_y))
    }

    fn at(&self, x: f64) -> f64 {
        self.start + self.slope * x
    }
}

/// What a soak found.
#[derive(Debug, Serialize)]
pub struct Soak {
    /// How memory went; none when there were too few samples.
    pub trend: Option<Trend>,
    /// The looks at the relay.
    pub samples: Vec<Sample>,
    /// The figures of the whole run.
    pub report: Report,
}

impl Soak {
    /// Of a long run.
    pub fn of(report: Report) -> Self {
        let samples = report.samples.clone();
        let memory: Vec<_> = samples
            .iter()
            .map(|sample| (sample.second as f64, sample.rss_kb as f64))
            .collect();
        Self {
            trend: Trend::of(&memory),
            samples,
            report,
        }
    }

    /// The result for people.
    pub fn text(&self) -> String {
        let heads = [
            "minute",
            "RSS MB",
            "files",
            "threads",
            "relay cores",
            "frames",
            "p50 ms",
            "p99 ms",
        ];
        let rows: Vec<_> = self.samples.iter().map(cells).collect();
        let title = "The relay over time (tokio tasks cannot be seen from outside)";
        let table = columns(title, &heads, &rows);
        format!("{}{table}\n{}\n", self.report.text(), self.verdict())
    }

    /// Whether memory grows, and by which rule.
    pub fn verdict(&self) -> String {
        let Some(trend) = self.trend else {
            return "memory: too short a run to tell".to_owned();
        };
        format!(
            "memory: {} ({:+.0} kB per hour; over the second half {:+.0} kB, scatter {:.0} kB)\n\
             it grows when it rises by more than {:.0} % over the second half, and by more than \
             {SCATTERS:.0} times the scatter",
            if trend.grows { "grows" } else { "flat" },
            trend.kb_per_hour,
            trend.rise_kb,
            trend.scatter_kb,
            RISE * 100.0,
        )
    }
}

fn cells(sample: &Sample) -> Vec<String> {
    vec![
        format!("{:.2}", sample.second as f64 / 60.0),
        format!("{:.2}", sample.rss_kb as f64 / 1e3),
        sample.files.to_string(),
        sample.threads.to_string(),
        format!("{:.2}", sample.relay_cores),
        sample.frames.to_string(),
        format!("{:.2}", sample.p50_us as f64 / 1e3),
        format!("{:.2}", sample.p99_us as f64 / 1e3),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples every 10 s, as `kb` gives them by number.
    fn trend(kb: impl Fn(u32) -> f64) -> Trend {
        let samples: Vec<_> = (0..100).map(|n| (f64::from(n) * 10.0, kb(n))).collect();
        Trend::of(&samples).unwrap()
    }

    #[test]
    fn a_slope_is_found_and_called_growth() {
        let trend = trend(|n| 100_000.0 + f64::from(n) * 100.0);
        assert!((trend.kb_per_hour - 36_000.0).abs() < 1e-6);
        assert!((trend.rise_kb - 4_900.0).abs() < 1e-6);
        assert!(trend.scatter_kb < 1e-6);
        assert!(trend.grows);
    }

    #[test]
    fn warm_up_noise_and_a_slope_of_nothing_are_no_growth() {
        let warm_up = trend(|n| 50_000.0 + f64::from(n.min(50)) * 1_000.0);
        assert!(!warm_up.grows);
        let noise = trend(|n| 50_000.0 + f64::from(n * 7_919 % 100) * 100.0);
        assert!(!noise.grows && noise.scatter_kb > 1_000.0);
        let slow = trend(|n| 100_000.0 + f64::from(n));
        assert!(!slow.grows && slow.kb_per_hour > 0.0);
    }

    #[test]
    fn few_samples_have_no_trend() {
        assert_eq!(Trend::of(&[]), None);
        assert_eq!(Trend::of(&[(0.0, 1.0); 4]), None);
    }
}
