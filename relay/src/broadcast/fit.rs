//! How wide the path to a player is, for what the publisher chose: whether that fits.

use std::time::Duration;

use super::demand::Demand;
use super::{RelayTime, Width};

/// Of what a path carries the picture may take so much: the rest is for what is lost and sent again, and
/// for keyframes.
const SHARE: f64 = 0.9;
/// A keyframe that takes longer than this stands in the way of all that follows it.
const KEYFRAME: Duration = Duration::from_millis(1_500);
/// A path is wide again when it carries so many times what the picture takes ...
const ROOM: f64 = 1.25;
/// ... and a keyframe in this time ...
const QUICK_KEYFRAME: Duration = Duration::from_millis(1_100);
/// ... for so long; twice as long after each time that it turned out otherwise, up to the latter.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(64));
/// It turned out otherwise when it is narrow again within this time.
const RELAPSE: Duration = Duration::from_secs(20);

/// What there is to see of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Bytes per second that it carries; `None` while nobody knows.
    pub carries: Option<u64>,
    /// Whether frames were left out of late because it carried no more.
    pub skipped: bool,
}

/// One player's path, judged again and again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    narrow: bool,
    /// Since when the path has carried enough again.
    enough: Option<RelayTime>,
    /// When it was last taken to be wide again.
    widened: Option<RelayTime>,
    patience: Duration,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            narrow: false,
            enough: None,
            widened: None,
            patience: PATIENCE.0,
        }
    }
}

impl Fit {
    /// Whether the path is too narrow for a picture that asks for `demand`.
    pub(super) fn judge(&mut self, view: View, demand: Demand, now: RelayTime) -> bool {
        let Some(carries) = view.carries.filter(|carries| *carries > 0) else {
            // Nothing says that it is otherwise than it was.
            return self.narrow;
        };
        let takes = |share: f64| demand.rate as f64 > carries as f64 * share;
        let lasts = |time: Duration| demand.keyframe as f64 > carries as f64 * time.as_secs_f64();
        if !self.narrow {
            if view.skipped && (takes(SHARE) || lasts(KEYFRAME)) {
                self.narrows(now);
            }
            return self.narrow;
        }
        if takes(1.0 / ROOM) || lasts(QUICK_KEYFRAME) {
            self.enough = None;
        } else if now - *self.enough.get_or_insert(now) >= self.patience {
            self.narrow = false;
            self.enough = None;
            self.widened = Some(now);
        }
        self.narrow
    }

    /// Whether the path was last found too narrow.
    pub(super) fn is_narrow(&self) -> bool {
        self.narrow
    }

    /// Whether the path is narrow as far as anybody knows.
    pub(super) fn is_to_prove_itself(&self) -> bool {
        self.narrow && self.enough.is_none()
    }

    fn narrows(&mut self, now: RelayTime) {
        self.narrow = true;
        self.enough = None;
        let relapsed = self.widened.is_some_and(|widened| now - widened < RELAPSE);
        self.patience = match relapsed {
            true => (self.patience * 2).min(PATIENCE.1),
            false => PATIENCE.0,
        };
    }
}

/// What renditions for narrow paths may take, and which of them a path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Levels {
    /// In kbit/s, for [`Width::Narrow`]; `None` where there is nobody.
    pub(super) narrow: Option<u32>,
    /// The same for [`Width::Narrower`].
    pub(super) narrower: Option<u32>,
    /// Paths that carry less than this, in bytes per second, have the narrower one.
    below: u64,
}

/// A rendition may take so much of what the narrowest of its paths carries.
const TAKES: f64 = 0.65;
/// Paths that differ by more than this are served by two renditions, until they differ by less than that.
const APART: (f64, f64) = (2.0, 1.6);
/// A limit stays as it is while it would become so many times as much: an estimate that varies is no news.
const NEAR: std::ops::RangeInclusive<f64> = 0.8..=1.3;
/// Renditions that take less show nothing.
const LEAST_KBPS: u32 = 100;

impl Levels {
    /// The levels for paths that carry so many bytes per second, where there were those `before`.
    pub(super) fn of(mut carries: Vec<u64>, before: Self) -> Self {
        carries.sort_unstable();
        let (Some(least), Some(most)) = (carries.first().copied(), carries.last().copied()) else {
            return Self::default();
        };
        let ratio = |one: u64, other: u64| other as f64 / one.max(1) as f64;
        let apart = match before.narrower {
            None => APART.0,
            Some(_) => APART.1,
        };
        if ratio(least, most) <= apart {
            return Self {
                narrow: Some(limit(least, before.narrow)),
                narrower: None,
                below: 0,
            };
        }
        // Where neighbours are furthest apart.
        let split = carries
            .windows(2)
            .max_by(|a, b| ratio(a[0], a[1]).total_cmp(&ratio(b[0], b[1])))
            .map_or(most, |pair| pair[1]);
        Self {
            narrow: Some(limit(split, before.narrow)),
            narrower: Some(limit(least, before.narrower)),
            below: split,
        }
    }

    /// The width of a narrow path that carries so much.
    pub(super) fn width(&self, carries: u64) -> Width {
        match carries < self.below {
            true => Width::Narrower,
            false => Width::Narrow,
        }
    }
}

