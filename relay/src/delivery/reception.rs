//! What a player gets of the picture at present.

use std::time::Duration;

use steadycast_codec_glue::wire::{Service, Serving};

use super::given::Given;
use crate::broadcast::{Means, Width};

/// Which version of the picture a player gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// None so far, or none that it can show.
    #[default]
    None,
    /// A lighter one than the publisher chose, for a narrow path.
    Light,
    /// The one that the publisher chose, in whichever codec.
    Full,
}

/// What a player gets at present, and over what a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Which version of the picture.
    pub version: Version,
    /// Frames were left out lately, because it could not keep up.
    pub skips: bool,
    /// What the path carries, in kbit/s, where that is known and less than enough.
    pub carries_kbps: Option<u32>,
    /// The path's round trip.
    pub rtt: Option<Duration>,
}

impl Version {
    /// What a player of these means has, who is served so and was given so much.
    pub(super) fn of(serving: Serving, means: Means, given: Given) -> Self {
        let shows = serving.service == Service::Ready && given.first.is_some();
        // Tracks of the first versions are for codecs, later ones for widths.
        let light = means.width != Width::Wide && !serving.track.is_in_v2();
        match (shows, light) {
            (false, _) => Self::None,
            (true, true) => Self::Light,
            (true, false) => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::wire::TrackId;

    use super::*;
    use crate::broadcast::RelayTime;

    #[test]
    fn a_rendition_for_a_width_is_lighter_and_one_for_a_codec_is_not() {
        let given = Given {
            first: Some(RelayTime::from_micros(1)),
            ..Given::default()
        };
        let on = |number| Serving {
            track: TrackId::from_number(number).unwrap(),
            ..Serving::DEFAULT
        };
        let narrow = Means {
            width: Width::Narrow,
            ..Means::default()
        };
        let told = |number, means| Version::of(on(number), means, given);
        assert_eq!(told(0, Means::default()), Version::Full);
        assert_eq!(told(2, Means::default()), Version::Full);
        assert_eq!(told(5, narrow), Version::Light);
        // Until its own is there it has what is too wide for it.
        assert_eq!(told(0, narrow), Version::Full);
    }

    #[test]
    fn who_was_given_nothing_or_can_show_nothing_has_no_picture() {
        let (means, none) = (Means::default(), Given::default());
        assert_eq!(Version::of(Serving::DEFAULT, means, none), Version::None);
        let given = Given {
            first: Some(RelayTime::from_micros(1)),
            ..none
        };
        let unsupported = Serving {
            service: Service::Unsupported,
            ..Serving::DEFAULT
        };
        assert_eq!(Version::of(unsupported, means, given), Version::None);
    }
}
