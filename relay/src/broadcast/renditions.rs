//! Which players get which track, and which renditions that takes (PROTOCOL 2.10).
//!
//! Players differ in nothing here but in their [`Means`]: what they can decode, and how wide their
//! paths are. Of both there are few, so that counting players by means is all the memory needed.

mod means;
mod wanted;

use std::time::Duration;

use steadycast_codec_glue::wire::{CodecKind, CodecSet, Service, Serving, TrackId};

use self::wanted::Want;
use super::{Frame, RelayTime};

pub use means::{Means, Width, Widths};
pub use wanted::Wanted;

/// A publisher that has not begun a rendition after this long is taken to have refused it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all players are served, by their means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Servings([Serving; Means::COUNT]);

impl Servings {
    /// What a player of these means is served.
    pub(super) fn of(&self, means: Means) -> Serving {
        self.0[means.place()]
    }
}

impl Default for Servings {
    fn default() -> Self {
        Self([Serving::DEFAULT; Means::COUNT])
    }
}

/// What a rendition is before anything is known of the main track.
const PREPARING: Serving = Serving {
    service: Service::Preparing,
    ..Serving::DEFAULT
};

/// Whether a frame of a rendition may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is wanted.
    Wanted,
    /// It was wanted a moment ago: the frame and the news of it have crossed.
    Crossed,
    /// This publisher was never asked for it.
    Unasked,
    /// It was asked for in another codec.
    OtherCodec,
}

/// The renditions of one broadcast.
#[derive(Debug)]
pub(super) struct Renditions {
    /// The codec of the main track, once it is known to be one of the four.
    main: Option<CodecKind>,
    /// Players by their means.
    players: [u32; Means::COUNT],
    /// The rendition that players of these means are to have, by their means; `None`: none.
    assigned: [Option<TrackId>; Means::COUNT],
    servings: Servings,
    running: [Option<Running>; TrackId::COUNT],
    /// What this publisher cannot encode, by width.
    refused: [CodecSet; Width::COUNT],
    /// The codecs in which this publisher was asked for a track at any time, by track.
    asked: [CodecSet; TrackId::COUNT],
    /// What this publisher can send.
    widths: Widths,
    /// What renditions may take of a path, in kbit/s, by width.
    max_kbps: [Option<u32>; Width::COUNT],
    /// How many may run at once.
    most: usize,
}

/// A rendition that is wanted.
#[derive(Debug, Clone, Copy)]
struct Running {
    codec: CodecKind,
    width: Width,
    /// A picture of it is there.
    ready: bool,
    /// This publisher has begun it.
    begun: bool,
    /// Since when nobody watches it.
    idle: Option<RelayTime>,
    /// Since when its players wait for the publisher to begin.
    waiting: Option<RelayTime>,
}

impl Default for Renditions {
    fn default() -> Self {
        Self {
            main: None,
            players: [0; Means::COUNT],
            assigned: [None; Means::COUNT],
            servings: Servings::default(),
            running: [None; TrackId::COUNT],
            refused: [CodecSet::NONE; Width::COUNT],
            asked: [CodecSet::NONE; TrackId::COUNT],
            widths: Widths::One,
            max_kbps: [None; Width::COUNT],
            most: TrackId::COUNT,
        }
    }
}

/// The codecs of renditions for narrow paths, best first: how sharp text is in few bits, and how large a
/// keyframe of it (docs/PERFORMANCE.md, *Encoders*).
const FOR_NARROW: [CodecKind; 4] = [
    CodecKind::Av1,
    CodecKind::Vp9,
    CodecKind::Vp8,
    CodecKind::H264,
];

impl Renditions {
    /// A player that had the means `before` has those `after`; `None` for one that is not there.
    pub(super) fn moved(&mut self, before: Option<Means>, after: Option<Means>) {
        self.recount(
            before.map(|means| (means, 1)),
            after.map(|means| (means, 1)),
        );
    }

