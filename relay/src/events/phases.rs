//! Which broadcasts are live, and which are held.

use std::collections::HashMap;

use steadycast_codec_glue::wire::Phase;

use super::event::Event;
use super::hub::Events;
use crate::broadcast::{Incarnation, Registry};

/// Remembers the phases of broadcasts, so that what has changed can be told.
#[derive(Debug, Default)]
pub struct Phases {
    known: HashMap<Incarnation, Phase>,
    /// Whether somebody listened at the last look.
    heard: bool,
}

impl Phases {
    /// Tells what has changed since the last look; nothing of what was so before anybody listened.
    pub fn look(&mut self, registry: &Registry, events: &Events) {
        let heard = std::mem::replace(&mut self.heard, events.are_heard());
        if !self.heard {
            return self.known.clear();
        }
        let all = registry.list();
        let mut now = HashMap::with_capacity(all.len());
        for broadcast in all {
            let phase = broadcast.status().phase;
            let before = self.known.get(&broadcast.incarnation()).copied();
            now.insert(broadcast.incarnation(), phase);
            let id = broadcast.id();
            match phase {
                _ if !heard || before.unwrap_or(Phase::Waiting) == phase => {}
                Phase::Waiting => {}
                Phase::Live => events.tell(Event::Live(id.clone())),
                Phase::Held => events.tell(Event::Held(id.clone())),
            }
        }
        self.known = now;
    }
}
