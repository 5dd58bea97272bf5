//! Trials of another project's relay: moq-relay, with a publisher and a player on its own crates.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use steadycast_lab::conditions::Beside;

use super::download::Download;
use super::figures::{Figures, Window};
use super::outcome::{Outcome, Who};
use super::stage::PORT;
use super::trial::{Trial, paths};
use super::viewer::Had;
use crate::lab::netns::Namespace;
use crate::lab::{Emulator, World};
use crate::peer::{picture_flags, program};
use crate::tally::Glimpse;

/// The name in the relay's certificate.
const HOST_NAME: &str = "localhost";

/// Another project's programs.
#[derive(Debug, Clone)]
pub struct Peer {
    relay: PathBuf,
    client: PathBuf,
    /// More of the relay's command line.
    flags: Vec<String>,
}

/// A program that runs; dropping it ends it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// Those that `make peers` has put there, and more of the relay's command line.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn at(peers: &Path, flags: Vec<String>) -> Result<Self> {
        Ok(Self {
            relay: program(peers, "moq-relay")?,
            client: program(peers, "moq-peer")?,
            flags,
        })
    }

    fn start_relay(&self, inside: &Namespace) -> Result<Running> {
        let address = SocketAddr::from((World::relay_address(), PORT));
        let mut command = Command::new(&self.relay);
        command
            .args(["--listen", &address.to_string()])
            .args(["--auth-public", "**"])
            .args(["--log-level", "error"])
            .args(&self.flags);
        // A certificate that is there needs none made.
        if !self.flags.iter().any(|flag| flag.contains("tls-cert")) {
            command.args(["--listen-tls-generate", HOST_NAME]);
        }
        start(command, inside)
    }

    fn start_client(&self, what: &str, trial: &Trial, inside: &Namespace) -> Result<Running> {
        let mut command = Command::new(&self.client);
        command
            .arg(what)
            .args([
                "--url",
                &format!("https://{}:{PORT}/", World::relay_address()),
            ])
            .args(picture_flags(&trial.picture));
        start(command, inside)
    }
}

fn start(mut command: Command, inside: &Namespace) -> Result<Running> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let child = inside.within(|| {
        command
            .spawn()
            .with_context(|| format!("running {program}"))
    })?;
    Ok(Running(child))
}

/// Does a trial over another project's relay. Blocks.
///
/// # Errors
/// When the lab or one of the programs fails, or the trial is one with other players beside.
pub fn run(trial: &Trial, peer: &Peer) -> Result<Vec<Outcome>> {
    let lanes = trial.lanes();
    ensure!(lanes.len() == 1, "another project's player comes alone");
    let world = World::create(1)?;
    let _relay = peer.start_relay(world.relay())?;
    let _publisher = peer.start_client("publish", trial, world.relay())?;
    // A player beside the relay knows when there is something to be seen.
    let mut first = peer.start_client("watch", trial, world.relay())?;
    let shown = lines(&mut first)?.next();
    shown.context("nothing is published")??;
    drop(first);
    let emulator = Emulator::start(&world, &paths(&lanes), trial.seed)?;
    emulator.begin();
    let had = thread::scope(|scope| {
        let _download = match trial.condition.beside {
            Beside::Download => Some(Download::begin(scope, &world)?),
            _ => None,
        };
        watch(trial, peer, &world)
    })?;
    let record = emulator.stop(&world)?;
    let path = &record.paths[0];
    Ok(vec![Outcome {
        transport: "moq",
        player: "moq-relay".to_owned(),
        lateness: record.lateness,
        void: record.void(),
        ..Outcome::of(trial, Who::Player, &[had], path)
    }])
}

/// Has a player watch as long as the trial takes.
fn watch(trial: &Trial, peer: &Peer, world: &World) -> Result<Had> {
    let from_us = unix_us()?;
    let mut player = peer.start_client("watch", trial, &world.players()[0])?;
    let lines = lines(&mut player)?;
    let reading = thread::spawn(move || Seen::read(lines));
    thread::sleep(trial.duration);
    let until_us = unix_us()?;
    let ended = player.0.try_wait()?;
    drop(player);
    let seen = reading.join().map_err(|_| anyhow!("reading panicked"))??;
    Ok(Had {
        figures: Figures::of(&seen.log, Window { from_us, until_us }),
        sound: None,
        received: seen.bytes,
        skips: 0,
        lost: ended.is_some().into(),
        why_lost: ended.map(|status| status.to_string()),
        bad: seen.bad,
    })
}

/// What a player has printed.
#[derive(Default)]
struct Seen {
    log: Vec<Glimpse>,
    bytes: u64,
    bad: u64,
}

impl Seen {
    fn read(lines: impl Iterator<Item = std::io::Result<String>>) -> Result<Self> {
        let mut seen = Self::default();
        for line in lines {
            let line = line?;
            let numbers: Vec<u64> = line
                .split(' ')
                .map_while(|word| word.parse().ok())
                .collect();
            let [capture_us, arrived_us, bytes] = numbers[..] else {
                // The last line may have been cut off with its writer.
                seen.bad += u64::from(line == "bad");
                continue;
            };
            seen.log.push(Glimpse {
                capture_us,
                arrived_us,
            });
            seen.bytes += bytes;
        }
        Ok(seen)
    }
}

fn lines(program: &mut Running) -> Result<std::io::Lines<BufReader<ChildStdout>>> {
    let output = program.0.stdout.take().context("no output")?;
    Ok(BufReader::new(output).lines())
}

fn unix_us() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_player_prints_is_read_to_the_last_whole_line() {
        let lines = ["100 150 8000", "bad", "133 190 8000", "16"];
        let seen = Seen::read(lines.map(|line| Ok(line.to_owned())).into_iter()).unwrap();
        assert_eq!((seen.bytes, seen.bad), (16_000, 1));
        let log: Vec<_> = seen
            .log
            .iter()
            .map(|it| (it.capture_us, it.arrived_us))
            .collect();
        assert_eq!(log, [(100, 150), (133, 190)]);
    }
}
