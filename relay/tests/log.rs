//! What a running relay writes to its log, and what it must never write there.
//!
//! A process of its own: loggers of tests that share one are in each other's way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A development relay that logs everything it may.
struct Relay {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    state: PathBuf,
    address: String,
}

impl Relay {
    fn start() -> Self {
        Self::start_at("trace")
    }

    fn start_at(level: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-log-{}-{number}", std::process::id());
        let state = std::env::temp_dir().join(name);
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--dev", "--server-listen=127.0.0.1:0"])
            .args(["--log-level", level, "--server-state-dir"])
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

    /// The publish and the play token in the links of the banner.
    fn tokens(&mut self) -> [String; 2] {
        let mut banner = BufReader::new(self.process.stdout.take().unwrap()).lines();
        ["/admin#", "/play#"].map(|link| {
            let line = banner.find(|line| line.as_ref().unwrap().contains(link));
            let line = line.unwrap().unwrap();
            line.split_once('#').unwrap().1.to_owned()
        })
    }

    /// Lets it write files up to this length only, as a full disk would; `None`: as long as it likes.
    fn limit_files(&self, length: Option<u64>) {
        let limit = Rlimit {
            current: length,
            maximum: None,
        };
        let process = Pid::from_child(&self.process);
        prlimit(Some(process), Resource::Fsize, limit).unwrap();
    }

    fn ask(&self, path: &str, bearer: &str) -> String {
        self.send("GET", path, bearer, "", "")
    }

    /// Sends a request; `headers` end with a line break each.
    fn send(&self, method: &str, path: &str, bearer: &str, headers: &str, body: &str) -> String {
        let mut tcp = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n\
             connection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
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
    let [token, _] = relay.tokens();
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
        "method=GET path=\"/api/broadcasts\" from=127.0.0.1 status=200 ms=",
        "method=GET path=\"/api/broadcasts/main\" from=127.0.0.1 status=200 ms=",
        "method=GET path=\"/api/nothing\" from=127.0.0.1 status=404 ms=",
    ]) {
        assert!(line.contains("INFO") && line.contains(told), "{line}");
    }
    assert_eq!(access.len(), 3, "{log}");
    for secret in ["secret", admin_key, &token, "eyJ"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn what_strangers_repeat_is_counted_and_what_they_write_is_cut() {
    let mut relay = Relay::start_at("info");
    let [publish, _] = relay.tokens();
    relay.limit_files(Some(0));
    let begun = Instant::now();
    for _ in 0..200 {
        let answer = relay.send("DELETE", "/api/broadcasts/main", &publish, "", "");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    let seconds = begun.elapsed().as_secs() as usize + 1;
    relay.limit_files(None);
    let answer = relay.send("DELETE", "/api/broadcasts/main", &publish, "", "");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let answer = relay.ask(&format!("/api/{}", "x".repeat(20_000)), "");
    assert!(answer.len() < 3_000, "{}", answer.len());
    let log = relay.end();
    let told = log
        .lines()
        .filter(|line| line.contains("nothing was changed"));
    let told = told.count();
    assert!(
        (100..=100 + 3 * seconds).contains(&told),
        "{told} lines in {seconds} s"
    );
    assert!(log.lines().all(|line| line.len() < 2_100));
}

/// The rest of the first line of an answer that begins so.
fn value<'a>(answer: &'a str, begin: &str) -> &'a str {
    let line = answer.lines().find_map(|line| line.strip_prefix(begin));
    line.unwrap_or_else(|| panic!("no {begin} in {answer}"))
}

#[test]
fn webrtc_sessions_leave_no_secret_at_any_level() {
    let offers = [
        ("whip", include_str!("offers/obs-publisher.sdp")),
        ("whep", include_str!("offers/chromium-player.sdp")),
    ];
    let mut relay = Relay::start();
    let tokens = relay.tokens();
    let mut secrets = tokens.to_vec();
    for ((kind, offer), token) in offers.into_iter().zip(&tokens) {
        let path = format!("/main/{kind}");
        let sdp = "content-type: application/sdp\r\n";
        let answer = relay.send("POST", &path, token, sdp, offer);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        let location = value(&answer, "location: ");
        let etag = value(&answer, "etag: ");
        secrets.push(location.rsplit('/').next().unwrap().to_owned());
        secrets.push(value(&answer, "a=ice-pwd:").to_owned());
        let fragment =
            format!("content-type: application/trickle-ice-sdpfrag\r\nif-match: {etag}\r\n");
        let restart = "a=ice-ufrag:other\r\na=ice-pwd:thePasswordOfTheClient\r\n";
        let answer = relay.send("PATCH", location, token, &fragment, restart);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        secrets.push(value(&answer, "a=ice-pwd:").to_owned());
        secrets.push("thePasswordOfTheClient".to_owned());
        relay.ask(location, token);
        relay.send("OPTIONS", location, token, "", "");
        relay.send("POST", &format!("{location}/sse"), token, "", "[]");
        let answer = relay.send("DELETE", location, token, "", "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // A session that is no more is no less secret, and a broken offer may name anything.
        relay.send("DELETE", location, token, "", "");
        relay.ask(&format!("{location}/sse"), token);
        relay.send("POST", &path, token, sdp, "v=0\r\neyJsecret");
    }
    let log = relay.end();
    assert!(
        log.contains("method=DELETE path=\"/main/whep/..\" from=127.0.0.1 status=404"),
        "{log}"
    );
    for secret in secrets.iter().map(String::as_str).chain(["secret", "eyJ"]) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
