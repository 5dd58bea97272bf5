//! One line per event, whatever strangers have put into it, and no more lines than a disk bears.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use parking_lot::Mutex;
use tracing::callsite::Identifier;
use tracing::field::Field;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, format};
use tracing_subscriber::registry::LookupSpan;

use crate::http::ACCESS;

/// The longest line for people, in bytes.
const LONGEST: usize = 2_000;
/// Lines of one kind that are written at once, however quickly they come.
const BURST: f64 = 100.0;
/// Lines of one kind that are written in a second after that; the next one says how many were not.
const PER_SECOND: f64 = 3.0;

/// Writes events as lines.
pub(super) struct Lines<F> {
    inner: Format<F>,
    repeats: Mutex<HashMap<Identifier, Repeats>>,
}

impl Lines<Full> {
    /// For people.
    pub(super) fn text(colour: bool) -> Self {
        Self::of(format().with_ansi(colour))
    }
}

impl Lines<Json> {
    /// For machines.
    pub(super) fn json() -> Self {
        Self::of(format().json().flatten_event(true))
    }
}

impl<F> Lines<F> {
    fn of(inner: Format<F>) -> Self {
        Self {
            inner,
            repeats: Mutex::default(),
        }
    }

    /// Whether a line of this kind may be written now, and how many were left out before it.
    fn may_write(&self, kind: &Metadata<'_>, now: Instant) -> Option<u64> {
        // Who asks for more than that gets it; requests are counted where they are written.
        if *kind.level() > Level::INFO || kind.target() == ACCESS {
            return Some(0);
        }
        let mut repeats = self.repeats.lock();
        let repeats = repeats.entry(kind.callsite());
        repeats.or_insert_with(|| Repeats::new(now)).next(now)
    }

    /// An event as a line, and how many of its kind were left out before it; `None` where this one is
    /// left out as well.
    fn line<S, N>(
        &self,
        context: &FmtContext<'_, S, N>,
        event: &Event<'_>,
    ) -> Result<Option<(String, u64)>, fmt::Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
        Format<F>: FormatEvent<S, N>,
    {
        let Some(left_out) = self.may_write(event.metadata(), Instant::now()) else {
            return Ok(None);
        };
        let mut line = String::new();
        self.inner
            .format_event(context, Writer::new(&mut line), event)?;
        Ok(Some((line, left_out)))
    }
}

/// How often a line has been written. There are as many as there are places in the program.
struct Repeats {
    left: f64,
    at: Instant,
    left_out: u64,
}

impl Repeats {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            at: now,
            left_out: 0,
        }
    }

    fn next(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed * PER_SECOND).min(BURST);
        if self.left < 1.0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1.0;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl<S, N> FormatEvent<S, N> for Lines<Full>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some((line, left_out)) = self.line(context, event)? else {
            return Ok(());
        };
        write_line(&mut writer, line.trim_end())?;
        if left_out > 0 {
            write!(writer, " left_out={left_out}")?;
        }
        writer.write_char('\n')
    }
}

/// Writes a field for people. Its value may be a stranger's: it steers no terminal and ends no line.
pub(super) fn write_field(
    writer: &mut Writer<'_>,
    field: &Field,
    value: &dyn fmt::Debug,
) -> fmt::Result {
    match (field.name(), writer.has_ansi_escapes()) {
        ("message", _) => {}
        // Where a line of the other kind of logger comes from; the line begins with that.
        (name, _) if name.starts_with("log.") => return Ok(()),
        (name, true) => write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m")?,
        (name, false) => write!(writer, "{name}=")?,
    }
    for letter in format!("{value:?}").chars() {
        match letter.is_control() {
            true => write!(writer, "{}", letter.escape_default())?,
            false => writer.write_char(letter)?,
        }
    }
    Ok(())
}

/// Of control characters only colours are left by now.
fn write_line(writer: &mut Writer<'_>, line: &str) -> fmt::Result {
    let kept = &line[..line.floor_char_boundary(LONGEST)];
    writer.write_str(kept)?;
    match line.len() - kept.len() {
        0 => Ok(()),
        more => write!(writer, "... and {more} bytes"),
    }
}

impl<S> FormatEvent<S, JsonFields> for Lines<Json>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some((line, left_out)) = self.line(context, event)? else {
            return Ok(());
        };
        match line.trim_end().strip_suffix('}') {
            Some(object) if left_out > 0 => {
                writeln!(writer, "{object},\"left_out\":{left_out}}}")
            }
            _ => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_next_line_says_how_many_were_left_out() {
        let begin = Instant::now();
        let mut repeats = Repeats::new(begin);
        let written = (0..1_000).filter(|_| repeats.next(begin).is_some()).count();
        assert_eq!(written, BURST as usize);
        let later = begin + Duration::from_secs(1);
        assert_eq!(repeats.next(later), Some(1_000 - BURST as u64));
        assert_eq!(repeats.next(later), Some(0));
        let much_later = begin + Duration::from_secs(3_600);
        let written = (0..1_000).filter(|_| repeats.next(much_later).is_some());
        assert_eq!(written.count(), BURST as usize);
    }
}
