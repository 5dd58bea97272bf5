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
mod tcp;
mod transport;
mod upgrade;
mod yields;

pub use acks::Unsent;
pub use carrier::GroupStreams;
pub use flow::{Fault, Flow};
pub(crate) use tcp::Sending;
pub use transport::{
    Inlet, LONGEST_MESSAGE, Messages, Outlet, READ_BUFFER, WRITE_BUFFER, WebSocketTransport,
};

pub(crate) use serve::{Admission, Arrival, Entrance, Refused};
pub(crate) use upgrade::{SUBPROTOCOL, bounded};

#[cfg(test)]
mod tests;
