//! What a running relay writes to its log, and what it must never write there.
//!
//! A process of its own: loggers of tests that share one are in each other's way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use process::Relay;

#[test]
fn an_api_request_leaves_one_line_and_nothing_secret_at_any_level() {
    let mut relay = Relay::start();
    let [token, _] = relay.tokens();
    let admin_key = fs::read_to_string(relay.state.join("admin.key")).unwrap();
    let admin_key = admin_key.trim();
    let answer = relay.ask("/api/broadcasts?token=eyJsecret", admin_key);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.contains("eyJ"), "{answer}");
    let answer = relay.ask("/api/broadcasts", admin_key);
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
        "method=GET path=\"/api/broadcasts\" from=127.0.0.1 status=400 ms=",
        "method=GET path=\"/api/broadcasts\" from=127.0.0.1 status=200 ms=",
        "method=GET path=\"/api/broadcasts/main\" from=127.0.0.1 status=200 ms=",
        "method=GET path=\"/api/nothing\" from=127.0.0.1 status=404 ms=",
    ]) {
        assert!(line.contains("INFO") && line.contains(told), "{line}");
    }
    assert_eq!(access.len(), 4, "{log}");
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

/// Somebody who is asked over HTTP, and answers all with this status; tells of each request.
fn answering(status: &'static str) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/aSecretPlace?key=aSecretQuery",
        listener.local_addr().unwrap()
    );
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            for line in stream.by_ref().lines().map_while(Result::ok) {
                let name = line.to_ascii_lowercase();
                if let Some(value) = name.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).is_ok() {
                let _ = tell.send(());
            }
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    (url, asked)
}

#[test]
fn neither_hooks_nor_an_authority_leave_a_secret_at_any_level() {
    for status in ["200 OK", "503 Service Unavailable", "302 Found"] {
        let (hooks, told) = answering(status);
        let (authority, asked) = answering(status);
        let relay = Relay::start_with(&[
            "--hooks-url",
            &hooks,
            "--hooks-secret",
            "aSecretOfTheHooks",
            "--auth-hook",
            &authority,
        ]);
        relay.ask("/api/broadcasts/main", "eyJsecret");
        let offer = include_str!("offers/obs-publisher.sdp");
        let sdp = "content-type: application/sdp\r\n";
        relay.send("POST", "/main/whip", "eyJsecret", sdp, offer);
        let patience = Duration::from_secs(20);
        for asked in [&told, &asked, &asked] {
            asked.recv_timeout(patience).unwrap();
        }
        let log = relay.end();
        for secret in ["aSecret", "eyJ", "secret"] {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
    }
}
