//! What a broadcast has to do with other relays: those that are served here, and the one that it comes from.

use std::sync::Arc;

use steadycast_codec_glue::wire::Phase;

use super::super::renditions::{Means, Widths};
use super::super::source::Source;
use super::super::{AttachError, Behind, RelayTime, Withheld, Word};
use super::{Life, State};

impl Word {
    /// What has become of the publisher: a relay that has a picture and is told that there is none yet keeps it.
    fn life(self) -> Life {
        match self.phase {
            Phase::Live | Phase::Paused => Life::Live,
            Phase::Held | Phase::Waiting => Life::Held,
        }
    }
}

impl State {
    /// A relay comes. No limit on players counts it.
    pub(in crate::broadcast) fn attach_relay(&mut self) -> Result<(), AttachError> {
        if let Some(code) = self.ended {
            return Err(AttachError::Ended(code));
        }
        self.relays += 1;
        Ok(())
    }

    /// A relay of these means, counted as so many, has left with those behind it.
    pub(in crate::broadcast) fn detach_relay(&mut self, counts: (Means, u32), behind: Behind) {
        self.renditions.recount(Some(counts), None);
        self.recount_behind(behind, Behind::default());
        self.relays = self.relays.saturating_sub(1);
    }

    /// It comes from another relay from now on, whose publisher takes over from the one here: that one is superseded at
    /// once, and what there is to see stays. Gives the epoch, and the number of the move.
    pub(in crate::broadcast) fn follow_relay(
        &mut self,
        address: Arc<str>,
        now: RelayTime,
    ) -> Result<(u32, u32), AttachError> {
        if let Some(code) = self.ended {
            return Err(AttachError::Ended(code));
        }
        self.source.becomes(Some(address));
        Ok((self.begin_epoch(Widths::Any, now), self.source.moves()))
    }

    /// A relay brings an epoch of the broadcast, since that move of it.
    ///
    /// # Errors
    /// [`AttachError::Superseded`] when it has moved since.
    pub(in crate::broadcast) fn attach_relay_above(
        &mut self,
        moves: u32,
        now: RelayTime,
    ) -> Result<u32, AttachError> {
        if let Some(code) = self.ended {
            return Err(AttachError::Ended(code));
        }
        match moves == self.source.moves() {
            true => Ok(self.begin_epoch(Widths::Any, now)),
            false => Err(AttachError::Superseded),
        }
    }

    /// This relay is where it is from now on, and nobody publishes yet. True when that changed what there is to tell.
    pub(in crate::broadcast) fn stay_here(&mut self, now: RelayTime) -> bool {
        if !self.comes_here() {
            return false;
        }
        self.publisher = None;
        self.hand_over();
        self.enter_held(now);
        true
    }

    /// Its publisher comes here from now on. True when that is a move.
    pub(in crate::broadcast) fn comes_here(&mut self) -> bool {
        if !self.source.is_here() {
            // How it has been until now was told where it was.
            self.told = self.status().phase;
        }
        self.source.becomes(None)
    }

    /// Where it comes from.
    pub(in crate::broadcast) fn source(&self) -> &Source {
        &self.source
    }

    /// It comes from another relay at another address than before.
    pub(in crate::broadcast) fn is_at(&mut self, address: Arc<str>) {
        self.source.is_at(address);
    }

    /// Behind a relay are others than before.
    pub(in crate::broadcast) fn recount_behind(&mut self, before: Behind, after: Behind) {
        let moved = |all: u32, before: u32, after| all.saturating_sub(before).saturating_add(after);
        let all = &mut self.behind;
        all.players = moved(all.players, before.players, after.players);
        all.listeners = moved(all.listeners, before.listeners, after.listeners);
    }

    /// Sessions of relays.
    pub(in crate::broadcast) fn relays(&self) -> u32 {
        self.relays
    }

    /// Players that watch at other relays.
    pub(in crate::broadcast) fn elsewhere(&self) -> u32 {
        self.behind.players
    }

    /// Players that are to hear what there is, here and behind relays.
    pub(in crate::broadcast) fn listeners(&self) -> u32 {
        self.sound.listeners().saturating_add(self.behind.listeners)
    }

    /// Whether a player or a relay is there.
    pub(in crate::broadcast) fn is_watched(&self) -> bool {
        self.players > 0 || self.relays > 0
    }

    /// The publisher is another relay, which says how the broadcast is doing. True when that changed the phase.
    pub(in crate::broadcast) fn follow(&mut self, epoch: u32, word: Word, now: RelayTime) -> bool {
        let Some(publisher) = self.publisher.as_mut().filter(|p| p.epoch == epoch) else {
            return false;
        };
        publisher.heard = now;
        publisher.follows = Some(word);
        let mut changed = false;
        if let Some(pause) = self.pause.as_mut().filter(|_| word.phase == Phase::Paused) {
            changed = std::mem::replace(&mut pause.since, word.since) != word.since;
        }
        // Without a picture it waits for one, however it is doing elsewhere.
        changed | (self.life != Life::Waiting && self.appear(now))
    }

    /// A publisher that has shown a picture is heard: the broadcast is live, or as another relay says.
    pub(super) fn appear(&mut self, now: RelayTime) -> bool {
        let follows = self
            .publisher
            .as_ref()
            .and_then(|publisher| publisher.follows);
        let Some(word) = follows else {
            return self.enter(Life::Live, now);
        };
        let before = (self.life, self.since);
        (self.life, self.since) = (word.life(), word.since);
        before != (self.life, self.since)
    }

    /// Since when the picture has been taken back, if it has.
    pub(super) fn paused_since(&self) -> Option<RelayTime> {
        let publisher = self.publisher.as_ref();
        let word = publisher.and_then(|publisher| publisher.follows);
        let elsewhere = word.filter(|word| word.phase == Phase::Paused);
        let here = self.pause.map(|pause| pause.since);
        elsewhere.map(|word| word.since).or(here)
    }

    /// What the publisher has taken back, while it has.
    pub(in crate::broadcast) fn withheld(&self) -> Option<Withheld> {
        self.pause.map(|pause| pause.withheld)
    }
}
