//! What the relay knows anyway, as figures of one moment.

use std::time::Duration;

use prometheus::{CounterVec, Encoder, IntCounter, IntGaugeVec, Opts, Registry, TextEncoder};
use steadycast_codec_glue::wire::Role;
use time::OffsetDateTime;

use super::counted::{Metrics, MetricsError, role_name};
use crate::auth::{Gate, Transport};
use crate::broadcast::{Registry as Broadcasts, Totals};
use crate::directory::{Directory, State};

/// A name, what it counts, and where it is found.
type Total = (&'static str, &'static str, fn(&Totals) -> u64);

const TOTALS: &[Total] = &[
    ("publishers_joined_total", "Publisher sessions.", |t| {
        t.publishers_joined
    }),
    ("players_joined_total", "Player sessions.", |t| {
        t.players_joined
    }),
    (
        "frames_received_total",
        "Frames taken from publishers.",
        |t| t.frames_received,
    ),
    (
        "received_bytes_total",
        "Bytes of frames taken from publishers.",
        |t| t.bytes_received,
    ),
    ("frames_sent_total", "Frames handed to players.", |t| {
        t.frames_sent
    }),
    (
        "frames_late_total",
        "Frames dropped because a newer group was there.",
        |t| t.late_frames,
    ),
    (
        "frames_left_out_total",
        "Frames of higher temporal layers left out for players that lagged.",
        |t| t.dropped_frames,
    ),
    (
        "frames_unwanted_total",
        "Frames of renditions dropped because nobody wanted them any more.",
        |t| t.unwanted_frames,
    ),
    (
        "sound_frames_received_total",
        "Frames of sound taken from publishers.",
        |t| t.sound_frames,
    ),
    (
        "sound_received_bytes_total",
        "Bytes of frames of sound taken from publishers.",
        |t| t.sound_bytes,
    ),
    (
        "sound_frames_lost_total",
        "Frames of sound that publishers sent and that never came.",
        |t| t.sound_lost,
    ),
    (
        "sound_frames_sent_total",
        "Frames of sound handed to players.",
        |t| t.sound_sent,
    ),
    (
        "sound_frames_dropped_total",
        "Frames of sound that came and went nowhere.",
        |t| t.sound_dropped,
    ),
    (
        "skips_total",
        "Times that a player was skipped to a new keyframe.",
        |t| t.skips,
    ),
    (
        "keyframe_requests_total",
        "Keyframe requests sent to publishers.",
        |t| t.keyframe_requests,
    ),
    (
        "groups_passed_over_total",
        "Groups passed over for want of memory.",
        |t| t.groups_passed_over,
    ),
    (
        "caches_shed_total",
        "Caches emptied for want of memory.",
        |t| t.caches_shed,
    ),
    (
        "black_frames_total",
        "Blank pictures, as players report them.",
        |t| t.black_frames,
    ),
    (
        "decoder_errors_total",
        "Decoder errors, as players report them.",
        |t| t.decoder_errors,
    ),
];

/// Where the figures of the moment come from.
pub(super) struct Moment<'a> {
    pub(super) broadcasts: &'a Broadcasts,
    pub(super) gate: &'a Gate,
    pub(super) directory: &'a dyn Directory,
    /// How many broadcasts are known, wherever they are.
    pub(super) known: usize,
    /// How long each shard has been busy since it started.
    pub(super) busy: Vec<Duration>,
    /// When the certificate ends, where there is one.
    pub(super) certificate: Option<OffsetDateTime>,
}

