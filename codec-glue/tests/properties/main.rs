//! What holds of every message, header and group, not only of the vectors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod frames;
mod groups;
mod messages;
#[path = "../reader/mod.rs"]
mod reader;
mod sound;

use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run; a failure prints its own.
fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(4_443),
        failure_persistence: None,
        ..Config::default()
    }
}
