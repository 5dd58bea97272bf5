//! What became of a trial.

use std::time::Duration;

use serde::Serialize;

use super::figures::Figures;
use super::trial::Trial;
use super::viewer::Had;
use crate::lab::{Lateness, Moment, PathRecord};
use crate::sound::SoundFigures;
use crate::transport::Way;

/// Whose figures they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The player behind the path in question.
    Player,
    /// Another behind a path like it.
    Behind,
    /// Players beside it on paths without trouble: the worst of each figure.
    Free,
}

/// What went down a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Bytes that were sent into it, IP headers included.
    pub sent_bytes: u64,
    /// Of them, those for which its queue had no room.
    pub dropped_bytes: u64,
    /// Packets that it lost by chance.
    pub lost_packets: u64,
    /// Packets that were sent into it.
    pub packets: u64,
    /// Bytes of pictures that were sent again. By WebRTC they are counted, by WebTransport
    /// estimated: what was sent, without headers, less what the player had of it, where it says. By
    /// WebSocket it is the system that sends again, and says nothing of it.
    pub again_bytes: Option<u64>,
    /// Bytes of a TCP download beside.
    pub tcp_bytes: u64,
    /// How long packets waited in its queue, in milliseconds: 99 of 100.
    pub queue_p99_ms: f64,
}

/// What became of a trial.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The condition's name.
    pub condition: &'static str,
    /// And in words.
    pub title: &'static str,
    /// The condition to compare with.
    pub base: &'static str,
    /// By what was watched.
    pub transport: &'static str,
    /// Who plays: this program's own clients, or a browser.
    pub player: String,
    /// Whose figures these are.
    pub who: Who,
    /// What chance came from.
    pub seed: u64,
    /// What the viewer had.
    #[serde(flatten)]
    pub figures: Figures,
    /// What the viewer heard, where there was sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundFigures>,
    /// What went down the path.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// Sessions that ended early, or could not be opened.
    pub sessions_lost: u64,
    /// Why the first of them did.
    pub why_lost: Option<String>,
    /// Groups that were cut off.
    pub skips: u64,
    /// Frames that were wrong.
    pub bad: u64,
    /// Frames that were published.
    pub published: u64,
    /// Keyframes that the relay asked the publisher for.
    pub keyframe_requests: u64,
    /// How late the emulator was.
    pub lateness: Lateness,
    /// Why the figures mean nothing, if so.
    pub void: Option<String>,
    /// The path, ten times a second.
    pub moments: Vec<Moment>,
}

/// What a QUIC packet costs beside what it carries, about: IP, UDP, a short header with a
/// connection id of 8 bytes, a stream frame's head, and the tag.
const QUIC_OVERHEAD: u64 = 20 + 8 + 11 + 8 + 16;

impl Outcome {
    /// Of the players of one path; who knows the rest fills it in.
    pub(super) fn of(trial: &Trial, who: Who, had: &[Had], path: &PathRecord) -> Self {
        let condition = &trial.condition;
        Self {
            condition: condition.name,
            title: condition.title,
            base: condition.base,
            transport: name(trial.way),
            player: "client".to_owned(),
            who,
            seed: trial.seed,
            figures: Figures::worst(had.iter().map(|had| &had.figures)).unwrap_or_default(),
            sound: had
                .iter()
                .filter_map(|had| had.sound)
                .reduce(SoundFigures::worse),
            traffic: Traffic::of(trial.way, Some(had), path),
            sessions_lost: had.iter().map(|had| had.lost).sum(),
            why_lost: had.iter().find_map(|had| had.why_lost.clone()),
            skips: had.iter().map(|had| had.skips).sum(),
            bad: had.iter().map(|had| had.bad).sum(),
            published: 0,
            keyframe_requests: 0,
            lateness: Lateness::default(),
            void: None,
            moments: path.moments.clone(),
        }
    }
}

impl Traffic {
    /// What went down a path, where it is known what its players had of it or not.
    pub(super) fn of(way: Way, had: Option<&[Had]>, path: &PathRecord) -> Self {
        let down = &path.down;
        // Over TCP what goes beside the session, as pages do, cannot be told from it.
        let aside = match way {
            Way::WebSocket => 0,
            Way::WebTransport | Way::WebRtc => path.tcp_bytes,
        };
        let again_bytes = match (way, had) {
            (Way::WebRtc, _) => Some(path.again_bytes),
            (Way::WebTransport, Some(had)) => {
                let received: u64 = had.iter().map(|had| had.received).sum();
                let ours = down.offered_bytes - aside;
                Some(ours.saturating_sub(received + path.udp_packets * QUIC_OVERHEAD))
            }
            (Way::WebTransport, None) | (Way::WebSocket, _) => None,
        };
        Self {
            sent_bytes: down.offered_bytes - aside,
            dropped_bytes: down.queue_drop_bytes,
            lost_packets: down.random_drops + down.burst_drops,
            packets: down.offered,
            again_bytes,
            tcp_bytes: path.tcp_bytes,
            queue_p99_ms: millis(down.wait(0.99)),
        }
    }
}

/// What a transport is called in reports.
pub fn name(way: Way) -> &'static str {
    match way {
        Way::WebTransport => "webtransport",
        Way::WebRtc => "webrtc",
        Way::WebSocket => "websocket",
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
