//! `bench cluster`: an engine and some relays on this machine, for people to see.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use steadycast_tests::nats::Server;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::{remark, say};
use crate::cluster::{Cluster, Plan};

/// How often it is looked whether all relays are there.
const LOOK: Duration = Duration::from_millis(500);

/// The command line of `bench cluster`.
#[derive(Debug, Args)]
pub struct Clusters {
    /// Relays
    #[arg(long, default_value_t = 3)]
    relays: usize,
    /// The port of the first one's pages; others follow, ten apart, and relays reach one another at the port after each.
    /// 0: any that are free
    #[arg(long, default_value_t = 4433)]
    first_port: u16,
}

impl Clusters {
    /// Runs it until Ctrl-C.
    ///
    /// # Errors
    /// When the engine or a relay does not start, or ends by itself.
    pub fn run(self) -> Result<()> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> Result<()> {
        let mut stopped = signal(SignalKind::interrupt())?;
        let mut ended = signal(SignalKind::terminate())?;
        remark("Starting the engine and the relays");
        let engine = Server::start().await?;
        let plan = Plan {
            relays: self.relays,
            ports: (self.first_port != 0).then_some((self.first_port, 10)),
            engine: vec![vec![engine.url()]],
            replicas: 1,
            cables: false,
            flags: Vec::new(),
        };
        let mut cluster = Cluster::start(&plan).await?;
        say(&self.links(&cluster, &engine)?);
        let watched = async {
            loop {
                for member in &mut cluster.members {
                    member.lives()?;
                }
                sleep(LOOK).await;
            }
        };
        tokio::select! {
            failed = watched => failed,
            _ = stopped.recv() => Ok(()),
            _ = ended.recv() => Ok(()),
        }
    }

    /// One link to publish, and one to watch at each relay.
    fn links(&self, cluster: &Cluster, engine: &Server) -> Result<String> {
        let first = cluster.members.first().context("no relay")?;
        let broadcast = first.target()?.create("One of several relays")?;
        let page =
            |port, page: &str, token: &str| format!("http://localhost:{port}/{page}#token={token}");
        let admin = page(first.address.port(), "admin", &broadcast.publish_token);
        let mut text = format!(
            "\n  Steadycast, {} relays on one machine\n\n  Engine   {}\n  Admin    {admin}\n",
            self.relays,
            engine.url(),
        );
        for member in &cluster.members {
            let link = page(member.address.port(), "play", &broadcast.play_token);
            text.push_str(&format!("  Player   {link}  ({})\n", member.name));
        }
        Ok(text)
    }
}
