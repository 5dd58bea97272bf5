//! WebTransport over QUIC: the endpoint, its sessions, and the pumps between them and the broadcasts.

mod accept;
mod arrivals;
mod audience;
mod carrier;
pub mod congestion;
mod control;
mod deliver;
mod ending;
mod endpoint;
mod group_reader;
mod group_writer;
mod local;
mod player;
mod publisher;
mod serve;
mod session;
mod settings;
mod sound;

pub use endpoint::{Endpoint, EndpointError, Parts};
pub use settings::Settings;
