//! What a viewer has of the frames that came.

use serde::Serialize;

use crate::tally::Glimpse;

/// A display shows one picture per tick, in microseconds: 60 a second.
const TICK_US: u64 = 16_667;
/// A picture that stands for longer than a frame of 30 a second and 150 ms has frozen: the rule
/// of WebRTC's statistics (`freezeCount`) for this rate.
const FREEZE_US: u64 = 33_333 + 150_000;
const SECOND_US: u64 = 1_000_000;
/// A picture that would be shown so much later than it came makes way for what is newer.
const LATE_US: u64 = 500_000;
/// What the delay may differ by from what it was before.
const SETTLED_MS: f64 = 10.0;

/// From when to when a player watched, on the clock of capture times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it came.
    pub from_us: u64,
    /// When it was over.
    pub until_us: u64,
}

/// What a viewer has of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Frames that came whole, and could be decoded, a second.
    pub delivered_fps: f64,
    /// Pictures that a display of 60 Hz shows of them a second, one after another, as the player's
    /// page does it closest to live.
    pub shown_fps: f64,
    /// From the capture to the last byte of frames that were captured once there was a picture, in
    /// milliseconds: median.
    pub p50_ms: f64,
    /// 95 of 100.
    pub p95_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// The longest that a picture stood, in milliseconds.
    pub longest_freeze_ms: f64,
    /// Share of the time in which the picture had frozen, from 0 to 1.
    pub frozen: f64,
    /// From coming to the first picture, in milliseconds; none when none came.
    pub first_picture_ms: Option<f64>,
    /// Second by second.
    pub seconds: Vec<Second>,
}

/// What came in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Second {
    /// From 0, the one in which the player came.
    pub second: u64,
    /// Frames that came whole.
    pub delivered: u64,
    /// Pictures that were shown.
    pub shown: u64,
    /// Their delay in milliseconds: median. None where none came.
    pub p50_ms: Option<f64>,
    /// The latest.
    pub max_ms: Option<f64>,
}

impl Figures {
    /// The figures of frames in the order in which they came.
    pub fn of(log: &[Glimpse], window: Window) -> Self {
        let came = log
            .iter()
            .filter(|frame| frame.arrived_us < window.until_us);
        let came: Vec<_> = came.copied().collect();
        let Some(first) = came.first() else {
            return Self {
                frozen: 1.0,
                longest_freeze_ms: ms(window.until_us - window.from_us),
                seconds: seconds(&[], &[], window),
                ..Self::default()
            };
        };
        // What was captured before the player had a picture is there to bring it up to date.
        let live = came
            .iter()
            .filter(|frame| frame.capture_us >= first.arrived_us);
        let live: Vec<_> = live.copied().collect();
        let shown = shown(&came, window.from_us);
        let watched_us = (window.until_us - first.arrived_us).max(1);
        let rate = |count: usize| count as f64 * SECOND_US as f64 / watched_us as f64;
        let mut delays: Vec<_> = live.iter().map(delay_us).collect();
        delays.sort_unstable();
        let still = stills(&shown, window.until_us);
        let frozen: u64 = still.iter().filter(|still| **still > FREEZE_US).sum();
        Self {
            delivered_fps: rate(live.len()),
            shown_fps: rate(shown.len()),
            p50_ms: ms(quantile(&delays, 0.5)),
            p95_ms: ms(quantile(&delays, 0.95)),
            p99_ms: ms(quantile(&delays, 0.99)),
            longest_freeze_ms: ms(still.iter().max().copied().unwrap_or(0)),
            frozen: frozen as f64 / watched_us as f64,
            first_picture_ms: Some(ms(first.arrived_us.saturating_sub(window.from_us))),
            seconds: seconds(&live, &shown, window),
        }
    }

    /// The figures of pictures as they were seen, in a part of the time for which a player watched.
    /// How many were delivered is not known: as many as were seen.
    pub fn of_sights(log: &[Glimpse], window: Window) -> Self {
        let rest = Self::of(log, window);
        let watched_us = window.until_us.saturating_sub(window.from_us).max(1);
        let shown = shown(log, 0).len() as f64 * SECOND_US as f64 / watched_us as f64;
        Self {
            delivered_fps: shown,
            shown_fps: shown,
            ..rest
        }
    }

