//! A development relay as a process of its own.

// Each test file has its own copy, and uses of it what it needs.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

/// A development relay that logs everything it may.
pub(crate) struct Relay {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    pub(crate) state: PathBuf,
    pub(crate) address: String,
}

impl Relay {
    pub(crate) fn start() -> Self {
        Self::start_at("trace")
    }

    pub(crate) fn start_at(level: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-process-{}-{number}", std::process::id());
        Self::start_in(&std::env::temp_dir().join(name), level)
    }

    /// One with settings of its own, that logs everything it may.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-set-{}-{number}", std::process::id());
        Self::start_as(&std::env::temp_dir().join(name), "trace", settings)
    }

    /// One that goes on with the state of another.
    pub(crate) fn start_in(state: &Path, level: &str) -> Self {
        Self::start_as(state, level, &[])
    }

    fn start_as(state: &Path, level: &str, settings: &[&str]) -> Self {
        let state = state.to_owned();
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--dev", "--server-listen=127.0.0.1:0"])
            .args(["--log-level", level, "--server-state-dir"])
            .arg(&state)
            .args(settings)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next().unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("listening address=") {
                break rest.split(' ').next().unwrap().to_owned();
            }
        };
        Self {
            process,
            log,
            state,
            address,
        }
    }

    /// The publish and the play token in the links of the banner.
    pub(crate) fn tokens(&mut self) -> [String; 2] {
        let mut banner = BufReader::new(self.process.stdout.take().unwrap()).lines();
        ["/admin#token=", "/play#token="].map(|link| {
            let line = banner.find(|line| line.as_ref().unwrap().contains(link));
            let line = line.unwrap().unwrap();
            line.split_once(link).unwrap().1.to_owned()
        })
    }

    /// What it prints, up to the first line that has this.
    pub(crate) fn says_until(&mut self, last: &str) -> String {
        let mut said = String::new();
        for line in BufReader::new(self.process.stdout.take().unwrap()).lines() {
            said += &(line.unwrap() + "\n");
            if said.contains(last) {
                break;
            }
        }
        said
    }

    /// Lets it write files up to this length only, as a full disk would; `None`: as long as it likes.
    pub(crate) fn limit_files(&self, length: Option<u64>) {
        let limit = Rlimit {
            current: length,
            maximum: None,
        };
        let process = Pid::from_child(&self.process);
        prlimit(Some(process), Resource::Fsize, limit).unwrap();
    }

    pub(crate) fn ask(&self, path: &str, bearer: &str) -> String {
        self.send("GET", path, bearer, "", "")
    }

    /// Sends a request; `headers` end with a line break each.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        headers: &str,
        body: &str,
    ) -> String {
        self.try_send(method, path, bearer, headers, body).unwrap()
    }

    /// The same, of a relay that may end meanwhile.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<String> {
        let mut tcp = TcpStream::connect(&self.address)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n\
             connection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        tcp.write_all(request.as_bytes())?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// What can kill it while others speak to it.
    pub(crate) fn killer(&self) -> Killer {
        Killer(Pid::from_child(&self.process))
    }

    /// Kills it at once, as a crash does; its state stays. Gives where that is.
    pub(crate) fn crash(mut self) -> PathBuf {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::take(&mut self.state)
    }

    /// Has it stop as a supervisor does, and waits for that.
    pub(crate) fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        // It must not be held up by what nobody reads.
        self.log.by_ref().for_each(drop);
        self.process.wait().unwrap()
    }

    /// The admin key in its state directory.
    pub(crate) fn admin_key(&self) -> String {
        let key = fs::read_to_string(self.state.join("admin.key")).unwrap();
        key.trim().to_owned()
    }

    /// Ends the relay; what it has logged since it listened.
    pub(crate) fn end(mut self) -> String {
        self.process.kill().unwrap();
        let lines: Vec<_> = self.log.by_ref().map(Result::unwrap).collect();
        lines.join("\n")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Of one that has crashed another goes on with it.
        if !self.state.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.state);
        }
    }
}

/// Kills a relay.
pub(crate) struct Killer(Pid);

impl Killer {
    pub(crate) fn kill(&self) {
        kill_process(self.0, Signal::KILL).unwrap();
    }
}
