//! What the relay says about itself: one line per event, on stderr.

mod lines;
pub(crate) mod traces;

use std::fmt::Write;
use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use self::lines::Lines;
use self::traces::TRACES;
pub use self::traces::Traces;
use crate::config::{Log, LogFormat};

/// Why the log cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives make no sense.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// A directive names neither a level nor a part of the program with its level.
    #[error(
        "log.level: {0:?} is none of off, error, warn, info, debug and trace, nor steadycast_relay or \
         another part of the program with one of them"
    )]
    Word(String),
    /// Traces cannot be set up.
    #[error("log.traces: {0}")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The process has a log already.
    #[error("the log has begun already")]
    Begun,
}

/// Crates that log what peers sent, request headers among it, below this level.
const PINNED: [&str; 4] = ["wtransport", "h2", "hyper", "hyper_util"];

/// Begins the log of this process, and its traces where they are wanted; gives what changes the log's level. Call it
/// without a runtime.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(log: &Log) -> Result<(LogLevel, Option<Traces>), TelemetryError> {
    let (layer, level) = layer(log, std::io::stderr, std::io::stderr().is_terminal())?;
    let traced = log.traces.as_ref().map(traces::layer).transpose()?;
    let (spans, traces) = traced.unzip();
    tracing_subscriber::registry()
        .with(layer)
        .with(spans)
        .try_init()
        .map_err(|_| TelemetryError::Begun)?;
    Ok((level, traces))
}

/// What the log of this process says, as it can be changed.
#[derive(Debug, Clone)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// It says what these settings have from now on.
    ///
    /// # Errors
    /// [`TelemetryError`]; nothing has changed then.
    pub fn change(&self, log: &Log) -> Result<(), TelemetryError> {
        // Who has it has a log.
        let _ = self.0.reload(directives(log)?);
        Ok(())
    }
}

fn directives(log: &Log) -> Result<EnvFilter, TelemetryError> {
    check(&log.level)?;
    Ok(EnvFilter::try_new(quietened(&audible(&log.level)))?)
}

fn layer<W>(
    log: &Log,
    writer: W,
    colour: bool,
) -> Result<(Box<dyn Layer<Registry> + Send + Sync>, LogLevel), TelemetryError>
where
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    // The pin holds whatever the directives say: a token must never reach a log.
    let (filter, handle) = reload::Layer::new(directives(log)?);
    let filter = filter.and(filter_fn(may_be_logged));
    let layer = match log.format {
        LogFormat::Text => fmt::layer()
            .with_ansi(colour)
            .fmt_fields(debug_fn(lines::write_field).delimited(" "))
            .event_format(Lines::text(colour))
            .with_writer(writer)
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .event_format(Lines::json())
            .with_writer(writer)
            .with_filter(filter)
            .boxed(),
    };
    Ok((layer, LogLevel(handle)))
}

/// A part that warns of every extension of a greeting that it does not know, of which clients send a
/// dozen each: of interest to who looks for details, or asks for it.
const CHATTY: &str = "rtc_dtls";

/// The directives, by which the chatty part says errors alone unless they want more.
fn quietened(directives: &str) -> String {
    let words = directives.split(',').map(str::trim);
    let detailed = |word: &str| {
        let level = word.parse::<LevelFilter>();
        level.is_ok_and(|level| level > LevelFilter::INFO) || word.starts_with(CHATTY)
    };
    let silent = |word: &str| word.is_empty() || word == "off";
    match words.clone().any(detailed) || words.clone().all(silent) {
        true => directives.to_owned(),
        false => format!("{directives},{CHATTY}=error"),
    }
}

/// The part of the log that has rooms.
const RELAY: &str = "steadycast_relay";

/// The parts of the log that are the relay's own.
const OWN: [&str; 3] = ["steadycast", RELAY, "steadycast_codec_glue"];

