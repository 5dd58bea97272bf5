//! Where a broadcast comes from: from its publisher, or from another relay.

use std::sync::Arc;

/// Where one comes from, and how often that has changed.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The address of the relay that it comes from; `None`: its publisher comes here.
    upstream: Option<Arc<str>>,
    moves: u32,
}

impl Source {
    /// It comes from there from now on. True when that is a move.
    pub(super) fn becomes(&mut self, upstream: Option<Arc<str>>) -> bool {
        let moved = upstream.is_some() || self.upstream.is_some();
        self.moves += u32::from(moved);
        self.upstream = upstream;
        moved
    }

    /// It still comes from another relay, which is reached at another address.
    pub(super) fn is_at(&mut self, address: Arc<str>) {
        if let Some(upstream) = &mut self.upstream {
            *upstream = address;
        }
    }

    /// Whether its publisher comes here.
    pub(super) fn is_here(&self) -> bool {
        self.upstream.is_none()
    }

    pub(super) fn upstream(&self) -> Option<&Arc<str>> {
        self.upstream.as_ref()
    }

    /// How often it has moved: who brings it from another relay does so until this is another number.
    pub(super) fn moves(&self) -> u32 {
        self.moves
    }
}
