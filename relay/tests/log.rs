//! What a running relay writes to its log, and what it must never write there.
//!
//! A process of its own: loggers of tests that share one are in each other's way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A development relay that logs everything it may.
struct Relay {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    state: PathBuf,
    address: String,
}

impl Relay {
    fn start() -> Self {
        let state = std::env::temp_dir().join(format!("steadycast-log-{}", std::process::id()));
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--dev", "--server-listen=127.0.0.1:0"])
            .args(["--log-level=trace", "--server-state-dir"])
            .arg(&state)
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

    /// The publish token in the admin link of the banner.
    fn publish_token(&mut self) -> String {
        let mut banner = BufReader::new(self.process.stdout.take().unwrap()).lines();
        let link = banner.find(|line| line.as_ref().unwrap().contains("/admin#"));
        let link = link.unwrap().unwrap();
        link.split_once('#').unwrap().1.to_owned()
    }

    fn ask(&self, path: &str, bearer: &str) -> String {
        let mut tcp = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n\
             connection: close\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends the relay; what it has logged since it listened.
    fn end(mut self) -> String {
        self.process.kill().unwrap();
        let lines: Vec<_> = self.log.by_ref().map(Result::unwrap).collect();
        lines.join("\n")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.state);
    }
}

#[test]
fn an_api_request_leaves_one_line_and_nothing_secret_at_any_level() {
    let mut relay = Relay::start();
    let token = relay.publish_token();
    let admin_key = fs::read_to_string(relay.state.join("admin.key")).unwrap();
    let admin_key = admin_key.trim();
    let answer = relay.ask("/api/broadcasts?token=eyJsecret", admin_key);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = relay.ask("/api/broadcasts/main", &token);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    relay.ask("/api/nothing", "eyJsecret");
    relay.ask("/admin", "");

    let log = relay.end();
    let access: Vec<_> = log
        .lines()
        .filter(|line| line.contains("::access"))
        .collect();
    for (line, told) in access.iter().zip([
        "method=GET path=\"/api/broadcasts\" status=200 ms=",
        "method=GET path=\"/api/broadcasts/main\" status=200 ms=",
        "method=GET path=\"/api/nothing\" status=404 ms=",
    ]) {
        assert!(line.contains("INFO") && line.contains(told), "{line}");
    }
    assert_eq!(access.len(), 3, "{log}");
    for secret in ["secret", admin_key, &token, "eyJ"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