/// What a rendition may take, in kbit/s, where the narrowest of its paths carries so many bytes per second.
fn limit(carries: u64, before: Option<u32>) -> u32 {
    let kbps = carries as f64 * 8.0 / 1_000.0 * TAKES;
    let near = |before: &u32| NEAR.contains(&(kbps / f64::from(*before)));
    before.filter(near).unwrap_or((kbps as u32).max(LEAST_KBPS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: Demand = Demand {
        rate: 250_000,
        keyframe: 60_000,
    };

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(1_000_000 + ms * 1_000)
    }

    fn view(kbit: u64, skipped: bool) -> View {
        View {
            carries: Some(kbit * 125),
            skipped,
        }
    }

    #[test]
    fn a_path_is_narrow_where_frames_were_left_out_and_the_picture_takes_more_than_it_carries() {
        let judged = |view, demand| Fit::default().judge(view, demand, at(0));
        assert!(judged(view(1_000, true), PICTURE));
        assert!(!judged(view(1_000, false), PICTURE), "nothing was amiss");
        assert!(!judged(view(3_000, true), PICTURE), "a moment's trouble");
        assert!(!judged(
            View {
                carries: None,
                skipped: true
            },
            PICTURE
        ));
        let heavy = Demand {
            rate: 10_000,
            keyframe: 300_000,
        };
        assert!(
            judged(view(1_000, true), heavy),
            "its keyframes take too long"
        );
    }

    #[test]
    fn it_is_wide_again_once_it_has_carried_more_for_some_time() {
        let mut fit = Fit::default();
        assert!(fit.judge(view(1_000, true), PICTURE, at(0)));
        assert!(
            fit.judge(view(2_400, false), PICTURE, at(1_000)),
            "hardly enough"
        );
        assert!(fit.judge(view(5_000, false), PICTURE, at(2_000)));
        assert!(
            fit.judge(view(1_000, false), PICTURE, at(3_000)),
            "it was a moment"
        );
        assert!(fit.judge(view(5_000, false), PICTURE, at(4_000)));
        assert!(fit.judge(view(5_000, false), PICTURE, at(7_900)));
        assert!(!fit.judge(view(5_000, false), PICTURE, at(8_000)));
    }

    #[test]
    fn a_path_that_goes_to_and_fro_is_believed_later_and_later() {
        let (mut fit, mut now, mut waits) = (Fit::default(), 0, Vec::new());
        for _ in 0..7 {
            assert!(fit.judge(view(1_000, true), PICTURE, at(now)));
            let narrow = now;
            while fit.judge(view(5_000, false), PICTURE, at(now)) {
                now += 500;
            }
            waits.push((now - narrow) / 1_000);
            now += 1_000;
        }
        assert_eq!(waits, [4, 8, 16, 32, 64, 64, 64]);
        // One that stays wide begins anew.
        now += 60_000;
        assert!(fit.judge(view(1_000, true), PICTURE, at(now)));
        assert!(fit.judge(view(5_000, false), PICTURE, at(now)));
        assert!(!fit.judge(view(5_000, false), PICTURE, at(now + 4_000)));
    }

    fn levels(kbits: &[u64], before: Levels) -> Levels {
        Levels::of(kbits.iter().map(|kbit| kbit * 125).collect(), before)
    }

    #[test]
    fn paths_that_are_alike_share_a_rendition_and_others_have_two() {
        let new = |kbits| levels(kbits, Levels::default());
        assert_eq!(new(&[]), Levels::default());
        let one = new(&[1_000, 1_100, 1_500]);
        assert_eq!((one.narrow, one.narrower), (Some(650), None));
        assert_eq!(one.width(100 * 125), Width::Narrow);
        let two = new(&[400, 1_000, 420, 1_300]);
        assert_eq!((two.narrow, two.narrower), (Some(650), Some(260)));
        assert_eq!(two.width(420 * 125), Width::Narrower);
        assert_eq!(two.width(1_000 * 125), Width::Narrow);
        assert_eq!(new(&[10]).narrow, Some(100), "less shows nothing");
    }

    #[test]
    fn an_estimate_that_varies_a_little_is_no_news() {
        let mut now = levels(&[1_000], Levels::default());
        for kbit in [1_100, 900, 1_290, 810] {
            now = levels(&[kbit], now);
            assert_eq!(now.narrow, Some(650), "{kbit}");
        }
        now = levels(&[780], now);
        assert_eq!(now.narrow, Some(507));
        assert_eq!(levels(&[1_000], now).narrow, Some(507));
        assert_eq!(levels(&[1_100], now).narrow, Some(715));
    }

    #[test]
    fn what_was_two_renditions_becomes_one_only_where_paths_are_much_alike() {
        let one = levels(&[1_000, 1_900], Levels::default());
        assert_eq!(one.narrower, None);
        let two = levels(&[900, 1_900], one);
        assert_eq!(two.narrower, Some(585));
        assert!(levels(&[1_000, 1_900], two).narrower.is_some());
        assert_eq!(levels(&[1_200, 1_900], two).narrower, None);
    }
}
