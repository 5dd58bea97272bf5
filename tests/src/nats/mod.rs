//! Real servers of the engine, each a process of its own, which can be killed, frozen and cut off from one another.

mod gate;
mod papers;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::TcpStream;

pub use self::gate::Gate;
pub use self::papers::Papers;

use crate::client::soon;

/// Where `scripts/install-test-tools rust` puts the server, from the repository's root.
const BINARY: &str = "target/tools/nats/bin/nats-server";

/// A server, by itself or of a cluster. Dropping it ends the process.
pub struct Server {
    child: Option<Child>,
    scheme: &'static str,
    address: SocketAddr,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    /// Starts one by itself.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        let mut server = Self::new("alone", &[])?;
        server.restart().await?;
        Ok(server)
    }

    /// Starts one by itself that is reached over TLS and asks for credentials.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn secured() -> Result<(Self, Papers)> {
        let mut server = Self::new("alone", &[])?;
        let (papers, config) = Papers::make(&server.directory)?;
        let file = server.directory.join("server.conf");
        fs::write(&file, config)?;
        server
            .arguments
            .push(format!("--config={}", file.display()));
        server.scheme = "tls";
        server.restart().await?;
        Ok((server, papers))
    }

    fn new(name: &str, more: &[String]) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = format!("steadycast-nats-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        let address = free()?;
        let mut arguments = vec![
            "--jetstream".to_owned(),
            "--addr=127.0.0.1".to_owned(),
            format!("--port={}", address.port()),
            format!("--server_name={name}"),
            format!("--store_dir={}", directory.join("store").display()),
        ];
        arguments.extend_from_slice(more);
        fs::create_dir_all(&directory)?;
        Ok(Self {
            child: None,
            scheme: "nats",
            address,
            directory,
            arguments,
        })
    }

    /// The URL that clients reach it at.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// A way to it that can be closed.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn way(&self) -> Result<Gate> {
        Gate::open(self.address).await
    }

    /// Starts it again, with what it had.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill();
        let log = File::options().create(true).append(true).open(self.log())?;
        let child = Command::new(binary()?)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting the engine")?;
        self.child = Some(child);
        let address = self.address;
        let answers = async {
            let mut looks = tokio::time::interval(Duration::from_millis(20));
            while TcpStream::connect(address).await.is_err() {
                looks.tick().await;
            }
        };
        let started = soon("the engine", answers).await;
        started.with_context(|| fs::read_to_string(self.log()).unwrap_or_default())
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Has it lose everything that it kept; it must not be running.
    ///
    /// # Errors
    /// When its files cannot be removed.
    pub fn forget(&self) -> Result<()> {
        ensure!(self.child.is_none(), "the engine runs");
        Ok(fs::remove_dir_all(self.directory.join("store"))?)
    }

    /// Stops it in the middle of whatever it does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Has it go on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let child = self.child.as_ref().context("the engine does not run")?;
        let mut kill = Command::new("kill");
        let sent = kill.args([signal, &child.id().to_string()]).status()?;
        ensure!(sent.success(), "the engine cannot be signalled");
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // What is left behind in a temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Three servers that keep everything three times, and the ways between them.
pub struct Three {
    /// The servers.
    pub servers: [Server; 3],
    /// The way from each to each other.
    gates: Vec<(usize, usize, Gate)>,
}

impl Three {
    /// Starts them.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start() -> Result<Self> {
        let routes = [free()?, free()?, free()?];
        let mut gates = Vec::new();
        for from in 0..3 {
            for to in (0..3).filter(|to| *to != from) {
                gates.push((from, to, Gate::open(routes[to]).await?));
            }
        }
        let server = |number: usize| {
            let ways = gates.iter().filter(|(from, ..)| *from == number);
            let ways: Vec<_> = ways
                .map(|(.., gate)| format!("nats://{}", gate.address()))
                .collect();
            let more = [
                "--cluster_name=steadycast".to_owned(),
                format!("--cluster=nats://{}", routes[number]),
                format!("--routes={}", ways.join(",")),
                // They know one another by the ways above alone, and clients know those that they were told.
                "--cluster_advertise=127.0.0.1:9".to_owned(),
                "--no_advertise".to_owned(),
            ];
            Server::new(&format!("n{number}"), &more)
        };
        let mut servers = [server(0)?, server(1)?, server(2)?];
        for server in &mut servers {
            server.restart().await?;
        }
        Ok(Self { servers, gates })
    }

    /// Cuts one off from the others, or no longer.
    pub fn cut_off(&self, number: usize, cut: bool) {
        self.ways_of(number).for_each(|way| way.close(cut));
    }

    /// The ways between one and the others.
    pub fn ways_of(&self, number: usize) -> impl Iterator<Item = &Gate> {
        self.ways(move |ends| ends.contains(&number))
    }

    /// The ways between two.
    pub fn ways_between(&self, one: usize, other: usize) -> impl Iterator<Item = &Gate> {
        self.ways(move |ends| ends.contains(&one) && ends.contains(&other))
    }

    fn ways(&self, are: impl Fn([usize; 2]) -> bool) -> impl Iterator<Item = &Gate> {
        let ways = self.gates.iter();
        let ways = ways.filter(move |(from, to, _)| are([*from, *to]));
        ways.map(|(.., gate)| gate)
    }
}

/// A port that nobody uses.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn binary() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let installed = root.context("no repository")?.join(BINARY);
    ensure!(
        installed.exists(),
        "{} is missing: scripts/install-test-tools rust",
        installed.display()
    );
    Ok(installed)
}