/// The rooms of `steadycast_relay`, and the requests of its log.
const ROOMS: [&str; 37] = [
    "access",
    "allowance",
    "asking",
    "auth",
    "broadcast",
    "cli",
    "clocks",
    "cluster",
    "config",
    "delivery",
    "directory",
    "doctor",
    "events",
    "excerpt",
    "files",
    "homes",
    "http",
    "metrics",
    "operate",
    "path",
    "peers",
    "placement",
    "quic",
    "records",
    "relay",
    "reload",
    "session",
    "shard",
    "shards",
    "sockets",
    "store",
    "supervisor",
    "telemetry",
    "tls",
    "webrtc",
    "websocket",
    "whole",
];

/// Whether a part of the log is one of the relay's own that there is none of.
fn is_misspelt(part: &str) -> bool {
    let mut names = part.trim().split("::");
    let root = names.next().unwrap_or_default();
    let room = names.next().filter(|_| root == RELAY);
    root.starts_with("steadycast") && !OWN.contains(&root)
        || room.is_some_and(|room| !ROOMS.contains(&room))
}

/// The directives, with the usual level where they name parts of the program alone: more of one part
/// is not less of all others.
fn audible(directives: &str) -> String {
    let mut words = directives.split(',').map(str::trim);
    match words.any(|word| word.parse::<LevelFilter>().is_ok()) {
        true => directives.to_owned(),
        false => format!("info,{directives}"),
    }
}

/// A word alone is a level. The filter takes any other for a part of the program, and is silent.
fn check(directives: &str) -> Result<(), TelemetryError> {
    let words = directives.split(',').map(str::trim);
    let odd = |word: &&str| match word.split_once(['=', '[']) {
        None => word.parse::<LevelFilter>().is_err(),
        Some((part, _)) => is_misspelt(part),
    };
    match words.filter(|word| !word.is_empty()).find(odd) {
        None => Ok(()),
        Some(word) => Err(TelemetryError::Word(word.to_owned())),
    }
}

/// An error and what caused it, outermost first. An error that names its cause itself is taken at its word.
pub(crate) fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {told}");
        }
        cause = error.source();
    }
    text
}

fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let krate = metadata.target().split("::").next().unwrap_or_default();
    let is_for_others = metadata.target() == TRACES;
    !is_for_others
        && (*metadata.level() <= Level::INFO
            || !PINNED.iter().any(|pinned| krate.starts_with(pinned)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[test]
    fn a_cause_stands_once_whoever_names_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("no more room")]
        struct Inner;
        #[derive(Debug, thiserror::Error)]
        #[error("/a/file: {0}")]
        struct Names(#[from] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("cannot begin")]
        struct Leaves(#[from] Names);
        let text = reasons(&Leaves::from(Names::from(Inner)));
        assert_eq!(text, "cannot begin: /a/file: no more room");
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, format: LogFormat, act: impl FnOnce()) -> String {
        logged_in(false, level, format, act)
    }

    fn logged_in(colour: bool, level: &str, format: LogFormat, act: impl FnOnce()) -> String {
        let log = Log {
            level: level.to_owned(),
            format,
            ..crate::config::Config::default().log
        };
        let lines = Written::default();
        let writer = lines.clone();
        let (layer, _level) = layer(&log, move || writer.clone(), colour).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let bytes = lines.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn request_headers_reach_no_log_whatever_the_directives_say() {
        for level in ["trace", "info,wtransport=trace", "wtransport::driver=debug"] {
            let text = logged(level, LogFormat::Text, || {
                tracing::debug!(target: "wtransport::driver", "header");
                tracing::trace!(target: "wtransport", "header");
                tracing::debug!(target: "wtransport_proto", "header");
                tracing::trace!(target: "h2::codec", "header");
                tracing::info!(target: "wtransport::driver", "started");
            });
            assert!(!text.contains("header"), "{text}");
        }
    }

    #[test]
    fn a_part_that_warns_of_everything_is_heard_by_who_wants_details() {
        let warned = |level: &str| {
            let text = logged(level, LogFormat::Text, || {
                tracing::warn!(target: "rtc_dtls::handshake", "an extension");
                tracing::error!(target: "rtc_dtls::handshake", "a fault");
            });
            (text.contains("an extension"), text.contains("a fault"))
        };
        for level in ["info", "warn", "info,steadycast_relay=debug"] {
            assert_eq!(warned(level), (false, true), "{level}");
        }
        for level in [
            "debug",
            "trace",
            "info,rtc_dtls=warn",
            "info,rtc_dtls::handshake=debug",
        ] {
            assert_eq!(warned(level), (true, true), "{level}");
        }
        assert_eq!(warned("off"), (false, false));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        for wrong in [
            "inof",
            "info,steadycast_relay",
            "verbose",
            "steadycast_rely=debug",
            "info,steadycast_rely::http=debug",
            "steadycast_relay::quik=debug",
        ] {
            assert!(
                matches!(check(wrong), Err(TelemetryError::Word(_))),
                "{wrong}"
            );
        }
        for right in [
            "info",
            "WARN",
            "off",
            "info, steadycast_relay::http=debug",
            "steadycast_relay::webrtc::session=debug,steadycast=warn",
            "rtc_dtls::handshake=debug",
            "",
        ] {
            assert!(check(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn every_room_of_the_relay_has_a_level_of_its_own() {
        let modules = include_str!("lib.rs").lines().filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        });
        let requests = crate::http::ACCESS.split("::").last().unwrap();
        let mut rooms: Vec<_> = modules.chain([requests]).collect();
        rooms.sort_unstable();
        assert_eq!(rooms, ROOMS);
    }

    #[test]
    fn directives_choose_what_is_logged() {
        let text = logged("info,steadycast_relay::http=debug", LogFormat::Text, || {
            tracing::debug!(target: "steadycast_relay::http", "seen");
            tracing::debug!(target: "steadycast_relay::tls", "unseen");
        });
        assert!(text.contains(" seen") && !text.contains("unseen"), "{text}");
    }

    #[test]
    fn more_of_one_part_is_not_less_of_the_others() {
        let text = logged("steadycast_relay::http=debug", LogFormat::Text, || {
            tracing::debug!(target: "steadycast_relay::http", "detail");
            tracing::info!(target: "steadycast_relay::tls", "usual");
        });
        assert!(text.contains("detail") && text.contains("usual"), "{text}");
    }

    #[test]
    fn what_strangers_say_is_one_line_and_no_more_than_a_line() {
        let forged = |reason: &str| {
            tracing::debug_span!("session", %reason).in_scope(|| {
                tracing::debug!(%reason, "closed");
                tracing::debug!(reason, "closed");
                tracing::debug!("closed: {reason}");
            });
        };
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged("debug", format, || {
                forged("bye\n2026-01-01T00:00:00Z  INFO forged\r\u{1b}[2J\u{7}");
            });
            assert_eq!(text.lines().count(), 3, "{text:?}");
            let odd = text.chars().filter(|c| c.is_control() && *c != '\n');
            assert_eq!(odd.count(), 0, "{text:?}");
        }
        let text = logged_in(true, "debug", LogFormat::Text, || {
            forged("\u{1b}[2J\u{1b}[8m")
        });
        assert!(text.contains("\u{1b}["), "in colour: {text:?}");
        for steers in ["\u{1b}[2J", "\u{1b}[8m"] {
            assert!(!text.contains(steers), "{text:?}");
        }
        let text = logged("info", LogFormat::Text, || {
            tracing::info!(reason = %"x".repeat(64 << 10), "closed");
        });
        assert!(text.len() < 3_000, "{}", text.len());
    }

    #[test]
    fn lines_that_repeat_are_counted() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let flood = || (0..5_000).for_each(|n| tracing::info!(n, "again"));
            let text = logged("debug", format, || {
                flood();
                (0..500).for_each(|_| tracing::debug!("chosen by the operator"));
                tracing::warn!("something else");
            });
            let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
            assert!((100..200).contains(&count("again")), "{}", count("again"));
            assert_eq!(count("chosen"), 500);
            assert_eq!(count("something else"), 1);
        }
    }

    #[test]
    fn machines_get_an_object_per_line() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info!(players = 3, "hello")
        });
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(
            (&line["message"], &line["players"]),
            (&"hello".into(), &3.into())
        );
    }
}
