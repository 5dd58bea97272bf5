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

/// What browsers offer of sound, to be sent or received.
const SOUND: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\n\
    a=mid:9\n\
    a=rtcp-mux\n\
    a=rtpmap:111 opus/48000/2\n\
    a=rtcp-fb:111 nack\n\
    a=fmtp:111 minptime=10;useinbandfec=1\n\
    a=rtpmap:63 red/48000/2\n\
    a=fmtp:63 111/111\n";

/// The offer of a Chromium publisher with sound behind its pictures.
pub(crate) fn with_sound() -> String {
    of("chromium-publisher").replace("BUNDLE 0", "BUNDLE 0 9") + SOUND
}
