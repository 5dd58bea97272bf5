//! Offers as clients make them.

macro_rules! offers {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../tests/offers/", $name, ".sdp")))),*]
    };
}

/// Of clients that watch, each with its name.
pub(crate) const PLAYERS: [(&str, &str); 5] = offers![
    "chromium-player",
    "firefox-player",
    "safari-player",
    "gstreamer-player",
    "aiortc-player",
];

/// Of clients that publish.
pub(crate) const PUBLISHERS: [(&str, &str); 5] = offers![
    "chromium-publisher",
    "obs-publisher",
    "gstreamer-publisher",
    "ffmpeg-publisher",
    "ffmpeg-passive-publisher",
];

/// A client's offer.
pub(crate) fn of(name: &str) -> &'static str {
    let mut all = PLAYERS.iter().chain(&PUBLISHERS);
    match all.find(|(known, _)| *known == name) {
        Some((_, offer)) => offer,
        None => panic!("no offer of {name}"),
    }
}
