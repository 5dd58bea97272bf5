//! The heart of the relay: broadcasts, their caches, and what each player gets next.
//!
//! No sockets and no clock of its own: the time enters as [`RelayTime`], frames
//! as bytes that have been read and checked, so that every rule here is tested
//! on a virtual clock. [`Broadcast`] is the shared handle; `state` holds the
//! rules behind its lock.

mod cache;
mod cursor;
mod frame;
mod handle;
mod id;
mod keyframes;
mod registry;
mod settings;
mod snapshot;
mod state;
mod time;

pub use cursor::{Before, Cursor, Step};
pub use frame::{Frame, FrameError};
pub use handle::{Broadcast, News, PlayerSeat, PublisherNews, PublisherSeat, Pulse};
pub use id::{BroadcastId, BroadcastIdError};
pub use keyframes::Need;
pub use registry::{Registry, RegistryError};
pub use settings::Settings;
pub use snapshot::{CacheSnapshot, Snapshot, Totals};
pub use state::{AttachError, Progress, PublishError};
pub use time::RelayTime;
