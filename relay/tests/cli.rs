//! The program as a person runs it: what it prints, where, and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

fn steadycast(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steadycast"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The program refuses this with exit code 2 and these words on stderr.
fn refuses(args: &[&str], env: &[(&str, &str)], words: &[&str]) {
    let output = steadycast(args, env);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told:?}");
    }
}

#[test]
fn the_committed_default_file_is_what_the_program_prints() {
    let output = steadycast(&["config"], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), include_str!("../../steadycast.toml"));
}

#[test]
fn help_and_version_go_to_stdout() {
    for args in [&["--version"][..], &["--help"], &["serve", "--help"]] {
        let output = steadycast(args, &[]);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn nothing_to_do_is_a_mistake_that_shows_the_help() {
    refuses(&[], &[], &["serve", "config"]);
}

#[test]
fn flags_that_are_not_known_or_not_allowed_are_mistakes() {
    refuses(
        &["serve", "--dev", "--limits-sesions=5"],
        &[],
        &["--limits-sesions", "--limits-sessions"],
    );
    refuses(
        &["serve", "--dev", "--log-level=inof"],
        &[],
        &["log.level", "inof"],
    );
    refuses(
        &["serve", "--dev", "--broadcast-join-frames", "601"],
        &[],
        &[
            "broadcast.join_frames",
            "--broadcast-join-frames",
            "601",
            "from 1 to 600",
        ],
    );
}

#[test]
fn variables_that_are_not_known_or_not_allowed_are_mistakes() {
    let env = [
        ("STEADYCAST_LOG_FORMAT", "xml"),
        ("STEADYCAST_LOG_LEVL", "info"),
    ];
    refuses(
        &["serve", "--dev"],
        &env,
        &[
            "log.format",
            "STEADYCAST_LOG_FORMAT",
            "text or json",
            "STEADYCAST_LOG_LEVEL?",
        ],
    );
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let args = ["serve", "--dev", "--config", "/nowhere/steadycast.toml"];
    refuses(&args, &[], &["/nowhere/steadycast.toml"]);
}

#[test]
fn serving_strangers_without_a_certificate_is_a_mistake() {
    refuses(&["serve"], &[], &["server.tls_cert", "--dev"]);
}

#[test]
fn what_fails_at_the_start_is_an_error_that_names_the_file() {
    let args = [
        "serve",
        "--server-tls-cert=/nowhere/c.pem",
        "--server-tls-key=/nowhere/k.pem",
    ];
    let dir = std::env::temp_dir().join(format!("steadycast-cli-{}", std::process::id()));
    let state = format!("--server-state-dir={}", dir.display());
    let output = steadycast(&[&args[..], &[&state]].concat(), &[]);
    let told = text(&output.stderr);
    let _ = std::fs::remove_dir_all(dir);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("/nowhere/c.pem"), "{told}");
}

/// A relay that serves until the value goes.
struct Serving {
    process: std::process::Child,
    log: std::io::Lines<BufReader<std::process::ChildStderr>>,
    /// What was logged before it listened.
    before: Vec<String>,
    address: String,
}

impl Serving {
    fn start(state: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--dev", "--server-listen=127.0.0.1:0"])
            .arg("--server-state-dir")
            .arg(state)
            .env_clear()
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let address = loop {
            let line = log.next().unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("listening address=") {
                break rest.split(' ').next().unwrap().to_owned();
            }
            before.push(line);
        };
        Self {
            process,
            log,
            before,
            address,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_stops_in_good_order_when_told_to_and_when_its_terminal_closes() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let state = std::env::temp_dir().join(format!("steadycast{signal}-{}", std::process::id()));
        let mut relay = Serving::start(&state);
        // It serves, so that it listens for signals too.
        let mut asking = TcpStream::connect(&relay.address).unwrap();
        asking
            .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        asking.read_to_end(&mut Vec::new()).unwrap();
        let told = Command::new("kill")
            .args([signal, &relay.process.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        assert_eq!(relay.process.wait().unwrap().code(), Some(0), "{signal}");
        let mut after = relay.log.by_ref().map_while(Result::ok);
        assert!(after.any(|line| line.contains("stopping")), "{signal}");
        let _ = std::fs::remove_dir_all(state);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_no_success() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_steadycast"))
        .arg("config")
        .env_clear()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write"));
}

#[test]
fn a_second_relay_on_the_same_state_is_refused_until_the_first_is_killed() {
    let state = std::env::temp_dir().join(format!("steadycast-two-{}", std::process::id()));
    let first = Serving::start(&state);
    let dir = format!("--server-state-dir={}", state.display());
    refuses(
        &["serve", "--dev", "--server-listen=127.0.0.1:0", &dir],
        &[],
        &[
            &*state.to_string_lossy(),
            "another relay",
            "server.state_dir",
        ],
    );
    // Killed, not told to stop.
    drop(first);
    drop(Serving::start(&state));
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn a_port_in_use_is_named_once_with_its_cause() {
    let state = std::env::temp_dir().join(format!("steadycast-port-{}", std::process::id()));
    let first = Serving::start(&state);
    let other = format!("--server-state-dir={}-too", state.display());
    let listen = format!("--server-listen={}", first.address);
    refuses(&["serve", "--dev", &listen, &other], &[], &[&first.address]);
    let output = steadycast(&["serve", "--dev", &listen, &other], &[]);
    let told = text(&output.stderr);
    assert_eq!(told.matches("in use").count(), 1, "{told}");
    let _ = std::fs::remove_dir_all(format!("{}-too", state.display()));
    drop(first);
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn a_state_directory_that_is_none_is_named_once_with_its_cause() {
    let file = std::env::temp_dir().join(format!("steadycast-file-{}", std::process::id()));
    std::fs::write(&file, "no directory").unwrap();
    let dir = format!("--server-state-dir={}", file.display());
    let output = steadycast(&["serve", "--dev", &dir], &[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.matches("os error").count(), 1, "{told}");
    let _ = std::fs::remove_file(file);
}

#[cfg(unix)]
#[test]
fn a_state_directory_of_everybody_is_remarked_upon() {
    use std::os::unix::fs::PermissionsExt;
    let state = std::env::temp_dir().join(format!("steadycast-open-{}", std::process::id()));
    std::fs::create_dir_all(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut relay = Serving::start(&state);
    relay.process.kill().unwrap();
    let rest: Vec<_> = relay.log.by_ref().map(Result::unwrap).collect();
    let told = |line: &&String| line.contains("WARN") && line.contains("0777");
    assert_eq!(
        relay.before.iter().filter(told).count(),
        1,
        "{:?}",
        relay.before
    );
    assert_eq!(rest.iter().filter(told).count(), 0, "{rest:?}");
    drop(relay);
    let _ = std::fs::remove_dir_all(state);
}
