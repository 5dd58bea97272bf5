//! The command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::catalog::Catalogs;
use crate::commands::churn::Churn;
use crate::commands::cluster::Clusters;
use crate::commands::directory::Directories;
use crate::commands::fanout::Fanout;
use crate::commands::faults::Fault;
use crate::commands::floor::Floor;
use crate::commands::model::Model;
use crate::commands::network::Network;
use crate::commands::peer::Peer;
use crate::commands::publish::Publish;
use crate::commands::soak::Soak;
use crate::commands::sweep::Sweep;
use crate::commands::watch::Watch;
use crate::process;

/// Loads a Steadycast relay with real sessions and says what it costs.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One load: publishers, players, and a report
    Fanout(Fanout),
    /// The most players that one relay serves in time
    Sweep(Sweep),
    /// One load for a long time: does the relay's memory grow?
    Soak(Soak),
    /// Players that come and go
    Churn(Churn),
    /// An engine and some relays on this machine, for people to see
    Cluster(Clusters),
    /// What many broadcasts of other relays cost a relay, in the engine and in its memory
    Catalog(Catalogs),
    /// What the directory of a cluster costs a relay that has none of its broadcasts
    Directory(Directories),
    /// A cluster of processes that are killed, frozen and cut off, and what players see of that
    Faults(Fault),
    /// A cluster of a thousand relays on virtual time: what it sends, and how it gets over the loss of a region
    Model(Model),
    /// The sending half of a run, for two machines
    Publish(Publish),
    /// The receiving half of a run, for two machines
    Watch(Watch),
    /// What the machine allows: the same bytes, only sealed and sent
    Floor(Floor),
    /// The same load against another project's relay, in turns
    Peer(Peer),
    /// How players fare on bad networks
    Network(Network),
    /// Is a relay: what the other commands start where no --url is given
    #[command(hide = true)]
    Relay {
        /// As `steadycast` takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// The program.
pub fn run() -> ExitCode {
    // For relays with a certificate. Nobody else installs one here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match Line::parse().command {
        Command::Relay { args } => return process::be_relay(args),
        Command::Fanout(fanout) => fanout.run(),
        Command::Sweep(sweep) => sweep.run(),
        Command::Soak(soak) => soak.run(),
        Command::Churn(churn) => churn.run(),
        Command::Cluster(cluster) => cluster.run(),
        Command::Catalog(catalog) => catalog.run(),
        Command::Directory(directory) => directory.run(),
        Command::Faults(faults) => faults.run(),
        Command::Model(model) => model.run(),
        Command::Publish(publish) => publish.run(),
        Command::Watch(watch) => watch.run(),
        Command::Floor(floor) => floor.run(),
        Command::Peer(peer) => peer.run(),
        Command::Network(network) => network.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a program says on stderr what went wrong"
)]
fn complain(text: &str) {
    eprintln!("error: {text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Line::command().debug_assert();
    }
}
