//! Trials in real browsers: a host captures a page with a clock in it, a player shows it, and the
//! clock is read from the player's pixels. The browsers are driven by `tests/browser/bench/glass.ts`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use steadycast_lab::conditions::Of;
use steadycast_relay::shard::RelayClock;

use super::company::{Company, Present};
use super::figures::{Figures, Window};
use super::outcome::{Outcome, Traffic, Who, name};
use super::stage::PORT;
use super::trial::{Lane, Trial, paths};
use crate::lab::{Emulator, Lateness, PathRecord, World};
use crate::process::OwnRelay;
use crate::sound::SoundFigures;
use crate::tally::Glimpse;
use crate::target::Broadcast;
use crate::transport::Way;

/// The browser, as the tests find it.
const BROWSER: &str = "/usr/bin/chromium";
/// The first picture may have to come over a path that takes long.
const FIRST_WITHIN_S: &str = "60";
/// Seconds for which players have watched before anything is measured.
const WARM_UP_S: &str = "5";

/// What drives browsers.
#[derive(Debug, Clone)]
pub struct Browsers {
    /// The folder of the browser tests.
    pub tests: PathBuf,
    /// The viewer's setting for play-out; the player's own default where there is none.
    pub mode: Option<String>,
    /// What the host encodes with, as its panel names it.
    pub codec: String,
}

impl Browsers {
    /// Why there can be none, if so.
    pub fn obstacle(&self) -> Option<String> {
        let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| BROWSER.to_owned());
        let script = self.tests.join("bench/glass.ts");
        let missing = [Path::new(&browser), &script]
            .into_iter()
            .find(|path| !path.exists())?;
        Some(format!("{} is not there", missing.display()))
    }

    fn start(&self, trial: &Trial, world: &World, broadcast: &Broadcast) -> Result<Child> {
        let origin = format!(
            "http://{}",
            SocketAddr::from((World::relay_address(), PORT))
        );
        let transport = match trial.way {
            Way::WebTransport => "webtransport",
            Way::WebRtc => "whep",
            Way::WebSocket => "websocket",
        };
        let inside = |name: &str| format!("ip netns exec {name}");
        let host = match trial.condition.of {
            Of::Player => world.relay(),
            Of::Publisher => &world.players()[1],
        };
        let mut command = Command::new("npm");
        command
            .args(["run", "--silent", "glass", "--"])
            .args(["--transport", transport, "--codec", &self.codec])
            .args(["--seconds", &trial.duration.as_secs().to_string()])
            .args(["--warm-up", WARM_UP_S, "--first-within", FIRST_WITHIN_S])
            .args([
                "--admin-url",
                &format!("{origin}/admin#token={}", broadcast.publish_token),
            ])
            .args([
                "--player-url",
                &format!("{origin}/play#token={}", broadcast.play_token),
            ])
            .args(["--host-exec", &inside(host.name())])
            .args(["--player-exec", &inside(world.players()[0].name())])
            .current_dir(&self.tests)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if trial.sound.is_some() {
            command.args(["--sound", "heard"]);
        }
        if let Some(mode) = &self.mode {
            command.args(["--mode", mode]);
        }
        command.spawn().context("running npm")
    }
}

/// Does a trial in browsers, with this program's own clients for all other players. Blocks.
///
/// # Errors
/// When the lab, the relay or the browsers fail.
pub fn run(trial: &Trial, browsers: &Browsers) -> Result<Vec<Outcome>> {
    let lanes = trial.lanes();
    let world = World::create(lanes.len())?;
    let address = SocketAddr::from((World::relay_address(), PORT));
    let (relay, broadcast) = world.relay().within(|| {
        let relay = OwnRelay::start_at(&trial.program, address, &[], &trial.flags)?;
        let broadcast = relay.target().create("Bad networks")?;
        Ok((relay, broadcast))
    })?;
    let emulator = Emulator::start(&world, &paths(&lanes), trial.seed)?;
    // This program's own players over WebRTC know made-up frames only, and none of a real encoder.
    let others = Trial {
        way: Way::WebTransport,
        ..trial.clone()
    };
    let company = Company {
        world: &world,
        target: relay.target(),
        broadcast: &broadcast,
        // Browsers and clients take the system's time.
        clock: RelayClock::start(),
        way: others.way,
        listens: false,
    };
    let glass = browsers.start(trial, &world, &broadcast)?;
    let (glass, had) = thread::scope(|scope| {
        let mut beside = None;
        let glass = follow(glass, |step| match step {
            // The player's own place is taken by the browser.
            Step::Watching => beside = Some(company.come(scope, trial, &lanes, 1)),
            Step::Measuring => emulator.begin(),
        });
        let present = beside.transpose()?;
        let had = present.map(Present::leave).transpose()?;
        anyhow::Ok((glass?, had.unwrap_or_default()))
    })?;
    let record = emulator.stop(&world)?;
    let mut outcomes = vec![outcome(trial, browsers, &glass, &record.paths[0])?];
    outcomes.extend(Lane::outcomes(
        &others,
        &lanes[1..],
        &had,
        &record.paths[1..],
    ));
    for outcome in &mut outcomes {
        outcome.lateness = record.lateness;
        outcome.void = record.void();
    }
    Ok(outcomes)
}

