//! The program as an operator's tool, against a running relay.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
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

/// The key in a link, and what stands before it.
fn parted(link: &str) -> (&str, &str) {
    link.split_once("&key=")
        .unwrap_or_else(|| panic!("no key in {link}"))
}

#[test]
fn links_to_a_private_broadcast_have_a_key_that_the_relay_never_hears_of() {
    let relay = Relay::start();
    let create = ["broadcast", "create", "--id", "table", "--private"];
    let made = ask(&relay, &create);
    assert!(made.contains("is kept nowhere else"), "{made}");
    let (admin, player) = (value(&made, "Admin"), value(&made, "Player"));
    let (_, key) = parted(&admin);
    assert_eq!((key.len(), parted(&player).1), (43, key));

    // Nobody but who has a link knows it, so others cannot be made without one.
    let url = format!("http://{}", relay.address);
    let state = relay.state.to_str().unwrap();
    let refused = |more: &[&str]| {
        let links = [
            "broadcast",
            "links",
            "table",
            "--url",
            &url,
            "--state-dir",
            state,
        ];
        let output = run(&[&links[..], more].concat(), &[]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&[]).contains("known to no relay"));
    assert!(refused(&["--key", &player[1..40]]).contains("neither a link key"));
    let more = ask(&relay, &["broadcast", "links", "table", "--key", &player]);
    assert_eq!(parted(&value(&more, "Admin")).1, key);
    assert_ne!(value(&more, "Admin"), admin);

    // Who is not to see anything any more has the key.
    assert!(refused(&["--end", "play", "--key", &player]).contains("a key of their own"));
    let renewed = ask(&relay, &["broadcast", "links", "table", "--end", "play"]);
    assert!(renewed.contains("The key is another one"), "{renewed}");
    let fresh = value(&renewed, "Player");
    assert_ne!(parted(&fresh).1, key);
    assert_eq!(parted(&value(&renewed, "Admin")).1, parted(&fresh).1);

    let token = ["token", "create", "--broadcast", "table", "--role", "play"];
    let keyed = ask(&relay, &[&token[..], &["--key", &fresh]].concat());
    assert_eq!(parted(&value(&keyed, "Link")).1, parted(&fresh).1);
    let bare = ask(&relay, &token);
    assert!(bare.contains("lacks its key"), "{bare}");
    let json: Value = serde_json::from_str(&ask(
        &relay,
        &[&create[..2], &create[4..], &["--json"]].concat(),
    ))
    .unwrap();
    assert!(
        json["links"]["player"].as_str().unwrap().contains("&key="),
        "{json}"
    );

    // Others have none, and take none.
    let open = ask(&relay, &["broadcast", "create", "--id", "open"]);
    assert!(!open.contains("key"), "{open}");
    let output = run(
        &[
            "broadcast",
            "links",
            "open",
            "--key",
            &player,
            "--url",
            &url,
            "--state-dir",
            state,
        ],
        &[],
    );
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("is not private")
    );

    let heard = relay.end();
    for secret in [key, parted(&fresh).1] {
        assert!(!heard.contains(secret), "the relay has heard of the key");
    }
}

#[test]
fn where_all_broadcasts_are_private_links_have_a_key_and_the_first_is_made_by_hand() {
    let mut relay = Relay::start_with(&["--broadcast-private=true"]);
    let said = relay.says_until("steadycast broadcast create");
    assert!(said.contains("/admin\n"), "{said}");
    assert!(!said.contains("token="), "{said}");
    let made = ask(&relay, &["broadcast", "create", "--id", "table"]);
    let (admin, player) = (value(&made, "Admin"), value(&made, "Player"));
    assert_eq!(parted(&admin).1, parted(&player).1);
    assert_eq!(
        ask(&relay, &["broadcast", "list"]).lines().count(),
        2,
        "no other was made"
    );
}

/// Stands before a relay, and changes the last byte of what it answers at one path.
fn meddle(relay: &str, path: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let relay = relay.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
            let mut head = lines
                .by_ref()
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty());
            let first = head.next().unwrap();
            let rest: Vec<_> = head.collect();
            let asked = format!(
                "{first}\r\nconnection: close\r\n{}\r\n\r\n",
                rest.join("\r\n")
            );
            let mut server = TcpStream::connect(&relay).unwrap();
            server.write_all(asked.as_bytes()).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            if first.split(' ').nth(1) == Some(path) {
                *answer.last_mut().unwrap() ^= 1;
            }
            client.write_all(&answer).unwrap();
        }
    });
    url
}

#[test]
fn pages_that_are_not_those_of_the_release_are_told() {
    let relay = Relay::start_at("info");
    let list = String::from_utf8(run(&["pages", "list"], &[]).stdout).unwrap();
    let play = list.lines().find(|line| line.ends_with("  play.html"));
    assert_eq!(play.unwrap().len(), 64 + "  play.html".len(), "{list}");

    let compare = |url: &str| {
        let output = run(&["pages", "check", "--url", url], &[]);
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), told)
    };
    let (code, told) = compare(&format!("http://{}", relay.address));
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.starts_with("All ") && told.contains("files are those of Steadycast"),
        "{told}"
    );
    let (code, told) = compare(&meddle(&relay.address, "/play"));
    assert_eq!(code, Some(1), "{told}");
    for coding in ["identity", "br", "gzip"] {
        assert!(
            told.contains(&format!("play.html: differs ({coding})\n")),
            "{told}"
        );
    }
    assert_eq!(told.lines().count(), 4, "{told}");
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
