//! A relay in a process of its own, for measurements: its memory and time are its own.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Carrier, Target, soon};

const ADMIN_KEY: &str = "a-key-for-measurements-only";

/// A relay that runs as its own process; dropping it ends the process.
pub struct RelayProcess {
    child: Child,
    target: Target,
    state: PathBuf,
    log: PathBuf,
}

/// The two tokens of a broadcast.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The broadcast's id.
    pub id: String,
    /// For its publisher.
    pub publish: String,
    /// For its players.
    pub play: String,
}

impl RelayProcess {
    /// Starts the relay as tests build it; builds it where that has not been done.
    ///
    /// # Errors
    /// When it cannot be built, or does not start.
    pub async fn built() -> Result<Self> {
        let tests = std::env::current_exe()?;
        // target/debug/deps/scenarios-...
        let binary = tests.ancestors().nth(2).context("no target directory")?;
        let build = ["build", "--quiet", "--package", "steadycast-relay"];
        let mut cargo = Command::new(env!("CARGO"));
        let cargo = cargo.args(build).current_dir(env!("CARGO_MANIFEST_DIR"));
        ensure!(cargo.status()?.success(), "the relay cannot be built");
        Self::start(&binary.join("steadycast")).await
    }

    /// Starts `binary` on a free port.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(binary: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let state = std::env::temp_dir().join(format!("steadycast-measured-{port}"));
        let log = state.with_extension("log");
        let child = Command::new(binary)
            .args(["serve", "--dev"])
            .args(["--server-listen", &address.to_string()])
            .args(["--server-admin-key", ADMIN_KEY])
            .arg("--server-state-dir")
            .arg(&state)
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let mut relay = Self {
            child,
            target: Target {
                address,
                certificate: [0; 32],
                carrier: Carrier::default(),
            },
            state,
            log,
        };
        relay.target.certificate = soon("the relay", relay.certificate()).await??;
        Ok(relay)
    }

    async fn certificate(&self) -> Result<[u8; 32]> {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let answer = loop {
            looks.tick().await;
            if let Ok(answer) = self.request("GET", "/api/relay", "").await {
                break answer;
            }
        };
        let hash = answer["certificateHashes"][0].as_str().context("no hash")?;
        decode_base64(hash)
    }

    /// Where clients find it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Creates a broadcast.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn broadcast(&self) -> Result<Tokens> {
        let answer = self.request("POST", "/api/broadcasts", "{}").await?;
        let text = |key: &str| {
            let value = answer[key].as_str();
            value
                .map(str::to_owned)
                .with_context(|| format!("no {key}"))
        };
        Ok(Tokens {
            id: text("id")?,
            publish: text("publishToken")?,
            play: text("playToken")?,
        })
    }

    /// What the relay records of a broadcast (PROTOCOL 7.2).
    ///
    /// # Errors
    /// When the relay does not answer.
    pub async fn records(&self, id: &str) -> Result<Value> {
        self.request("GET", &format!("/api/broadcasts/{id}"), "")
            .await
    }

    async fn request(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let address = self.target.address;
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Authorization: Bearer {ADMIN_KEY}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        ensure!(head.starts_with("HTTP/1.1 2"), "{head}\n{body}");
        Ok(serde_json::from_str(body)?)
    }

    /// Memory that the process holds, in kB.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn memory_kb(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("no VmRSS")?.parse()?)
    }

    /// Bytes of its log so far.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn log_bytes(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.log)?.len())
    }

    /// Its state directory.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Bytes that it has caused to be written to disks, and what it has open: paths, and words for what has none.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn on_disk(&self) -> Result<(u64, Vec<PathBuf>)> {
        let process = format!("/proc/{}", self.child.id());
        let figures = std::fs::read_to_string(format!("{process}/io"))?;
        let written = figures
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes: "));
        let open = std::fs::read_dir(format!("{process}/fd"))?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        Ok((written.context("no write_bytes")?.parse()?, open.collect()))
    }

    /// Files and sockets that the process holds open.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn open_files(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.state);
        let _ = std::fs::remove_file(&self.log);
    }
}

/// The 32 bytes of a hash in base64.
fn decode_base64(text: &str) -> Result<[u8; 32]> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text)?;
    bytes.try_into().ok().context("a hash of another length")
}
