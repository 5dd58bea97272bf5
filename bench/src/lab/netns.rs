//! Network namespaces, by iproute2.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What all of ours are called first; then follow the id of the process that made them, a number,
/// and what each is for.
const PREFIX: &str = "steadycast-lab-";
/// Where iproute2 keeps them.
const PLACE: &str = "/run/netns";
/// The number of the next.
static NEXT: AtomicUsize = AtomicUsize::new(0);
/// How often what still runs in a namespace is ended.
const SWEEPS: usize = 50;

/// A network namespace.
#[derive(Debug, Clone)]
pub struct Namespace(Arc<Made>);

/// Dropping it ends what runs in the namespace, and removes it.
#[derive(Debug)]
struct Made {
    name: String,
}

impl Namespace {
    /// Makes one for `what`, with its loopback up.
    ///
    /// # Errors
    /// When it may not be made.
    pub fn create(what: &str) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{what}", std::process::id());
        ip(&["netns", "add", &name])?;
        let made = Self(Arc::new(Made { name }));
        // What is not IPv4 is not carried: nobody should wait for it.
        made.set("ipv6/conf/all/disable_ipv6", "1")?;
        made.set("ipv6/conf/default/disable_ipv6", "1")?;
        made.ip(&["link", "set", "lo", "up"])?;
        Ok(made)
    }

    /// Its name, as `ip netns exec` takes it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Moves this thread into it, and with it the threads and processes that it starts from now on.
    ///
    /// # Errors
    /// When this may not be.
    pub fn enter(&self) -> Result<()> {
        let file = File::open(self.path()).context("opening a network namespace")?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .context("entering a network namespace")
    }

    /// Does `act` in it, on a thread of its own.
    ///
    /// # Errors
    /// As `act`, or when the namespace cannot be entered.
    pub fn within<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter()?;
                act()
            });
            let done = inside.join();
            done.map_err(|_| anyhow::anyhow!("what was done in a namespace panicked"))?
        })
    }

    /// Has iproute2 do something in it.
    ///
    /// # Errors
    /// With what iproute2 says.
    pub fn ip(&self, args: &[&str]) -> Result<String> {
        ip(&[&["-n", &self.0.name], args].concat())
    }

    fn set(&self, key: &str, value: &str) -> Result<()> {
        self.within(|| {
            fs::write(Path::new("/proc/sys/net").join(key), value)
                .with_context(|| format!("setting {key}"))
        })
    }

    fn path(&self) -> PathBuf {
        Path::new(PLACE).join(&self.0.name)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes what is left of runs that were killed.
pub fn remove_leftovers() {
    for (name, owner) in ours() {
        if !Path::new("/proc").join(owner.to_string()).exists() {
            remove(&name);
        }
    }
}

/// Removes all that this process has made: what is left to do before it ends without dropping them.
pub fn remove_own() {
    for (name, owner) in ours() {
        if owner == std::process::id() {
            remove(&name);
        }
    }
}

/// Every namespace that a lab has made, and the process that it was.
fn ours() -> Vec<(String, u32)> {
    let entries = fs::read_dir(PLACE).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| {
            let owner = name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()?;
            Some((name, owner))
        })
        .collect()
}

/// Ends what runs in a namespace, and removes it.
fn remove(name: &str) {
    for _ in 0..SWEEPS {
        let processes = processes_in(name);
        if processes.is_empty() {
            break;
        }
        for process in processes {
            // It may have ended by itself.
            let _ = kill_process(process, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(10));
    }
    // A namespace that is gone is as it should be.
    let _ = ip(&["netns", "delete", name]);
}

/// Processes in a namespace; not this one, of which a thread may be there.
fn processes_in(name: &str) -> Vec<Pid> {
    let listed = ip(&["netns", "pids", name]).unwrap_or_default();
    let ids = listed.lines().filter_map(|line| line.trim().parse().ok());
    ids.filter(|id: &i32| *id as u32 != std::process::id())
        .filter_map(Pid::from_raw)
        .collect()
}

/// Has iproute2 do something; gives what it prints.
///
/// # Errors
/// With what it complains of.
pub fn ip(args: &[&str]) -> Result<String> {
    let output = Command::new("ip").args(args).output();
    let output = output.context("running ip (is iproute2 installed?)")?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
