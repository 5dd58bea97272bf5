//! `bench network`: how players fare on bad networks.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use steadycast_lab::conditions::Of;
use steadycast_lab::{Condition, conditions};

use super::peer::Which;
use super::{Output, Progress, remark, say};
use crate::lab;
use crate::load::Picture;
use crate::network::report::Report;
use crate::network::{Browsers, Outcome, Peer, Trial, browser, peer, trial};
use crate::place::flags;
use crate::transport::{Choice, Way};

/// The command line of `bench network`.
#[derive(Debug, Args)]
#[command(after_help = "\
Runs a relay and a publisher on the clean side of made-up paths, and players behind them: by \
default every path, over WebTransport and WebRTC, once. Needs root, TUN and iproute2.")]
pub struct Network {
    /// Only the path of this name; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Say which paths there are
    #[arg(long)]
    list: bool,
    /// By what players watch; with `both`, one after the other
    #[arg(long, value_enum, default_value_t = Choice::Both)]
    transport: Choice,
    /// What chance comes from, as in 3 or 1-5: a run for each
    #[arg(long, default_value = "1", value_parser = seeds)]
    seeds: Seeds,
    /// How long each run takes; by default as long as its path says
    #[arg(long)]
    seconds: Option<u64>,
    /// Players beside, on paths without trouble, who are measured as well
    #[arg(long, default_value_t = 0)]
    players: usize,
    /// Frames from one keyframe to the next
    #[arg(long, default_value_t = 500)]
    group: usize,
    /// Payload of a keyframe, in bytes
    #[arg(long, default_value_t = 150_000)]
    key_bytes: usize,
    /// Payload of a frame that is no keyframe, in bytes
    #[arg(long, default_value_t = 8_000)]
    delta_bytes: usize,
    /// Publishers send sound besides, of 64 kbit/s or so many (browsers as much as their hosts do), and players listen
    #[arg(long, value_name = "KBIT", num_args = 0..=1, require_equals = true, default_missing_value = "64", value_parser = clap::value_parser!(u64).range(8..=400))]
    sound: Option<u64>,
    /// Whether a browser plays as well, after this program's own clients
    #[arg(long, value_enum, default_value_t = When::Auto)]
    browsers: When,
    /// Where the browser tests are
    #[arg(long, default_value = "tests/browser", value_name = "DIR")]
    browser_tests: PathBuf,
    /// How the browser plays, as its viewer would choose it
    #[arg(long, value_parser = ["automatic", "live", "smooth"])]
    mode: Option<String>,
    /// What the browser's host encodes with: AV1 in software takes more than two cores have
    #[arg(long, default_value = "h264", value_parser = ["auto", "av1", "h264", "vp9", "vp8"])]
    codec: String,
    /// The same over another project's relay, after this one's
    #[arg(long, value_enum)]
    peer: Option<Which>,
    /// Where `make peers` has put the other project's programs
    #[arg(long, default_value = "target/peers/bin", value_name = "DIR")]
    peers: PathBuf,
    /// A flag of the other project's relay; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    peer_flag: Vec<String>,
    /// Another build of this program, whose relay is measured instead of this one's
    #[arg(long, value_name = "FILE")]
    relay_program: Option<PathBuf>,
    /// A setting of the relay, as in --relay-set relay-shards=2; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    relay_set: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// Whether browsers play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// Where there are browsers
    Auto,
    /// In any case
    Always,
    /// Not at all
    Never,
    /// And no client of this program beside
    Only,
}

/// Seeds one after another.
#[derive(Debug, Clone)]
struct Seeds(Vec<u64>);

fn seeds(text: &str) -> Result<Seeds, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parse = |text: &str| text.parse().map_err(|_| format!("{text:?} is no seed"));
    let (first, last): (u64, u64) = (parse(first)?, parse(last)?);
    if first > last || last - first > 100 {
        return Err("give one seed, or the first and the last".to_owned());
    }
    Ok(Seeds((first..=last).collect()))
}

