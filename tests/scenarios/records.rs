//! What whoever runs the relay learns: sessions with their figures, metrics, the access log.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use steadycast_codec_glue::wire::{ClientMessage, Role};
use steadycast_tests::coded::Kind;
use steadycast_tests::http::Request;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc;

/// A figure of the text format, with its labels as they stand there.
fn figure(text: &str, name: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line?.parse().ok()
}

async fn metrics(relay: &TestRelay) -> Result<String> {
    let request = Request {
        method: "GET",
        path: "/metrics",
        ..Request::default()
    };
    let at = relay.metrics().context("no address of metrics")?;
    let reply = request.send(at).await?;
    ensure!(reply.status == 200, "{}", reply.status);
    Ok(reply.body)
}

/// A place for an access log, which goes with the value.
struct Log(PathBuf);

impl Log {
    fn new(name: &str) -> Self {
        // A scenario runs over several transports, and so do its copies beside each other.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-{name}-{}-{number}.log", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_counted_and_written_down_with_what_it_had() -> Result<()> {
    let log = Log::new("access");
    let relay = TestRelay::with(|config| {
        config.metrics.listen = "127.0.0.1:0".parse().ok();
        config.log.access_file = Some(log.path().to_owned());
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let minted = broadcast.minted(Role::Player);
    let mut publisher = broadcast.publisher().await?;
    let mut player =
        steadycast_tests::client::Player::join(relay.target(), minted.token.as_str()).await?;
    let watching = webrtc::Player::watch(&broadcast.whep()).await?;
    for len in [10_000, 2_000, 2_000] {
        match len {
            10_000 => publisher.keyframe(len).await?,
            _ => publisher.delta(len).await?,
        };
        player.frame().await?;
    }
    for latency_us in [50_000, 52_000, 200_000] {
        let report = ClientMessage::Report {
            received: 3,
            decoded: 3,
            shown: 3,
            black: 0,
            decoder_errors: 0,
            latency_us,
        };
        player.control.send(&report).await?;
    }
    player.control.ping().await?;
    // While they go on.
    let at = || relay.site().records.at(&broadcast.id);
    let noted = || {
        at().iter()
            .any(|seen| seen.figures.given.frames == 3 && seen.figures.reception.rtt.is_some())
    };
    relay.until("its figures", noted).await?;
    let text = metrics(&relay).await?;
    let own = relay.target().carrier.name();
    let sessions = |role: &str, transport: &str| {
        format!("steadycast_sessions{{role=\"{role}\",transport=\"{transport}\"}}")
    };
    for (name, value) in [
        ("steadycast_broadcasts{phase=\"waiting\"}", 0.0),
        ("steadycast_players", 2.0),
        (&sessions("play", own), 1.0),
        (&sessions("play", "webrtc"), 1.0),
        (&sessions("publish", own), 1.0),
        ("steadycast_frames_received_total", 3.0),
        ("steadycast_glass_to_glass_seconds_count", 3.0),
        ("steadycast_glass_to_glass_seconds_bucket{le=\"0.1\"}", 2.0),
    ] {
        ensure!(figure(&text, name) == Some(value), "{name} in\n{text}");
    }
    // Its publisher says nothing for a while, and may count as away.
    let phases =
        ["live", "held"].map(|phase| format!("steadycast_broadcasts{{phase=\"{phase}\"}}"));
    let there: f64 = phases.iter().filter_map(|name| figure(&text, name)).sum();
    ensure!(there == 1.0, "{text}");
    ensure!(figure(&text, "process_open_fds").is_some_and(|files| files > 5.0));
    ensure!(
        !text.contains(broadcast.id.as_str()),
        "no broadcast is named"
    );
    // When they are over.
    drop(player);
    watching.close();
    publisher.crash();
    relay
        .until("nobody", || {
            relay.site().records.at(&broadcast.id).is_empty()
        })
        .await?;
    let text = metrics(&relay).await?;
    let ended = "steadycast_sessions_ended_total{code=\"done\",role=\"play\",transport=\"webrtc\"}";
    ensure!(figure(&text, ended) == Some(1.0), "{text}");
    let joined = format!("steadycast_join_seconds_count{{transport=\"{own}\"}}");
    ensure!(figure(&text, &joined) == Some(1.0), "{text}");
    relay
        .site()
        .end(
            &broadcast.id,
            steadycast_codec_glue::wire::Code::BroadcastEnded,
        )
        .await?;
    let text = metrics(&relay).await?;
    ensure!(
        figure(&text, "steadycast_frames_received_total") == Some(3.0),
        "counts go on"
    );
    relay
        .until("three lines", || log.lines().len() == 3)
        .await?;
    let lines = log.lines();
    let own = lines
        .iter()
        .find(|line| line["tokenId"] == minted.id.as_str());
    let own = own.context("it has no line")?;
    ensure!(own["why"] == "done" && own["role"] == "play", "{own}");
    ensure!(
        own["frames"] == 3 && own["broadcast"] == broadcast.id.as_str(),
        "{own}"
    );
    ensure!(
        own["bytes"].as_u64().is_some_and(|bytes| bytes >= 14_000),
        "{own}"
    );
    ensure!(
        own["latencyP50Ms"]
            .as_u64()
            .is_some_and(|ms| (47..=57).contains(&ms)),
        "{own}"
    );
    let published = lines.iter().find(|line| line["role"] == "publish");
    ensure!(
        published.is_some_and(|line| line["frames"] == 3),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_is_refused_is_counted() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.metrics.listen = "127.0.0.1:0".parse().ok();
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let expired = broadcast.expired_token(Role::Player);
    ensure!(
        steadycast_tests::client::Player::join(relay.target(), &expired)
            .await
            .is_err()
    );
    ensure!(
        webrtc::Player::join(&broadcast.whep_with(&expired))
            .await
            .is_err()
    );
    let text = metrics(&relay).await?;
    let refused = "steadycast_refusals_total{code=\"token_expired\"}";
    ensure!(figure(&text, refused) == Some(2.0), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_stops_writes_down_everybody_who_is_there() -> Result<()> {
    let log = Log::new("stopping");
    let relay = TestRelay::with(|config| {
        config.log.access_file = Some(log.path().to_owned());
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let _player = broadcast.player().await?;
    let host = webrtc::Publisher::join(&broadcast.whip()).await?;
    let picture = steadycast_tests::coded::coded(Kind::Vp8, true, 0, 1_000);
    host.send(&picture, 0).await?;
    let brought = || {
        let sessions = relay.site().records.at(&broadcast.id);
        sessions
            .iter()
            .any(|seen| seen.standing.role == Role::Publisher && seen.figures.given.frames == 1)
    };
    relay.until("the picture", brought).await?;
    let relay = relay.restart().await?;
    let lines = log.lines();
    ensure!(lines.len() == 2, "{lines:?}");
    ensure!(
        lines.iter().all(|line| line["why"] == "shutting_down"),
        "{lines:?}"
    );
    let published = lines.iter().find(|line| line["role"] == "publish");
    ensure!(
        published.is_some_and(|line| line["frames"] == 1),
        "{lines:?}"
    );
    drop(relay);
    Ok(())
}

steadycast_tests::over_websocket! {
    a_session_is_counted_and_written_down_with_what_it_had,
    everybody_who_is_refused_is_counted,
    a_relay_that_stops_writes_down_everybody_who_is_there,
}
