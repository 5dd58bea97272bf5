use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;
use utoipa::ToSchema;

use super::{BroadcastId, RelayTime, SoundSnapshot, WarningSnapshot};

/// A broadcast as the HTTP API shows it (PROTOCOL 7.2, without links).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The broadcast.
    #[schema(value_type = String)]
    pub id: BroadcastId,
    /// Its name for people.
    pub title: String,
    /// Only people with its link can see it: what it shows is sealed, and here nobody can open it.
    pub private: bool,
    /// `waiting`, `live` or `held`.
    pub phase: &'static str,
    /// When the phase began, in microseconds on the relay's clock.
    pub since_us: u64,
    /// The newest epoch.
    pub epoch: u32,
    /// Players attached now, here and at relays that get it here.
    pub players: u32,
    /// Those of them that are at other relays.
    pub players_elsewhere: u32,
    /// Relays that get it here, with a session for each version that they need.
    pub relays: u32,
    /// The address of the relay that it comes from; `null`: its publisher is here, or comes here.
    pub upstream: Option<String>,
    /// What the cache holds, of all tracks.
    pub cache: CacheSnapshot,
    /// Bytes of pictures in memory: coming in, in the cache, and on their way to players.
    pub memory_bytes: usize,
    /// The renditions that run for players that cannot have what the publisher chose.
    pub renditions: Vec<RenditionSnapshot>,
    /// What keeps the publisher's pictures from players.
    pub warnings: Vec<WarningSnapshot>,
    /// What there is to hear; `null`: the publisher has no sound, or there is none.
    pub sound: Option<SoundSnapshot>,
    /// What has happened since the relay knows the broadcast.
    pub totals: Totals,
}

impl Snapshot {
    /// A broadcast of which nothing is there but its name.
    pub(crate) fn waiting(
        id: BroadcastId,
        (title, private): (String, bool),
        since: RelayTime,
    ) -> Self {
        Self {
            id,
            title,
            private,
            phase: "waiting",
            since_us: since.as_micros(),
            epoch: 0,
            players: 0,
            players_elsewhere: 0,
            relays: 0,
            upstream: None,
            cache: CacheSnapshot::default(),
            memory_bytes: 0,
            renditions: Vec::new(),
            warnings: Vec::new(),
            sound: None,
            totals: Totals::default(),
        }
    }
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheSnapshot {
    /// Groups.
    pub groups: usize,
    /// Frames.
    pub frames: usize,
    /// Bytes.
    pub bytes: usize,
}

/// A rendition that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenditionSnapshot {
    /// Its track.
    pub track: u8,
    /// `av1`, `h264`, `vp9` or `vp8`.
    pub codec: &'static str,
    /// What it may take of a path, in kbit/s; `null`: as much as the publisher finds right.
    pub max_kbps: Option<u32>,
    /// Players that watch it.
    pub players: u32,
    /// Frames taken from publishers since the relay knows the broadcast.
    pub frames_received: u64,
    /// Bytes of them.
    pub bytes_received: u64,
}

/// Counts that only rise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Publisher sessions.
    pub publishers_joined: u64,
    /// Player sessions.
    pub players_joined: u64,
    /// Ended player sessions, by the name of the code they ended with.
    pub players_left: BTreeMap<&'static str, u64>,
    /// Frames taken from publishers.
    pub frames_received: u64,
    /// Bytes taken from publishers.
    pub bytes_received: u64,
    /// Frames handed to players.
    pub frames_sent: u64,
    /// Frames dropped because a newer group was there.
    pub late_frames: u64,
    /// Frames of WHIP publishers that are shown before earlier ones (B-frames).
    pub reordered_frames: u64,
    /// Frames of renditions dropped because nobody wanted them any more.
    pub unwanted_frames: u64,
    /// Frames of higher temporal layers that were left out for players that lagged.
    pub dropped_frames: u64,
    /// Groups of which the rest was passed over for want of memory.
    pub groups_passed_over: u64,
    /// Times that the cache was emptied for want of memory.
    pub caches_shed: u64,
    /// Frames of sound taken from publishers.
    pub sound_frames: u64,
    /// Bytes of them.
    pub sound_bytes: u64,
    /// Frames of sound that publishers sent and that never came.
    pub sound_lost: u64,
    /// Frames of sound handed to players.
    pub sound_sent: u64,
    /// Frames of sound that came and went nowhere: late, too many, before it was said what they are; or for
    /// which a player's path had no room.
    pub sound_dropped: u64,
    /// Keyframe requests sent to publishers.
    pub keyframe_requests: u64,
    /// Times that a player was skipped.
    pub skips: u64,
    /// Blank pictures after the first real one, as players report them.
    pub black_frames: u64,
    /// Decoder errors, as players report them.
    pub decoder_errors: u64,
    /// When the newest group began to arrive, in microseconds on the relay's clock; 0: never.
    pub newest_keyframe_us: u64,
    /// The longest time between two frames while a publisher was attached and its picture moved, in
    /// microseconds.
    pub largest_gap_us: u64,
}

/// The counts of several broadcasts together; of the newest and the longest the newest and the longest.
impl AddAssign<&Totals> for Totals {
    fn add_assign(&mut self, other: &Self) {
        let Self {
            publishers_joined,
            players_joined,
            players_left,
            frames_received,
            bytes_received,
            frames_sent,
            late_frames,
            reordered_frames,
            unwanted_frames,
            dropped_frames,
            groups_passed_over,
            caches_shed,
            sound_frames,
            sound_bytes,
            sound_lost,
            sound_sent,
            sound_dropped,
            keyframe_requests,
            skips,
            black_frames,
            decoder_errors,
            newest_keyframe_us,
            largest_gap_us,
        } = other;
        self.publishers_joined += publishers_joined;
        self.players_joined += players_joined;
        for (code, count) in players_left {
            *self.players_left.entry(code).or_default() += count;
        }
        self.frames_received += frames_received;
        self.bytes_received += bytes_received;
        self.frames_sent += frames_sent;
        self.late_frames += late_frames;
        self.reordered_frames += reordered_frames;
        self.unwanted_frames += unwanted_frames;
        self.dropped_frames += dropped_frames;
        self.groups_passed_over += groups_passed_over;
        self.caches_shed += caches_shed;
        self.sound_frames += sound_frames;
        self.sound_bytes += sound_bytes;
        self.sound_lost += sound_lost;
        self.sound_sent += sound_sent;
        self.sound_dropped += sound_dropped;
        self.keyframe_requests += keyframe_requests;
        self.skips += skips;
        self.black_frames += black_frames;
        self.decoder_errors += decoder_errors;
        self.newest_keyframe_us = self.newest_keyframe_us.max(*newest_keyframe_us);
        self.largest_gap_us = self.largest_gap_us.max(*largest_gap_us);
    }
}

impl Totals {
    pub(super) fn gap(&mut self, last: Option<RelayTime>, now: RelayTime) {
        if let Some(last) = last {
            let gap = (now - last).as_micros() as u64;
            self.largest_gap_us = self.largest_gap_us.max(gap);
        }
    }
}
