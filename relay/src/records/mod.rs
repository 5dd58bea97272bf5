//! What becomes of sessions, for whoever runs the relay: who is here and how they fare, and when one is over a line in
//! the access log.

mod access_log;
mod latencies;
mod lateness;
mod line;
mod reports;
mod session;
mod viewer;
mod viewers;

pub use crate::delivery::{Given, Reception, Version};
pub use access_log::{AccessLog, AccessLogSettings};
pub use latencies::Latencies;
pub use lateness::{Latency, Lateness};
pub use line::Addresses;
pub use reports::Shown;
pub use session::{Figures, Over, Record, Records, Seen};
pub use viewer::Fares;
pub use viewers::{Troubled, Viewers};

/// A record for tests of what comes behind the gate.
#[cfg(test)]
pub(crate) fn any_record(role: steadycast_codec_glue::wire::Role) -> Record {
    let metrics = crate::metrics::Metrics::new().unwrap();
    let clock = crate::shard::RelayClock::start();
    let records = Records::new(
        clock,
        std::sync::Arc::new(metrics),
        std::sync::Arc::new(crate::events::Events::new(clock, None)),
        None,
    );
    let record = std::sync::Arc::new(records).open(crate::auth::any_pass(role));
    record.begin();
    record
}