    /// So many players that had some means have others, or are others; `None`: none.
    pub(super) fn recount(&mut self, before: Option<(Means, u32)>, after: Option<(Means, u32)>) {
        if before == after {
            return;
        }
        // More or less of those that are there already change nothing.
        let mut decide = false;
        if let Some((means, players)) = before {
            let count = &mut self.players[means.place()];
            *count = count.saturating_sub(players);
            decide |= *count == 0;
        }
        if let Some((means, players)) = after {
            let count = &mut self.players[means.place()];
            decide |= *count == 0;
            *count = count.saturating_add(players);
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
        self.refused = Default::default();
        self.decide();
        true
    }

    /// A keyframe of the rendition on `track` has come. True when it is the first.
    pub(super) fn began(&mut self, track: TrackId) -> bool {
        let Some(running) = &mut self.running[at(track)] else {
            return false;
        };
        running.begun = true;
        let first = !std::mem::replace(&mut running.ready, true);
        if first {
            self.decide();
        }
        first
    }

    /// The publisher cannot encode the rendition on `track`. True when that matters.
    pub(super) fn refuse(&mut self, track: TrackId) -> bool {
        let Some(running) = self.running[at(track)] else {
            return false;
        };
        let refused = &mut self.refused[running.width as usize];
        *refused = refused.with(running.codec);
        self.decide();
        true
    }

    /// What renditions of this width may take of a path. True when that is another than before.
    pub(super) fn limit(&mut self, width: Width, max_kbps: Option<u32>) -> bool {
        let before = std::mem::replace(&mut self.max_kbps[width as usize], max_kbps);
        before != max_kbps
    }

    /// Another publisher is in charge, who may be able to do more, or less.
    pub(super) fn reset(&mut self, widths: Widths) {
        self.refused = Default::default();
        self.most = TrackId::COUNT;
        self.widths = widths;
        if widths == Widths::One {
            for running in &mut self.running {
                running.take_if(|running| running.width != Width::Wide);
            }
        }
        for (asked, running) in self.asked.iter_mut().zip(&mut self.running) {
            *asked = CodecSet::NONE;
            if let Some(running) = running {
                *asked = asked.with(running.codec);
                running.begun = false;
                running.waiting = None;
            }
        }
        self.decide();
    }

    /// The publisher that is in charge is asked for so many at once. True when that changed anything.
    pub(super) fn bound(&mut self, most: Option<u32>) -> bool {
        self.most = most.map_or(TrackId::COUNT, |most| most as usize);
        let before = self.wanted();
        let mut left = self.most;
        for running in &mut self.running {
            match running {
                Some(_) if left == 0 => *running = None,
                Some(_) => left -= 1,
                None => {}
            }
        }
        self.decide();
        self.wanted() != before
    }

    /// What time alone changes; `live`: a publisher is there to answer; a rendition goes on for
    /// `linger` after its last player. True when something did.
    pub(super) fn tick(&mut self, live: bool, linger: Duration, now: RelayTime) -> bool {
        let mut changed = false;
        let mut unanswered = Vec::new();
        for track in TrackId::all() {
            let watched = self.watched(track) > 0;
            let Some(running) = &mut self.running[at(track)] else {
                continue;
            };
            let waits = watched && live && !running.begun;
            if lasts(&mut running.waiting, waits, PATIENCE, now) {
                unanswered.push(track);
            }
            if lasts(&mut running.idle, !watched, linger, now) {
                self.running[at(track)] = None;
                changed = true;
            }
        }
        for track in unanswered {
            changed |= self.refuse(track);
        }
        changed
    }

    /// Whether the publisher may send this frame of a rendition.
    pub(super) fn admission(&self, frame: &Frame) -> Admission {
        let track = frame.header().track;
        let (asked, running) = (self.asked[at(track)], self.running[at(track)]);
        // Others than keyframes are in the codec of theirs.
        let is_in = |codecs: CodecSet| {
            let codec = frame.codec();
            !frame.header().keyframe || codec.is_some_and(|codec| codecs.contains(codec))
        };
        match running {
            Some(running) if is_in(CodecSet::NONE.with(running.codec)) => Admission::Wanted,
            _ if asked.is_empty() => Admission::Unasked,
            _ if !is_in(asked) => Admission::OtherCodec,
            _ => Admission::Crossed,
        }
    }

    /// Whether `track` runs, in a codec that players of these means can decode.
    pub(super) fn suits(&self, track: TrackId, means: Means) -> bool {
        let codec = match track == TrackId::MAIN {
            true => self.main,
            false => self.running[at(track)].map(|running| running.codec),
        };
        codec.is_some_and(|codec| means.can_decode(codec))
    }

    /// Whether the rendition on `track` is to run.
    pub(super) fn is_wanted(&self, track: TrackId) -> bool {
        self.running[at(track)].is_some()
    }

    /// What each player is served.
    pub(super) fn servings(&self) -> &Servings {
        &self.servings
    }

    /// What the publisher is to send.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for track in TrackId::all() {
            wanted.0[at(track)] = self.running[at(track)].map(|running| Want {
                codec: running.codec,
                max_kbps: self.max_kbps[running.width as usize],
                players: self.watched(track),
            });
        }
        wanted
    }

    /// Players that are to have the rendition on `track`.
    fn watched(&self, track: TrackId) -> u32 {
        let counted = self.players.iter().zip(&self.assigned);
        counted
            .filter(|(_, assigned)| **assigned == Some(track))
            .map(|(players, _)| players)
            .sum()
    }

    fn decide(&mut self) {
        let (main, refused) = (self.main, self.refused);
        for running in &mut self.running {
            running.take_if(|running| {
                // Players that can decode it have the main track.
                let is_main = running.width == Width::Wide && main == Some(running.codec);
                is_main || refused[running.width as usize].contains(running.codec)
            });
        }
        // Players that have little choice come first: the others may be able to share.
        let here = Means::all().filter(|means| self.players[means.place()] > 0);
        let here: Vec<_> = here.collect();
        for means in &here {
            self.assigned[means.place()] = self.assign(*means);
        }
        // What nobody is served any more is no news to anybody.
        for means in here {
            self.servings.0[means.place()] = self.serving(means);
        }
    }

    /// The rendition that players of these means are to have; begins it where it does not run.
    fn assign(&mut self, means: Means) -> Option<TrackId> {
        let main = self.main?;
        for width in means.width.and_wider() {
            if width == Width::Wide && means.can_decode(main) {
                return None;
            }
            if (width == Width::Wide || self.widths == Widths::Any)
                && let Some(track) = self.choose(means, width, main)
            {
                return Some(track);
            }
            if means.exact {
                return None;
            }
        }
        None
    }

    /// A rendition of this width for players of these means: what they have, then what others have, then
    /// a new one.
    fn choose(&mut self, means: Means, width: Width, main: CodecKind) -> Option<TrackId> {
        let refused = self.refused[width as usize];
        let can = |codec: &CodecKind| {
            let decodes = match means.codecs {
                Some(codecs) => codecs.contains(*codec),
                None => *codec == main,
            };
            decodes && !refused.contains(*codec)
        };
        let suits = |track: &TrackId| {
            let running = self.running[at(*track)];
            running.is_some_and(|running| running.width == width && can(&running.codec))
        };
        let has = self.assigned[means.place()].filter(suits);
        let preferred = match width {
            // Their decoders run in the main track's codec already, where they can decode that.
            Width::Wide => [main].into_iter().chain(TrackId::RENDITIONS).collect(),
            Width::Narrow | Width::Narrower => FOR_NARROW.to_vec(),
        };
        let able: Vec<_> = preferred.into_iter().filter(can).collect();
        let running = able.iter().find_map(|codec| self.track_of(*codec, width));
        has.or(running)
            .or_else(|| self.begin(*able.first()?, width))
    }

    /// The track of what runs in this codec and width.
    fn track_of(&self, codec: CodecKind, width: Width) -> Option<TrackId> {
        TrackId::all().find(|track| {
            let running = self.running[at(*track)];
            running.is_some_and(|running| (running.codec, running.width) == (codec, width))
        })
    }

    fn begin(&mut self, codec: CodecKind, width: Width) -> Option<TrackId> {
        if self.running.iter().flatten().count() >= self.most {
            return None;
        }
        let track = self.number(codec, width)?;
        self.running[at(track)] = Some(Running {
            codec,
            width,
            ready: false,
            begun: false,
            idle: None,
            waiting: None,
        });
        self.asked[at(track)] = self.asked[at(track)].with(codec);
        Some(track)
    }

    /// A number for a track that begins: that which goes with its codec; for a width, a free one, if
    /// possible one that has not been another codec's.
    fn number(&self, codec: CodecKind, width: Width) -> Option<TrackId> {
        if width == Width::Wide {
            return Some(TrackId::of(codec));
        }
        let free = || {
            TrackId::all()
                .skip(TrackId::COUNT_V2)
                .filter(|track| !self.is_wanted(*track))
        };
        free()
            .find(|track| self.asked[at(*track)].without(codec).is_empty())
            .or_else(|| free().next())
    }

    /// What players of these means are served, as things stand.
    fn serving(&self, means: Means) -> Serving {
        if means.exact {
            return self.exact(means);
        }
        let Some(main) = self.main else {
            return Serving::DEFAULT;
        };
        let assigned = self.assigned[means.place()];
        let assigned = assigned.and_then(|track| Some((track, self.running[at(track)]?)));
        let Some((track, running)) = assigned else {
            return match means.can_decode(main) {
                true => Serving::DEFAULT,
                false => Serving {
                    service: Service::Unsupported,
                    codec: Some(main),
                    ..Serving::DEFAULT
                },
            };
        };
        if running.ready {
            return Serving {
                service: Service::Ready,
                track,
                codec: Some(running.codec),
            };
        }
        // Until it is there they have what is too wide for them, if they can decode that.
        self.wider(means, running.width, main).unwrap_or(Serving {
            service: Service::Preparing,
            track,
            codec: Some(running.codec),
        })
    }

    /// What players of these means are served, as things stand, where nothing may take the place of their
    /// rendition.
    fn exact(&self, means: Means) -> Serving {
        let assigned = self.assigned[means.place()];
        let assigned = assigned.and_then(|track| Some((track, self.running[at(track)]?)));
        match assigned {
            _ if self.main.is_none() => PREPARING,
            Some((track, running)) => Serving {
                service: match running.ready {
                    true => Service::Ready,
                    false => Service::Preparing,
                },
                track,
                codec: Some(running.codec),
            },
            None => Serving {
                service: Service::Unsupported,
                codec: self.main,
                ..Serving::DEFAULT
            },
        }
    }

    /// What is there that is wider than `width` and that players of these means can decode.
    fn wider(&self, means: Means, width: Width, main: CodecKind) -> Option<Serving> {
        for width in width.and_wider().skip(1) {
            let ready = TrackId::all().find_map(|track| {
                let running = self.running[at(track)]?;
                let suits = means
                    .codecs
                    .is_some_and(|codecs| codecs.contains(running.codec));
                (running.ready && running.width == width && suits).then_some(Serving {
                    service: Service::Ready,
                    track,
                    codec: Some(running.codec),
                })
            });
            if width == Width::Wide && means.can_decode(main) {
                return Some(Serving::DEFAULT);
            }
            if ready.is_some() {
                return ready;
            }
        }
        None
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

fn at(track: TrackId) -> usize {
    track.number().into()
}

#[cfg(test)]
mod tests;