impl Network {
    /// Does it.
    ///
    /// # Errors
    /// When there can be no lab, or the relay fails.
    pub fn run(self) -> Result<()> {
        if self.list {
            say(&list());
            return Ok(());
        }
        let picture = self.picture();
        picture.check().map_err(anyhow::Error::msg)?;
        if let Some(obstacle) = lab::obstacle() {
            bail!("{obstacle}");
        }
        lab::clean_up_when_interrupted()?;
        let ways = self.ways();
        let trials = self.trials(&picture, ways)?;
        let browsers = self.browsers()?;
        for Trial { condition, .. } in &trials {
            ensure!(
                condition.of == Of::Player || browsers.is_some() || self.only.is_empty(),
                "only a browser's host follows its uplink: the path {} takes --browsers",
                condition.name
            );
        }
        let other = self.other()?;
        self.output.check()?;
        let progress = Progress::new(self.output.json);
        let mut report = Report::default();
        let mut failed = 0;
        for (done, trial) in trials.iter().enumerate() {
            let name = trial.condition.name;
            progress.show(name, done as u64, trials.len() as u64);
            let on_it = || format!("on the path {name}");
            let mut add = |done: Result<Vec<Outcome>>| match done.with_context(on_it) {
                Ok(outcomes) => report.add(outcomes),
                // What others found is not lost with it.
                Err(error) => {
                    remark(&format!("error: {error:#}"));
                    failed += 1;
                }
            };
            // Only a browser's host adapts to its uplink.
            if self.browsers != When::Only && trial.condition.of == Of::Player {
                add(trial::run(trial));
            }
            if let Some(browsers) = &browsers {
                add(browser::run(trial, browsers));
            }
            // It has one transport, and comes alone.
            if let Some(other) = &other
                && trial.way == ways[0]
                && trial.comes_alone()
            {
                add(peer::run(trial, other));
            }
        }
        drop(progress);
        self.output.page(|| report.html())?;
        self.output.show(&report, &report.text())?;
        ensure!(failed == 0, "runs that failed: {failed}");
        Ok(())
    }

    fn browsers(&self) -> Result<Option<Browsers>> {
        let browsers = Browsers {
            tests: self.browser_tests.clone(),
            mode: self.mode.clone(),
            codec: self.codec.clone(),
        };
        match (self.browsers, browsers.obstacle()) {
            (When::Never, _) => Ok(None),
            (_, None) => Ok(Some(browsers)),
            (When::Auto, Some(obstacle)) => {
                remark(&format!("without browsers: {obstacle}"));
                Ok(None)
            }
            (When::Always | When::Only, Some(obstacle)) => bail!("{obstacle}"),
        }
    }

    fn picture(&self) -> Picture {
        Picture {
            fps: 30,
            delta_bytes: self.delta_bytes,
            key_bytes: self.key_bytes,
            group: self.group,
            input: None,
        }
    }

    fn other(&self) -> Result<Option<Peer>> {
        let Some(Which::MoqRelay) = self.peer else {
            return Ok(None);
        };
        Peer::at(&self.peers, self.peer_flag.clone()).map(Some)
    }

    fn ways(&self) -> &'static [Way] {
        match self.transport {
            Choice::Webtransport => &[Way::WebTransport],
            Choice::Webrtc => &[Way::WebRtc],
            Choice::Websocket => &[Way::WebSocket],
            Choice::Both => &[Way::WebTransport, Way::WebRtc],
        }
    }

    fn trials(&self, picture: &Picture, ways: &[Way]) -> Result<Vec<Trial>> {
        let flags = flags(&self.relay_set)?;
        let program = match &self.relay_program {
            Some(program) => program.clone(),
            None => std::env::current_exe()?,
        };
        let mut trials = Vec::new();
        for condition in self.conditions()? {
            let seconds = self.seconds.map(Duration::from_secs);
            for way in ways {
                trials.extend(self.seeds.0.iter().map(|seed| Trial {
                    duration: seconds.unwrap_or(condition.duration),
                    condition: condition.clone(),
                    way: *way,
                    seed: *seed,
                    beside: self.players,
                    picture: picture.clone(),
                    sound: self.sound,
                    program: program.clone(),
                    flags: flags.clone(),
                }));
            }
        }
        Ok(trials)
    }

    fn conditions(&self) -> Result<Vec<Condition>> {
        ensure!(self.seconds != Some(0), "--seconds must be at least 1");
        if self.only.is_empty() {
            return Ok(conditions::every());
        }
        let named = self.only.iter().map(|name| {
            conditions::named(name)
                .with_context(|| format!("there is no path {name:?}: see --list"))
        });
        named.collect()
    }
}

fn list() -> String {
    let all = conditions::every();
    let lines = all.iter().map(|condition| {
        let Condition { name, title, .. } = condition;
        format!("{name:<15}  {title}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_one_or_a_range() {
        assert_eq!(seeds("3").unwrap().0, [3]);
        assert_eq!(seeds("1-5").unwrap().0, [1, 2, 3, 4, 5]);
        for wrong in ["", "5-1", "1-1000000", "a"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }
}
