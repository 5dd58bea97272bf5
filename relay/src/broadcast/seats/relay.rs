//! The seats of relays: that of one that is served here and serves others, and that of one that a broadcast comes from.

use std::sync::Arc;

use steadycast_codec_glue::wire::{CodecKind, CodecSet, MediaKind};

use super::super::renditions::{Means, Width};
use super::super::{Behind, Broadcast, RelayTime, Word};
use super::{PlayerSeat, PublisherSeat};

/// Of what a path carries a rendition for it takes this part (PROTOCOL 2.10), by which a path is known from what its
/// rendition may take.
const TAKES: f64 = 0.65;

/// What a relay has said of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Relay {
    behind: Behind,
    /// The rendition that it needs instead of the main track.
    needs: Option<(CodecKind, Option<u32>)>,
}

impl Relay {
    /// Who of those behind it counts as watching the broadcast: those of a rendition watch the main track's seat.
    pub(super) fn counted(&self) -> Behind {
        match self.needs {
            None => self.behind,
            Some(_) => Behind::default(),
        }
    }
}

impl PlayerSeat {
    /// A seat for a relay, to which every frame matters.
    pub(in crate::broadcast) fn of_relay(broadcast: &Arc<Broadcast>) -> Self {
        let mut seat = Self::new(broadcast);
        seat.relay = Some(Relay::default());
        seat.cursors.of_mut(MediaKind::Video).keep_whole();
        seat
    }

    /// Whether it is a relay's.
    pub fn is_of_relay(&self) -> bool {
        self.relay.is_some()
    }

    /// Behind the relay are so many.
    pub fn has_behind(&mut self, behind: Behind) {
        let before = (self.means, self.counts_as());
        let Some(relay) = &mut self.relay else {
            return;
        };
        let counted = relay.counted();
        relay.behind = behind;
        let counts = relay.counted();
        if counts != counted && self.here {
            let mut state = self.broadcast.state.lock();
            state.recount_behind(counted, counts);
            self.broadcast.announce(&state);
        }
        self.recount(before);
    }

    /// The relay is to have a rendition and nothing else: of this codec, for a path that would be given so many kbit/s.
    pub fn needs(&mut self, codec: CodecKind, max_kbps: Option<u32>, now: RelayTime) {
        let before = (self.means, self.counts_as());
        let Some(relay) = &mut self.relay else {
            return;
        };
        let counted = relay.counted();
        relay.needs = Some((codec, max_kbps));
        let counts = relay.counted();
        let mut state = self.broadcast.state.lock();
        if self.here {
            state.recount_behind(counted, counts);
        }
        let carries = max_kbps.map(|kbps| (f64::from(kbps) * 125.0 / TAKES) as u64);
        let width = match carries {
            None => Width::Wide,
            carries => {
                let number = *self.path.get_or_insert_with(|| state.number_path());
                state.see_path(number, carries, now)
            }
        };
        if let Some(number) = self.path.take_if(|_| width == Width::Wide) {
            state.forget_path(number);
        }
        drop(state);
        self.means = Means {
            codecs: Some(CodecSet::NONE.with(codec)),
            width,
            exact: true,
        };
        self.recount(before);
    }

    /// The renditions for narrow paths may be others by now: the relay's need is seen again.
    pub fn see_needs(&mut self, now: RelayTime) {
        let needs = self.relay.and_then(|relay| relay.needs);
        if let Some((codec, max_kbps @ Some(_))) = needs {
            self.needs(codec, max_kbps, now);
        }
    }

    /// As how many players it counts where renditions are shared out: a relay that needs one as those behind it.
    pub(super) fn counts_as(&self) -> u32 {
        match self.relay {
            Some(relay) if relay.needs.is_some() => relay.behind.players.max(1),
            _ => 1,
        }
    }
}

impl PublisherSeat {
    /// The publisher is another relay, at which the broadcast is doing so: it does so here as well.
    pub fn follow(&self, word: Word, now: RelayTime) {
        self.heard
            .store(now.as_micros(), std::sync::atomic::Ordering::Relaxed);
        let mut state = self.broadcast.state.lock();
        if state.follow(self.epoch, word, now) {
            self.broadcast.announce(&state);
        }
    }
}

#[cfg(test)]
mod tests;
