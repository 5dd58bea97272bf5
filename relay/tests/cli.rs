//! The program as a person runs it: what it prints, where, and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

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
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("/nowhere/c.pem"), "{told}");
}