/// How far it is.
enum Step {
    /// The player has a picture.
    Watching,
    /// From now on, it counts.
    Measuring,
}

/// A word on how far it is.
#[derive(Deserialize)]
struct Word {
    what: String,
}

/// Waits for the end, and gives the report.
fn follow(mut child: Child, mut step: impl FnMut(Step)) -> Result<Glass> {
    let (words, report) = (child.stderr.take(), child.stdout.take());
    let mut report = report.context("no output")?;
    let reading = thread::spawn(move || {
        let mut text = String::new();
        report.read_to_string(&mut text).map(|_| text)
    });
    let mut complaints = String::new();
    for line in BufReader::new(words.context("no words")?).lines() {
        let line = line?;
        match serde_json::from_str::<Word>(&line) {
            Ok(word) if word.what == "a player has a picture" => step(Step::Watching),
            Ok(word) if word.what == "measuring" => step(Step::Measuring),
            Ok(_) => {}
            Err(_) => complaints += &format!("{line}\n"),
        }
    }
    let status = child.wait()?;
    let text = reading.join().map_err(|_| anyhow!("reading panicked"))??;
    ensure!(status.success(), "the browsers failed:\n{complaints}");
    serde_json::from_str(&text).context("the browsers' report")
}

/// What the browsers report: see `GlassReport` there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Glass {
    started_ms: f64,
    seconds: f64,
    players: Vec<Seen>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    first_picture_ms: Option<f64>,
    sessions_opened: u64,
    samples: Vec<Sample>,
    sound: Option<Heard>,
}

/// What the player's page counted of its sound.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heard {
    played_ms: f64,
    concealed_ms: f64,
    gaps: u64,
    latency_ms: Option<f64>,
}

impl Heard {
    fn figures(&self) -> SoundFigures {
        SoundFigures {
            there_ms: self.played_ms,
            missing: self.concealed_ms / self.played_ms.max(1.0),
            gaps: self.gaps,
            p50_ms: self.latency_ms,
            p95_ms: None,
        }
    }
}

/// A new picture: when since the start, and how old it was.
#[derive(Deserialize)]
struct Sample {
    t: f64,
    age: f64,
}

impl Glass {
    fn figures(&self, seen: &Seen) -> Figures {
        let us = |ms: f64| (ms * 1e3).max(0.0) as u64;
        let from_us = us(self.started_ms);
        let log = seen.samples.iter().map(|sample| Glimpse {
            capture_us: us(self.started_ms + sample.t - sample.age),
            arrived_us: us(self.started_ms + sample.t),
        });
        let window = Window {
            from_us,
            until_us: from_us + us(self.seconds * 1e3),
        };
        Figures {
            first_picture_ms: seen.first_picture_ms,
            ..Figures::of_sights(&log.collect::<Vec<_>>(), window)
        }
    }
}

fn outcome(
    trial: &Trial,
    browsers: &Browsers,
    glass: &Glass,
    path: &PathRecord,
) -> Result<Outcome> {
    let seen = glass.players.first().context("no player in the report")?;
    let condition = &trial.condition;
    Ok(Outcome {
        condition: condition.name,
        title: condition.title,
        base: condition.base,
        transport: name(trial.way),
        player: match &browsers.mode {
            None => "chromium".to_owned(),
            Some(mode) => format!("chromium, {mode}"),
        },
        who: Who::Player,
        seed: trial.seed,
        figures: glass.figures(seen),
        sound: trial.sound.and(seen.sound.as_ref()).map(Heard::figures),
        traffic: Traffic::of(trial.way, None, path),
        sessions_lost: seen.sessions_opened.saturating_sub(1),
        why_lost: None,
        skips: 0,
        bad: 0,
        published: 0,
        keyframe_requests: 0,
        lateness: Lateness::default(),
        void: None,
        moments: path.moments.clone(),
    })
}
