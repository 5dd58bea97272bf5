//! What outlives the process: keys, and the list of broadcasts. Never a picture.

mod dir;
mod list;
#[cfg(test)]
pub(crate) mod temp;

pub use dir::{Access, StateDir, StateError, StateLock};
pub use list::{Entry, Seen, Store};
