//! Which relay is loaded, and where it and this client run.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::fanout::{self, Progress, Run};
use crate::floor::{self, Floor, Sealing};
use crate::load::Load;
use crate::process::{self, Gauge, OwnRelay};
use crate::report::Report;
use crate::target::Target;
use crate::transport::Choice;

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

/// The relay under load, started or found.
pub struct Relay {
    /// Held, so that it ends with this.
    _own: Option<OwnRelay>,
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
                _own: None,
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
                    _own: Some(own),
                    cores,
                }
            }
        };
        if pinned {
            process::pin([place.client_core])?;
        }
        Ok(relay)
    }

    /// One run, with a sample every so often.
    ///
    /// # Errors
    /// As [`fanout::run`].
    pub fn load(&self, load: &Load, every: Duration, progress: Progress<'_>) -> Result<Report> {
        fanout::run(&Run {
            load,
            target: &self.target,
            relay: self.gauge,
            every,
            progress,
        })
    }

    /// Where clients find it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The floor on the cores of this relay and client, measured while nothing else happens.
    ///
    /// # Errors
    /// As [`floor::measure`].
    pub fn floor(&self, load: &Load) -> Result<Option<Floor>> {
        let sealing = match load.transport.transport {
            Choice::Webtransport => Sealing::Quic,
            Choice::Webrtc => Sealing::Srtp(load.transport.srtp),
            // There is no one floor for two kinds of packets, and over TCP the system makes them.
            Choice::Both | Choice::Websocket => return Ok(None),
        };
        if self.gauge.is_none() {
            return Ok(None);
        }
        floor::measure(load, sealing, self.cores, FLOOR_TIME).map(Some)
    }

    /// Its process, where it is known.
    pub fn gauge(&self) -> Option<Gauge> {
        self.gauge
    }
}

/// Settings as KEY=VALUE, as the relay's command line takes them.
pub(crate) fn flags(settings: &[String]) -> Result<Vec<String>> {
    let mut flags = Vec::new();
    for setting in settings {
        let Some((key, value)) = setting.split_once('=') else {
            bail!("--relay-set takes KEY=VALUE, not {setting:?}");
        };
        flags.extend([format!("--{key}"), value.to_owned()]);
    }
    Ok(flags)
}
