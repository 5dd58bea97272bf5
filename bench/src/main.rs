//! `bench`: loads a relay.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::cli::run()
}
