//! What Linux tells about a process: its CPU time, its memory and the cores it may use.

use std::io;
use std::path::Path;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Binds the calling thread, and what it starts from now on, to one core; `None` leaves it as it is.
///
/// # Errors
/// The system's refusal, for a core that does not exist.
pub(crate) fn pin(core: Option<usize>) -> io::Result<()> {
    let Some(core) = core else { return Ok(()) };
    if core >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// CPU time of all live threads of a process, in seconds.
///
/// # Errors
/// When the process is gone.
pub(crate) fn cpu_seconds(pid: u32) -> io::Result<f64> {
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        nanos += on_cpu_nanos(&task?.path())?;
    }
    Ok(nanos as f64 / 1e9)
}

/// A thread may end between the listing and the reading: it then counts nothing.
fn on_cpu_nanos(task: &Path) -> io::Result<u64> {
    match std::fs::read_to_string(task.join("schedstat")) {
        Ok(text) => first_number(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Resident memory of a process in KiB.
///
/// # Errors
/// When the process is gone.
pub(crate) fn resident_kb(pid: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    first_number(line.unwrap_or_default())
}

fn first_number(text: &str) -> io::Result<u64> {
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_look_at_itself() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).is_ok_and(|seconds| seconds > 0.0));
        assert!(resident_kb(pid).is_ok_and(|kb| kb > 100));
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(cpu_seconds(u32::MAX).is_err());
        assert!(resident_kb(u32::MAX).is_err());
    }
}
