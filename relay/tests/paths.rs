//! The model of a path under real QUIC endpoints, on virtual time.
//!
//! The tables: `cargo test --release -p steadycast-relay --test paths -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails should stop, and tables are printed on request"
)]

#[path = "path/mod.rs"]
mod path;
