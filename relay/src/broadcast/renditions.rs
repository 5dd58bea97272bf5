//! Which players get which track, and which renditions that takes (PROTOCOL 2.10).
//!
//! Players differ in nothing here but in what they can decode, and there are
//! sixteen such sets: counting players by set is all the memory that is needed.

use std::time::Duration;

use steadycast_codec_glue::wire::{CodecKind, CodecSet, Rendition, Service, Serving, TrackId};

use super::RelayTime;

/// A publisher that has not begun a rendition after this long is taken to have refused it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all players are served, by what they can decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Servings([Serving; CodecSet::COUNT]);

impl Servings {
    /// What a player is served that has said `codecs`, or nothing.
    pub(super) fn of(&self, codecs: Option<CodecSet>) -> Serving {
        codecs.map_or(Serving::DEFAULT, |codecs| self.0[place(codecs)])
    }
}

impl Default for Servings {
    fn default() -> Self {
        Self([Serving::DEFAULT; CodecSet::COUNT])
    }
}

/// The renditions wanted of a publisher: for each codec how many players, if any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted([Option<u32>; CodecKind::ALL.len()]);

impl Wanted {
    /// As the wire says it.
    pub fn list(&self) -> Vec<Rendition> {
        TrackId::RENDITIONS
            .into_iter()
            .filter_map(|codec| {
                Some(Rendition {
                    track: TrackId::of(codec),
                    codec,
                    players: self.0[codec as usize]?,
                })
            })
            .collect()
    }

    /// Whether both want the same, for however many players.
    pub fn same_tracks(&self, other: &Self) -> bool {
        let tracks = |wanted: &Self| wanted.0.map(|players| players.is_some());
        tracks(self) == tracks(other)
    }
}

/// Whether a frame of a rendition may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is wanted.
    Wanted,
    /// It was wanted a moment ago: the frame and the news of it have crossed.
    Crossed,
    /// This publisher was never asked for it.
    Unasked,
}

/// The renditions of one broadcast.
#[derive(Debug, Default)]
pub(super) struct Renditions {
    /// The codec of the main track, once it is known to be one of the four.
    main: Option<CodecKind>,
    /// Players by what they can decode; who has said nothing is not counted.
    players: [u32; CodecSet::COUNT],
    servings: Servings,
    wanted: [Option<State>; CodecKind::ALL.len()],
    /// What this publisher cannot encode.
    refused: CodecSet,
    /// What this publisher was asked for at any time.
    asked: CodecSet,
}

/// Of a rendition that is wanted.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// A picture of it is there.
    ready: bool,
    /// This publisher has begun it.
    begun: bool,
    /// Since when nobody watches it.
    idle: Option<RelayTime>,
    /// Since when its players wait for the publisher to begin.
    waiting: Option<RelayTime>,
}

impl Renditions {
    /// A player that had said `before` says `after`; `None` for one that has said nothing, or is not there.
    pub(super) fn said(&mut self, before: Option<CodecSet>, after: Option<CodecSet>) {
        if before == after {
            return;
        }
        // One more or less of those that are there already changes nothing.
        let mut decide = false;
        if let Some(codecs) = before {
            let count = &mut self.players[place(codecs)];
            *count = count.saturating_sub(1);
            decide |= *count == 0;
        }
        if let Some(codecs) = after {
            let count = &mut self.players[place(codecs)];
            *count += 1;
            decide |= *count == 1;
        }
        if decide {
            self.decide();
        }
    }

    /// A keyframe of the main track has come. True when players are served otherwise from now on.
    pub(super) fn main_is(&mut self, codec: Option<CodecKind>) -> bool {
        if codec == self.main {
            return false;
        }
        self.main = codec;
        // Another codec often comes with another size: what failed may succeed.
        self.refused = CodecSet::NONE;
        self.decide();
        true
    }

    /// A keyframe of the rendition in `codec` has come. True when it is the first.
    pub(super) fn began(&mut self, codec: CodecKind) -> bool {
        let Some(state) = &mut self.wanted[codec as usize] else {
            return false;
        };
        state.begun = true;
        let first = !std::mem::replace(&mut state.ready, true);
        if first {
            self.decide();
        }
        first
    }

    /// The publisher cannot encode `codec`. True when that matters.
    pub(super) fn refuse(&mut self, codec: CodecKind) -> bool {
        if self.wanted[codec as usize].is_none() || self.refused.contains(codec) {
            return false;
        }
        self.refused = self.refused.with(codec);
        self.decide();
        true
    }

    /// Another publisher is in charge, who may be able to do more.
    pub(super) fn reset(&mut self) {
        self.refused = CodecSet::NONE;
        self.asked = CodecKind::ALL
            .into_iter()
            .filter(|&codec| self.is_wanted(codec))
            .collect();
        for state in self.wanted.iter_mut().flatten() {
            state.begun = false;
            state.waiting = None;
        }
        self.decide();
    }

