//! How a viewer fares, in one word.

use std::time::Duration;

use super::reports::Reports;
use crate::broadcast::RelayTime;
use crate::delivery::{Reception, Version};

/// How a viewer fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Fares {
    /// Its pictures come late, or some were left out, or nothing becomes of them.
    Behind,
    /// It has a lighter version, which its path carries.
    Light,
    /// It has no picture yet, or none that it can show.
    #[default]
    Waiting,
    /// Its page is hidden: pictures come, and nobody sees them.
    Away,
    /// It sees what is shared as it is.
    Live,
}

/// Pictures older than this are late: people notice when they talk about them.
const LATE: Duration = Duration::from_millis(750);

impl Fares {
    /// All of them; those with most trouble first.
    pub const ALL: [Self; 5] = [
        Self::Behind,
        Self::Light,
        Self::Waiting,
        Self::Away,
        Self::Live,
    ];

    /// What there is to say of a viewer that gets this, and whose page says that.
    pub(super) fn of(reception: Reception, reports: &Reports, now: RelayTime) -> Self {
        let late = reports.latencies(now).next().is_some_and(|l| l >= LATE);
        match reception.version {
            Version::None => Self::Waiting,
            _ if reports.is_unseen(now) => Self::Away,
            _ if late || reports.is_undecoded(now) => Self::Behind,
            Version::Light => Self::Light,
            Version::Full if reception.skips => Self::Behind,
            Version::Full => Self::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reports::Shown;
    use super::*;

    fn at(seconds: u64) -> RelayTime {
        RelayTime::from_micros(1_800_000_000_000_000) + Duration::from_secs(seconds)
    }

    fn gets(version: Version, skips: bool) -> Reception {
        Reception {
            version,
            skips,
            ..Reception::default()
        }
    }

    /// A page that shows what comes, so late.
    fn shows(ms: u64) -> Reports {
        let mut reports = Reports::default();
        let shown = Shown {
            received: 30,
            decoded: 30,
            shown: 30,
            latency: Some(Duration::from_millis(ms)),
        };
        reports.take(shown, at(0));
        reports
    }

    #[test]
    fn what_says_most_is_said() {
        let (full, light) = (gets(Version::Full, false), gets(Version::Light, true));
        assert_eq!(Fares::of(full, &shows(40), at(1)), Fares::Live);
        assert_eq!(Fares::of(full, &shows(749), at(1)), Fares::Live);
        assert_eq!(Fares::of(full, &shows(750), at(1)), Fares::Behind);
        assert_eq!(Fares::of(light, &shows(40), at(1)), Fares::Light);
        assert_eq!(Fares::of(light, &shows(900), at(1)), Fares::Behind);
        let skips = gets(Version::Full, true);
        assert_eq!(Fares::of(skips, &shows(40), at(1)), Fares::Behind);
        // What was late long ago is not now.
        assert_eq!(Fares::of(full, &shows(900), at(20)), Fares::Live);
    }

    #[test]
    fn a_hidden_page_is_away_whatever_its_path_is_like() {
        let mut hidden = shows(40);
        for second in 1..4 {
            let shown = Shown {
                received: 30 + 30 * second,
                decoded: 30 + 30 * second,
                shown: 30,
                latency: Some(Duration::from_secs(1)),
            };
            hidden.take(shown, at(second));
        }
        let light = gets(Version::Light, true);
        assert_eq!(Fares::of(light, &hidden, at(3)), Fares::Away);
        let none = gets(Version::None, false);
        assert_eq!(Fares::of(none, &hidden, at(3)), Fares::Waiting);
    }
}
