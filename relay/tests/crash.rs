//! A relay that is killed at any moment keeps what it has answered.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use process::Relay;
use serde_json::{Value, json};

/// How often it is killed; `ROUNDS` says otherwise.
const ROUNDS: u64 = 8;

/// What was answered, and so has to hold.
#[derive(Default)]
struct Answered {
    /// Broadcasts that there are, each with a publish token of now.
    broadcasts: Vec<(String, String)>,
    /// Tokens that were taken back.
    revoked: Vec<(String, String)>,
    /// Broadcasts that have ended.
    ended: Vec<String>,
}

/// Asks the API; `None`: there was no whole answer.
fn ask(
    relay: &Relay,
    method: &str,
    path: &str,
    bearer: &str,
    body: &Value,
) -> Option<(u16, Value)> {
    let json = "content-type: application/json\r\n";
    let answer = relay
        .try_send(method, path, bearer, json, &body.to_string())
        .ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    (body.len() >= length).then(|| (status, serde_json::from_str(body).unwrap_or_default()))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

/// Makes broadcasts, takes links back and ends broadcasts, until the relay does not answer.
fn work(relay: &Relay, admin: &str, answered: &mut Answered) -> Option<()> {
    for number in 0_u64.. {
        let (status, made) = ask(relay, "POST", "/api/broadcasts", admin, &json!({}))?;
        assert_eq!(status, 201, "{made}");
        let (id, token) = (text(&made, "id"), text(&made, "publishToken"));
        let path = format!("/api/broadcasts/{id}");
        // What is asked for now may be done or not when there is no answer.
        if number % 3 == 0 {
            ask(relay, "DELETE", &path, admin, &json!({}))?;
            answered.ended.push(id);
            continue;
        }
        let body = json!({ "end": ["publish"] });
        let (status, links) = ask(relay, "POST", &format!("{path}/links"), admin, &body)?;
        assert_eq!(status, 201, "{links}");
        answered.revoked.push((id.clone(), token));
        answered.broadcasts.push((id, text(&links, "publishToken")));
    }
    None
}

fn check(relay: &Relay, answered: &Answered) {
    let status = |id: &str, token: &str| {
        let answer = ask(
            relay,
            "GET",
            &format!("/api/broadcasts/{id}"),
            token,
            &json!({}),
        );
        answer.unwrap().0
    };
    for (id, token) in &answered.broadcasts {
        assert_eq!(status(id, token), 200, "{id} is lost");
    }
    for (id, token) in &answered.revoked {
        assert_eq!(status(id, token), 401, "a link to {id} works again");
    }
    let admin = relay.admin_key();
    for id in &answered.ended {
        assert_eq!(status(id, &admin), 404, "{id} is back");
    }
}

#[test]
fn nothing_that_was_answered_is_lost_and_nothing_that_was_taken_back_works_again() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let mut answered = Answered::default();
    let mut state: Option<PathBuf> = None;
    let mut slowest = Duration::ZERO;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let begun = Instant::now();
        let relay = match &state {
            Some(state) => Relay::start_in(state, "warn,steadycast_relay::relay=info"),
            None => Relay::start_at("warn,steadycast_relay::relay=info"),
        };
        slowest = slowest.max(begun.elapsed());
        check(&relay, &answered);
        let admin = relay.admin_key();
        // Another moment each time, in no order.
        let moment = Duration::from_micros(5_000 + round * 7_919 % 60 * 1_000);
        let killer = relay.killer();
        let killing = std::thread::spawn(move || {
            std::thread::sleep(moment);
            killer.kill();
        });
        work(&relay, &admin, &mut answered);
        killing.join().unwrap();
        state = Some(relay.crash());
    }
    let relay = Relay::start_in(&state.unwrap(), "warn,steadycast_relay::relay=info");
    check(&relay, &answered);
    let counts = (
        answered.broadcasts.len(),
        answered.revoked.len(),
        answered.ended.len(),
    );
    assert!(counts.0 > 0 && counts.1 > 0 && counts.2 > 0, "{counts:?}");
    println!(
        "broadcasts, links taken back, broadcasts ended: {counts:?}; slowest start {slowest:?}"
    );
}
