//! `steadycast`: the relay.

use std::process::ExitCode;

use steadycast_relay::{cli, relay};

fn main() -> ExitCode {
    cli::run(|config| relay::run(&config))
}
