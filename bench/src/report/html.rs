//! The report as a page with plots: one file that needs nothing else.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Report, Sample};

const SIZE: (u32, u32) = (720, 320);
pub(crate) const BLUE: RGBColor = RGBColor(37, 99, 235);
pub(crate) const ORANGE: RGBColor = RGBColor(217, 119, 6);

/// A named line of a plot.
pub(crate) struct Line {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// A run as a page.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn html(report: &Report) -> Result<String> {
    let second = |value: fn(&super::Sample) -> f64| {
        let samples = report.samples.iter();
        samples
            .map(|sample| (sample.second as f64, value(sample)))
            .collect()
    };
    let plots = [
        plot(
            "Latency over time (ms)",
            "second",
            &[
                line("p50", BLUE, second(|sample| sample.p50_us as f64 / 1e3)),
                line("p99", ORANGE, second(|sample| sample.p99_us as f64 / 1e3)),
            ],
        )?,
        plot(
            "Share of frames (%) by latency (ms)",
            "ms",
            &[line(
                "frames",
                BLUE,
                report
                    .distribution
                    .iter()
                    .map(|(share, time)| (*time as f64 / 1e3, share * 100.0))
                    .collect(),
            )],
        )?,
        plot(
            "Relay CPU (cores)",
            "second",
            &[line("cores", BLUE, second(|sample| sample.relay_cores))],
        )?,
        plot(
            "Relay memory (MB)",
            "second",
            &[line(
                "RSS",
                BLUE,
                second(|sample| sample.rss_kb as f64 / 1e3),
            )],
        )?,
    ];
    Ok(page("Fan-out", &report.text(), &plots))
}

/// Several runs as a page, by number of players.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn sweep_html(reports: &[Report], text: &str) -> Result<String> {
    let by_players = |value: fn(&Report) -> f64| {
        let points = reports.iter();
        points
            .map(|report| (report.players as f64, value(report)))
            .collect()
    };
    let plots = [
        plot(
            "Latency by players (ms)",
            "players",
            &[
                line("p50", BLUE, by_players(|report| report.p50_us as f64 / 1e3)),
                line(
                    "p99",
                    ORANGE,
                    by_players(|report| report.p99_us as f64 / 1e3),
                ),
            ],
        )?,
        plot(
            "CPU seconds per Gbit by players",
            "players",
            &[line(
                "relay",
                BLUE,
                by_players(|report| report.cpu_s_per_gbit),
            )],
        )?,
        plot(
            "Relay CPU (cores) by players",
            "players",
            &[
                line("relay", BLUE, by_players(|report| report.relay_cores)),
                line("client", ORANGE, by_players(|report| report.client_cores)),
            ],
        )?,
        plot(
            "Relay memory (MB) by players",
            "players",
            &[line(
                "RSS",
                BLUE,
                by_players(|report| report.rss_kb as f64 / 1e3),
            )],
        )?,
    ];
    Ok(page("Sweep", text, &plots))
}

/// A long run as a page, by minutes.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn soak_html(samples: &[Sample], text: &str) -> Result<String> {
    let minute = |value: fn(&Sample) -> f64| {
        let points = samples.iter();
        points
            .map(|sample| (sample.second as f64 / 60.0, value(sample)))
            .collect()
    };
    let rss = line("RSS", BLUE, minute(|sample| sample.rss_kb as f64 / 1e3));
    let files = line("files", BLUE, minute(|sample| sample.files as f64));
    let threads = line("threads", ORANGE, minute(|sample| sample.threads as f64));
    let p50 = line("p50", BLUE, minute(|sample| sample.p50_us as f64 / 1e3));
    let p99 = line("p99", ORANGE, minute(|sample| sample.p99_us as f64 / 1e3));
    let cores = line("cores", BLUE, minute(|sample| sample.relay_cores));
    let plots = [
        plot("Relay memory (MB)", "minute", &[rss])?,
        plot("Relay files and threads", "minute", &[files, threads])?,
        plot("Latency (ms)", "minute", &[p50, p99])?,
        plot("Relay CPU (cores)", "minute", &[cores])?,
    ];
    Ok(page("Soak", text, &plots))
}

pub(crate) fn line(name: &'static str, colour: RGBColor, points: Vec<(f64, f64)>) -> Line {
    Line {
        name,
        colour,
        points,
    }
}

pub(crate) fn page(title: &str, text: &str, plots: &[String]) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let plots = plots.concat();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title} - Steadycast bench</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>:root{{color-scheme:light dark}}\
         body{{font:16px system-ui;margin:2rem auto;max-width:96rem;padding:0 1rem}}\
         pre{{background:#f4f4f5;color:#18181b;padding:1rem;overflow:auto;font-size:13px;border-radius:8px}}\
         .plots{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}}\
         svg{{width:100%;height:auto;border-radius:8px}}svg text{{font-family:system-ui,sans-serif}}\
         @media(prefers-color-scheme:dark){{pre{{background:#27272a;color:#e4e4e7}}\
         svg{{filter:invert(.9)hue-rotate(180deg)}}}}</style>\
         <h1>{title}</h1><pre>{text}</pre><div class=\"plots\">{plots}</div></html>"
    )
}

pub(crate) fn plot(title: &str, x: &str, lines: &[Line]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, title, x, lines).map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    Ok(svg)
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    x: &str,
    lines: &[Line],
) -> Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|line| &line.points);
    let right = points().map(|(x, _)| *x).fold(1e-9, f64::max);
    let left = points().map(|(x, _)| *x).fold(right, f64::min);
    // What was nothing all the time has an axis as well.
    let top = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let top = if top > 0.0 { top } else { 1.0 };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(title, ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(left..right * 1.0001, 0.0..top * 1.25)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(1)
        .x_desc(x)
        .draw()?;
    for line in lines {
        let colour = line.colour;
        chart
            .draw_series(LineSeries::new(
                line.points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    if lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .draw()?;
    }
    area.present()?;
    Ok(())
}
