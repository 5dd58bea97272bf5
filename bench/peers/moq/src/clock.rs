//! One clock for publisher and players: they share a process, so latency needs no synchronisation.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, read once from the system clock and monotonic from then on.
pub(crate) fn now_us() -> u64 {
    static ORIGIN: OnceLock<(Instant, u64)> = OnceLock::new();
    let (start, unix_us) = ORIGIN.get_or_init(|| (Instant::now(), system_us()));
    unix_us + micros(start.elapsed())
}

fn system_us() -> u64 {
    micros(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
