//! `steadycast`: the relay.
fn main() {}
