//! The sources of one client, of which one is taken.

use std::time::Instant;

use steadycast_codec_glue::rtp::Assembled;

use super::choice::Choice;
use super::source::Source;

/// Sources of one client that are looked at: three sizes, and one that comes instead of one of them.
const SOURCES: usize = 4;

/// The sources of one client.
#[derive(Default)]
pub(super) struct Sources {
    all: Vec<Source>,
    taken: Option<u32>,
    choice: Choice,
}

/// What becomes of a packet's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is known.
    Known,
    /// It is the one that is taken from now on.
    Taken,
}

impl Sources {
    /// The one that is taken.
    pub(super) fn taken(&mut self) -> Option<&mut Source> {
        let taken = self.taken?;
        self.get(taken)
    }

    pub(super) fn is_taken(&self, ssrc: u32) -> bool {
        self.taken == Some(ssrc)
    }

    pub(super) fn get(&mut self, ssrc: u32) -> Option<&mut Source> {
        self.all.iter_mut().find(|source| source.ssrc == ssrc)
    }

    /// Bytes of what has come and is no frame yet.
    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(Source::bytes).sum()
    }

    /// All of them.
    pub(super) fn ssrcs(&self) -> Vec<u32> {
        self.all.iter().map(|source| source.ssrc).collect()
    }

    /// A packet of media has come from a source; `None` when there are too many to look at it.
    pub(super) fn hear(&mut self, ssrc: u32, now: Instant) -> Option<Heard> {
        if self.get(ssrc).is_none() {
            self.make_room(now)?;
            self.all.push(Source::new(ssrc, now));
        }
        let source = self.get(ssrc)?;
        source.known.hear(now);
        let known = source.known;
        match self.taken().map(|taken| taken.known) {
            Some(taken) if self.is_taken(ssrc) || !known.succeeds(&taken, now) => {
                Some(Heard::Known)
            }
            _ => {
                self.take(ssrc, false, now);
                Some(Heard::Taken)
            }
        }
    }

    /// The source whose packet is sent again; it says so itself only where it is agreed on.
    pub(super) fn repeated(&self, sequence: u16, timestamp: u32) -> Option<u32> {
        match &self.all[..] {
            [only] => Some(only.ssrc),
            several => several
                .iter()
                .find(|source| source.lacks(sequence, timestamp))
                .map(|source| source.ssrc),
        }
    }

    /// A source has a frame. True when it is the one that is taken, from this frame on.
    pub(super) fn offers(&mut self, ssrc: u32, frame: &Assembled, now: Instant) -> bool {
        let taken = self.taken().map(|taken| taken.known);
        let Some(source) = self.get(ssrc) else {
            return false;
        };
        if let Some(picture) = &frame.picture {
            source.known.shows(picture.width, picture.height);
        }
        let known = source.known;
        let better = taken.is_none_or(|taken| self.choice.prefers(&known, &taken, now));
        if self.is_taken(ssrc) || !(frame.keyframe && better) {
            return false;
        }
        self.take(ssrc, true, now);
        true
    }

    /// Sources that are to be asked for a keyframe, besides the one that is taken.
    pub(super) fn asked(&mut self, now: Instant) -> Vec<u32> {
        let Some(taken) = self.taken().map(|source| (source.ssrc, source.known)) else {
            return Vec::new();
        };
        let choice = &self.choice;
        let others = self.all.iter_mut().filter(|source| source.ssrc != taken.0);
        let asked = others.filter_map(|source| {
            let asks = choice.asks(&mut source.known, &taken.1, now);
            asks.then_some(source.ssrc)
        });
        asked.collect()
    }

    fn take(&mut self, ssrc: u32, keyframe: bool, now: Instant) {
        let before = self.taken().map(|taken| {
            taken.pass_over();
            taken.known
        });
        let Some(source) = self.get(ssrc) else {
            return;
        };
        source.be_taken(keyframe);
        let known = source.known;
        if let Some(before) = before {
            self.choice.took(&known, &before, now);
        }
        self.taken = Some(ssrc);
    }

    /// Room for one more: the one that has been silent for longest goes, unless none is.
    fn make_room(&mut self, now: Instant) -> Option<()> {
        if self.all.len() < SOURCES {
            return Some(());
        }
        let others = self.all.iter().enumerate();
        let others = others.filter(|(_, source)| !self.is_taken(source.ssrc));
        let silent = others.filter(|(_, source)| source.known.is_silent(now));
        let (at, _) = silent.min_by_key(|(_, source)| source.known.heard())?;
        self.all.swap_remove(at);
        Some(())
    }
}
