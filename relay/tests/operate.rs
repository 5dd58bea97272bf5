//! The program as an operator's tool, against a running relay.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

use std::process::{Command, Output};

use process::Relay;
use serde_json::Value;

/// Runs it; the environment is this one alone.
fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steadycast"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

/// Asks this relay as its admin, and gives what is printed.
fn ask(relay: &Relay, args: &[&str]) -> String {
    let url = format!("http://{}", relay.address);
    let state = relay.state.to_str().unwrap();
    let all = [args, &["--url", &url, "--state-dir", state]].concat();
    let output = run(&all, &[]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What stands behind this word at the beginning of a line.
fn value(text: &str, word: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no {word} in {text}"))
        .trim()
        .to_owned()
}

#[test]
fn broadcasts_links_and_tokens_are_made_and_taken_back() {
    let relay = Relay::start_at("info");
    let made = ask(
        &relay,
        &["broadcast", "create", "--id", "game-7", "--title", "Game"],
    );
    assert_eq!(value(&made, "Broadcast"), "game-7");
    let admin = value(&made, "Admin");
    let publish = admin.split_once("/admin#token=").unwrap().1;
    assert!(value(&made, "Player").contains("/play#token="), "{made}");
    let list = ask(&relay, &["broadcast", "list"]);
    assert!(
        list.lines()
            .any(|line| line == "game-7     waiting  0        Game"),
        "{list}"
    );
    let json: Value = serde_json::from_str(&ask(&relay, &["broadcast", "list", "--json"])).unwrap();
    assert_eq!(json["broadcasts"].as_array().map(Vec::len), Some(2));
    let nobodys = ask(&relay, &["broadcast", "list", "--maker", "nobody"]);
    assert_eq!(nobodys.lines().count(), 1, "{nobodys}");
    let told = ask(&relay, &["broadcast", "keyframe", "game-7"]);
    assert!(told.starts_with("Nobody publishes"), "{told}");

    let status = |token: &str| {
        let answer = relay.ask("/api/broadcasts/game-7", token);
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(publish), "200");
    let create = [
        "token",
        "create",
        "--broadcast",
        "game-*",
        "--role",
        "publish",
        "--role",
        "play",
        "--subject",
        "ada",
        "--name",
        "Ada L.",
        "--ttl",
        "60",
        "--stay-until",
        "--players",
        "5",
    ];
    let token = ask(&relay, &create);
    let (id, text) = (value(&token, "Id"), value(&token, "Token"));
    assert_eq!(status(&text), "200");
    assert!(value(&token, "Expires").ends_with('Z'), "{token}");
    assert_eq!(
        ask(&relay, &["token", "revoke", "--id", &id]),
        "Sessions that end: 0\n"
    );
    assert_eq!(status(&text), "401");
    let links = ask(
        &relay,
        &["broadcast", "links", "game-7", "--end", "publish"],
    );
    assert_eq!(status(publish), "401");
    let fresh = value(&links, "Admin");
    assert_eq!(status(fresh.split_once("/admin#token=").unwrap().1), "200");
    // Ids are made at random, of letters that a flag may begin with as well.
    assert_eq!(
        ask(&relay, &["token", "revoke", "--id", "-gQCO-5blMRFpsF1"]),
        "Sessions that end: 0\n"
    );
    let sessions = ask(&relay, &["session", "list", "game-7"]);
    assert!(sessions.starts_with("SESSION  RELAY  ROLE"), "{sessions}");
    assert_eq!(ask(&relay, &["broadcast", "end", "game-7"]), "");
    assert!(!ask(&relay, &["broadcast", "list"]).contains("game-7"));
}

#[test]
fn keys_are_rotated_and_tokens_looked_at() {
    let relay = Relay::start_at("info");
    let made = ask(&relay, &["broadcast", "create", "--id", "game-7"]);
    let player = value(&made, "Player");
    let told = ask(&relay, &["token", "inspect", &player]);
    let good = "It is good.\nBroadcast  game-7\nRoles      play\n";
    assert!(told.starts_with(good), "{told}");
    ask(&relay, &["keys", "rotate", "tokens"]);
    let told = ask(&relay, &["token", "inspect", &player]);
    assert!(told.starts_with(good), "{told}");
    let told = ask(&relay, &["keys", "rotate", "admin"]);
    assert_eq!(value(&told, "Admin key"), relay.admin_key());
    ask(&relay, &["keys", "rotate", "tokens", "--end-links"]);
    let told = ask(&relay, &["token", "inspect", &player]);
    assert!(told.starts_with("It is not good"), "{told}");
    let pair = String::from_utf8(run(&["keys", "generate"], &[]).stdout).unwrap();
    let begins = pair.starts_with("-----BEGIN PRIVATE KEY-----");
    assert!(begins && pair.contains("\"EdDSA\""), "{pair}");
}

/// What the doctor says of a development relay on this address, and whether all is well.
fn examined(address: &str) -> (String, bool) {
    let state = std::env::temp_dir();
    let state = state.to_str().unwrap();
    let args = [
        "doctor",
        "--dev",
        "--server-listen",
        address,
        "--server-state-dir",
        state,
    ];
    let output = run(&args, &[]);
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.success(),
    )
}

#[test]
fn the_doctor_tells_a_relay_from_whatever_else_has_its_port() {
    let relay = Relay::start_at("info");
    let (told, well) = examined(&relay.address);
    let serves = format!(
        "ok      ports: a relay serves at {}, over UDP too",
        relay.address
    );
    assert!(well && told.contains(&serves), "{told}");
    drop(relay);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let (told, well) = examined(&address.to_string());
    assert!(!well && told.contains("no relay answers there"), "{told}");
    assert!(told.contains("        -> ss -lptun"), "{told}");
    drop(other);
    let (told, well) = examined(&address.to_string());
    assert!(
        well && told.contains(&format!("{address} is free")),
        "{told}"
    );
}

#[test]
fn what_cannot_be_done_is_said_with_an_exit_code() {
    let relay = Relay::start_at("info");
    let url = format!("http://{}", relay.address);
    let key = relay.admin_key();
    let asked = |args: &[&str], env: &[(&str, &str)]| {
        let output = run(args, env);
        assert!(output.stdout.is_empty());
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let env = [
        ("STEADYCAST_SERVER_PUBLIC_URL", url.as_str()),
        ("STEADYCAST_SERVER_ADMIN_KEY", &key),
    ];
    let (code, told) = asked(&["broadcast", "end", "nobody"], &env);
    assert!(
        code == Some(1) && told.contains("there is no such broadcast"),
        "{told}"
    );
    let wrong = [
        env[0],
        ("STEADYCAST_SERVER_ADMIN_KEY", "a-key-of-somebody-else"),
    ];
    let (code, told) = asked(&["broadcast", "list"], &wrong);
    assert!(
        code == Some(1) && told.contains("missing, forged"),
        "{told}"
    );
    let (code, told) = asked(&["broadcast", "list", "--state-dir", "/nowhere"], &[env[0]]);
    assert!(
        code == Some(2) && told.contains("/nowhere/admin.key"),
        "{told}"
    );
    let (code, told) = asked(
        &["broadcast", "list", "--url", "http://127.0.0.1:1"],
        &[env[1]],
    );
    assert!(
        code == Some(1) && told.contains("does not answer"),
        "{told}"
    );
    let (code, told) = asked(&["token", "create", "--broadcast", "a"], &env);
    assert!(code == Some(2) && told.contains("--role"), "{told}");
    let (code, told) = asked(&["token", "revoke"], &env);
    assert!(code == Some(2) && told.contains("--subject"), "{told}");
    assert!(!told.contains(&key), "no key in a message");
}