    /// How many seconds after second `change` it is from which on every second has at least
    /// `fps` frames, and a delay that is no more than 10 ms above the one before second `first`.
    pub fn settled(&self, first: u64, change: u64, fps: u64) -> Option<u64> {
        let before = self.seconds.iter().filter(|second| second.second < first);
        let mut before: Vec<_> = before.filter_map(|second| second.p50_ms).collect();
        before.sort_by(f64::total_cmp);
        let usual = before.get(before.len() / 2)? + SETTLED_MS;
        let is_well = |second: &Second| {
            second.delivered >= fps && second.p50_ms.is_some_and(|delay| delay <= usual)
        };
        let after = self.seconds.iter().filter(|second| second.second >= change);
        let after: Vec<_> = after.collect();
        let unwell = after.iter().rposition(|second| !is_well(second));
        let settled = unwell.map_or(0, |last| last + 1);
        (settled < after.len()).then_some(settled as u64)
    }

    /// The worst of each figure: what a viewer may have to put up with. The seconds are those of
    /// the run with the fewest frames.
    pub fn worst<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        all.into_iter().cloned().reduce(|a, b| Self {
            delivered_fps: a.delivered_fps.min(b.delivered_fps),
            shown_fps: a.shown_fps.min(b.shown_fps),
            p50_ms: a.p50_ms.max(b.p50_ms),
            p95_ms: a.p95_ms.max(b.p95_ms),
            p99_ms: a.p99_ms.max(b.p99_ms),
            longest_freeze_ms: a.longest_freeze_ms.max(b.longest_freeze_ms),
            frozen: a.frozen.max(b.frozen),
            first_picture_ms: match (a.first_picture_ms, b.first_picture_ms) {
                (Some(a), Some(b)) => Some(a.max(b)),
                _ => None,
            },
            seconds: match a.delivered_fps <= b.delivered_fps {
                true => a.seconds,
                false => b.seconds,
            },
        })
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

fn delay_us(frame: &Glimpse) -> u64 {
    frame.arrived_us.saturating_sub(frame.capture_us)
}

fn quantile(sorted: &[u64], share: f64) -> u64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(0)
}

/// What a display shows, and when, as the player's page does it closest to live: each frame as it
/// comes; those that come together one after another, a tick each. What brings a joiner up to date,
/// and what would be shown too late for that, makes way for what is newer.
fn shown(came: &[Glimpse], from_us: u64) -> Vec<Glimpse> {
    let mut shown: Vec<Glimpse> = Vec::new();
    for frame in came {
        let Some(last) = shown.last_mut() else {
            shown.push(*frame);
            continue;
        };
        if frame.capture_us <= last.capture_us {
            continue;
        }
        let free_us = (last.arrived_us / TICK_US + 1) * TICK_US;
        let arrived_us = frame.arrived_us.max(free_us);
        let late = arrived_us - frame.arrived_us > LATE_US;
        let together = last.arrived_us / TICK_US == frame.arrived_us / TICK_US;
        if late || (together && last.capture_us < from_us) {
            last.capture_us = frame.capture_us;
        } else {
            shown.push(Glimpse {
                arrived_us,
                ..*frame
            });
        }
    }
    shown
}

/// How long each picture stood, the last one to the end.
fn stills(shown: &[Glimpse], until_us: u64) -> Vec<u64> {
    let next = shown.iter().skip(1).map(|frame| frame.arrived_us);
    let next = next.chain([until_us]);
    let pairs = shown.iter().zip(next);
    pairs
        .map(|(frame, next)| next.saturating_sub(frame.arrived_us))
        .collect()
}

