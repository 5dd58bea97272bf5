//! What is assumed, and what the product's own constants say.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use steadycast_relay::{cluster, directory};

/// What is played.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Scene {
    /// Relays, as many in each region
    #[arg(long, default_value_t = 1_000)]
    pub relays: usize,
    /// Players, as many of each region
    #[arg(long, default_value_t = 1_000_000)]
    pub players: usize,
    /// Broadcasts, of which the n-th has 1/n of the first one's players
    #[arg(long, default_value_t = 2_000)]
    pub broadcasts: usize,
    /// Regions
    #[arg(long, default_value_t = 3)]
    pub regions: usize,
    /// How players come to relays of their region
    #[arg(long, value_enum, default_value_t = Placement::Spread)]
    pub placement: Placement,
    /// Players that a relay takes
    #[arg(long, default_value_t = 2_000)]
    pub takes: u64,
    /// Relays that may get a broadcast from one relay
    #[arg(long, default_value_t = 16)]
    pub children: usize,
    /// What a broadcast takes
    #[arg(long, default_value_t = 2_500)]
    pub kbps: u64,
    /// Publishers that move to another relay each second, before the region is lost
    #[arg(long, default_value_t = 20)]
    pub moves: u64,
    /// For how long the engine takes no writes when the region is lost, because the server that led it was there, in ms
    #[arg(long, default_value_t = 0)]
    pub election_ms: u64,
    /// Writes that the engine takes in a second
    #[arg(long, default_value_t = 10_000)]
    pub engine_writes: u64,
    /// The same seed, the same figures
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// How players come to relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// To any of their region, as by an address that many relays have: the less loaded of two
    Spread,
    /// To the one that the link names, which is where the publisher came first; when it is full, to those that it tells of
    Linked,
    /// To those of their region that one there tells of: those of a broadcast to the same until these are full
    Packed,
}

/// One way within a region and between two, in microseconds.
const NEAR: u64 = 2_000;
const FAR: u64 = 40_000;

/// Since when players and publishers whose relay has died are at another: what PROTOCOL promises, and how far apart they
/// are.
pub(super) const MOVED_AFTER: Duration = Duration::from_secs(2);
pub(super) const APART: Duration = Duration::from_millis(500);
/// After so long without an answer a publisher asks again.
pub(super) const ASKS_AGAIN: Duration = Duration::from_secs(1);

/// How long a relay waits for a sign of life over a link, and then for a connection until it calls the other dead.
pub(super) const SILENCE: Duration = cluster::SILENCE;
pub(super) const REPORTED: Duration = Duration::from_secs(1);
/// How long it waits for the engine.
pub(super) const ENGINE: Duration = directory::PATIENCE;
/// How long a lease is good, as `cluster.lease_s` has it.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// When things happen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) claims: u64,
    pub(super) players: u64,
    pub(super) counted: u64,
    pub(super) moves: u64,
    pub(super) lost: u64,
    pub(super) end: u64,
}

/// In microseconds of virtual time.
pub(super) const TIMES: Times = Times {
    claims: 2_000_000,
    players: 12_000_000,
    counted: 30_000_000,
    moves: 31_000_000,
    lost: 46_000_000,
    end: 106_000_000,
};

impl Scene {
    /// The region of a relay.
    pub(super) fn region(&self, relay: usize) -> usize {
        relay % self.regions
    }

    /// The name of a region.
    pub(super) fn name(region: usize) -> String {
        format!("region-{region}")
    }

    /// One way between two regions. The engine is in the last one.
    pub(super) fn way(from: usize, to: usize) -> u64 {
        match from == to {
            true => NEAR,
            false => FAR,
        }
    }

    /// The region that the engine is reached in; it is not the one that is lost.
    pub(super) fn engine(&self) -> usize {
        self.regions - 1
    }
}
