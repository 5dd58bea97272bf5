//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::fanout::{self, Run};
use crate::floor::{self, Floor};
use crate::load::Load;
use crate::process::{self, Gauge, OwnRelay};
use crate::report::{Report, html, table};
use crate::target::Target;

/// Loads a Steadycast relay with real sessions and says what it costs.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One load: publishers, players, and a report
    Fanout(Fanout),
    /// What the machine allows: the same bytes, only sealed and sent
    Floor(FloorArgs),
    /// Is a relay: what the other commands start where no --url is given
    #[command(hide = true)]
    Relay {
        /// As `steadycast` takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// Which relay, and where it and this client run.
#[derive(Debug, Clone, Args)]
pub struct Where {
    /// The relay, as in http://127.0.0.1:4433; without it, one is started as a process of its own
    #[arg(long)]
    pub url: Option<String>,
    /// The admin key of the relay at --url
    #[arg(
        long,
        env = "STEADYCAST_SERVER_ADMIN_KEY",
        default_value = "",
        hide_env_values = true
    )]
    pub admin_key: String,
    /// The process whose CPU time and memory are the relay's; with --url only
    #[arg(long, value_name = "PID")]
    pub relay_pid: Option<u32>,
    /// Cores of the relay that is started
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub relay_cores: Vec<usize>,
    /// Core of this client
    #[arg(long, default_value_t = 1)]
    pub client_core: usize,
    /// Let relay and client run on any core
    #[arg(long)]
    pub no_pin: bool,
    /// A setting of the relay that is started, as in --relay-set relay-shards=2; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub relay_set: Vec<String>,
}

#[derive(Debug, Args)]
struct Fanout {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    output: Output,
}

/// How a report is shown.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FloorArgs {
    #[command(flatten)]
    load: Load,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The program.
pub fn run() -> ExitCode {
    let line = Line::parse();
    let done = match line.command {
        Command::Relay { args } => return process::be_relay(args),
        Command::Fanout(fanout) => fanout.run(),
        Command::Floor(floor) => floor.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The relay under load, started or found.
pub struct Relay {
    own: Option<OwnRelay>,
    target: Target,
    gauge: Option<Gauge>,
    /// The first of the relay's cores, and the client's, where both are pinned.
    cores: Option<(usize, usize)>,
}

/// How long the floor is measured beside a run.
const FLOOR_TIME: Duration = Duration::from_secs(1);

impl Relay {
    /// Starts or finds it, and pins this thread where that is asked for.
    ///
    /// # Errors
    /// When there is none.
    pub fn at(place: &Where) -> Result<Self> {
        let pinned = !place.no_pin && process::cores() > 1;
        let first = place.relay_cores.first().filter(|_| pinned);
        let cores = first.map(|relay| (*relay, place.client_core));
        let relay = match &place.url {
            Some(url) => Self {
                own: None,
                target: Target::find(url, &place.admin_key)?,
                gauge: place.relay_pid.map(Gauge::of),
                cores,
            },
            None => {
                let on = if pinned { &place.relay_cores[..] } else { &[] };
                let own = OwnRelay::start(on, &flags(&place.relay_set)?)?;
                Self {
                    target: own.target().clone(),
                    gauge: Some(Gauge::of(own.pid())),
                    own: Some(own),
                    cores,
                }
            }
        };
        if pinned {
            process::pin([place.client_core])?;
        }
        Ok(relay)
    }

    /// One run.
    ///
    /// # Errors
    /// As [`fanout::run`].
    pub fn load(&self, load: &Load, quiet: bool) -> Result<Report> {
        let bar = bar(quiet);
        let report = fanout::run(&Run {
            load,
            target: &self.target,
            relay: self.gauge,
            progress: &|what, done, all| {
                bar.set_message(what.to_owned());
                bar.set_length(all);
                bar.set_position(done);
            },
        });
        bar.finish_and_clear();
        report
    }

    /// The floor on the cores of this relay and client, measured while nothing else happens.
    ///
    /// # Errors
    /// As [`floor::measure`].
    pub fn floor(&self, load: &Load) -> Result<Option<Floor>> {
        if self.gauge.is_none() {
            return Ok(None);
        }
        floor::measure(load, self.cores, FLOOR_TIME).map(Some)
    }

    /// Its process, where it is known.
    pub fn gauge(&self) -> Option<Gauge> {
        self.gauge
    }

    /// Whether the bench has started it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }
}

fn flags(settings: &[String]) -> Result<Vec<String>> {
    let mut flags = Vec::new();
    for setting in settings {
        let Some((key, value)) = setting.split_once('=') else {
            bail!("--relay-set takes KEY=VALUE, not {setting:?}");
        };
        flags.extend([format!("--{key}"), value.to_owned()]);
    }
    Ok(flags)
}

fn bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{msg:<10} {wide_bar} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

impl Fanout {
    fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        let relay = Relay::at(&self.place)?;
        let floor = relay.floor(&self.load)?;
        let mut report = relay.load(&self.load, self.output.json)?;
        report.floor_cpu_s_per_gbit = floor.map(|floor| floor.cpu_s_per_gbit);
        self.output.show(&report)?;
        if report.bad > 0 {
            bail!("{} frames were wrong", report.bad);
        }
        Ok(())
    }
}

impl FloorArgs {
    fn run(self) -> Result<()> {
        self.load.check().map_err(anyhow::Error::msg)?;
        let cores = (process::cores() > 1).then_some((0, 1));
        let time = Duration::from_secs(self.load.seconds.min(3));
        let floor = floor::measure(&self.load, cores, time)?;
        if self.json {
            say(&serde_json::to_string(&floor)?);
            return Ok(());
        }
        let rows = [
            ("CPU s per Gbit", format!("{:.3}", floor.cpu_s_per_gbit)),
            ("Gbit/s of one core", format!("{:.1}", floor.gbit_per_core)),
            ("sealing a packet", format!("{:.0} ns", floor.seal_ns)),
            ("sending a packet", format!("{:.0} ns", floor.send_ns)),
        ];
        say(&table("The floor: AES-128-GCM and UDP GSO alone", &rows));
        Ok(())
    }
}

impl Output {
    /// Shows a report as asked for.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn show(&self, report: &Report) -> Result<()> {
        if let Some(path) = &self.html {
            let page = html(report)?;
            std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
        }
        if self.json {
            say(&serde_json::to_string(report)?);
        } else {
            say(&report.text());
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::print_stderr,
    reason = "a program says on stderr what went wrong"
)]
fn complain(text: &str) {
    eprintln!("error: {text}");
}
