//! Two links: there and back.

use std::time::Duration;

use crate::link::Link;
use crate::shape::{Course, Shape};

/// What a path does to packets, each way on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Ways {
    /// From the relay to the player.
    pub down: Course,
    /// From the player to the relay.
    pub up: Course,
}

impl Ways {
    /// The same both ways.
    pub fn alike(shape: Shape) -> Self {
        Self::of(shape, shape)
    }

    /// Down and up.
    pub fn of(down: impl Into<Course>, up: impl Into<Course>) -> Self {
        Self {
            down: down.into(),
            up: up.into(),
        }
    }
}

/// A path between a relay and a player, for packets `T`.
#[derive(Debug)]
pub struct Path<T> {
    /// From the relay to the player.
    pub down: Link<T>,
    /// From the player to the relay.
    pub up: Link<T>,
}

impl<T: Clone> Path<T> {
    /// A path whose chance comes from `seed`, each way of its own.
    pub fn new(ways: &Ways, seed: u64) -> Self {
        let seed = seed.wrapping_mul(2);
        Self {
            down: Link::new(ways.down.clone(), seed),
            up: Link::new(ways.up.clone(), seed.wrapping_add(1)),
        }
    }

    /// When something happens next on either of them without another packet.
    pub fn next_due(&self) -> Option<Duration> {
        [self.down.next_due(), self.up.next_due()]
            .into_iter()
            .flatten()
            .min()
    }
}
