//! One relay of a cluster, as a process that can be killed, frozen and started again.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use steadycast_tests::cluster::Cable;
use tokio::time::sleep;

use super::{Plan, ports};
use crate::process::find;
use crate::target::Target;

/// The admin key of all of them, and what they share their keys by.
pub const ADMIN_KEY: &str = "a-key-for-a-cluster-on-one-machine";

/// How often it is looked whether a relay has joined the others, and for how long at most.
const LOOK: Duration = Duration::from_millis(50);
const JOINING: Duration = Duration::from_secs(30);

/// A relay of a cluster. Dropping it ends the process.
pub struct Member {
    /// Its name among the others.
    pub name: String,
    /// Where its pages are.
    pub address: SocketAddr,
    links: SocketAddr,
    figures: SocketAddr,
    state: PathBuf,
    flags: Vec<String>,
    cable: Option<Cable>,
    child: Option<Child>,
    target: Option<Target>,
}

impl Member {
    pub(super) fn new(
        plan: &Plan,
        number: usize,
        state: PathBuf,
        [authority, certificate, key]: &[PathBuf; 3],
    ) -> Result<Self> {
        let name = format!("relay-{}", number + 1);
        let localhost = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (address, links) = match plan.ports {
            Some((first, apart)) => {
                let port = first + apart * number as u16;
                (localhost(port), localhost(port + 1))
            }
            None => (localhost(free_tcp()?), localhost(free_udp()?)),
        };
        let figures = localhost(free_tcp()?);
        let path = |path: &Path| path.display().to_string();
        let mut flags = vec![
            format!("--server-listen={address}"),
            // Players and publishers go from one to another by it.
            format!("--server-public-url=http://{address}"),
            format!("--server-admin-key={ADMIN_KEY}"),
            format!("--metrics-listen={figures}"),
            "--limits-sessions=2000".to_owned(),
            format!("--server-state-dir={}", path(&state)),
            format!("--cluster-id={name}"),
            format!("--cluster-listen={links}"),
            format!("--cluster-authority={}", path(authority)),
            format!("--cluster-certificate={}", path(certificate)),
            format!("--cluster-key={}", path(key)),
            format!("--cluster-replicas={}", plan.replicas),
            format!("--cluster-secret={ADMIN_KEY}"),
        ];
        let engine = &plan.engine[number % plan.engine.len()];
        flags.push(format!("--cluster-nats={}", engine.join(",")));
        flags.extend_from_slice(&plan.flags);
        Ok(Self {
            name,
            address,
            links,
            figures,
            state,
            flags,
            cable: None,
            child: None,
            target: None,
        })
    }

    /// Where it says how it is doing.
    pub fn figures(&self) -> String {
        format!("http://{}/metrics", self.figures)
    }

    /// Where other relays come, if nothing lies between.
    pub(super) fn links(&self) -> SocketAddr {
        self.links
    }

    /// Others come through this.
    pub(super) fn leads_through(&mut self, cable: Cable) {
        self.cable = Some(cable);
    }

    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// Starts it, or starts it again; returns when it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&mut self) -> Result<()> {
        let links = match &self.cable {
            Some(cable) => cable.address(),
            None => self.links,
        };
        let child = Command::new(env::current_exe()?)
            .args(["relay", "serve", "--dev", "--log-level", "warn"])
            .args(&self.flags)
            .arg(format!("--cluster-advertise={links}"))
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        self.child = Some(child);
        self.target = Some(find(&format!("http://{}", self.address), ADMIN_KEY)?);
        Ok(())
    }

    /// Waits until it has joined the others.
    ///
    /// # Errors
    /// When it ends by itself, or takes too long.
    pub(super) async fn joins(&mut self) -> Result<()> {
        let ready = format!("http://{}/ready", self.address);
        let given_up = Instant::now() + JOINING;
        while let Err(why) = ureq::get(&ready).call() {
            self.lives()?;
            let late = Instant::now() > given_up;
            ensure!(!late, "{} is not ready: {why}", self.name);
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Where clients find it. Its certificate stays when it is started again.
    ///
    /// # Errors
    /// When it has never been started.
    pub fn target(&self) -> Result<&Target> {
        self.target.as_ref().context("it has never been started")
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Has it end as an operator does, and waits for that.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let mut child = self.child.take().context("it does not run")?;
        child.wait()?;
        Ok(())
    }

    /// Stops it in the middle of whatever it does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Has it go on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// What others come through.
    ///
    /// # Errors
    /// When nothing lies between that could be cut.
    pub(super) fn cable(&self) -> Result<&Cable> {
        self.cable.as_ref().context("no cable")
    }

    /// The UDP ports of its process.
    ///
    /// # Errors
    /// When it does not run.
    pub(super) fn ports(&self) -> Result<Vec<u16>> {
        let child = self.child.as_ref().context("it does not run")?;
        ports::of_process(child.id())
    }

    /// The id of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let child = self.child.as_ref().context("it does not run")?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("no process id")?, signal)?)
    }

    /// Whether the process ended by itself, which it should not.
    ///
    /// # Errors
    /// When it did.
    pub fn lives(&mut self) -> Result<()> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait()?,
            None => None,
        };
        ensure!(ended.is_none(), "{} ended by itself: {ended:?}", self.name);
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens at.
///
/// # Errors
/// When there is none.
pub fn free_tcp() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn free_udp() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket.local_addr()?.port())
}
