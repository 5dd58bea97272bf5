//! The heart of the relay: broadcasts, their caches, and what each player gets next.
//!
//! No sockets and no clock of its own: the time enters as [`RelayTime`], frames
//! as bytes that have been read and checked, so that every rule here is tested
//! on a virtual clock. [`Broadcast`] is the shared handle; `state` holds the
//! rules behind its lock.

mod cache;
mod captures;
mod content;
mod cursor;
mod cursors;
mod demand;
mod error;
mod fit;
mod frame;
mod handle;
mod id;
mod keyframes;
mod memory;
mod news;
mod presence;
mod privacy;
mod registry;
mod relays;
mod renditions;
mod seats;
mod settings;
mod share;
mod snapshot;
mod sound;
mod source;
mod state;
mod time;
mod track;
mod warning;

pub use captures::{Capture, Captures, Claim, Clock};
pub use content::{Content, STILL_AFTER};
pub use cursor::{Backlog, Before, Cursor, Step};
pub use error::{AttachError, PublishError};
pub use fit::View;
pub use frame::{Frame, FrameError};
pub use handle::Broadcast;
pub use id::{BroadcastId, BroadcastIdError, Incarnation};
pub use keyframes::Need;
pub use memory::{Account, Buffer, Charge, MemoryError};
pub use news::{News, PublisherNews, Pulse};
pub use presence::Presence;
pub use registry::{Description, Registry, RegistryError, Ticked};
pub use relays::{Behind, Newest, Withheld, Word};
pub use renditions::{Means, Wanted, Width, Widths};
pub use seats::{PlayerSeat, PublisherSeat};
pub use settings::{OwnSettings, Settings};
pub use snapshot::{CacheSnapshot, RenditionSnapshot, Snapshot, Totals};
pub use sound::{SoundSnapshot, Sounds};
pub use state::Progress;
pub use time::{Moment, RelayTime};
pub use warning::{Warning, WarningSnapshot};

#[cfg(test)]
pub(crate) use frame::tests as test_frames;
#[cfg(test)]
pub(crate) use memory::plenty;
