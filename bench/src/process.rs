//! Processes: what they cost, where they run, and the relay that the bench starts for itself.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::target::Target;

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    pid: u32,
}

impl Gauge {
    /// Of the process with this id.
    pub fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// Of this process.
    pub fn own() -> Self {
        Self::of(std::process::id())
    }

    /// CPU time of all its threads so far, kernel time included. Threads that have ended are not
    /// counted, so compare two readings of a process whose threads stay.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn cpu(&self) -> Result<Duration> {
        self.sum(0)
    }

    /// CPU time of the calling thread so far, kernel time included.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn this_thread() -> Result<Duration> {
        let line = fs::read_to_string("/proc/thread-self/schedstat")?;
        let nanos = line.split_whitespace().next();
        let nanos = nanos.context("a short schedstat")?.parse()?;
        Ok(Duration::from_nanos(nanos))
    }

    /// Time that all its threads so far have been ready to run without a core to run on, because
    /// other threads had it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn waited(&self) -> Result<Duration> {
        self.sum(1)
    }

    /// The sum of a field of `schedstat` over all threads.
    fn sum(&self, field: usize) -> Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            // A thread may end between the two looks.
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let nanos = line.split_whitespace().nth(field);
            total += nanos.context("a short schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Memory that it holds, in kB.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn rss_kb(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("no VmRSS")?.parse()?)
    }

    /// Files and sockets that it holds open.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Its threads.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn threads(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/task", self.pid))?.count())
    }
}

/// Cores that this process was started on. Asked once: a pinned thread would see only its own.
static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

/// Cores that this process was started on.
pub fn cores() -> usize {
    *CORES
}

/// Lets this thread, and what it starts, run on `cores` only.
///
/// # Errors
/// When there are no such cores.
pub fn pin(cores: impl IntoIterator<Item = usize>) -> Result<()> {
    LazyLock::force(&CORES);
    let mut set = CpuSet::new();
    for core in cores {
        ensure!(core < CpuSet::MAX_CPU, "there is no core {core}");
        set.set(core);
    }
    sched_setaffinity(None, &set).context("pinning to a core")
}

const ADMIN_KEY: &str = "a-key-for-measurements-only";
/// How long a relay may take to start.
const START: Duration = Duration::from_secs(20);

/// A relay in a process of its own; dropping it ends the process.
#[derive(Debug)]
pub struct OwnRelay {
    child: Child,
    state: PathBuf,
    target: Target,
}

impl OwnRelay {
    /// Starts the relay that this program was built with, on `cores`, with further `flags`.
    /// Blocks until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(cores: &[usize], flags: &[String]) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let program = std::env::current_exe()?;
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Self::start_at(&program, address, cores, flags)
    }

    /// The same with the bench program that is given, at an address of this thread's network.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_at(
        program: &Path,
        address: SocketAddr,
        cores: &[usize],
        flags: &[String],
    ) -> Result<Self> {
        let name = format!("steadycast-bench-{}-{}", std::process::id(), address.port());
        let state = std::env::temp_dir().join(name);
        let mut command = Command::new(program);
        command
            .args(["relay", "serve", "--dev", "--log-level", "warn"])
            .args(["--server-listen", &address.to_string()])
            .args(["--server-admin-key", ADMIN_KEY])
            .args(["--limits-sessions", "20000"])
            .args(["--limits-sessions-per-address", "20000"])
            .args(["--broadcast-max-broadcasts", "10000"])
            .arg("--server-state-dir")
            .arg(&state)
            .args(flags)
            .stdout(Stdio::null());
        let child = on_cores(cores, || command.spawn().context("starting a relay"))?;
        let target = find(&format!("http://{address}"), ADMIN_KEY)?;
        Ok(Self {
            child,
            state,
            target,
        })
    }

    /// Where clients find it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// Does `act` with this thread on `cores`, if there are any.
fn on_cores<T>(cores: &[usize], act: impl FnOnce() -> Result<T>) -> Result<T> {
    if cores.is_empty() {
        return act();
    }
    let before = rustix::thread::sched_getaffinity(None)?;
    pin(cores.iter().copied())?;
    let done = act();
    sched_setaffinity(None, &before)?;
    done
}

/// A relay that is starting, once it answers.
///
/// # Errors
/// When it does not.
pub(crate) fn find(origin: &str, admin_key: &str) -> Result<Target> {
    let started = Instant::now();
    loop {
        match Target::find(origin, admin_key) {
            Ok(target) => return Ok(target),
            Err(error) if started.elapsed() > START => {
                return Err(error).context("the relay does not answer");
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

impl Drop for OwnRelay {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.state);
    }
}

/// Is the relay: what the process that [`OwnRelay`] starts does.
pub fn be_relay(args: Vec<std::ffi::OsString>) -> ExitCode {
    let args = std::iter::once("steadycast".into()).chain(args);
    steadycast_relay::cli::run_with(args, |config| steadycast_relay::relay::run(&config))
}