    /// What time alone changes; `live`: a publisher is there to answer; a rendition goes on for
    /// `linger` after its last player. True when something did.
    pub(super) fn tick(&mut self, live: bool, linger: Duration, now: RelayTime) -> bool {
        let mut over = CodecSet::NONE;
        let mut unanswered = CodecSet::NONE;
        for codec in CodecKind::ALL {
            let watched = self.watched(codec) > 0;
            let Some(state) = &mut self.wanted[codec as usize] else {
                continue;
            };
            if lasts(&mut state.idle, !watched, linger, now) {
                over = over.with(codec);
            }
            let waits = watched && live && !state.begun;
            if lasts(&mut state.waiting, waits, PATIENCE, now) {
                unanswered = unanswered.with(codec);
            }
        }
        for codec in over.iter() {
            self.wanted[codec as usize] = None;
        }
        let refused = unanswered
            .iter()
            .filter(|&codec| self.refuse(codec))
            .count();
        !over.is_empty() || refused > 0
    }

    /// Whether the publisher may send frames of the rendition in `codec`.
    pub(super) fn admission(&self, codec: CodecKind) -> Admission {
        match (self.is_wanted(codec), self.asked.contains(codec)) {
            (true, _) => Admission::Wanted,
            (false, true) => Admission::Crossed,
            (false, false) => Admission::Unasked,
        }
    }

    /// Whether the rendition in `codec` is to run.
    pub(super) fn is_wanted(&self, codec: CodecKind) -> bool {
        self.wanted[codec as usize].is_some()
    }

    /// What each player is served.
    pub(super) fn servings(&self) -> &Servings {
        &self.servings
    }

    /// What the publisher is to send.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted(CodecKind::ALL.map(|codec| self.is_wanted(codec).then(|| self.watched(codec))))
    }

    /// Players that are served the rendition in `codec`.
    fn watched(&self, codec: CodecKind) -> u32 {
        let track = TrackId::of(codec);
        let counted = self.players.iter().zip(&self.servings.0);
        counted
            .filter(|(_, serving)| serving.track == track)
            .map(|(players, _)| players)
            .sum()
    }

    fn decide(&mut self) {
        if let Some(main) = self.main {
            // Who can decode it has the main track.
            self.wanted[main as usize] = None;
        }
        for codec in self.refused.iter() {
            self.wanted[codec as usize] = None;
        }
        // Who has little choice first: the others may be able to share.
        let mut sets: Vec<_> = (0..CodecSet::COUNT as u8)
            .filter_map(CodecSet::from_bits)
            .collect();
        sets.sort_by_key(|codecs| codecs.len());
        for codecs in sets {
            // What nobody is served any more is no news to anybody.
            if self.players[place(codecs)] > 0 {
                self.servings.0[place(codecs)] = self.serve(codecs);
            }
        }
    }

    /// What players with these decoders get; begins a rendition where one is needed.
    fn serve(&mut self, codecs: CodecSet) -> Serving {
        let Some(offered) = self.main.filter(|&main| !codecs.contains(main)) else {
            return Serving::DEFAULT;
        };
        let Some(codec) = self.choose(codecs) else {
            return Serving {
                service: Service::Unsupported,
                codec: Some(offered),
                ..Serving::DEFAULT
            };
        };
        let state = self.wanted[codec as usize].get_or_insert_default();
        self.asked = self.asked.with(codec);
        Serving {
            service: match state.ready {
                true => Service::Ready,
                false => Service::Preparing,
            },
            track: TrackId::of(codec),
            codec: Some(codec),
        }
    }

    /// The rendition for these decoders: what they have, then what others have, then a new one.
    fn choose(&self, codecs: CodecSet) -> Option<CodecKind> {
        let can = |codec: &CodecKind| codecs.contains(*codec) && !self.refused.contains(*codec);
        let has = self.servings.0[place(codecs)].track.codec();
        let running = |codec: &CodecKind| self.is_wanted(*codec);
        let mut able = TrackId::RENDITIONS.into_iter().filter(can);
        has.filter(|codec| can(codec) && running(codec))
            .or_else(|| able.clone().find(running))
            .or_else(|| able.next())
    }
}

/// Whether a state has lasted for `limit`; `since` remembers when it began.
fn lasts(since: &mut Option<RelayTime>, holds: bool, limit: Duration, now: RelayTime) -> bool {
    if !holds {
        *since = None;
        return false;
    }
    now - *since.get_or_insert(now) >= limit
}

fn place(codecs: CodecSet) -> usize {
    codecs.bits().into()
}

#[cfg(test)]
mod tests;
