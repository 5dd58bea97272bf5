//! WebSocket, for networks that let no UDP through: sessions over the page's own TCP port, in QMux's streams and datagrams.

mod acks;
mod carrier;
mod ear;
mod flow;
mod frames;
mod group;
mod link;
mod serve;
mod stranger;
mod transport;
mod upgrade;

pub use acks::Unsent;
pub use carrier::GroupStreams;
pub use flow::{Fault, Flow};
pub use transport::{
    Inlet, LONGEST_MESSAGE, Messages, Outlet, READ_BUFFER, WRITE_BUFFER, WebSocketTransport,
};

pub(crate) use serve::{Admission, Arrival, Entrance, Refused};
pub(crate) use upgrade::{SUBPROTOCOL, bounded};