fn seconds(live: &[Glimpse], shown: &[Glimpse], window: Window) -> Vec<Second> {
    let count = (window.until_us - window.from_us) / SECOND_US;
    let of = |frame: &Glimpse| frame.arrived_us.saturating_sub(window.from_us) / SECOND_US;
    (0..count)
        .map(|second| {
            let live = live.iter().filter(|frame| of(frame) == second);
            let mut delays: Vec<_> = live.map(delay_us).collect();
            delays.sort_unstable();
            let some = |us| (!delays.is_empty()).then(|| ms(us));
            Second {
                second,
                delivered: delays.len() as u64,
                shown: shown.iter().filter(|frame| of(frame) == second).count() as u64,
                p50_ms: some(quantile(&delays, 0.5)),
                max_ms: some(quantile(&delays, 1.0)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        from_us: 1_000_000,
        until_us: 4_000_000,
    };

    fn frame(capture_ms: u64, arrived_ms: u64) -> Glimpse {
        Glimpse {
            capture_us: capture_ms * 1_000,
            arrived_us: arrived_ms * 1_000,
        }
    }

    /// Frames of 25 a second, each so late.
    fn even(delay_ms: u64) -> Vec<Glimpse> {
        let captures = (1_000..4_000 - delay_ms).step_by(40);
        captures
            .map(|capture| frame(capture, capture + delay_ms))
            .collect()
    }

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1.0, "{value} for {expected}");
    }

    #[test]
    fn an_even_stream_is_shown_as_it_comes() {
        let figures = Figures::of(&even(50), WINDOW);
        near(figures.delivered_fps, 25.0);
        near(figures.shown_fps, 25.0);
        assert_eq!((figures.p50_ms, figures.p99_ms), (50.0, 50.0));
        assert_eq!(figures.first_picture_ms, Some(50.0));
        assert_eq!(figures.longest_freeze_ms, 40.0);
        assert_eq!(figures.frozen, 0.0);
        let delivered: Vec<_> = figures.seconds.iter().map(|s| s.delivered).collect();
        // Two were captured before the first was there.
        assert_eq!(delivered, [22, 25, 25]);
    }

    #[test]
    fn frames_that_come_at_once_are_shown_in_quick_succession() {
        let mut log = even(50);
        // For half a second nothing comes, then everything.
        for frame in &mut log {
            if (2_000_000..2_500_000).contains(&frame.arrived_us) {
                frame.arrived_us = 2_500_000;
            }
        }
        let figures = Figures::of(&log, WINDOW);
        near(figures.delivered_fps, 25.0);
        near(figures.shown_fps, 25.0);
        assert!((500.0..=550.0).contains(&figures.longest_freeze_ms));
        assert!((0.16..0.19).contains(&figures.frozen), "{}", figures.frozen);
        assert!(figures.p95_ms > 300.0);
    }

    #[test]
    fn what_brings_a_joiner_up_to_date_is_neither_late_nor_counted() {
        let mut log = vec![frame(100, 1_050), frame(900, 1_051)];
        log.extend(even(60));
        let figures = Figures::of(&log, WINDOW);
        assert_eq!(figures.first_picture_ms, Some(50.0));
        assert_eq!(figures.p99_ms, 60.0);
        assert_eq!(figures.seconds[0].delivered, 22);
    }

    #[test]
    fn an_older_picture_is_never_shown() {
        let log = [
            frame(1_040, 1_100),
            frame(1_000, 1_200),
            frame(1_080, 1_300),
        ];
        assert_eq!(shown(&log, 0), [log[0], log[2]]);
    }

    #[test]
    fn without_a_frame_the_picture_was_frozen_all_the_time() {
        let figures = Figures::of(&[], WINDOW);
        assert_eq!(figures.frozen, 1.0);
        assert_eq!(figures.longest_freeze_ms, 3_000.0);
        assert_eq!(figures.first_picture_ms, None);
    }

    #[test]
    fn a_stream_has_settled_when_it_is_as_before_for_good() {
        let second = |second, delivered, delay| Second {
            second,
            delivered,
            p50_ms: Some(delay),
            ..Second::default()
        };
        let mut figures = Figures {
            seconds: vec![
                second(0, 30, 50.0),
                second(1, 30, 52.0),
                second(2, 10, 900.0),
                second(3, 30, 300.0),
                second(4, 30, 55.0),
                second(5, 30, 52.0),
            ],
            ..Figures::default()
        };
        assert_eq!(figures.settled(2, 3, 29), Some(1));
        assert_eq!(figures.settled(2, 2, 29), Some(2));
        figures.seconds[5].delivered = 20;
        assert_eq!(figures.settled(2, 3, 29), None);
    }

    #[test]
    fn the_worst_is_of_each_figure_by_itself() {
        let [good, bad] = [50, 90].map(|delay| Figures::of(&even(delay), WINDOW));
        let worst = Figures::worst([&bad, &good]).unwrap();
        assert_eq!(worst.p50_ms, 90.0);
        let none = Figures::of(&[], WINDOW);
        let worst = Figures::worst([&good, &none]).unwrap();
        assert_eq!((worst.p50_ms, worst.delivered_fps), (50.0, 0.0));
        assert_eq!(worst.first_picture_ms, None);
    }
}
