//! Answers as people read them.

use std::fmt::Write;

use serde_json::Value;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Broadcasts,
    Links,
    Sessions,
    Token,
    Revoked,
    Asked,
    Inspected,
    Key,
    Done,
}

/// The answer as text, with a line break at the end where it is not empty.
pub(super) fn text(shown: &Shown, answer: &Value) -> String {
    match shown {
        Shown::Broadcasts => {
            let rows = rows(&answer["broadcasts"], |one| {
                [&one["id"], &one["phase"], &one["players"], &one["title"]].map(plain)
            });
            let rows = table(["BROADCAST", "PHASE", "PLAYERS", "TITLE"], rows);
            rows + &missing(answer)
        }
        Shown::Sessions => {
            let rows = rows(&answer["sessions"], |one| {
                let who = [&one["name"], &one["subject"]];
                let who = who.into_iter().map(plain).find(|text| !text.is_empty());
                let [number, relay, role, transport, address, round, skips, late] = [
                    "session",
                    "relay",
                    "role",
                    "transport",
                    "address",
                    "rttMs",
                    "skips",
                    "latencyP95Ms",
                ]
                .map(|name| plain(&one[name]));
                [
                    number,
                    relay,
                    role,
                    transport,
                    address,
                    round,
                    skips,
                    late,
                    who.unwrap_or_default(),
                ]
            });
            let head = [
                "SESSION",
                "RELAY",
                "ROLE",
                "TRANSPORT",
                "ADDRESS",
                "RTT MS",
                "SKIPS",
                "P95 MS",
                "WHO",
            ];
            table(head, rows) + &missing(answer)
        }
        Shown::Links => {
            let mut text = String::new();
            if !answer["id"].is_null() {
                let _ = writeln!(text, "Broadcast  {}", plain(&answer["id"]));
            }
            let (admin, player) = (&answer["links"]["admin"], &answer["links"]["player"]);
            let _ = writeln!(text, "Admin      {}", plain(admin));
            let _ = writeln!(text, "Player     {}", plain(player));
            if let Some(ended) = answer["sessionsEnded"].as_u64().filter(|ended| *ended > 0) {
                let _ = writeln!(text, "Sessions that end: {ended}");
            }
            text
        }
        Shown::Token => {
            let mut text = format!("Token    {}\n", plain(&answer["token"]));
            let _ = writeln!(text, "Id       {}", plain(&answer["tokenId"]));
            let _ = writeln!(text, "Expires  {}", moment(&answer["expires"]));
            if !answer["link"].is_null() {
                let _ = writeln!(text, "Link     {}", plain(&answer["link"]));
            }
            text
        }
        Shown::Revoked => format!("Sessions that end: {}\n", plain(&answer["sessionsEnded"])),
        Shown::Inspected => inspected(answer),
        Shown::Key => {
            let mut text = String::new();
            if !answer["adminKey"].is_null() {
                let _ = writeln!(text, "Admin key  {}", plain(&answer["adminKey"]));
            }
            let _ = writeln!(
                text,
                "Sessions that end: {}",
                plain(&answer["sessionsEnded"])
            );
            text
        }
        Shown::Asked => match answer["asked"] == true {
            true => "The publisher is asked.\n".to_owned(),
            false => "Nobody publishes, or one was asked for just now.\n".to_owned(),
        },
        Shown::Done => String::new(),
    }
}

fn inspected(answer: &Value) -> String {
    if answer["good"] != true {
        return format!("It is not good: {}\n", plain(&answer["why"]));
    }
    let grant = &answer["grant"];
    let roles = grant["roles"].as_array().into_iter().flatten().map(plain);
    let roles: Vec<_> = roles.collect();
    let mut text = format!("It is good.\nBroadcast  {}\n", plain(&grant["broadcast"]));
    let _ = writeln!(text, "Roles      {}", roles.join(", "));
    for (name, value) in [
        ("Issuer", &grant["issuer"]),
        ("Subject", &grant["subject"]),
        ("Name", &grant["name"]),
        ("Id", &grant["tokenId"]),
    ] {
        if !value.is_null() {
            let _ = writeln!(text, "{name:<10} {}", plain(value));
        }
    }
    let limits = grant["limits"].as_object().into_iter().flatten();
    let limits: Vec<_> = limits
        .map(|(name, most)| format!("{name} {}", plain(most)))
        .collect();
    if !limits.is_empty() {
        let _ = writeln!(text, "Limits     {}", limits.join(", "));
    }
    if grant["issued"] != 0 {
        let _ = writeln!(text, "Issued     {}", moment(&grant["issued"]));
    }
    let what = match grant["expiry"] == "stay_until" {
        true => "sessions end with it",
        false => "sessions have to begin before it",
    };
    let _ = writeln!(text, "Expires    {} ({what})", moment(&grant["expires"]));
    text
}

fn rows<const N: usize>(list: &Value, row: impl Fn(&Value) -> [String; N]) -> Vec<[String; N]> {
    list.as_array().into_iter().flatten().map(row).collect()
}

/// Which relays have not said what they have.
fn missing(answer: &Value) -> String {
    let relays = answer["incomplete"].as_array().into_iter().flatten();
    let relays: Vec<_> = relays.map(plain).collect();
    match relays.is_empty() {
        true => String::new(),
        false => format!(
            "There may be more at relays that do not answer: {}\n",
            relays.join(", ")
        ),
    }
}

/// Columns, each as wide as its widest field; those in which nothing stands are left out.
fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(&rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let stands = |column: usize| rows.is_empty() || rows.iter().any(|row| !row[column].is_empty());
    let mut text = String::new();
    for row in all() {
        let fields = row.iter().zip(&widths).enumerate();
        let fields = fields.filter(|(column, _)| stands(*column));
        let line: Vec<_> = fields
            .map(|(_, (field, width))| format!("{field:width$}"))
            .collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

/// A value without quotes, and without what a terminal would obey.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.replace(char::is_control, "\u{fffd}")
}

fn moment(seconds: &Value) -> String {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let time = seconds
        .as_i64()
        .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let written = time.and_then(|time| time.format(&Rfc3339).ok());
    written.unwrap_or_else(|| plain(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_tables() {
        let answer = json!({ "broadcasts": [
            { "id": "main", "phase": "live", "players": 12, "title": "Game \u{1b}[31mnight" },
            { "id": "a-longer-id", "phase": "waiting", "players": 0, "title": "" },
        ]});
        let shown = text(&Shown::Broadcasts, &answer);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "BROADCAST    PHASE    PLAYERS  TITLE");
        assert_eq!(
            lines[1],
            "main         live     12       Game \u{fffd}[31mnight"
        );
        assert_eq!(lines[2], "a-longer-id  waiting  0");
    }

    #[test]
    fn where_sessions_are_is_told_and_what_is_not_known() {
        let session = |relay: &str| {
            json!({ "session": 7, "relay": relay, "role": "play", "transport": "webrtc",
                    "address": "192.0.2.7", "skips": 0 })
        };
        let answer = json!({ "sessions": [session("r1"), session("r2")], "incomplete": ["r3"] });
        let shown = text(&Shown::Sessions, &answer);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(
            lines[0],
            "SESSION  RELAY  ROLE  TRANSPORT  ADDRESS    SKIPS"
        );
        assert_eq!(lines[2], "7        r2     play  webrtc     192.0.2.7  0");
        let missing = "There may be more at relays that do not answer: r3";
        assert_eq!(lines[3..], [missing]);
        let none = text(&Shown::Sessions, &json!({ "sessions": [] }));
        assert!(none.starts_with("SESSION  RELAY  ROLE"), "{none}");
    }
}
