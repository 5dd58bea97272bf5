//! Frames that become packets, travel badly, and become frames again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod frames;
mod network;
mod outside;
mod round_trip;
mod samples;

use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run; a failure prints its own.
fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(7_741),
        failure_persistence: None,
        ..Config::default()
    }
}
