//! What happens at the relay, for those who want to know of it: listeners of the API, and hooks.

mod event;
mod hooks;
mod hub;

pub use event::{Event, Happened, SessionFacts};
pub use hooks::{HookSecret, HookSecretError, HookSettings, Hooks, HooksError};
pub use hub::{Events, Listener, Lost};