impl Metrics {
    /// All figures, in Prometheus's text format.
    pub(super) fn render(&self, moment: &Moment<'_>) -> Result<String, MetricsError> {
        let mut families = self.registry().gather();
        families.extend(moment.registry()?.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Moment<'_> {
    fn registry(&self) -> Result<Registry, prometheus::Error> {
        let registry = Registry::new();
        let mut totals = self.broadcasts.ended_totals();
        let phases = gauges(&registry, "broadcasts", "Broadcasts, by phase.", &["phase"])?;
        let players = gauges(&registry, "players", "Players at broadcasts.", &[])?;
        let help = "Sessions of other relays that get broadcasts here.";
        let relays = gauges(&registry, "relays", help, &[])?;
        let help = "Broadcasts that come from another relay.";
        let pulled = gauges(&registry, "broadcasts_pulled", help, &[])?;
        let renditions = gauges(
            &registry,
            "renditions",
            "Versions that run for players that cannot have the main one.",
            &[],
        )?;
        let listeners = gauges(
            &registry,
            "listeners",
            "Players that are to hear what there is.",
            &[],
        )?;
        let cached = gauges(
            &registry,
            "cache_bytes",
            "Bytes of pictures that are cached.",
            &[],
        )?;
        let memory = gauges(
            &registry,
            "picture_memory_bytes",
            "Bytes of pictures in memory: coming in, cached, on their way to players.",
            &[],
        )?;
        for phase in ["waiting", "live", "held", "paused"] {
            phases.with_label_values(&[phase]);
        }
        // A figure that is nought is one as well.
        for gauge in [
            &players,
            &relays,
            &pulled,
            &renditions,
            &listeners,
            &cached,
            &memory,
        ] {
            gauge.with_label_values::<&str>(&[]);
        }
        for broadcast in self.broadcasts.list() {
            let snapshot = broadcast.snapshot();
            totals += &snapshot.totals;
            phases.with_label_values(&[snapshot.phase]).inc();
            players
                .with_label_values::<&str>(&[])
                .add((snapshot.players - snapshot.players_elsewhere).into());
            relays
                .with_label_values::<&str>(&[])
                .add(snapshot.relays.into());
            pulled
                .with_label_values::<&str>(&[])
                .add(snapshot.upstream.is_some().into());
            renditions
                .with_label_values::<&str>(&[])
                .add(whole(snapshot.renditions.len()));
            listeners
                .with_label_values::<&str>(&[])
                .add(snapshot.sound.map_or(0, |sound| sound.listeners.into()));
            cached
                .with_label_values::<&str>(&[])
                .add(whole(snapshot.cache.bytes));
            memory
                .with_label_values::<&str>(&[])
                .add(whole(snapshot.memory_bytes));
        }
        let sessions = gauges(
            &registry,
            "sessions",
            "Sessions that were let in and go on.",
            &["transport", "role"],
        )?;
        for transport in Transport::ALL {
            for role in [Role::Publisher, Role::Player] {
                let count = self.gate.count(transport, role);
                let gauge = sessions.with_label_values(&[transport.name(), role_name(role)]);
                gauge.set(whole(count));
            }
        }
        let help = "Time that a shard's thread was busy: of one that is busy all the time the core is used up.";
        let busy = CounterVec::new(named("shard_busy_seconds_total", help), &["shard"])?;
        registry.register(Box::new(busy.clone()))?;
        for (number, time) in self.busy.iter().enumerate() {
            let counter = busy.with_label_values(&[&number.to_string()]);
            counter.inc_by(time.as_secs_f64());
        }
        let help =
            "When the certificate ends, in seconds since the Unix epoch; none: there is none yet.";
        let ends = gauges(&registry, "certificate_end_timestamp_seconds", help, &[])?;
        if let Some(end) = self.certificate {
            let gauge = ends.with_label_values::<&str>(&[]);
            gauge.set(end.unix_timestamp());
        }
        self.register_directory(&registry)?;
        for (name, help, value) in TOTALS {
            let counter = IntCounter::with_opts(named(name, help))?;
            counter.inc_by(value(&totals));
            registry.register(Box::new(counter))?;
        }
        Ok(registry)
    }

    fn register_directory(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        let help = "Whether the directory of relays is in this state: alone (no engine), joining, joined, away.";
        let states = gauges(registry, "directory_state", help, &["state"])?;
        let state = self.directory.state();
        for other in State::ALL {
            let gauge = states.with_label_values(&[other.name()]);
            gauge.set(i64::from(other == state));
        }
        let help = "Broadcasts that are known here, wherever they are: with an engine those of all relays.";
        let known = gauges(registry, "broadcasts_known", help, &[])?;
        known.with_label_values::<&str>(&[]).set(whole(self.known));
        let census = self.directory.census();
        let help = "Relays that live, this one among them, as far as it knows.";
        let relays = gauges(registry, "directory_relays", help, &[])?;
        relays
            .with_label_values::<&str>(&[])
            .set(whole(census.relays));
        let (mut players, mut sessions) = (0, 0);
        for lease in self.directory.relays() {
            players += lease.load.players;
            sessions += lease.load.sessions;
        }
        for (name, help, count) in [
            (
                "cluster_players",
                "Players at all relays, as their leases say.",
                players,
            ),
            (
                "cluster_sessions",
                "Sessions at all relays, as their leases say.",
                sessions,
            ),
        ] {
            let gauge = gauges(registry, name, help, &[])?;
            let gauge = gauge.with_label_values::<&str>(&[]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let help = "Broadcasts that relays have claimed, as far as this one knows.";
        let claims = gauges(registry, "directory_claims", help, &["by"])?;
        let others = census.claims.saturating_sub(census.own);
        for (by, count) in [("own", census.own), ("others", others)] {
            claims.with_label_values(&[by]).set(whole(count));
        }
        Ok(())
    }
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("steadycast_{name}"), help)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    let gauges = IntGaugeVec::new(named(name, help), labels)?;
    registry.register(Box::new(gauges.clone()))?;
    Ok(gauges)
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
