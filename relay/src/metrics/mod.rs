//! Figures for Prometheus (docs/METRICS.md): what is counted where it happens, and what the relay knows anyway and
//! is read when somebody asks.

mod counted;
mod serve;
#[cfg(test)]
mod tests;
mod totals;

pub(crate) use counted::role_name;
pub use counted::{Answered, Asked, Handshake, Metrics, MetricsError};
#[cfg(test)]
pub(crate) use serve::router;
pub use serve::{MetricsListener, Sources};
