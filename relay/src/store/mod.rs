//! What outlives the process: keys, broadcasts, and what was taken back. Never a picture.

pub(crate) mod catalog;
mod dir;
mod early;
mod engine;
mod ledger;
mod local;
pub(crate) mod taken_back;
#[cfg(test)]
pub(crate) mod temp;
mod token_keys;

pub use catalog::{Catalog, CatalogError, ClusterSecret, ClusterSecretError, Ending};
pub use dir::{Access, StateDir, StateError, StateLock};
pub use engine::{Change, Entry, Kept, Mark, PanelSecret, Seen, Store};
pub use ledger::Ledger;
pub use local::LocalStore;
pub use taken_back::Outbox;
pub use token_keys::TokenKeys;
