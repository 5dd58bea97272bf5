//! The model of a path under real QUIC endpoints, on virtual time.
//!
//! The tables: `cargo test --release -p steadycast-relay --test paths -- --ignored --nocapture`.

#[path = "path/mod.rs"]
mod path;
