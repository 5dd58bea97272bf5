//! A line of the access log.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::Code;

use super::session::{Over, Seen};
use crate::auth::Power;
use crate::broadcast::RelayTime;
use crate::shard::neighbourhood;
use crate::telemetry::traces::BroadcastTrace;

/// What the access log says of where sessions came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// The address.
    Full,
    /// Its network: an IPv4 /24, an IPv6 /56.
    Network,
    /// Nothing.
    None,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    session: u64,
    broadcast: &'a str,
    trace: String,
    role: Power,
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<Over>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<&'a str>,
    joined: String,
    left: String,
    seconds: f64,
    why: &'static str,
    frames: u64,
    bytes: u64,
    skips: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p50_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p95_ms: Option<u64>,
}

/// The line of a session that is over, without its end.
pub(super) fn line(seen: &Seen, code: Code, now: RelayTime, addresses: Addresses) -> String {
    let (standing, figures) = (&seen.standing, &seen.figures);
    let (visit, holder) = (&standing.visit, &standing.grant.holder);
    let seconds = (now - visit.since).as_secs_f64();
    let line = Line {
        session: visit.number,
        broadcast: standing.broadcast.as_str(),
        trace: BroadcastTrace::of(&standing.broadcast).to_string(),
        role: standing.role.into(),
        transport: visit.transport.name(),
        over: seen.over,
        address: match addresses {
            Addresses::Full => Some(visit.from),
            Addresses::Network => Some(neighbourhood(visit.from)),
            Addresses::None => None,
        },
        issuer: holder.issuer.as_deref(),
        subject: holder.subject.as_deref(),
        name: holder.name.as_deref(),
        token_id: holder.token.as_deref(),
        joined: visit.since.rfc3339(),
        left: now.rfc3339(),
        seconds: (seconds * 1_000.0).round() / 1_000.0,
        why: code.name(),
        frames: figures.given.frames,
        bytes: figures.given.bytes,
        skips: figures.given.skips,
        latency_p50_ms: seen.latencies.percentile(50),
        latency_p95_ms: seen.latencies.percentile(95),
    };
    // Texts and numbers always serialise.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};
    use steadycast_codec_glue::wire::Role;

    use super::super::{Figures, Latencies};
    use super::*;
    use crate::auth::{Grant, Holder, Standing, Transport, Visit};
    use crate::delivery::Given;

    fn seen() -> Seen {
        let holder = Holder {
            subject: Some("ada".into()),
            name: Some("Ada \"L.\"\n".into()),
            ..Holder::default()
        };
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_millis(64));
        Seen {
            standing: Standing {
                grant: Arc::new(Grant {
                    holder,
                    ..Grant::of_the_admin_key()
                }),
                role: Role::Player,
                broadcast: "main".parse().unwrap(),
                visit: Visit {
                    number: 7,
                    transport: Transport::WebRtc,
                    from: "2001:db8:1:2:3::4".parse().unwrap(),
                    since: RelayTime::from_micros(1_800_000_000_000_000),
                },
            },
            over: Some(Over::Tcp),
            figures: Figures {
                given: Given {
                    frames: 3,
                    bytes: 4,
                    skips: 5,
                    first: None,
                },
                ..Figures::default()
            },
            latencies,
        }
    }

    fn told(addresses: Addresses) -> Value {
        let now = RelayTime::from_micros(1_800_000_001_500_000);
        let line = line(&seen(), Code::Kicked, now, addresses);
        assert!(!line.contains('\n'), "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn it_says_who_was_where_and_how_they_fared() {
        let expected = json!({
            "session": 7, "broadcast": "main", "role": "play", "transport": "webrtc",
            "trace": "adb0716cf3afaeb8964e98ef7d495c27",
            "over": "tcp", "address": "2001:db8:1:2:3::4", "subject": "ada", "name": "Ada \"L.\"\n",
            "joined": "2027-01-15T08:00:00Z", "left": "2027-01-15T08:00:01.5Z", "seconds": 1.5,
            "why": "kicked", "frames": 3, "bytes": 4, "skips": 5,
            "latencyP50Ms": 64, "latencyP95Ms": 64,
        });
        assert_eq!(told(Addresses::Full), expected);
    }

    #[test]
    fn addresses_are_cut_or_left_out_where_that_is_wanted() {
        assert_eq!(told(Addresses::Network)["address"], "2001:db8:1::");
        assert_eq!(told(Addresses::None).get("address"), None);
    }
}
